"""Workers and sweepers that are killed or stopped: what they held is taken back, and what they say late is refused."""

import os
import signal

import pytest

from tests.services import wait_until

from .fleet import DEAD, line, unique


class Running:
    """One worker, whose leases (ten minutes) outlast these tests: only the sweeper takes lanes back."""

    def __init__(self, fleet, receiver):
        self.fleet, self.receiver = fleet, receiver
        self.key = fleet.sign_up(("dashboard", receiver.url))
        self.api, self.sweeper, self.worker = fleet.api(), fleet.sweeper(), fleet.worker()
        fleet.ready(self.worker)
        wait_until(self.api.ready, timeout=60, what="the API is ready")
        wait_until(lambda: fleet.leader() == self.sweeper.pid, timeout=60, what="the sweeper leads")

    def hold(self, run, lanes=4, versions=3):
        """Post, and wait until the worker is in the middle of the first of each lane. Answers ids by lane."""
        before = len(self.receiver.received)
        self.receiver.free.clear()
        posted = [[f"{run}-{lane}-{n}" for n in range(versions)] for lane in range(lanes)]
        self.api.bulk(self.key, [line(id, number) for number, ids in enumerate(posted) for id in ids])
        wait_until(lambda: len(self.receiver.received) >= before + lanes, timeout=30, what="the attempts are under way")
        return posted

    def in_order(self, posted):
        ids = [id for lane in posted for id in lane]
        self.fleet.delivered(self.receiver, ids)
        effects = self.receiver.first_effects().values()
        for lane in posted:
            assert [id for order in effects for id in order if id in lane] == lane
        assert all(len(self.receiver.keys_of(id)) == 1 for id in ids)


@pytest.fixture(scope="module")
def hub(store, broker, make_fleet, make_receiver):
    return Running(make_fleet(store, broker.url, ARUS_LEASE_SECONDS="600"), make_receiver())


def test_a_killed_workers_lanes_are_taken_back_before_the_lease_ends(hub):
    posted = hub.hold(unique("killed"))
    owner = hub.fleet.workers()[hub.worker.pid]
    assert hub.fleet.rows("SELECT DISTINCT owner FROM lanes WHERE owner IS NOT NULL") == [(owner,)]
    hub.worker.end(signal.SIGKILL)
    hub.receiver.free.set()
    hub.worker = hub.fleet.worker()
    hub.fleet.ready(hub.worker)
    hub.in_order(posted)
    again = {id for id in hub.receiver.ids if hub.receiver.ids.count(id) > 1}
    assert again == {lane[0] for lane in posted}, "only what was under way is sent again"
    assert f"sweeper: {owner} is dead; took back 12 deliveries\n" in hub.sweeper.said()
    assert owner not in hub.fleet.workers().values()


def test_a_worker_that_was_stopped_past_its_death_is_fenced_when_it_comes_back(hub):
    stopped, mine = hub.worker, hub.fleet.workers()[hub.worker.pid]
    posted = hub.hold(unique("stopped"))
    os.kill(stopped.pid, signal.SIGSTOP)
    hub.worker = hub.fleet.worker()
    hub.receiver.free.set()
    hub.in_order(posted)
    assert mine not in hub.fleet.workers().values(), "buried"
    before, told = len(hub.receiver.received), hub.fleet.rows("SELECT * FROM deliveries ORDER BY seq")
    attempts = hub.fleet.rows("SELECT count(*) FROM attempts")

    os.kill(stopped.pid, signal.SIGCONT)
    signed = "SELECT started_at < heartbeat_at FROM workers WHERE id = %s"
    # The second signature comes a second after the first: its report of what the stop interrupted came before.
    wait_until(lambda: hub.fleet.rows(signed, mine) == [(True,)], what="it signs again")
    assert hub.fleet.rows("SELECT * FROM deliveries ORDER BY seq") == told
    assert hub.fleet.rows("SELECT count(*) FROM attempts") == attempts
    assert len(hub.receiver.received) == before, "and it sent none of what it still had in hand"

    hub.worker.end()
    alone = unique("back")
    assert hub.api.post(hub.key, line(alone))[0] == 202
    hub.fleet.delivered(hub.receiver, [alone])
    assert (mine,) in hub.fleet.rows("SELECT worker FROM attempts ORDER BY ended_at DESC LIMIT 1"), "it works again"
    hub.worker = stopped


def test_of_two_sweepers_one_leads_and_the_other_goes_on_within_the_lease(hub):
    first, second = hub.sweeper, hub.fleet.sweeper()
    os.kill(first.pid, signal.SIGSTOP)
    wait_until(lambda: hub.fleet.leader() == second.pid, timeout=DEAD + 20, what="the second leads")
    os.kill(first.pid, signal.SIGCONT)
    run = unique("two")
    hub.api.bulk(hub.key, [line(f"{run}-{number}-{n}", number) for n in range(3) for number in range(20)])
    hub.in_order([[f"{run}-{number}-{n}" for n in range(3)] for number in range(20)])
    sent = [id for id in hub.receiver.ids if id.startswith(run)]
    assert len(sent) == len(set(sent)), "no delivery is sent twice because two rang for it"
    assert hub.fleet.leader() == second.pid, "the first, come back, does not lead"
    second.end(signal.SIGKILL)
    wait_until(lambda: hub.fleet.leader() == first.pid, timeout=DEAD + 5, what="the first leads again")
    assert first.alive()
