"""The process dies between any two transactions of a file: the file again finishes it, and nothing is doubled."""

import json

import pytest

from bus.contract.feed import Page
from bus.engine import feed_state
from bus.engine import intake as intake_module
from bus.engine.registers import feed_rows
from bus.engine.schema import METADATA
from tests.intake.hub import APPOINTMENT, CATALOGUE, PAKET, SPPBJ, Hub, key_of, letters, numbers, package

FIRST = letters(*range(30))
SECOND = [
    *letters(*range(4, 12)),
    *letters(*range(12, 24), harga_final=5),
    *letters(*range(24, 30), harga_final="?"),
    *letters(*range(40, 48)),
]
"""Deletes 0-3, leaves 4-11, changes 12-23, refuses 24-29, brings 40-47: seven transactions in portions of four."""


class Died(BaseException):
    """The process is gone: nothing that it would have done afterwards happens, also no tidying up."""


class Mortal:
    """A writer whose process dies at its n-th transaction, just before or just after the commit."""

    def __init__(self, writer, last, *, committed):
        self.writer, self.left, self.committed = writer, last, committed

    def call(self, job):
        self.left -= 1
        if self.left > 0:
            return self.writer.call(job)
        if self.left == 0 and self.committed:
            self.writer.call(job)
        raise Died


def steps(hub, content):
    """How many transactions taking ``content`` makes."""
    counting = Mortal(hub.writer, 10_000, committed=True)
    Hub(hub.database, hub.clock, counting).take(SPPBJ, content)
    return 10_000 - counting.left


def state(hub):
    prices = {number: hub.records(APPOINTMENT)[key_of(number)]["final_price"] for number in numbers(hub)}
    told = [(one.subject, one.op, one.version, json.loads(one.data).get("final_price")) for one in hub.messages()]
    return prices, sorted(told), len(hub.rejections()), len(hub.rows(feed_rows))


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after it"])
def test_a_file_taken_again_after_a_crash_at_any_step(either_hub, monkeypatch, committed):
    hub = either_hub
    monkeypatch.setattr(intake_module, "PORTION", 4)

    def begin():
        wipe(hub)
        hub.counts(SPPBJ, FIRST)

    begin()
    total = steps(hub, SECOND)
    assert total == 9  # the lease, five portions of news, one of deletions, the end, the lease again
    whole = state(hub)
    for last in range(1, total + 1):
        begin()
        with pytest.raises(Died):
            Hub(hub.database, hub.clock, Mortal(hub.writer, last, committed=committed)).take(SPPBJ, SECOND)
        hub.clock.forward(feed_state.LEASE / 1_000_000 + 1)
        counts = hub.counts(SPPBJ, SECOND)
        assert (counts["rows"], counts["rejected"]) == (34, 6)
        assert state(hub) == whole, f"died at step {last}"


def wipe(hub):
    """Forget everything, so that each step begins alike without a store of its own."""

    def empty(connection):
        for table in METADATA.sorted_tables:
            if table.name != "alembic_version":
                connection.execute(table.delete())

    hub.writer.call(empty)


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after it"])
def test_a_page_fetched_again_after_a_crash_at_any_step(either_hub, monkeypatch, committed):
    hub = either_hub
    monkeypatch.setattr(intake_module, "PORTION", 4)
    feed = CATALOGUE.feed(*PAKET)
    rows = [package(number) for number in range(10)] + [package(10, nilai="?")]
    page = Page(rows, "c1")
    for last in range(1, 7):
        wipe(hub)
        with pytest.raises(Died):
            Hub(hub.database, hub.clock, Mortal(hub.writer, last, committed=committed)).intake.take_page(feed, page)
        ended = last == 6 or (last == 5 and committed)
        assert hub.intake.cursor(feed) == ("c1" if ended else None), f"step {last}: the cursor ends with its rows"
        if not ended:
            hub.clock.forward(feed_state.LEASE / 1_000_000 + 1)
            hub.intake.take_page(feed, page)
        assert hub.intake.cursor(feed) == "c1"
        assert [one.version for one in hub.messages()] == [1] * 10
        assert len(hub.rejections()) == 1
