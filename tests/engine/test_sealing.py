"""The audit chain: every tampering is found, nothing committed is left out, two sealers do no harm."""

import pytest
from sqlalchemy import event, insert, select, text

from bus.engine import audit as audit_rows
from bus.engine import sealing
from bus.engine.database import open_database
from bus.engine.registers import audit


def _note(hub, *actions):
    for action in actions:
        hub.do(audit_rows.note, hub.clock(), "person", action, {"id": "ä", "reason": "mended"})
        hub.clock.forward(0.1)


def _seal(hub, owner="one"):
    return hub.do(sealing.seal, owner=owner, now=hub.clock())


def _verify(hub, anchor=None):
    with hub.database.reads.connect() as connection:
        return sealing.verify(connection, anchor)


def _head(hub):
    with hub.database.reads.connect() as connection:
        return sealing.head(connection)


def _found(hub):
    return [(one.what, one.first, one.last) for one in _verify(hub).findings]


def _tamper(hub, *statements):
    with hub.database.writes.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture
def sealed(hub):
    """Nine rows in the chain."""
    _note(hub, *[f"act-{number}" for number in range(1, 10)])
    assert _seal(hub) == 9
    return hub


def test_rows_are_chained_in_their_order_and_an_untouched_chain_is_whole(sealed):
    found = _verify(sealed)
    assert (found.ok, found.sealed, found.unsealed, found.head.position) == (True, 9, 0, 9)
    rows = sealed.rows(audit)
    assert [row.position for row in rows] == list(range(1, 10))
    assert [row.previous for row in rows] == [sealing.GENESIS, *(row.hash for row in rows[:-1])]
    assert found.head == _head(sealed)


def test_the_hash_is_the_one_that_an_outsider_computes(hub):
    """A verifier in another language must come to the same digest: this one was made with sha256sum."""
    with hub.database.writes.begin() as connection:
        values = {"seq": 1, "at": 1700000000000000, "actor": "hub", "action": "ä", "detail": "{}"}
        connection.execute(insert(audit).values(values))
    _seal(hub)
    assert _head(hub).hash == "f123669d848edf224f69ad383df26bff80df4a75c91960aa369fd1805cb577e3"


def test_what_is_noted_later_goes_on_from_the_head(sealed):
    before = _head(sealed)
    _note(sealed, "later")
    assert (_verify(sealed).unsealed, _seal(sealed), _seal(sealed)) == (1, 1, 0)
    last = sealed.rows(audit)[-1]
    assert (last.position, last.previous) == (10, before.hash)
    assert _verify(sealed, before.hash).anchored == 9


@pytest.mark.parametrize("column", ["at = at + 1", "actor = 'else'", "action = 'else'", "detail = '{}'", "seq = 99"])
def test_a_changed_row_is_found(sealed, column):
    _tamper(sealed, f"UPDATE audit SET {column} WHERE position = 4")
    assert _found(sealed) == [("changed", 4, 4)]


def test_a_changed_row_with_a_hash_that_fits_it_is_found_by_the_next(sealed):
    _tamper(sealed, "UPDATE audit SET detail = '{}' WHERE position = 4")
    row = sealed.rows(audit)[3]
    _tamper(sealed, f"UPDATE audit SET hash = '{sealing.digest(row.previous, 4, row)}' WHERE position = 4")
    assert _found(sealed) == [("broken", 5, 5)]


def test_deleted_rows_are_found_as_a_gap(sealed):
    _tamper(sealed, "DELETE FROM audit WHERE position IN (1, 4, 5)")
    assert _found(sealed) == [("missing", 1, 1), ("missing", 4, 5)]


def test_a_row_that_was_taken_out_and_put_in_again_is_found(sealed):
    _tamper(sealed, "UPDATE audit SET position = NULL, previous = NULL, hash = NULL WHERE position = 4")
    assert _seal(sealed) == 1
    assert _found(sealed) == [("missing", 4, 4)]


def test_swapped_rows_are_found(sealed):
    _tamper(
        sealed,
        "UPDATE audit SET position = 100 WHERE position = 4",
        "UPDATE audit SET position = 4 WHERE position = 6",
        "UPDATE audit SET position = 6 WHERE position = 100",
    )
    found = _found(sealed)
    assert {("changed", 4, 4), ("changed", 6, 6)} <= set(found)


def test_rows_whose_contents_were_swapped_are_found(sealed):
    _tamper(sealed, "UPDATE audit SET action = CASE action WHEN 'act-4' THEN 'act-6' ELSE 'act-4' END "
                    "WHERE action IN ('act-4', 'act-6')")  # fmt: skip
    assert _found(sealed) == [("changed", 4, 4), ("changed", 6, 6)]


@pytest.mark.parametrize("position", [0, 4, 9, 10])
def test_an_inserted_row_is_found(sealed, position):
    _tamper(
        sealed,
        "DROP INDEX ix_audit_position",
        "INSERT INTO audit (at, actor, action, detail, position, previous, hash) "
        f"SELECT at, 'else', action, detail, {position}, previous, hash FROM audit WHERE position = 4",
    )
    found = _found(sealed)
    assert found
    assert {one[1] for one in found} <= {position, position + 1}


