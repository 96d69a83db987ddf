"""The store on both databases: migrated once, a fresh copy for each test."""

import shutil

import pytest

from bus.engine.database import open_database, upgrade
from tests.engine.draining import Place, ScriptedSink
from tests.engine.hub import Hub

TEMPLATE = "arus_engine_template"


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


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request):
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_database")


@pytest.fixture
def store(store_url):
    """The open store, on each database in turn."""
    database = open_database(store_url)
    yield database
    database.close()


@pytest.fixture
def postgres_store(postgres_database):
    database = open_database(postgres_database)
    yield database
    database.close()


@pytest.fixture
def sqlite_store(sqlite_url):
    database = open_database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def hub(store):
    """A hub that a test drives by hand, on each database in turn."""
    return Hub(store)


@pytest.fixture
async def place(store):
    places = []

    def make(sink=None, **route):
        places.append(Place(store, sink or ScriptedSink(), **route))
        return places[-1]

    yield make
    for made in places:
        made.sink.gate.set()
        await made.stop()
