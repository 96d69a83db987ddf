"""The statements of the hot path use their indexes, on both databases, with some thousand rows."""

import pytest
from sqlalchemy import event, text

from bus.engine import dialect, drain
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