def test_an_inserted_row_at_the_end_of_a_page_is_found(sealed, monkeypatch):
    monkeypatch.setattr(sealing, "PAGE", 4)
    _tamper(
        sealed,
        "DROP INDEX ix_audit_position",
        "INSERT INTO audit (at, actor, action, detail, position, previous, hash) "
        "SELECT at, 'else', action, detail, position, previous, hash FROM audit WHERE position = 4",
    )
    assert not _verify(sealed).ok


def test_a_cut_end_is_found_by_an_anchor_alone(sealed):
    anchor = _head(sealed).hash
    _tamper(sealed, "DELETE FROM audit WHERE position > 7")
    assert _verify(sealed).ok
    _note(sealed, "as if nothing had been")
    _seal(sealed)
    assert _verify(sealed).ok
    found = _verify(sealed, anchor)
    assert (found.ok, found.wrong, found.anchored) == (False, 0, None)


def test_a_chain_written_anew_is_found_by_an_anchor(sealed):
    anchor = _head(sealed).hash
    _tamper(sealed, "UPDATE audit SET position = NULL, actor = 'else' WHERE position > 3")
    assert _seal(sealed) == 6
    assert _verify(sealed).ok
    assert not _verify(sealed, anchor).ok


def test_an_anchor_of_an_empty_chain_holds(hub):
    assert _verify(hub, sealing.GENESIS).ok
    assert not _verify(hub, "0" * 63 + "1").ok


def test_many_findings_are_counted_and_the_first_are_told(sealed, monkeypatch):
    monkeypatch.setattr(sealing, "SHOWN", 2)
    _tamper(sealed, "UPDATE audit SET detail = '{}'")
    found = _verify(sealed)
    assert (found.wrong, len(found.findings)) == (9, 2)


def test_only_one_of_two_sealers_seals_and_the_other_goes_on_when_it_ends(sealed):
    _note(sealed, "more")
    assert _seal(sealed, owner="two") == 0
    sealed.clock.forward(16)
    assert _seal(sealed, owner="two") == 1
    assert _verify(sealed).ok


def test_two_sealers_at_once_make_one_chain(postgres_store):
    """The second waits for the first one's lease, and then has nothing to do."""
    with postgres_store.writes.begin() as connection:
        for number in range(20):
            audit_rows.note(connection, number, "hub", "act", {})
    other = open_database(postgres_store.url)
    try:
        with postgres_store.writes.begin() as first:
            assert sealing.seal(first, owner="one", now=1) == 20
            with other.writes.connect() as second:
                second.execute(text("SET lock_timeout = '200ms'"))
                with pytest.raises(Exception, match="lock timeout"):
                    sealing.seal(second, owner="one", now=1)
        with other.writes.begin() as second:
            assert sealing.seal(second, owner="two", now=1) == 0
    finally:
        other.close()
    with postgres_store.reads.connect() as connection:
        assert sealing.verify(connection).ok


def test_a_row_that_commits_late_with_a_low_number_is_sealed(postgres_store):
    other = open_database(postgres_store.url)
    with other.writes.begin() as late:
        audit_rows.note(late, 1, "hub", "late", {})
        with postgres_store.writes.begin() as connection:
            audit_rows.note(connection, 2, "hub", "early", {})
        with postgres_store.writes.begin() as connection:
            assert sealing.seal(connection, owner="one", now=1) == 1
    other.close()
    with postgres_store.writes.begin() as connection:
        assert sealing.seal(connection, owner="one", now=1) == 1
        chain = connection.execute(select(audit.c.action, audit.c.seq).order_by(audit.c.position)).all()
        assert [row.action for row in chain] == ["early", "late"]
        assert chain[1].seq < chain[0].seq
        assert sealing.verify(connection).ok


def test_a_backlog_is_sealed_in_portions_and_verified_in_linear_time(hub):
    """20,000 rows, in pages; statements are counted, since seconds depend on the machine."""
    with hub.database.writes.begin() as connection:
        rows = [{"at": number, "actor": "hub", "action": "act", "detail": "{}"} for number in range(20_000)]
        connection.execute(insert(audit), rows)
    portions = 0
    while _seal(hub) == sealing.PORTION:
        portions += 1
    assert portions == 40
    asked = []
    with hub.database.reads.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: asked.append(args[2]))
        found = sealing.verify(connection)
    assert (found.ok, found.sealed, found.unsealed) == (True, 20_000, 0)
    assert len([words for words in asked if "SELECT" in words]) == 20_000 // sealing.PAGE + 3


@pytest.mark.parametrize(
    ("name", "index"), [("audit_unsealed", "ix_audit_unsealed"), ("audit_chain", "ix_audit_position")]
)
def test_sealing_and_verifying_read_by_index(hub, name, index):
    from bus.engine import dialect

    with hub.database.writes.begin() as connection:
        rows = [{"at": number, "actor": "hub", "action": "act", "detail": "{}"} for number in range(5_000)]
        connection.execute(insert(audit), rows)
        connection.execute(text("UPDATE audit SET position = seq, previous = '', hash = '' WHERE seq <= 4990"))
        connection.execute(text("ANALYZE"))
    with hub.database.reads.connect() as connection:
        prefix = "EXPLAIN QUERY PLAN " if hub.database.is_sqlite else "EXPLAIN "
        values = {"portion": 500, "after": 100}
        statement = str(dialect.query(connection, name))
        plan = "\n".join(str(row[-1]) for row in connection.execute(text(prefix + statement), values))
    assert index in plan, plan
