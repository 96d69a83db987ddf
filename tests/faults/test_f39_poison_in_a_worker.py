"""F39 in the distributed mode: a message that ends every worker is dead of it alone, where workers are restarted."""

import asyncio
import os
from pathlib import Path

import pytest

from connectors.e_project.simulator import CLIENT_SECRET, EProject
from tests.connectors.servers import serving
from tests.distributed.fleet import Fleet, line
from tests.processes.events import subject
from tests.services import wait_until

TESTS = Path(__file__).parents[1]
COUNT = 30
EVIL = 16
LIMIT = 120.0


class Workers:
    """Two of them. As a container engine does, who looks after them starts another for each that ends."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.running = [fleet.worker(), fleet.worker()]
        self.codes = []

    def look_after(self):
        for ended in [one for one in self.running if not one.alive()]:
            self.codes.append(ended.popen.returncode)
            self.running.remove(ended)
            self.running.append(self.fleet.worker())


def poisoned(fleet, simulator):
    """Post one evil record amid others, and wait until it is dead and the others are there."""
    key = fleet.sign_up()
    api, sweeper = fleet.api(), fleet.sweeper()
    workers = Workers(fleet)
    wait_until(api.ready, timeout=60, what="the API is ready")
    wait_until(lambda: fleet.leader() == sweeper.pid, timeout=60, what="the sweeper leads")
    fleet.ready(*workers.running)
    events = [line(f"p-{number}", number) for number in range(1, COUNT + 1)]
    events[EVIL - 1]["data"]["description"] = "poison: exit"
    api.bulk(key, events)

    def states():
        workers.look_after()
        query = "SELECT m.id, d.state, d.reason FROM deliveries d JOIN messages m ON m.seq = d.message"
        return {id: (state, reason) for id, state, reason in fleet.rows(f"{query} WHERE d.destination = 'e-project'")}

    def settled():
        return {state for state, _ in states().values()} == {"delivered", "dead"}

    wait_until(settled, timeout=LIMIT, what="the poison is dead and the others are delivered")
    evil = events[EVIL - 1]["id"]
    assert [(id, reason) for id, (state, reason) in states().items() if state == "dead"] == [
        (evil, "poison: the worker died three times while sending it alone")
    ]
    assert subject(EVIL) not in simulator.records["anggaran"]
    assert len(simulator.records["anggaran"]) == COUNT - 1
    assert set(simulator.effects.values()) == {1}
    # One death with others, which counts against none of them, and three alone.
    assert workers.codes == [7] * 4


@pytest.mark.prove
@pytest.mark.timeout(300)
async def test_what_ends_every_worker_is_dead_after_three_deaths_alone(tmp_path, postgres_database, rabbitmq_url):
    simulator = EProject()
    async with serving(simulator.app()) as server:
        fleet = Fleet(
            tmp_path, postgres_database, rabbitmq_url,
            ARUS_E_PROJECT__URL=server.url, ARUS_E_PROJECT__CLIENT_SECRET=CLIENT_SECRET,
            PYTHONPATH=os.pathsep.join([str(TESTS / "proof/plants"), str(TESTS / "faults/planted")]), PLANT="poison",
        )  # fmt: skip
        try:
            await asyncio.to_thread(poisoned, fleet, simulator)
        finally:
            await asyncio.to_thread(fleet.close)
