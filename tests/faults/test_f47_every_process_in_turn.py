"""F47: every process is restarted in turn under load: not one request fails, nothing is lost, doubled or reordered."""

import contextlib
import http.client
import threading

import pytest

from tests.distributed.fleet import Fleet, line
from tests.distributed.receiver import Receiver
from tests.services import wait_until

from .balancer import Balancer

POSTERS = 4
LANES = 25
PACE = 0.05
"""Seconds between two posts of one poster: a load that the machine bears while it starts processes."""

ROUNDS = 20

LEAVE = 2
"""Seconds (ARUS_LEAVE_SECONDS): several times the balancer's interval, as the default is of Caddy's."""


class Poster(threading.Thread):
    """Posts to lanes of its own, one after the other, until it is told to stop."""

    def __init__(self, balancer, key, number):
        super().__init__(daemon=True)
        self._balancer, self._key, self._number = balancer, key, number
        self.over = threading.Event()
        self.accepted, self.failed = [], []

    def run(self):
        count = 0
        while not self.over.wait(PACE):
            id = f"{self._number}-{count}"
            try:
                answer = self._balancer.post(self._key, line(id, self._number * LANES + count % LANES))
            except (OSError, http.client.HTTPException, TimeoutError) as error:
                self.failed.append((id, repr(error)))
            else:
                if answer[0] == 202:
                    self.accepted.append(id)
                else:
                    self.failed.append((id, *answer))
            count += 1


class Deployment:
    """Two fronts that keep their ports, two workers and a sweeper, under load through a balancer."""

    def __init__(self, fleet, stack):
        self.fleet = fleet
        self.receiver = Receiver()
        stack.callback(self.receiver.close)
        stack.callback(fleet.close)
        key = fleet.sign_up(("dashboard", self.receiver.url))
        self.apis = [fleet.api(), fleet.api()]
        self.workers = [fleet.worker(), fleet.worker()]
        self.sweeper = fleet.sweeper()
        for api in self.apis:
            wait_until(api.ready, timeout=60, what="the API is ready")
        fleet.ready(*self.workers)
        self.ports = [int(api.url.rpartition(":")[2]) for api in self.apis]
        self.balancer = Balancer(self.ports)
        stack.callback(self.balancer.close)
        self.all_ready()
        self.posters = [Poster(self.balancer, key, number) for number in range(POSTERS)]
        for poster in self.posters:
            stack.callback(poster.over.set)
            poster.start()

    def all_ready(self):
        wait_until(lambda: all(map(self.balancer.ready, self.ports)), timeout=60, what="the balancer sees both")

    def accepted(self):
        return [id for poster in self.posters for id in poster.accepted]

    def failed(self):
        return [one for poster in self.posters for one in poster.failed]

    def restart_every_process(self):
        """Each is asked to end, waited for, and started, and must do its work before the next one's turn."""
        for place, port in enumerate(self.ports):
            assert self.apis[place].end() == 0, self.apis[place].said()
            self.apis[place] = self.fleet.start("serve", "--port", str(port), kind=type(self.apis[place]))
            wait_until(self.apis[place].ready, timeout=60, what="the API is ready again")
            self.all_ready()
        for place in range(len(self.workers)):
            assert self.workers[place].end() == 0, self.workers[place].said()
            self.workers[place] = self.fleet.worker()
            self.fleet.ready(*self.workers)
        assert self.sweeper.end() == 0, self.sweeper.said()
        self.sweeper = self.fleet.sweeper()
        wait_until(lambda: self.fleet.leader() == self.sweeper.pid, timeout=60, what="the sweeper leads")

    def end(self):
        """The load ends, and everything arrives."""
        for poster in self.posters:
            poster.over.set()
        for poster in self.posters:
            poster.join(60)
            assert not poster.is_alive()
        self.fleet.delivered(self.receiver, self.accepted(), timeout=120)


@pytest.fixture
def deployment(postgres_database, rabbitmq_url, tmp_path):
    with contextlib.ExitStack() as stack:
        fleet = Fleet(tmp_path, postgres_database, rabbitmq_url, ARUS_LEAVE_SECONDS=str(LEAVE))
        yield Deployment(fleet, stack)


@pytest.mark.prove
@pytest.mark.timeout(2400)
def test_f47_no_request_fails(deployment):
    for _ in range(ROUNDS):
        before = len(deployment.accepted())
        deployment.restart_every_process()
        assert deployment.failed() == []
        assert len(deployment.accepted()) >= before + 50, "there was no load"
    deployment.end()
    assert deployment.failed() == []
    assert deployment.balancer.turned_red >= ROUNDS * len(deployment.ports), "a front left without a word"
    ids = deployment.accepted()
    assert sorted(set(deployment.receiver.ids)) == sorted(ids)
    keys = {one.id: set() for one in deployment.receiver.received}
    for one in deployment.receiver.received:
        keys[one.id].add(one.key)
    assert {len(found) for found in keys.values()} == {1}
    for lane in deployment.receiver.first_effects().values():
        assert lane == sorted(lane, key=lambda id: int(id.partition("-")[2]))
