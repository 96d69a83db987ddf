"""F10: the broker is stopped and loses its data with 10,000 deliveries pending: all of it is delivered."""

import contextlib

import pytest

from tests.distributed.broker import Broker
from tests.distributed.fleet import Fleet, line
from tests.distributed.receiver import Receiver
from tests.services import wait_until

LANES = 500
VERSIONS = 20
PENDING = LANES * VERSIONS


class Hub:
    """One front, two workers, a sweeper, a subscriber, and a broker of their own."""

    def __init__(self, folder, database_url, stack):
        self.broker, self.receiver = Broker(), Receiver()
        stack.callback(self.broker.remove)
        stack.callback(self.receiver.close)
        self.broker.run()
        self.fleet = Fleet(folder, database_url, self.broker.url)
        stack.callback(self.fleet.close)
        self.key = self.fleet.sign_up(("dashboard", self.receiver.url))
        self.api, self.sweeper = self.fleet.api(), self.fleet.sweeper()
        self.workers = [self.fleet.worker(), self.fleet.worker()]
        self.fleet.ready(*self.workers)
        wait_until(self.api.ready, timeout=60, what="the API is ready")
        wait_until(lambda: self.fleet.leader() == self.sweeper.pid, timeout=60, what="the sweeper leads")


@pytest.fixture
def hub(tmp_path, postgres_database):
    with contextlib.ExitStack() as stack:
        yield Hub(tmp_path, postgres_database, stack)


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_f10_nothing_pending_is_lost_with_the_broker(hub):
    hub.receiver.free.clear()  # what is under way stays so: none is delivered before the fault
    lanes = [[f"{lane}-{version}" for version in range(VERSIONS)] for lane in range(LANES)]
    for version in range(VERSIONS):
        hub.api.bulk(hub.key, [line(ids[version], number) for number, ids in enumerate(lanes)])
    wait_until(lambda: hub.receiver.received, timeout=60, what="some are under way")
    states = hub.fleet.states()
    assert sum(states.values()) == PENDING
    assert "delivered" not in states
    hub.broker.stop()
    hub.broker.lose_data()
    assert not (hub.broker.folder / "data").exists()
    hub.receiver.free.set()
    wait_until(lambda: hub.fleet.states().get("delivering", 0) == 0, timeout=60, what="what was in hand is settled")
    left = PENDING - hub.fleet.states().get("delivered", 0)
    assert left >= PENDING * 0.9, "the fault came when most was done"
    hub.broker.start()
    ids = [id for lane in lanes for id in lane]
    hub.fleet.delivered(hub.receiver, ids, timeout=300)
    keys = {id: set() for id in ids}
    for one in hub.receiver.received:
        keys[one.id].add(one.key)
    assert {len(found) for found in keys.values()} == {1}
    assert sorted(hub.receiver.first_effects().values()) == sorted(lanes)
    hub.fleet.ready(*hub.workers)
    for process in (hub.api, hub.sweeper, *hub.workers):
        assert process.alive(), process.said()
