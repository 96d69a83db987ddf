"""The read queries on both databases: what SQLite answers, PostgreSQL answers too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from bus.contract.errors import Refused
from bus.contract.message import Incoming
from bus.engine import registry, subscribing
from bus.engine.browse import deliveries, gauges, inputs, messages, participants, records
from bus.engine.browse.failures import failures
from bus.engine.browse.paging import cursor_of, row_of
from bus.engine.browse.view import ALL, View, view_of
from bus.engine.tables import deliveries as delivery_table
from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import Hub, open_hub
from tests.api.calling import AGENCY, OTHER_AGENCY, line


@pytest.fixture(params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    url = request.getfixturevalue("postgres_database") if request.param == "postgresql" else None
    hub = open_hub(Settings(home=tmp_path, database_url=url))
    yield hub
    hub.close()


def accept(hub: Hub, number: int, *, id: str | None = None, raw: bytes = b"{}", **changed: str) -> None:
    data = line(number, **changed)
    record = hub.catalogue.record("budget.line", data)
    incoming = Incoming(
        id=id or str(number),
        system="e-budgeting",
        type="budget.line",
        subject=record.subject,
        data=record.data,
        content=f"{id}{number}{changed}",
        raw=raw,
        agency=record.agency,
    )
    hub.writer.put(hub.acceptor.batch, incoming)


def test_pages_go_on_where_they_ended_whatever_comes_meanwhile(hub: Hub) -> None:
    for number in range(1, 8):
        accept(hub, number)
    seen: list[str] = []
    cursor = None
    while True:
        with hub.database.reads.connect() as connection:
            page = messages.search(connection, ALL, messages.Filter(type="budget.line"), limit=3, cursor=cursor)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        accept(hub, 100 + len(seen))
    assert seen == ["7", "6", "5", "4", "3", "2", "1"]


@pytest.mark.parametrize("cursor", ["", "x", "czE", "!!", "\u0661", "c" * 60, "czEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"])
def test_a_cursor_that_was_never_one(cursor: str) -> None:
    if cursor == "czE":
        assert row_of(cursor) == 1
        return
    with pytest.raises(Refused):
        row_of(cursor)


def test_cursors_come_back() -> None:
    assert [row_of(cursor_of(row)) for row in (0, 1, 10**15)] == [0, 1, 10**15]


def test_free_text_ignores_case_and_knows_no_wildcards(hub: Hub) -> None:
    accept(hub, 1, description="Jalan 100% RUNGKUT")
    accept(hub, 2, description="Taman")

    def found(text: str) -> list[str]:
        with hub.database.reads.connect() as connection:
            page = messages.search(connection, ALL, messages.Filter(text=text), limit=9, cursor=None)
        return [item["id"] for item in page["items"]]

    assert (found("rungkut"), found("100%"), found("1_0"), found("%"), found("taman")) == (
        ["1"],
        ["1"],
        [],
        ["1"],
        ["2"],
    )


def test_views(hub: Hub) -> None:
    accept(hub, 1)
    accept(hub, 2, agency=OTHER_AGENCY)
    subscription = hub.writer.call(
        lambda connection: subscribing.subscribe(
            connection, "e-project", "http://127.0.0.1/", ["budget.line"], secret=None, start="now", actor="t", now=1
        )
    )
    accept(hub, 3)

    def seen(view: View) -> list[str]:
        with hub.database.reads.connect() as connection:
            page = messages.search(connection, view, messages.Filter(), limit=9, cursor=None)
        return [item["id"] for item in page["items"]]

    def of(system: str, agency: str | None, scope: str = "read") -> View:
        with hub.database.reads.connect() as connection:
            return view_of(connection, registry.Identity("k", system, agency, frozenset({scope})))

    assert seen(ALL) == seen(of("anyone", None, "operate")) == seen(of("e-budgeting", None)) == ["3", "2", "1"]
    assert seen(of("x", AGENCY)) == ["3", "1"]
    assert seen(of("x", OTHER_AGENCY)) == ["2"]
    assert seen(of("x", None)) == []
    assert seen(of("e-project", None)) == ["3", "2", "1"]
    assert seen(View("y", None, (subscription.destination,))) == ["3"]
    with hub.database.reads.connect() as connection:
        assert messages.find(connection, of("x", OTHER_AGENCY), "m1") is None
        assert messages.find(connection, of("x", OTHER_AGENCY), "m2").id == "2"


def test_the_story_and_the_record(hub: Hub) -> None:
    accept(hub, 1, raw=b"\xff\x00")
    accept(hub, 1, id="second", amount="2.00")
    with hub.database.reads.connect() as connection:
        row = messages.find(connection, ALL, "1", "e-budgeting")
        story = messages.story(connection, ALL, row)
        record = records.record(connection, ALL, "budget.line", row.subject)
        exported = list(records.export(connection, ALL, "budget.line"))
        assert messages.find(connection, ALL, "m99999999999999999999") is None
        assert messages.find(connection, ALL, "none") is None
    assert (story["raw"], story["raw_base64"]) == (None, "/wA=")
    assert story["deliveries"][0]["state"] == "pending"
    assert record is not None
    assert (record["version"], record["data"]["amount"]) == (2, "2.00")
    assert [version["version"] for version in record["versions"]] == [2, 1]
    assert exported == [{"key": row.subject, "version": 2, "data": record["data"]}]


def test_an_export_goes_through_all_portions(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PORTION", 2)
    for number in range(1, 6):
        accept(hub, number)
    with hub.database.reads.connect() as connection:
        keys = [record["key"] for record in records.export(connection, ALL, "budget.line")]
    assert len(set(keys)) == len(keys) == 5


def test_failures_are_grouped_without_their_numbers(hub: Hub) -> None:
    for number in range(1, 6):
        accept(hub, number)

    def fail(connection) -> None:
        for number, reason in enumerate(["try 1 of 12", "try 2 of 12", "refused", "refused", None], 1):
            state = "dead" if number < 5 else "retrying"
            connection.execute(
                delivery_table.update()
                .where(delivery_table.c.seq == number)
                .values(state=state, reason=reason, settled_at=number)
            )

    hub.writer.call(fail)
    with hub.database.reads.connect() as connection:
        groups = failures(connection, ALL)
        parked = deliveries.standing(connection, ALL, ("parked",), limit=9, cursor=None)
        dead = deliveries.standing(connection, ALL, ("dead",), limit=3, cursor=None)
    assert sorted((group["state"], group["count"]) for group in groups) == [("dead", 2), ("dead", 2), ("retrying", 1)]
    assert parked["items"] == []
    assert (len(dead["items"]), dead["next"] is None) == (3, False)


def test_gauges(hub: Hub) -> None:
    for number in range(1, 4):
        accept(hub, number)
    hub.writer.call(lambda c: c.execute(delivery_table.update().where(delivery_table.c.seq == 1).values(state="dead")))
    hub.writer.call(
        lambda c: c.execute(
            delivery_table.update().where(delivery_table.c.seq == 2).values(state="parked", parked="parent")
        )
    )
    with hub.database.reads.connect() as connection:
        found = gauges.read(connection, hub.clock() + 5_000_000)
    assert found.gauges["dead"] == [({"destination": "e-project"}, 1)]
    assert found.gauges["parked"] == [({"reason": "parent"}, 1)]
    assert found.gauges["pending"] == [({"destination": "e-project", "state": "pending"}, 1)]
    assert 5 <= found.gauges["oldest_pending_seconds"][0][1] < 60
    assert ("arus_messages_accepted_total", '{"system":"e-budgeting","type":"budget.line"}', 3.0) in found.counters


def test_the_open_deliveries_are_read_by_their_index(tmp_path: Path) -> None:
    """A scrape, or a look at what waits, costs what is open, not what was ever delivered."""
    hub = open_hub(Settings(home=tmp_path))
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(hub.database.reads, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    with hub.database.reads.connect() as connection:
        gauges.read(connection, 0)
        deliveries.standing(connection, ALL, ("parked",), limit=9, cursor=None)
        failures(connection, ALL)
        messages.search(connection, ALL, messages.Filter(state="dead"), limit=9, cursor=None)
        about = [(text, given) for text, given in asked if "deliveries" in text and "NOT IN" in text]
        assert len(about) == 5
        for text, given in about:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all()
            assert any("ix_deliveries_open" in str(row) for row in plan), (text, plan)
    hub.close()


def test_participants_and_inputs_start_empty(hub: Hub) -> None:
    with hub.database.reads.connect() as connection:
        assert {row["system"] for row in participants.listed(connection, ALL)} == set(hub.catalogue.systems)
        assert participants.keys(connection) == []
        assert participants.subscriptions(connection, ALL) == []
        assert inputs.held(connection, ALL) == []
        assert inputs.rejected(connection, ALL, limit=5, cursor=None) == {"items": [], "next": None}
