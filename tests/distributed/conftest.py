"""Fleets and subscribers that end with their module or test."""

import contextlib
import uuid

import pytest

from tests.services import wait_until

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


@contextlib.contextmanager
def _database(postgres_server):
    name = f"arus_{uuid.uuid4().hex}"
    with postgres_server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres_server.url(name)
    with postgres_server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def store(postgres_server):
    """The URL of a database for one module."""
    with _database(postgres_server) as url:
        yield url


class City:
    """Two fronts, two workers, a sweeper and one subscriber."""

    def __init__(self, fleet, receiver):
        self.fleet, self.receiver = fleet, receiver
        self.key = fleet.sign_up(("dashboard", receiver.url))
        self.apis = [fleet.api(), fleet.api()]
        self.workers = [fleet.worker(), fleet.worker()]
        self.sweeper = fleet.sweeper()
        fleet.ready(*self.workers)
        for api in self.apis:
            wait_until(api.ready, timeout=60, what="the API is ready")
        wait_until(lambda: fleet.leader() == self.sweeper.pid, timeout=60, what="the sweeper leads")


@pytest.fixture(scope="session")
def running_city(postgres_server, broker_server, tmp_path_factory):
    """Started once: what is done to it in a test, it must survive."""
    with contextlib.ExitStack() as stack:
        broker_server.run()
        receiver = Receiver()
        stack.callback(receiver.close)
        url = stack.enter_context(_database(postgres_server))
        fleet = Fleet(tmp_path_factory.mktemp("city"), url, broker_server.url)
        stack.callback(fleet.close)
        yield City(fleet, receiver)


@pytest.fixture
def city(running_city, broker):
    """The city, with its broker running and its workers there."""
    running_city.receiver.free.set()
    running_city.fleet.ready(*running_city.workers)
    return running_city


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
