"""F49: a huge backlog: accepting, claiming and settling cost what they cost without it, pages stay pages, keys share.

Work is counted, not timed: steps of SQLite's machine, rows that PostgreSQL has read. ``arus bench --backlog`` times it.
"""

from collections import defaultdict

import pytest
from sqlalchemy import text

from bus.contract.verdict import Delivered, RetryLater
from bus.engine import controls, registry
from bus.engine.browse import deliveries, failures, gauges, messages
from bus.engine.browse.messages import Filter
from bus.engine.browse.view import ALL, View
from bus.engine.claim import claim
from bus.engine.database import open_database, upgrade
from bus.engine.settle import LaneResult
from tests.engine.hub import Hub, incoming

FEW, MANY = 500, 5_000
LANE = 5
"""Messages of the backlog in one lane."""

GROWTH = 1.3
"""Ten times the backlog makes a tree a level deeper at most; what reads it whole costs ten times as much."""

READ = text("SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables")

PAGE = 50
OWN = View("e-budgeting", None, ("e-budgeting",))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    return (
        f"sqlite:///{tmp_path / 'arus.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_database")
    )


@pytest.fixture
def hub(url):
    upgrade(url)
    database = open_database(url)
    hub = Hub(database)
    hub.do(registry.register, "e-project", title="e-project", agency=None, external=False, now=hub.clock())
    yield hub
    database.close()


def load(hub, first, last):
    """Messages of these numbers, accepted and claimed by nobody; their keys come round again and again."""
    for start in range(first, last, 500):
        hub.accept(*[incoming(f"k{number % (MANY // LANE)}") for number in range(start, min(start + 500, last))])
        hub.clock.forward(0.001)
    with hub.database.writes.begin() as connection:
        connection.execute(text("ANALYZE"))


def work(hub, engine, job):
    """How much the store does for ``job(connection)``."""
    with engine.begin() as connection:
        if hub.database.is_sqlite:
            steps = [0]

            def step():
                steps[0] += 1

            driver = connection.connection.driver_connection
            driver.set_progress_handler(step, 10)
            job(connection)
            driver.set_progress_handler(None, 0)
            return steps[0]
        # Of a small table reading all is cheapest, which says nothing of a large one.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        before = connection.execute(READ).scalar_one()  # what earlier transactions have not yet handed in
        job(connection)
        return int(connection.execute(READ).scalar_one() - before)


def accept(hub, turn):
    """Of keys that are there and keys that are not; one of the messages is known."""
    items = [incoming(f"k{number}", id=f"{turn}-{number}") for number in range(16)]
    items += [incoming(f"{turn}-{number}") for number in range(16)]
    return work(hub, hub.database.writes, lambda connection: hub.acceptor.accept(connection, [*items, items[0]]))


def carry(hub, _turn):
    """Claim lanes, deliver half of them and give the others back together, as a worker does."""

    def visit(connection):
        lanes = claim(connection, "e-project", hub.clock(), owner="worker", width=16, depth=1, lease=60.0)
        assert len(lanes) == 16
        hub.do = lambda job, *values: job(connection, *values)
        assert all(hub.report(lane, Delivered()) for lane in lanes[:8])
        del hub.do
        back = [LaneResult("e-project", lane.lane, lane.fence, "worker", [], lane.deliveries) for lane in lanes[8:]]
        assert all(hub.settler.settle(connection, back))

    return work(hub, hub.database.writes, visit)


def test_f49_accepting_claiming_and_the_first_page_cost_what_they_cost_without_it(hub):
    def page(hub, _turn):
        def read(connection):
            assert len(messages.search(connection, ALL, Filter(), limit=PAGE, cursor=None)["items"]) == PAGE

        return work(hub, hub.database.reads, read)

    jobs = {"accept": accept, "claim": carry, "page": page}
    load(hub, 0, FEW)
    before = {name: job(hub, "few") for name, job in jobs.items()}
    load(hub, FEW, MANY)
    after = {name: job(hub, "many") for name, job in jobs.items()}
    assert all(before.values())
    assert {name: count for name, count in after.items() if count > GROWTH * before[name]} == {}, before

    # The count sees what grows: what counts the backlog goes through its index.
    assert (
        work(hub, hub.database.reads, lambda connection: gauges.read(connection, hub.clock()))
        > max(after.values()) / 10
    )


