"""``kill -9`` of the hub and of its parts, twenty times while 20,000 messages of 500 keys go through a subscription."""

import pytest

from proof.destination import Mood
from proof.plan import Plan
from proof.run import run

PLAN = Plan(
    messages=20_000,
    keys=500,
    faults=("F01", "F03"),
    rounds=4,
    seed=9,
    # Beside the kills the destination is what destinations are: retries must keep their place and their key too.
    mood=Mood(seed=9, unavailable=0.002, busy=0.002, reset=0.002),
)


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_twenty_kills_lose_double_and_reorder_nothing(tmp_path, at_natural_speed):
    verdict = await run(PLAN, tmp_path, say=print)
    print(verdict)  # noqa: T201 - the figures of the run, which pytest shows where it fails
    assert verdict.violations == ()
    assert (verdict.acknowledged, verdict.delivered, verdict.standing) == (20_000, 20_000, 0)
    assert (verdict.lost, verdict.duplicated, verdict.reordered) == (0, 0, 0)
    assert (verdict.faults, verdict.recovered) == (20, 20)
