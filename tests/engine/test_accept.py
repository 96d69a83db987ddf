"""Accepting: what is stored, in which order, and what goes nowhere."""

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.contract.route import Route
from bus.engine import tables
from bus.engine.accept import Accepted, Acceptor
from bus.engine.writer import Writer
from tests.engine.hub import LINE, Hub, incoming

NAUGHTY = (
    "Pembangunan gedung 🏗️ & jalan",
    "\u202ekanan ke kiri\u202c ﷽ 田中さん Ω≈ç√∫˜µ≤≥÷",
    "'; DROP TABLE messages;-- \" ` \\ %s {0} $1 :name ?",
    "\u0001\u001b[31m\u007f\u0085\u2028\ufeff\uffff",
    "a\u0301 \u00e1 ﬁ K Å",
    "\U0010ffff" * 50,
    "=cmd|' /C calc'!A0",
)


def test_a_message_its_record_and_its_delivery_are_stored_together(hub):
    assert hub.post("k", id="one", raw=b"\x00\xff raw") == Accepted("accepted")
    (message,), (record,), (delivery,) = (
        hub.rows(tables.messages),
        hub.rows(tables.records),
        hub.deliveries(),
    )
    assert (message.source, message.id, message.raw) == ("e-budgeting", "one", b"\x00\xff raw")
    assert (record.type, record.key, record.version, record.message) == ("budget.line", "k", 1, message.seq)
    assert (delivery.destination, delivery.state, delivery.message) == ("e-project", "pending", message.seq)
    assert [json.loads(row.detail)["messages"] for row in hub.audited("accepted")] == [
        [[message.seq, "one", message.content]]
    ]


def test_the_same_content_again_is_a_duplicate_and_other_content_a_conflict(hub):
    hub.post("k", id="one", content="same")
    assert hub.post("k", id="one", content="same").status == "duplicate"
    assert hub.post("k", id="one", content="other").status == "conflict"
    assert hub.post("k", id="one", content="same", system="e-surat").status == "accepted"
    assert hub.count(tables.messages) == 2


def test_duplicates_and_conflicts_within_one_batch_are_told_in_their_order(hub):
    items = [incoming("k", id="one", content=content) for content in ("first", "first", "other")]
    assert [outcome.status for outcome in hub.accept(*items)] == ["accepted", "duplicate", "conflict"]
    assert hub.states() == ["pending"]


def test_versions_rise_by_one_also_within_a_batch(hub):
    hub.post("k")
    hub.accept(incoming("k"), incoming("other"), incoming("k"))
    rows = hub.rows(tables.messages)
    assert [(row.subject, row.version) for row in rows] == [("k", 1), ("k", 2), ("other", 1), ("k", 3)]
    assert {row.key: row.version for row in hub.rows(tables.records)} == {"k": 3, "other": 1}


def test_a_stale_sequence_is_stored_superseded_and_delivered_nowhere(hub):
    hub.post("k", sequence=10, data={"v": "ten"})
    outcome = hub.post("k", sequence=9, data={"v": "nine"})
    assert outcome == Accepted("accepted", stale=True)
    assert hub.states() == ["pending", "superseded"]
    newest = hub.rows(tables.messages)[0]
    (record,) = hub.rows(tables.records)
    assert (record.message, record.version, record.posted_sequence) == (newest.seq, 1, 10)
    assert hub.deliver_all() == ["k"]
    assert hub.states() == ["delivered", "superseded"]


def test_sequences_are_compared_as_integers_and_an_equal_one_is_not_stale(hub):
    assert not hub.post("k", sequence=9).stale
    assert not hub.post("k", sequence=10).stale
    assert not hub.post("k", sequence=10).stale
    assert not hub.post("k").stale
    assert hub.post("k", sequence=9).stale
    assert not hub.post("other", sequence=1).stale


def test_a_stale_message_within_a_batch_does_not_hold_the_lane(hub):
    outcomes = hub.accept(incoming("k", sequence=2), incoming("k", sequence=1), incoming("k", sequence=3))
    assert [outcome.stale for outcome in outcomes] == [False, True, False]
    assert hub.deliver_all() == ["k", "k"]


def test_unchanged_data_still_makes_a_delivery(hub):
    for _ in range(3):
        hub.post("k", data={"same": True})
    assert hub.states() == ["pending"] * 3


def test_nothing_is_routed_back_to_the_system_it_came_from(hub):
    hub.use([LINE, Route("back", "budget.line", "e-budgeting", encode=dict)])
    hub.post("k", system="e-budgeting")
    assert [row.destination for row in hub.deliveries()] == ["e-project"]


