"""F38: the machines' clocks disagree by ten minutes, and one of them jumps: nobody takes what another is sending."""

import pytest

from tests.distributed.fleet import COMMANDS, Api, Fleet, line
from tests.distributed.receiver import Receiver
from tests.services import wait_until

from .clocks import HOUR, Clock

LANES = 6
MINUTES = 60


@pytest.fixture
def fleet(postgres_database, rabbitmq_url, tmp_path):
    fleet = Fleet(tmp_path, postgres_database, rabbitmq_url)
    yield fleet
    fleet.close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.mark.prove
@pytest.mark.timeout(400)
def test_workers_whose_clocks_disagree_leave_each_other_their_lanes(fleet, receiver, tmp_path):
    key = fleet.sign_up(("dashboard", receiver.url))
    off = {"fast": 5, "slow": -5, "front": 3, "sweeping": 4}
    fast, slow, front, sweeping = (Clock(tmp_path, name, by * MINUTES) for name, by in off.items())
    workers = [fleet.start(*COMMANDS["worker"], **clock.environment) for clock in (fast, slow)]
    api = fleet.start(*COMMANDS["api"], kind=Api, **front.environment)
    sweeper = fleet.start(*COMMANDS["sweeper"], **sweeping.environment)
    wait_until(api.ready, timeout=90, what="the API is ready")
    wait_until(lambda: {one.pid for one in workers} <= set(fleet.workers()), timeout=90, what="the workers sign")
    wait_until(lambda: fleet.leader() == sweeper.pid, timeout=90, what="the sweeper leads")

    def rounds(name, turn):
        receiver.free.clear()
        ids = [f"{name}-{number}" for number in range(2 * LANES)]
        api.bulk(key, [line(id, number % LANES) for number, id in enumerate(ids)])
        wait_until(lambda: set(ids[:LANES]) <= set(receiver.ids), timeout=60, what="some are under way")
        turn()
        # By its own clock the slow one would see no message as due for minutes, the fast one every lease as ended.
        more = [f"{name}-more-{number}" for number in range(LANES)]
        api.bulk(key, [line(id, LANES + number) for number, id in enumerate(more)])
        wait_until(lambda: set(more) <= set(receiver.ids), timeout=60, what="others go on")
        receiver.free.set()
        fleet.delivered(receiver, [*ids, *more])
        assert [receiver.ids.count(id) for id in (*ids, *more)] == [1] * 3 * LANES, "somebody took another's lane"

    rounds("steady", lambda: None)
    rounds("jump", lambda: [clock.turn(HOUR) for clock in (fast, front)])
    rounds("back", lambda: [clock.turn(-HOUR) for clock in (fast, sweeping)])
    moments = [row for (row,) in fleet.rows("SELECT accepted_at - extract(epoch FROM now()) * 1000000 FROM messages")]
    assert max(abs(moment) for moment in moments) < 4 * MINUTES * 1_000_000, "not the database's time"
    assert "is dead" not in sweeper.said()
    for process in (*workers, api, sweeper):
        assert process.alive(), process.said()
        assert "Traceback" not in process.said(), process.said()
    for lane in receiver.first_effects().values():
        for name in ("steady", "jump", "back"):
            numbers = [int(id.rsplit("-", 1)[1]) for id in lane if id.startswith(f"{name}-") and "more" not in id]
            assert numbers == sorted(numbers)
