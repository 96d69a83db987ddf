"""Alembic's entry: migrations run in one transaction each, so that a killed one leaves the store as it was."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from bus.engine import registers, tables  # noqa: F401 - they fill METADATA
from bus.engine.schema import METADATA

url = context.config.attributes["url"]
engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 60} if url.startswith("sqlite") else {})

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        # Without this the driver commits before each CREATE TABLE, and a killed migration stays half done.
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        transactional_ddl=True,
        transaction_per_migration=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