def test_f49_pages_and_metrics_are_as_long_as_without_it(hub):
    load(hub, 0, FEW)
    before = pages(hub)
    load(hub, FEW, MANY)
    hub.do(controls.set_paused, "e-project", at=hub.clock(), reason="stopped")
    after = pages(hub)
    assert after["messages"] == after["pending"] == after["own pending"] == after["own"] == PAGE
    assert after["parked"] == after["own parked"] == PAGE
    assert after["metrics"] == before["metrics"] + 1  # that so many wait for the end of the pause
    hub.do(controls.set_paused, "e-project", at=None, reason=None)
    for lane in hub.claim(width=MANY, depth=1):
        hub.report(lane, RetryLater("HTTP 429: penuh", status=429))
    with hub.database.reads.connect() as connection:
        (group,) = failures.failures(connection, ALL)
    assert group["count"] == MANY // LANE


def pages(hub):
    """How long each is."""
    with hub.database.reads.connect() as connection:

        def found(view, state=None):
            return len(messages.search(connection, view, Filter(state=state), limit=PAGE, cursor=None)["items"])

        def parked(view):
            return len(deliveries.standing(connection, view, ("parked",), limit=PAGE, cursor=None)["items"])

        return {
            "messages": found(ALL),
            "own": found(OWN),
            "pending": found(ALL, "pending"),
            "own pending": found(OWN, "pending"),
            "parked": parked(ALL),
            "own parked": parked(OWN),
            "metrics": sum(map(len, gauges.read(connection, hub.clock()).gauges.values())),
        }


def test_f49_every_page_is_walked_once_and_whole(hub):
    load(hub, 0, FEW)
    hub.do(controls.set_paused, "e-project", at=hub.clock(), reason="stopped")
    seen, cursor = [], None
    with hub.database.reads.connect() as connection:
        while True:
            page = deliveries.standing(connection, ALL, ("parked",), limit=PAGE, cursor=cursor)
            seen += [one["message"]["hub_id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
    assert len(seen) == len(set(seen)) == FEW
    assert seen == sorted(seen, key=lambda name: int(name[1:]))


def test_f49_one_key_with_most_of_it_keeps_no_other_waiting(hub):
    hot, others, width, depth = 2_000, 150, 16, 8
    for _ in range(hot // 500):
        hub.accept(*[incoming("hot") for _ in range(500)])
    hub.clock.forward(1)
    hub.accept(*[incoming(f"k{number}") for number in range(others)])
    order, claims = defaultdict(list), 0
    waiting = {f"k{number}" for number in range(others)}
    while waiting:
        claims += 1
        for lane in hub.claim(width=width, depth=depth):
            assert hub.report(lane, *[Delivered()] * len(lane.deliveries))
            for one in lane.deliveries:
                order[one.message.subject].append(one.sequence)
                waiting.discard(one.message.subject)
    assert claims == -(-others // (width - 1)), "the hot lane takes one place of each claim, and no more"
    assert order["hot"] == list(range(1, claims * depth + 1))
    assert hub.states("hot").count("pending") == hot - claims * depth


def test_f49_all_of_it_arrives_in_order_once_the_destination_is_back(hub):
    load(hub, 0, FEW)
    carried = defaultdict(list)
    while lanes := hub.claim(width=64, depth=2):
        for lane in lanes:
            assert hub.report(lane, *[Delivered()] * len(lane.deliveries))
            carried[lane.lane] += [one.sequence for one in lane.deliveries]
    assert sum(map(len, carried.values())) == FEW
    assert all(numbers == sorted(set(numbers)) for numbers in carried.values())
    assert set(hub.states()) == {"delivered"}
