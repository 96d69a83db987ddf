"""Failures by cause: counted, first and last seen, in the destination's words; and read by index, on both databases."""

from datetime import datetime

import pytest
from sqlalchemy import event, text

from bus.contract.clock import to_datetime
from bus.contract.verdict import Delivered, Rejected, RetryLater, Unavailable
from bus.engine.browse import failures as module
from bus.engine.browse.failures import failures
from bus.engine.browse.view import ALL, View
from tests.engine.hub import incoming


def _told(hub, view=ALL):
    with hub.database.reads.connect() as connection:
        return failures(connection, view)


def _seconds(hub, told):
    """Seconds from the hub's start to a moment as it is told."""
    return (datetime.fromisoformat(told) - to_datetime(hub.began)).total_seconds()


@pytest.fixture
def failing(hub):
    """One delivered, one given up after three tries, one refused, one not reached twice."""
    hub.began = hub.clock()
    hub.accept(*[incoming(subject) for subject in ("good", "busy", "refused", "away")])
    script = {
        "good": [Delivered()],
        "busy": [RetryLater("HTTP 429: penuh", status=429)] * 3,
        "refused": [Rejected("HTTP 422: PAGU_HABIS: pagu habis", status=422)],
        "away": [Unavailable("no connection in time")] * 2,
    }
    for _ in range(3):
        hub.clock.forward(10)
        for lane in hub.claim():
            subject = lane.deliveries[0].message.subject
            words = script[subject]
            hub.report(lane, *([words.pop(0)] if words else []))
    return hub


def test_each_cause_has_its_times_and_the_words_of_its_latest_attempt(failing):
    told = {group["reason"]: group for group in _told(failing)}
    assert set(told) == {
        "gave up after 3 tries: HTTP 429: penuh",
        "HTTP 422: PAGU_HABIS: pagu habis",
        "no connection in time",
    }
    gave_up = told["gave up after 3 tries: HTTP 429: penuh"]
    assert (gave_up["words"], gave_up["status"], gave_up["at"]) == ("HTTP 429: penuh", 429, "destination")
    assert (_seconds(failing, gave_up["first"]), _seconds(failing, gave_up["last"])) == (30, 30)
    away = told["no connection in time"]
    assert (away["state"], away["at"], away["example"]) == ("retrying", "network", failing.the("away").id)
    assert (_seconds(failing, away["first"]), _seconds(failing, away["last"])) == (10, 20)  # not when it is due


def test_one_cause_at_one_destination_is_one_group_whatever_its_numbers(hub):
    hub.accept(*[incoming(f"k{number}") for number in range(5)])
    reasons = ["row 1 is wrong", "row 22 is wrong", "row 1 is wrong", "line 1 is wrong", None]
    for lane, reason in zip(hub.claim(), reasons, strict=True):
        hub.clock.forward(1)
        hub.report(lane, Rejected(reason) if reason else Delivered())
    groups = _told(hub)
    assert [group["count"] for group in groups] == [3, 1]
    assert groups[0]["first"] < groups[0]["last"]
    assert [group["example"] for group in groups] == [hub.deliveries()[index].id for index in (2, 3)]


def test_only_what_may_be_seen_is_counted(failing):
    assert len(_told(failing, View("e-budgeting"))) == 3
    assert _told(failing, View("e-health")) == []


def test_the_list_is_bounded_and_begins_with_the_most_frequent(failing, monkeypatch):
    failing.accept(incoming("more"))
    for lane in failing.claim():
        if lane.deliveries[0].message.subject == "more":
            failing.report(lane, Rejected("HTTP 422: PAGU_HABIS: pagu habis"))
    monkeypatch.setattr(module, "MOST", 1)
    assert [(group["count"], group["status"]) for group in _told(failing)] == [(2, None)]


@pytest.mark.parametrize("view", [ALL, View("e-budgeting")], ids=["all", "one system"])
def test_only_open_deliveries_are_read(hub, view):
    for start in range(0, 4000, 500):
        hub.accept(*[incoming(f"k{number}") for number in range(start, start + 500)])
    hub.do(lambda c: c.execute(text("UPDATE deliveries SET state = 'delivered', holds = 0")))
    hub.do(lambda c: c.execute(text("UPDATE deliveries SET state = 'dead', reason = 'no' WHERE seq % 100 = 0")))
    hub.do(lambda c: c.execute(text("ANALYZE")))
    asked = []
    with hub.database.reads.connect() as connection:
        listening = connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3]))
        event.listen(*listening)
        assert failures(connection, view)[0]["count"] == 40
        event.remove(*listening)
        prefix = "EXPLAIN QUERY PLAN " if hub.database.is_sqlite else "EXPLAIN "
        selects = [one for one in asked if one[0].startswith("SELECT")]
        assert len(selects) == 2
        for statement, values in selects:
            rows = connection.exec_driver_sql(prefix + statement, values).all()
            plan = "\n".join(str(row[-1]) for row in rows)
            whole = ("Seq Scan on deliveries", "Seq Scan on messages", "SCAN messages", "SCAN attempts")
            assert not [words for words in whole if words in plan], plan
            if "GROUP BY" in statement:
                assert "ix_deliveries_open" in plan, plan
