"""The same proof over a hub with a planted bug must fail, by the rule that the bug breaks; without a bug it passes."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from proof.destination import Mood
from proof.plan import Plan
from proof.run import run
from tests.faults.proven import need_servers

PLANTS = Path(__file__).parent / "plants"

PLAN = Plan(
    messages=1_500,
    keys=75,
    faults=("F03",),
    seed=4,
    mood=Mood(seed=4, unavailable=0.005, reset=0.005),
    least=50,
    patience=60.0,
)

STUBBORN = replace(PLAN, mood=Mood(seed=4, stubborn=0.008, stubborn_tries=6))
"""Some messages are refused six times, so that there is a fifth retry to drop, and later ones to hold back."""

ACCEPTING = replace(PLAN, faults=("F01",))
DISTRIBUTED = replace(PLAN, distributed=True, patience=30.0)

PAUSED = replace(DISTRIBUTED, faults=("F07",), rounds=3, messages=3_000, mood=Mood(seed=4, hang=0.1, hang_seconds=1.0))
"""The destination keeps calls waiting, so that some are under way when their worker stands still."""

CASES = (
    ("answer_before_commit", ACCEPTING, "N1", "lost"),
    ("ack_before_store", ACCEPTING, "N1", "lost"),
    ("swallow_a_row", PLAN, "N1", "lost"),
    ("drop_on_fifth_retry", STUBBORN, "N1", "lost"),
    ("delivered_before_the_call", PLAN, "N1", "lost"),
    ("new_key_per_attempt", PLAN, "N4", "duplicated"),
    ("check_then_insert", replace(DISTRIBUTED, faults=("F34", "F35"), rounds=4), "N4", "duplicated"),
    ("timer_per_message", STUBBORN, "N5", "reordered"),
    ("forget_the_sweeper", replace(DISTRIBUTED, faults=("F10",)), "N9", None),
    ("no_fence", PAUSED, "N6", None),
)
QUICK = {"new_key_per_attempt"}


async def verdict_with(bug, plan, folder):
    if plan.distributed:
        need_servers()
    path = os.pathsep.join([str(PLANTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    verdict = await run(plan, folder, {"PYTHONPATH": path, "PLANT": bug}, say=print)
    print(verdict)  # noqa: T201 - the figures of the run, which pytest shows where it fails
    return verdict


@pytest.mark.prove
@pytest.mark.timeout(600)
@pytest.mark.parametrize("plan", {case[1]: case[1] for case in CASES}.values())
async def test_without_a_planted_bug_the_run_passes(tmp_path, at_natural_speed, plan):
    verdict = await verdict_with("", plan, tmp_path)
    assert verdict.violations == ()
    assert verdict.delivered >= plan.messages


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("bug", "plan", "rule", "count"),
    [pytest.param(*case, id=case[0], marks=[] if case[0] in QUICK else [pytest.mark.prove]) for case in CASES],
)
async def test_a_planted_bug_is_caught(tmp_path, at_natural_speed, bug, plan, rule, count):
    verdict = await verdict_with(bug, plan, tmp_path)
    assert verdict.broke(rule)
    assert count is None or getattr(verdict, count) > 0


def test_every_plant_is_tried():
    assert {case[0] for case in CASES} == {path.stem for path in PLANTS.glob("*.py")} - {"sitecustomize"}
