"""Whether a transaction was committed whose COMMIT nobody answered: PostgreSQL remembers, by the transaction's number.

A connection that is cut in that moment says nothing. To do the work again is harmless where it is known by its id
(a message, a report), and not where a person asked for it: a delivered message would be sent once more.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

_NUMBER = text("SELECT pg_current_xact_id_if_assigned()::text")
_STATUS = text("SELECT pg_xact_status(CAST(:number AS xid8))")


def number_of(connection: Connection) -> str | None:
    """The running transaction's number; None: it has written nothing, or its connection (SQLite) cannot be cut."""
    if connection.dialect.name != "postgresql":
        return None
    number: str | None = connection.execute(_NUMBER).scalar_one()
    return number


def was_committed(engine: Engine, number: str) -> bool | None:
    """None: the server is not done with it, since it has not noticed yet that the connection is cut.

    Raises what SQLAlchemy raises.
    """
    with engine.connect() as connection:
        status = connection.execute(_STATUS, {"number": number}).scalar_one()
    return None if status == "in progress" else bool(status == "committed")
