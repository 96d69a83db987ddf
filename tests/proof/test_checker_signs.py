"""The checker's rule on what monitoring sees (N7): it can be broken, and is kept."""

import pytest

from tests.proof.handmade import Handmade

SLOW = "a-20"
"""The last message of its key: nothing waits behind it."""


@pytest.fixture
def run():
    """A run in which one message takes 40 seconds from its post to its effect; nothing shows it yet."""
    made = Handmade()
    arrival = made.arrival(SLOW)
    arrival["at"] += 40.0
    made.dest.sort(key=lambda line: line["at"])
    return made


def posted(run):
    return next(line["at"] for line in run.client if line["id"] == SLOW)


def look(run, after, **seen):
    """The first look that comes ``after`` so many seconds after the slow message was posted saw this."""
    next(one for one in run.signs if one["at"] > posted(run) + after).update(seen)


def n7(run, folder):
    """What the checker says of N7, and that it says nothing else."""
    violations = run.verdict(folder).violations
    assert {one.rule for one in violations} <= {"N7"}
    return [str(one) for one in violations]


def test_a_delay_that_shows_nowhere_breaks_it(run, tmp_path):
    assert n7(run, tmp_path) == [f"N7: took more than 10 s, and nothing showed it (1): {SLOW}"]


@pytest.mark.parametrize("seen", [{"ready": False}, {"oldest": None}, {"oldest": 5.0}], ids=str)
@pytest.mark.parametrize("after", [0.0, 20.0, 98.0])
def test_each_kind_of_sign_within_a_minute_of_its_end_keeps_it(run, tmp_path, seen, after):
    run.signs += [{"at": float(at), "url": "http://hub", "ready": True, "oldest": 0.5} for at in range(300, 400)]
    look(run, after, **seen)
    assert n7(run, tmp_path) == []


@pytest.mark.parametrize("after", [-5.0, 102.0])
def test_a_sign_before_the_delay_or_too_late_is_none(run, tmp_path, after):
    run.signs += [{"at": float(at), "url": "http://hub", "ready": True, "oldest": 0.5} for at in range(300, 400)]
    look(run, after, ready=False)
    assert len(n7(run, tmp_path)) == 1


def test_what_waits_as_long_as_ever_is_no_sign(run, tmp_path):
    look(run, 20.0, oldest=4.9)
    assert len(n7(run, tmp_path)) == 1


def test_a_message_that_took_less_need_not_show(run, tmp_path):
    run.arrival(SLOW)["at"] -= 30.1
    assert n7(run, tmp_path) == []


def test_without_a_look_it_cannot_be_judged(run, tmp_path):
    run.signs = []
    assert n7(run, tmp_path) == ["N7: cannot be judged: nobody looked at the hub"]
