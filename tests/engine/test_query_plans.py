"""The statements of the hot path use their indexes, on both databases, with some thousand rows."""

import contextlib
import re

import pytest
from sqlalchemy import event, text

from bus.contract.verdict import Delivered, Rejected
from bus.engine import backlog, dialect, drain, parents
from bus.engine import lanes as lane_rows
from bus.engine.browse import deliveries, failures, gauges, messages
from bus.engine.browse.messages import Filter
from bus.engine.browse.view import ALL
from tests.engine.hub import incoming

LANES = 2000
VALUES = {"destination": "e-project", "lane": "r:budget.line:k7", "owner": "w", "lanes": 16, "depth": 16}


@pytest.fixture
def loaded(hub):
    """A long history of delivered rows, and a short backlog."""
    for _ in range(2):
        for start in range(0, LANES, 500):
            hub.accept(*[incoming(f"k{number}") for number in range(start, start + 500)])
    hub.do(_finish_all)
    hub.accept(*[incoming(f"k{number}") for number in range(40)])
    with hub.database.writes.begin() as connection:
        connection.execute(text("ANALYZE"))
    return hub


def _finish_all(connection):
    connection.execute(text("UPDATE deliveries SET state = 'delivered', holds = 0"))
    connection.execute(text("UPDATE lanes SET due_at = NULL, lease_until = NULL, owner = NULL"))


def _plan(hub, statement, values):
    with hub.database.reads.connect() as connection:
        name = connection.dialect.name
        prefix = "EXPLAIN QUERY PLAN " if name == "sqlite" else "EXPLAIN "
        rows = connection.execute(text(prefix + str(statement)), values).all()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(
    ("name", "index"),
    [("claim_lanes", "ix_lanes_due"), ("claim_line", "ix_deliveries_line"), ("lane_head", "ix_deliveries_line")],
)
def test_claiming_reads_by_index(loaded, name, index):
    with loaded.database.reads.connect() as connection:
        statement = dialect.query(connection, name)
    now = loaded.clock()
    plan = _plan(loaded, statement, {**VALUES, "now": now, "until": now + 1})
    assert index in plan, plan
    whole = ("SCAN deliveries", "SCAN d\n", "SCAN lanes", "SCAN m", "Seq Scan on deliveries", "Seq Scan on messages")
    assert not [words for words in whole if words in plan], plan


def test_asking_whether_something_is_due_reads_by_index(loaded):
    asked = []
    with loaded.database.reads.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
        assert drain.has_due(connection, "e-project", loaded.clock())
        statement, values = asked[-1]
        prefix = "EXPLAIN QUERY PLAN " if loaded.database.is_sqlite else "EXPLAIN "
        rows = connection.exec_driver_sql(prefix + statement, values).all()
    plan = "\n".join(str(row[-1]) for row in rows)
    assert "ix_lanes_due" in plan, plan


GROWING = ("messages", "records", "lane_keys", "lanes", "deliveries", "attempts", "starts", "replicas")
"""Tables that grow with what was accepted: no statement of the hot path reads one of them whole."""


@contextlib.contextmanager
def _seen(engine):
    """Every statement that runs meanwhile, with the values of its first run."""
    seen = {}

    def note(_connection, _cursor, statement, values, _context, many):
        seen.setdefault(statement, values[0] if many else values)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def _whole(store, seen):
    """Of these statements, those whose plan reads a growing table whole, with the plan."""
    found = {}
    with store.reads.connect() as connection:
        if not store.is_sqlite:
            # Of a few thousand rows all is often cheapest: a plan that reads them whole even so knows no index.
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, values in seen.items():
            if not re.search(r"\b(SELECT|UPDATE|DELETE)\b", statement):
                continue
            prefix = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
            plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(prefix + statement, values))
            words = rf"SCAN ({'|'.join(GROWING)})\b(?! USING (COVERING )?INDEX ix)|Seq Scan on ({'|'.join(GROWING)})\b"
            if re.search(words, plan):
                found[statement] = plan
    return found


def test_accepting_claiming_and_settling_read_no_table_whole(loaded):
    """As many keys as a front or a worker has in hand at once: with one alone SQLite would look it up anyway."""
    with _seen(loaded.database.writes) as seen:
        loaded.accept(*[incoming(f"k{number}", sequence=number) for number in range(1000, 1008)])
        lanes = loaded.claim(width=8)
        assert len(lanes) == 8
        for lane in lanes[:6]:
            assert loaded.report(lane, *[Delivered()] * len(lane.deliveries))
        assert loaded.report(lanes[6], Rejected("no"))
        assert loaded.report(lanes[7])
        loaded.do(lane_rows.lock, [(lane.destination, lane.lane) for lane in lanes])
        loaded.do(parents.unmet, [("budget.line", f"k{n}", place) for n in range(8) for place in (None, "e-project")])
    assert len(seen) > 15
    assert _whole(loaded.database, seen) == {}


def test_a_plan_that_reads_a_table_whole_is_seen(loaded):
    with _seen(loaded.database.reads) as seen, loaded.database.reads.connect() as connection:
        connection.execute(text("SELECT count(*) FROM deliveries WHERE reason = 'x'"))
    assert len(_whole(loaded.database, seen)) == 1


PAGES = {
    "messages": lambda connection, now: messages.search(connection, ALL, Filter(), limit=50, cursor=None),
    "pending": lambda connection, now: messages.search(connection, ALL, Filter(state="pending"), limit=50, cursor=None),
    "parked": lambda connection, now: deliveries.standing(connection, ALL, ("parked",), limit=50, cursor=None),
    "failures": lambda connection, now: failures.failures(connection, ALL),
    "metrics": gauges.read,
    "backlog": lambda connection, now: backlog.by_destination(connection),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_by_index(loaded, page):
    with _seen(loaded.database.reads) as seen, loaded.database.reads.connect() as connection:
        PAGES[page](connection, loaded.clock())
    whole = _whole(loaded.database, seen)
    if page == "messages":  # newest first, by the table's own key: it stops at the end of the page
        whole = {statement: plan for statement, plan in whole.items() if plan != "SCAN messages"}
    assert whole == {}


@pytest.mark.parametrize("given", [{"type": "budget.line"}, {"source": "e-budgeting"}], ids=str)
def test_a_page_of_a_type_or_a_system_sorts_nothing(hub, given):
    """Their messages are most of all there are: sorted for each page, a long history is slow to look at.

    Not after ANALYZE: the hub's own SQLite has never seen one, and guesses that a type is a choice of few.
    """
    hub.accept(*[incoming(f"k{number}") for number in range(60)])
    with _seen(hub.database.reads) as seen, hub.database.reads.connect() as connection:
        shown = messages.search(connection, ALL, Filter(**given), limit=50, cursor=None)
        messages.search(connection, ALL, Filter(**given), limit=50, cursor=shown["next"])
    plans = []
    with hub.database.reads.connect() as connection:
        if not hub.database.is_sqlite:
            connection.exec_driver_sql("SET enable_sort = off")
        for statement, values in seen.items():
            prefix = "EXPLAIN QUERY PLAN " if hub.database.is_sqlite else "EXPLAIN "
            rows = connection.exec_driver_sql(prefix + statement, values)
            if "ORDER BY messages.seq" in statement:
                plans.append("\n".join(str(row[-1]) for row in rows))
    assert len(plans) == 2
    assert not [plan for plan in plans if "TEMP B-TREE" in plan or "Sort" in plan], plans
