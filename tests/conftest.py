"""Settings that every test shares."""

from hypothesis import settings

pytest_plugins = [
    "tests.services.postgres",
    "tests.services.rabbitmq",
    "tests.services.shared_data",
]

# No deadline per example: the machine's load is not a fault of the code under test.
settings.register_profile("arus", deadline=None, print_blob=True)
settings.load_profile("arus")
