"""Migrations: from nothing, again, equal to the tables in code, and refused where a newer program made the store."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from bus.engine import registers, tables  # noqa: F401 - they fill METADATA
from bus.engine.database import SchemaError, open_database, upgrade
from bus.engine.schema import METADATA


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'folder' / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"empty_{abs(hash(request.node.nodeid))}"
    with server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.url(name)
    with server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _tables(url):
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_an_empty_store_is_brought_to_the_newest_revision_and_a_second_time_nothing_happens(empty_url):
    upgrade(empty_url)
    made = _tables(empty_url)
    assert made == {*METADATA.tables, "alembic_version"}
    upgrade(empty_url)
    assert _tables(empty_url) == made


def test_the_migrations_make_exactly_the_tables_in_code(empty_url):
    upgrade(empty_url)
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    engine.dispose()
    assert differences == []


def test_partial_indexes_are_made_with_their_conditions(store):
    statement = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }[store.reads.dialect.name]
    with store.reads.connect() as connection:
        made = dict(connection.execute(text(statement)).all())
    for name in (
        "ix_lanes_due",
        "ix_deliveries_line",
        "ix_deliveries_dead",
        "ix_deliveries_waits",
        "ix_deliveries_open",
    ):
        assert "WHERE" in made[name], name


def test_a_store_of_a_newer_program_is_refused_and_left_as_it_is(store_url):
    database = open_database(store_url)
    with database.writes.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match=r"revision 9999.*newer version"):
        upgrade(store_url)
    with database.reads.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    database.close()


def test_sqlite_is_opened_durable(sqlite_store):
    with sqlite_store.writes.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}
    assert sqlite_store.is_sqlite
