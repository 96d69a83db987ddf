"""A hub's way in, on a store migrated once and copied for each test."""

import shutil

import pytest

from bus.engine.database import open_database, upgrade
from tests.intake.hub import Hub

TEMPLATE = "arus_intake_template"


@pytest.fixture(scope="session")
def postgres_template(postgres_server):
    """Migrate one database; every test's database is a clone of it."""
    with postgres_server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{TEMPLATE}"')
    upgrade(postgres_server.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "arus.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "arus.db")
    return f"sqlite:///{tmp_path / 'arus.db'}"


def _opened(url):
    # What is proved here does not hang on power failures, so a commit need not reach the disk.
    database = open_database(url, synchronous="OFF")
    hub = Hub(database)
    yield hub
    hub.close()
    database.close()


@pytest.fixture
def hub(sqlite_url):
    yield from _opened(sqlite_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_hub(request):
    """A hub on each database in turn."""
    yield from _opened(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database"))
