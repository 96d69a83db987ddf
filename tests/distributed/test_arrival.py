"""Two API processes, two workers and a sweeper: from either door to a subscriber, in order, with one key each."""

import collections
import json

import kombu
import pytest

from bus.entrypoints.worker import QUEUE, TASK
from tests.services import wait_until

from .fleet import line, unique


class Running:
    def __init__(self, fleet, receiver):
        self.fleet, self.receiver = fleet, receiver
        self.key = fleet.sign_up(("dashboard", receiver.url))
        self.apis = [fleet.api(), fleet.api()]
        self.workers = [fleet.worker(), fleet.worker()]
        self.sweeper = fleet.sweeper()
        fleet.ready(*self.workers)
        for api in self.apis:
            wait_until(api.ready, timeout=60, what="the API is ready")
        wait_until(lambda: fleet.leader() == self.sweeper.pid, timeout=60, what="the sweeper leads")


@pytest.fixture(scope="module")
def hub(store, broker, make_fleet, make_receiver):
    return Running(make_fleet(store, broker.url), make_receiver())


def test_what_either_door_takes_arrives_through_two_workers_in_lane_order_with_one_key_each(hub):
    run, lanes, versions = unique("m"), 40, 12
    wanted = collections.defaultdict(list)
    for version in range(versions):
        events = [line(f"{run}-{lane}-{version}", lane, f"{version}.00") for lane in range(lanes)]
        hub.apis[version % 2].bulk(hub.key, events)
        for event in events:
            wanted[event["data"]["activity"]].append(event["id"])
    ids = [id for lane in wanted.values() for id in lane]
    hub.fleet.delivered(hub.receiver, ids)
    got = {subject.split(":")[2]: order for subject, order in hub.receiver.first_effects().items()}
    assert got == dict(wanted)
    assert all(len(hub.receiver.keys_of(id)) == 1 for id in ids)
    carried = {worker for (worker,) in hub.fleet.rows("SELECT DISTINCT worker FROM attempts")}
    assert carried == {hub.fleet.workers()[one.pid] for one in hub.workers}, "both workers carried"


def test_nothing_starts_after_pause_answered_at_any_worker(hub):
    run = unique("pause")
    api, other = hub.apis
    status, _, text = other.call("POST", "/v1/systems/dashboard/pause", hub.key, json.dumps({"reason": "quiet"}))
    assert status in {200, 204}, text
    seen = dict(hub.fleet.rows("SELECT id, control_seen FROM workers"))
    number = hub.fleet.rows("SELECT value FROM controls WHERE name = 'control'")[0][0]
    assert set(seen.values()) == {number}, "pause answered before every worker had signed"
    before = len(hub.receiver.received)
    api.bulk(hub.key, [line(f"{run}-{lane}", lane) for lane in range(20)])
    # The doorbells for these have been rung, visited and acked: the workers came and did not start.
    wait_until(lambda: hub.fleet.consumers()[1] == 0, what="the doorbells are taken")
    assert len(hub.receiver.received) == before
    assert hub.fleet.states()["pending"] == 20
    other.call("POST", "/v1/systems/dashboard/resume", hub.key, json.dumps({"reason": "over"}))
    hub.fleet.delivered(hub.receiver, [f"{run}-{lane}" for lane in range(20)])


class Opened:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_poison_doorbells_leave_the_workers_alive_and_the_pickle_unopened(hub, tmp_path):
    import pickle

    trace = tmp_path / "opened"
    headers = {"lang": "py", "task": TASK, "id": unique("poison")}
    good = [["sub:nobody"], {}, {}]
    poison = [
        (b"\x00not json", {"content_type": "application/json", "content_encoding": "utf-8", "headers": headers}),
        (b"{}", {"content_type": "application/json", "content_encoding": "utf-8"}),
        (pickle.dumps([[Opened(trace)], {}, {}]), {
            "content_type": "application/x-python-serialize", "content_encoding": "binary", "headers": headers,
        }),
        (json.dumps(good), {"content_type": "application/json", "content_encoding": "utf-8",
                            "headers": headers | {"task": "os.system"}}),
        *[
            (json.dumps([args, {}, {}]), {"content_type": "application/json", "content_encoding": "utf-8",
                                          "headers": headers | {"id": unique("poison")}})
            for args in ([], [1, 2, 3], [{"a": 1}], [None], ["sub:nobody"], ["x" * 10_000])
        ],
    ]  # fmt: skip
    with kombu.Connection(hub.fleet.broker_url) as connection:
        producer = connection.Producer()
        for _ in range(8):  # more than the workers have threads
            for body, properties in poison:
                producer.publish(body, exchange="arus", routing_key=QUEUE, **properties)
    wait_until(lambda: hub.fleet.consumers() == (2, 0), timeout=30, what="the queue moves on")
    ids = [unique("after-poison") for _ in range(8)]
    for id in ids:
        assert hub.apis[0].post(hub.key, line(id))[0] == 202
    hub.fleet.delivered(hub.receiver, ids)
    assert all(one.alive() for one in hub.workers)
    assert not trace.exists()
    assert pickle.loads(pickle.dumps(Opened(trace))).close() is None
    assert trace.exists()


def test_a_worker_that_is_told_to_stop_ends_in_time_gives_its_lanes_back_and_signs_off(hub):
    hub.receiver.free.clear()
    leaving = hub.fleet.worker()
    hub.fleet.ready(*hub.workers, leaving)
    run = unique("leave")
    ids = [f"{run}-{lane}" for lane in range(600)]  # more than two workers claim
    try:
        hub.apis[0].bulk(hub.key, [line(id, lane) for lane, id in enumerate(ids)])
        mine = hub.fleet.workers()[leaving.pid]
        held = "SELECT count(*) FROM lanes WHERE owner = %s"
        wait_until(lambda: hub.fleet.rows(held, mine)[0][0], timeout=30, what="the worker holds lanes")
        leaving.popen.terminate()
    finally:
        hub.receiver.free.set()
    assert leaving.popen.wait(20) == 0
    assert hub.fleet.rows(held, mine) == [(0,)]
    assert leaving.pid not in hub.fleet.workers()
    hub.fleet.delivered(hub.receiver, ids)
    sent = [id for id in hub.receiver.ids if id.startswith(run)]
    assert len(sent) == len(set(sent)), "what was under way ended, and what was not begun was handed back"
    assert leaving.said().strip() == "worker: Warm shutdown (MainProcess)", (
        "a worker says nothing while nothing is wrong"
    )
