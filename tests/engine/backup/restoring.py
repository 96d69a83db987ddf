"""What the tests of backup and restore share."""

import pytest

from bus.contract.errors import Refused
from bus.engine import restore, sealing
from bus.engine.database import open_database

HOUR = 3600

BOTH = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
"""Run on both databases; without it a test runs on SQLite, where a database costs next to nothing."""


def head_of(url):
    database = open_database(url)
    with database.reads.connect() as connection:
        head = sealing.head(connection)
    database.close()
    return head


def restored(url, file, **more):
    return restore.restore(
        url, file, now=more.pop("now", 1_700_000_000_000_000 + HOUR * 1_000_000), actor="person", **more
    )


def refusal(act, *args, **more):
    with pytest.raises(Refused) as caught:
        act(*args, **more)
    return caught.value.problem.slug
