"""The same proof over a hub with a planted bug must fail, by the rule that the bug breaks; without a bug it passes."""

import os
from pathlib import Path

import pytest

from proof.destination import Mood
from proof.plan import Plan
from proof.run import run

PLANTS = Path(__file__).parent / "plants"

PLAN = Plan(
    messages=1_500,
    keys=75,
    faults=("F03",),
    seed=4,
    # Some messages are refused six times, so that there is a fifth retry to drop.
    mood=Mood(seed=4, unavailable=0.005, reset=0.005, stubborn=0.008, stubborn_tries=6),
    least=50,
    patience=60.0,
)


async def verdict_with(bug, folder):
    path = os.pathsep.join([str(PLANTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    verdict = await run(PLAN, folder, {"PYTHONPATH": path, "PLANT": bug})
    print(verdict)  # noqa: T201 - the figures of the run, which pytest shows where it fails
    return verdict


@pytest.mark.timeout(300)
async def test_without_a_planted_bug_the_run_passes(tmp_path, at_natural_speed):
    verdict = await verdict_with("", tmp_path)
    assert verdict.violations == ()
    assert verdict.delivered == PLAN.messages


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("bug", "rule", "count"),
    [
        ("answer_before_commit", "N1", "lost"),
        ("drop_on_fifth_retry", "N1", "lost"),
        ("new_key_per_attempt", "N4", "duplicated"),
    ],
)
async def test_a_planted_bug_is_caught(tmp_path, at_natural_speed, bug, rule, count):
    verdict = await verdict_with(bug, tmp_path)
    assert verdict.broke(rule)
    assert getattr(verdict, count) > 0
