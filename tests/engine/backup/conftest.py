"""A store of either database, a backup of it, and an empty one beside it to restore into."""

import uuid

import pytest

from bus.contract.verdict import Ambiguous, Delivered, Rejected
from bus.engine import sealing
from bus.engine.backup import backup
from bus.engine.database import open_database
from tests.engine.backup.restoring import HOUR
from tests.engine.hub import Hub


@pytest.fixture
def store_url(request):
    kind = getattr(request, "param", "sqlite")
    return request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgres_database")


@pytest.fixture
def empty_url(store_url, tmp_path, request):
    """A second database of the same kind, without tables."""
    if store_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'arus.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"other_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.url(name)
    with server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def saved(hub, tmp_path):
    """A backup of: one delivered, one dead, one ambiguous, one claimed, two waiting; then an hour went on."""
    for subject in ("delivered", "dead", "doubtful"):
        hub.post(subject)
        hub.carry(
            {"delivered": Delivered(), "dead": Rejected("no"), "doubtful": Ambiguous("gone")}[subject], kind="blind"
        )
    hub.post("claimed")
    hub.claim()
    hub.post("waiting")
    hub.post("package", system="e-project", type="project.package")
    hub.do(sealing.seal, owner="one", now=hub.clock())
    file = tmp_path / "backup.tar"
    hub.manifest = backup(hub.database.url, file, now=hub.clock())
    hub.clock.forward(HOUR)
    return file


@pytest.fixture
def opened():
    """Open a store as a hub that a test drives, and close it at the end."""
    made = []

    def hub(url):
        made.append(open_database(url))
        return Hub(made[-1])

    yield hub
    for database in made:
        database.close()
