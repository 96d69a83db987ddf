"""Two API processes, two workers and a sweeper: from either door to a subscriber, in order, with one key each."""

import collections
import json

import kombu

from bus.entrypoints.worker import QUEUE, TASK
from tests.services import wait_until

from .fleet import line, unique


def test_what_either_door_takes_arrives_through_two_workers_in_lane_order_with_one_key_each(city):
    run, lanes, versions = unique("m"), 40, 12
    wanted = collections.defaultdict(list)
    for version in range(versions):
        events = [line(f"{run}-{lane}-{version}", lane, f"{version}.00") for lane in range(lanes)]
        city.apis[version % 2].bulk(city.key, events)
        for event in events:
            wanted[event["data"]["activity"]].append(event["id"])
    ids = [id for lane in wanted.values() for id in lane]
    city.fleet.delivered(city.receiver, ids)
    got = {subject.split(":")[2]: order for subject, order in city.receiver.first_effects(set(ids)).items()}
    assert got == dict(wanted)
    assert all(len(city.receiver.keys_of(id)) == 1 for id in ids)
    of_these = """
        SELECT DISTINCT worker FROM attempts
        JOIN deliveries ON deliveries.seq = attempts.delivery JOIN messages ON messages.seq = deliveries.message
        WHERE messages.id LIKE %s
    """
    carried = {worker for (worker,) in city.fleet.rows(of_these, f"{run}-%")}
    # Which of them carries how much is the broker's choice, and now and then one is quick enough for all.
    assert carried
    assert carried <= {city.fleet.workers()[one.pid] for one in city.workers}


def test_nothing_starts_after_pause_answered_at_any_worker(city):
    run = unique("pause")
    api, other = city.apis
    status, _, text = other.call("POST", "/v1/systems/dashboard/pause", city.key, json.dumps({"reason": "quiet"}))
    assert status in {200, 204}, text
    seen = dict(city.fleet.rows("SELECT id, control_seen FROM workers"))
    number = city.fleet.rows("SELECT value FROM controls WHERE name = 'control'")[0][0]
    assert set(seen.values()) == {number}, "pause answered before every worker had signed"
    before = len(city.receiver.received)
    api.bulk(city.key, [line(f"{run}-{lane}", lane) for lane in range(20)])
    # The doorbells for these have been rung, visited and acked: the workers came and did not start.
    wait_until(lambda: city.fleet.consumers()[1] == 0, what="the doorbells are taken")
    assert len(city.receiver.received) == before
    assert city.fleet.states()["pending"] == 20
    other.call("POST", "/v1/systems/dashboard/resume", city.key, json.dumps({"reason": "over"}))
    city.fleet.delivered(city.receiver, [f"{run}-{lane}" for lane in range(20)])


class Opened:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_poison_doorbells_leave_the_workers_alive_and_the_pickle_unopened(city, tmp_path):
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
    with kombu.Connection(city.fleet.broker_url) as connection:
        producer = connection.Producer()
        for _ in range(8):  # more than the workers have threads
            for body, properties in poison:
                producer.publish(body, exchange="arus", routing_key=QUEUE, **properties)
    wait_until(lambda: city.fleet.consumers() == (2, 0), timeout=30, what="the queue moves on")
    ids = [unique("after-poison") for _ in range(8)]
    for id in ids:
        assert city.apis[0].post(city.key, line(id))[0] == 202
    city.fleet.delivered(city.receiver, ids)
    assert all(one.alive() for one in city.workers)
    assert not trace.exists()
    assert pickle.loads(pickle.dumps(Opened(trace))).close() is None
    assert trace.exists()


def test_a_worker_that_is_told_to_stop_ends_in_time_gives_its_lanes_back_and_signs_off(city):
    city.receiver.free.clear()
    leaving = city.fleet.worker()
    city.fleet.ready(*city.workers, leaving)
    run = unique("leave")
    ids = [f"{run}-{lane}" for lane in range(600)]  # more than two workers claim
    try:
        city.apis[0].bulk(city.key, [line(id, lane) for lane, id in enumerate(ids)])
        mine = city.fleet.workers()[leaving.pid]
        held = "SELECT count(*) FROM lanes WHERE owner = %s"
        wait_until(lambda: city.fleet.rows(held, mine)[0][0], timeout=30, what="the worker holds lanes")
        leaving.popen.terminate()
    finally:
        city.receiver.free.set()
    assert leaving.popen.wait(20) == 0
    assert city.fleet.rows(held, mine) == [(0,)]
    assert leaving.pid not in city.fleet.workers()
    city.fleet.delivered(city.receiver, ids)
    sent = [id for id in city.receiver.ids if id.startswith(run)]
    assert len(sent) == len(set(sent)), "what was under way ended, and what was not begun was handed back"
    assert leaving.said().strip() == "worker: Warm shutdown (MainProcess)", (
        "a worker says nothing while nothing is wrong"
    )
