"""Thousands of random schedules over the real store functions and the real courier, with invariants after each step.

One thread, a clock moved by hand, destinations that fail on purpose, workers lost between any two steps. A failing
seed repeats exactly: ``Schedule(random.Random(seed).choice).run(steps)``. ``ARUS_SCHEDULES`` sets how many are run.
"""

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.machine.schedule import ACTIONS, Schedule

SCHEDULES = int(os.environ.get("ARUS_SCHEDULES", "2000"))
PARTS = 8


@pytest.mark.timeout(max(600, SCHEDULES))
@pytest.mark.parametrize("part", range(PARTS))
def test_no_schedule_loses_doubles_or_reorders(part):
    for seed in range(part, SCHEDULES, PARTS):
        steps = random.Random(-seed).randint(15, 45)
        try:
            Schedule(random.Random(seed).choice).run(steps)
        except BaseException as error:
            error.add_note(f"Schedule(random.Random({seed}).choice).run({steps})")
            raise


@settings(max_examples=max(60, SCHEDULES // 20), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_schedule_that_hypothesis_finds_does(data):
    """Hypothesis shrinks what it finds: the place to look when a seed above fails."""
    schedule = Schedule(lambda options: data.draw(st.sampled_from(options)))
    try:
        for action in data.draw(st.lists(st.sampled_from(ACTIONS), max_size=40)):
            schedule.do(action)
        schedule.finish()
    finally:
        schedule.close()
