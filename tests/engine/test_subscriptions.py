"""Subscriptions: from which message on, in which order, and what their end leaves."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.contract.verdict import Delivered, Unavailable
from bus.engine import subscribing, tables
from tests.engine.hub import Hub, incoming
from tests.services import wait_until


def _subscribe(hub, *types, start="now", system="e-wadul"):
    return hub.do(
        subscribing.subscribe,
        system,
        "http://127.0.0.1/hook",
        types or ("budget.*",),
        secret=None,
        start=start,
        actor=system,
        now=hub.clock(),
    )


def _backfill(hub, made):
    after = ("", "")
    while True:
        after = hub.do(subscribing.backfill, made, hub.clock(), after)
        if after == ("", ""):
            return


def test_from_now_on_it_gets_every_message_of_its_types(hub):
    hub.use([])
    hub.post("before")
    made = _subscribe(hub, "budget.*", "id.go.surabaya.project.package.v1")
    hub.post("after")
    hub.post("package", type="project.package")
    hub.post("award", type="procurement.award")
    assert sorted(hub.deliver_all(made.destination)) == ["after", "package"]


def test_it_gets_nothing_of_its_own(hub):
    made = _subscribe(hub, system="e-budgeting")
    hub.post("k", system="e-budgeting")
    assert hub.deliveries(destination=made.destination) == []


def test_secrets_are_made_where_none_is_given_and_differ(hub):
    first, second = _subscribe(hub), _subscribe(hub)
    assert first.secret.startswith("whsec_")
    assert first.secret != second.secret
    assert {one.id for one in hub.do(subscribing.live)} == {first.id, second.id}
    assert [one.secret for one in hub.do(subscribing.live, "e-wadul")] == [first.secret, second.secret]
    assert hub.do(subscribing.live, "e-surat") == []


def test_from_the_current_state_it_gets_each_living_record_once(hub, monkeypatch):
    monkeypatch.setattr(subscribing, "BACKFILL", 3)
    hub.use([])
    for number in range(8):
        hub.post(f"k{number}")
    hub.post("k1", data={"newest": True})
    hub.post("k2", op="delete")
    hub.post("own", system="e-wadul")
    hub.post("award", type="procurement.award")
    made = _subscribe(hub, start="current")
    _backfill(hub, made)
    assert sorted(hub.deliver_all(made.destination)) == [f"k{number}" for number in (0, 1, 3, 4, 5, 6, 7)]
    _backfill(hub, made)
    assert hub.deliver_all(made.destination) == []


def test_a_record_changed_between_subscribing_and_backfill_comes_once_and_newest(hub):
    hub.use([])
    hub.post("k", data={"v": 1})
    made = _subscribe(hub, start="current")
    hub.post("k", data={"v": 2})
    _backfill(hub, made)
    (lane,) = hub.claim(made.destination)
    assert [one.message.data for one in lane.deliveries] == [{"v": 2}]


def test_the_backfill_goes_before_later_messages_of_the_same_record(hub):
    hub.use([])
    hub.post("k", data={"v": 1})
    made = _subscribe(hub, start="current")
    _backfill(hub, made)
    hub.post("k", data={"v": 2})
    (lane,) = hub.claim(made.destination)
    assert [one.message.data["v"] for one in lane.deliveries] == [1, 2]


def test_a_message_accepted_while_someone_subscribes_is_not_missed(postgres_store):
    """On PostgreSQL an accept may be under way: it read the subscribers, and commits after the backfill."""
    hub = Hub(postgres_store)
    hub.use([])
    hub.post("changed", data={"v": 1})
    stored, go_on = threading.Event(), threading.Event()

    def accept():
        with postgres_store.writes.begin() as connection:
            hub.acceptor.accept(connection, [incoming("changed", data={"v": 2}), incoming("new")])
            stored.set()
            assert go_on.wait(30)

    def subscribe():
        assert stored.wait(30)
        made = _subscribe(hub, start="current")
        _backfill(hub, made)
        return made

    def waits_or_is_done():
        with postgres_store.reads.connect() as connection:
            statement = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return connection.exec_driver_sql(statement).scalar_one() or subscribing_now.done()

    with ThreadPoolExecutor(2) as pool:
        accepting, subscribing_now = pool.submit(accept), pool.submit(subscribe)
        try:
            wait_until(waits_or_is_done, what="subscribing waits or is done")
        finally:
            go_on.set()
        accepting.result()
        made = subscribing_now.result()
    assert sorted(hub.deliver_all(made.destination)) == ["changed", "new"]
    assert hub.rows(tables.replicas, tables.replicas.c.key == "changed")[0].version == 2


def test_an_ended_subscription_gets_nothing_more_and_its_open_deliveries_are_discarded(hub):
    hub.use([])
    made = _subscribe(hub)
    for subject in ("done", "tried", "under way", "waits"):
        hub.post(subject)
        hub.clock.forward(1)
    lanes = [hub.claim(made.destination, width=1)[0] for _ in range(3)]
    hub.report(lanes[0], Delivered())
    hub.report(lanes[1], Unavailable("closed"))
    assert hub.do(subscribing.unsubscribe, made.id, system="e-wadul", actor="x", now=hub.clock())
    hub.post("later")
    hub.report(lanes[2], Unavailable("closed"))
    assert hub.states() == ["delivered", "discarded", "discarded", "discarded"]
    assert hub.do(subscribing.live) == []


def test_a_backfill_that_comes_after_the_end_delivers_nothing(hub):
    hub.use([])
    hub.post("k")
    made = _subscribe(hub, start="current")
    hub.do(subscribing.unsubscribe, made.id, system=None, actor="x", now=hub.clock())
    _backfill(hub, made)
    assert hub.deliveries() == []


@pytest.mark.parametrize(("subscription", "system"), [("unknown", None), (None, "e-surat")])
def test_an_unknown_and_a_foreign_subscription_are_not_ended(hub, subscription, system):
    made = _subscribe(hub)
    assert not hub.do(subscribing.unsubscribe, subscription or made.id, system=system, actor="x", now=hub.clock())
    assert [one.id for one in hub.do(subscribing.live)] == [made.id]
