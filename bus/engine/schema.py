"""What all tables share: naming of constraints, and keys that count up."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key that the database counts up; SQLite does so for INTEGER PRIMARY KEY only."""


def serial() -> Column[int]:
    return Column("seq", _SERIAL, primary_key=True, autoincrement=True)
