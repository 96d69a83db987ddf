"""Fleets and subscribers that end with their module or test."""

import contextlib
import uuid

import pytest

from .broker import Broker
from .fleet import Fleet
from .receiver import Receiver


@pytest.fixture(scope="session")
def broker_server():
    server = Broker()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def broker(broker_server):
    """A running broker of these tests' own: some kill it."""
    broker_server.run()
    return broker_server


@pytest.fixture(scope="module")
def store(postgres_server):
    """The URL of a database for one module."""
    name = f"arus_{uuid.uuid4().hex}"
    with postgres_server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres_server.url(name)
    with postgres_server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def make_fleet(tmp_path_factory):
    """``make_fleet(database_url, broker_url, **environment)``."""
    with contextlib.ExitStack() as stack:

        def make(*places, **environment):
            fleet = Fleet(tmp_path_factory.mktemp("fleet"), *places, **environment)
            stack.callback(fleet.close)
            return fleet

        yield make


@pytest.fixture(scope="module")
def make_receiver():
    with contextlib.ExitStack() as stack:

        def make():
            receiver = Receiver()
            stack.callback(receiver.close)
            return receiver

        yield make
