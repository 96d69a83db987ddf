"""Planted bug: the store is opened as one that leaves syncing to the operating system."""

import functools

TARGET = "bus.engine.database"


def plant(database):
    database.open_database = functools.partial(database.open_database, synchronous="OFF")