def test_a_route_takes_only_what_meets_its_condition_and_every_deletion(hub):
    hub.use([Route("big", "budget.line", "e-project", encode=dict, when=lambda data: data["amount"] > 5)])
    for amount in (4, 6):
        hub.post(f"k{amount}", data={"amount": amount})
    hub.post("k4", op="delete", data={})
    assert [row.subject for row in hub.deliveries()] == ["k6", "k4"]
    assert {row.key: row.deleted for row in hub.rows(tables.records)} == {"k4": 1, "k6": 0}


@pytest.mark.parametrize("text", NAUGHTY)
def test_hostile_text_comes_back_equal_from_both_databases(hub, text):
    hub.post(text, data={"name": text, text: [text]}, raw=text.encode())
    (row,) = hub.rows(tables.messages)
    assert (row.subject, json.loads(row.data), row.raw.decode()) == (text, {"name": text, text: [text]}, text)
    (lane,) = hub.claim()
    assert lane.deliveries[0].message.data == {"name": text, text: [text]}


@pytest.mark.parametrize("letter", ["k", "é", "🏗"])
def test_keys_of_1024_bytes_are_stored_and_found(hub, letter):
    key = "".join(chr(ord("a") + (i * i + i // 7) % 26) for i in range(1024 - len(letter.encode()))) + letter
    assert len(key.encode()) == 1024
    hub.post(key, partition=key)
    hub.post(key)
    assert hub.rows(tables.records)[0].key == key
    assert sorted(hub.deliver_all()) == [key, key]


def test_a_partition_key_makes_one_lane_of_several_records(hub):
    hub.post("a", partition="x")
    hub.post("b", partition="x")
    hub.post("c", partition="x", system="e-surat")
    hub.post("a")
    lanes = [(row.subject, row.lane, row.sequence) for row in hub.deliveries()]
    assert lanes == [
        ("a", "p:/systems/e-budgeting:x", 1),
        ("b", "p:/systems/e-budgeting:x", 2),
        ("c", "p:/systems/e-surat:x", 1),
        ("a", "r:budget.line:a", 1),
    ]


def test_a_batch_that_fails_leaves_nothing_behind(hub):
    hub.post("k", id="one")
    with pytest.raises(TypeError):
        hub.accept(incoming("k", id="two"), incoming("k", id="three", data={"no": object()}))
    assert [row.id for row in hub.rows(tables.messages)] == ["one"]
    assert [row.version for row in hub.rows(tables.records)] == [1]
    assert hub.post("k", id="two").status == "accepted"
    assert [row.sequence for row in hub.rows(tables.messages)] == [1, 2]


def test_sequences_have_no_gap_and_follow_commit_order_with_eight_writers(store):
    """Each posts what it likes; whoever starts after another was answered has the higher number in the lane."""
    hub = Hub(store)
    writers = [Writer(store.writes) for _ in range(4)]
    ticks = itertools.count()
    spans = {}

    def post(number):
        acceptor = Acceptor(hub.routing, hub.clock)
        for turn in range(12):
            item = incoming(f"k{(number + turn) % 3}", id=f"{number}-{turn}")
            began = next(ticks)
            assert writers[number % 4].put(acceptor.batch, item).status == "accepted"
            spans[item.id] = (began, next(ticks))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(8)))
    for writer in writers:
        writer.close()
    lanes = {}
    for row in hub.rows(tables.messages):
        lanes.setdefault(row.lane, []).append(row)
    assert sorted(lanes) == [f"r:budget.line:k{number}" for number in range(3)]
    for rows in lanes.values():
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        assert [row.version for row in rows] == list(range(1, len(rows) + 1))
        for earlier, later in itertools.combinations(rows, 2):
            assert spans[later.id][1] > spans[earlier.id][0], "numbered against the order of the answers"
    assert sum(map(len, lanes.values())) == 96


def test_the_same_message_from_eight_writers_at_once_is_stored_once(store):
    hub = Hub(store)
    writers = [Writer(store.writes) for _ in range(8)]
    start = threading.Barrier(8)

    def post(writer):
        acceptor = Acceptor(hub.routing, hub.clock)
        for turn in range(10):
            start.wait(timeout=30)
            yield writer.put(acceptor.batch, incoming("k", id=f"same-{turn}", content="same")).status

    try:
        with ThreadPoolExecutor(8) as pool:
            outcomes = [status for each in pool.map(lambda writer: list(post(writer)), writers) for status in each]
    finally:
        start.abort()
        for writer in writers:
            writer.close()
    assert sorted(outcomes) == ["accepted"] * 10 + ["duplicate"] * 70
    assert hub.count(tables.messages) == 10
