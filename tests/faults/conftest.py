"""The runs of a whole hub, one for each mode; and a distributed hub behind gates."""

import contextlib
import os
import uuid

import pytest

from .gates import GatedFleet
from .proven import once

_RUNS = {}


@pytest.fixture(scope="session")
def proven(request, tmp_path_factory):
    """The finished run of the mode that the test asks for; test processes side by side share it."""
    mode, base = request.param, tmp_path_factory.getbasetemp()
    if mode not in _RUNS:
        _RUNS[mode] = once(mode, base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
    return _RUNS[mode]


@pytest.fixture(scope="session")
def running_gated_fleet(postgres_server, rabbitmq_server, tmp_path_factory):
    """Started once: what is done to it in a test, it must survive."""
    name = f"gated_{uuid.uuid4().hex}"
    with postgres_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with contextlib.ExitStack() as stack:
        yield GatedFleet(tmp_path_factory.mktemp("gated"), postgres_server.url(name), rabbitmq_server.port, stack)
    with postgres_server.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def gated_fleet(running_gated_fleet):
    """The distributed hub behind gates, in good weather, that has to be in good health afterwards."""
    yield running_gated_fleet
    running_gated_fleet.receiver.free.set()
    running_gated_fleet.all_alive()
