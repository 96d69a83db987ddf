"""F09 to F12: the broker stopped, lost, blocked, silent: posts are answered, and all is delivered afterwards."""

import statistics

import pytest

from tests.services import wait_until

from .broker import Broker
from .fleet import line, seconds, unique

POSTS = 40


class Running:
    def __init__(self, city, broker):
        self.fleet, self.receiver, self.broker, self.key = city.fleet, city.receiver, broker, city.key
        self.api, self.sweeper, self.workers = city.apis[0], city.sweeper, city.workers
        run = unique("usual")
        self.usual = self.post(run)
        self.arrived(run)  # or they would take the places of those that a test watches

    def post(self, run):
        """Post one after the other, each answered 202; answers the median seconds."""

        def one(number):
            status, _, text = self.api.post(self.key, line(f"{run}-{number}", number))
            assert status == 202, text

        return statistics.median(seconds(lambda number=number: one(number)) for number in range(POSTS))

    def arrived(self, *runs):
        ids = [f"{run}-{number}" for run in runs for number in range(POSTS)]
        self.fleet.delivered(self.receiver, ids)
        assert all(len(self.receiver.keys_of(id)) == 1 for id in ids)

    def says(self, process, text, after):
        wait_until(lambda: text in process.said()[after:], timeout=30, what=text)


@pytest.fixture
def hub(city, broker):
    return Running(city, broker)


DOWN, UP = "doorbell: the broker does not answer (", "doorbell: the broker answers again"


@pytest.mark.parametrize(
    "fault",
    [Broker.blocking_publishers, Broker.out_of_disk, Broker.frozen],
    ids=["F11 memory alarm", "F11 disk alarm", "F12 frozen"],
)
def test_f11_f12_a_broker_that_takes_nothing_delays_no_post(hub, fault):
    run, told = unique("blocked"), len(hub.api.said())
    with fault(hub.broker):
        took = hub.post(run)
        hub.says(hub.api, DOWN, told)  # so the fault hit: a doorbell was rung and not confirmed
        more = hub.post(f"{run}-more")
    assert max(took, more) < 5 * hub.usual + 0.05
    hub.arrived(run, f"{run}-more")
    # Each process has one thread that rings; this one rings again.
    again = hub.post(f"{run}-again")
    hub.says(hub.api, UP, told)
    assert again < 5 * hub.usual + 0.05
    hub.arrived(f"{run}-again")
    assert all(one.alive() for one in hub.workers)


def test_f09_posts_go_on_without_a_broker_and_deliveries_when_it_is_back(hub):
    run, told = unique("stopped"), len(hub.api.said())
    hub.broker.stop()
    took = hub.post(run)
    hub.says(hub.api, DOWN, told)
    assert took < 5 * hub.usual + 0.05
    assert hub.fleet.states()["pending"] == POSTS
    hub.broker.start()
    hub.arrived(run)
    assert "Traceback" not in hub.api.said() + hub.sweeper.said()


def test_f10_a_broker_that_lost_all_its_data_loses_no_delivery(hub):
    run = unique("empty")
    hub.receiver.free.clear()
    hub.post(run)
    wait_until(lambda: any(id.startswith(run) for id in hub.receiver.ids), timeout=60, what="some are under way")
    hub.broker.lose_data()
    hub.post(f"{run}-more")
    hub.receiver.free.set()
    hub.broker.start()
    hub.arrived(run, f"{run}-more")
    hub.fleet.ready(*hub.workers)
    assert all(one.alive() for one in (hub.api, hub.sweeper, *hub.workers))
    # Doorbells are rung at once again, and not only by the sweeper.
    told = len(hub.api.said())
    hub.post(f"{run}-again")
    hub.arrived(f"{run}-again")
    assert DOWN not in hub.api.said()[told:]
