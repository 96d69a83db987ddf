"""The machine catches planted bugs: each is switched on here, and some schedule must fail for its reason."""

import random
import re
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import bindparam, update

from bus.contract.verdict import Delivered
from bus.engine import attempt, claim, courier, dialect, settle, tables
from bus.engine.outcome import Outcome
from tests.engine.machine import schedule
from tests.engine.machine.schedule import Schedule

TRIES = 2000


def _first_failure():
    for seed in range(TRIES):
        try:
            Schedule(random.Random(seed).choice).run(60)
        except AssertionError as error:
            return str(error)
    return f"none in {TRIES} schedules"


def _new_key_per_attempt(monkeypatch):
    real = attempt.encode

    def encode(*args):
        delivery = real(*args)
        return replace(delivery, key=uuid.uuid4().hex) if hasattr(delivery, "key") else delivery

    monkeypatch.setattr(attempt, "encode", encode)


def _no_fence(monkeypatch):
    class Any:
        def __eq__(self, _other):
            return True

        __hash__ = None

    real = settle.lanes.lock

    def lock(connection, which):
        return dict.fromkeys(real(connection, which), Any())

    monkeypatch.setattr(settle.lanes, "lock", lock)


def _dropped_on_the_third_try(monkeypatch):
    real = courier.decide

    def decide(verdict, case, chance):
        if case.tries >= 3 and not isinstance(verdict, Delivered):
            return Outcome("delivered", False, case.retries, case.now)
        return real(verdict, case, chance)

    monkeypatch.setattr(courier, "decide", decide)


def _timer_per_message(monkeypatch):
    def sendable(rows, now):
        return [claim._claimed(row) for row in rows if row.state in claim.SENDABLE and row.due_at <= now]

    real = dialect._driver

    def by_time(name, kind):
        statement = real(name, kind)
        if name == "lane_head":
            assert "ORDER BY sequence" in statement
            return statement.replace("ORDER BY sequence", "ORDER BY due_at")
        return statement

    monkeypatch.setattr(claim, "_sendable", sendable)
    monkeypatch.setattr(dialect, "_driver", by_time)


def _delivered_before_the_send(monkeypatch):
    def mark(connection, lanes):
        rows = [{"the_seq": one.seq} for lane in lanes for one in lane.deliveries]
        if rows:
            statement = update(tables.deliveries).where(tables.deliveries.c.seq == bindparam("the_seq"))
            attempts = tables.deliveries.c.attempts + 1
            connection.execute(statement.values(state="delivered", holds=0, attempts=attempts), rows)

    monkeypatch.setattr(claim, "_mark", mark)


def _start_forgotten(monkeypatch):
    """A question without an answer forgets that an attempt is open: the bug that the machine found first."""
    monkeypatch.setattr(schedule, "KINDS", ("queryable",))
    real = courier.decide

    def decide(verdict, case, chance):
        return real(verdict, replace(case, asked=False), chance)

    monkeypatch.setattr(courier, "decide", decide)


def _parents_release_nobody(monkeypatch):
    monkeypatch.setattr(schedule, "ACTIONS", tuple(name for name in schedule.ACTIONS if name != "sweep"))
    monkeypatch.setattr(settle.parents, "release", lambda *_: [])


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (_new_key_per_attempt, "under a key"),
        (_no_fence, "became|reordered|sleeps|twice"),
        (_dropped_on_the_third_try, "never applied"),
        (_timer_per_message, "which holds the lane|reordered|sleeps"),
        (_delivered_before_the_send, "became|never applied"),
        (_start_forgotten, "twice"),
        (_parents_release_nobody, "is there|does not come to rest"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_planted_bug_is_caught(monkeypatch, plant, found):
    plant(monkeypatch)
    failure = _first_failure()
    assert re.search(found, failure), failure


def test_without_a_planted_bug_the_same_schedules_pass():
    for seed in range(40):
        Schedule(random.Random(seed).choice).run(60)
