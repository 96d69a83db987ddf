"""The circuit: opens when nobody is there, lets one lane try, and loses nothing."""

from bus.contract.verdict import Unavailable
from bus.engine import destination, drain
from bus.engine.destination import Circuit, Destination
from tests.engine.draining import ScriptedSink
from tests.engine.hub import incoming
from tests.services import wait_until_async


def test_the_circuit_opens_rests_longer_each_time_and_closes_at_the_first_answer(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(destination.time, "monotonic", lambda: now[0])
    circuit = Circuit()
    for _ in range(destination.OPENING - 1):
        circuit.missed()
    assert (circuit.open, circuit.room(8)) == (False, 8)
    for _ in range(5):
        circuit.missed()  # what was under way together counts once
    assert (circuit.open, circuit.room(8), circuit.rest) == (True, 0, 2.0)
    rests = []
    for _ in range(8):
        now[0] = circuit.closed_again_at
        assert circuit.room(8) == 1
        circuit.missed()
        rests.append(circuit.closed_again_at - now[0])
    assert rests == [2, 4, 8, 16, 30, 30, 30, 30]
    circuit.found()
    assert (circuit.open, circuit.room(8), circuit.rest) == (False, 8, 1.0)


def test_while_the_circuit_is_open_one_lane_tries(monkeypatch):
    here = Destination("e-project", "e-project", ScriptedSink())
    here.circuit.failures = destination.OPENING
    assert here.circuit.room(here.width) == 1
    here.lanes_in_hand = 1
    assert here.circuit.room(here.width) == 0


async def test_a_destination_that_was_away_is_found_again_and_loses_nothing(place, monkeypatch):
    monkeypatch.setattr(destination, "FIRST_REST", 0.01)
    monkeypatch.setattr(destination, "LONGEST_REST", 0.02)
    here = place()
    for number in range(8):
        here.sink.script[f"k{number}"] = [Unavailable("closed")] * 3
    await here.post(*[incoming(f"k{number}") for number in range(8)])
    here.destination.circuit.rest = 0.01
    here.start()
    await wait_until_async(lambda: here.destination.circuit.open, what="the circuit opens")
    await here.states(*["delivered"] * 8)
    assert not here.destination.circuit.open
    assert drain.SWEEP < 1
