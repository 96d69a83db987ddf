"""When which fault strikes, and which faults there are."""

import itertools

import pytest

from proof.faults import ALL, ROWS, UnknownRow, chosen
from proof.schedule import FIRST, LAST, schedule


def test_every_fault_strikes_in_every_round_at_places_that_a_seed_gives_again():
    faults = chosen(["F01", "F03"], "embedded")
    plan = schedule(faults, 4, seed=5)
    assert plan == schedule(faults, 4, seed=5) != schedule(faults, 4, seed=6)
    assert len(plan) == 4 * len(faults)
    for turn in itertools.batched(plan, len(faults)) if hasattr(itertools, "batched") else []:
        assert {strike.fault for strike in turn} == set(faults)
    shares = [strike.share for strike in plan]
    assert shares == sorted(shares)
    assert shares[0] >= FIRST
    assert shares[-1] <= LAST
    assert schedule([], 3, seed=1) == []


def test_rows_are_chosen_in_the_mode_where_they_exist():
    assert {fault.row for fault in chosen(["F10", "F07"], "distributed")} == {"F10", "F07"}
    assert {fault.row for fault in chosen(["all"], "distributed")} == set(ROWS) - {"F17"}
    assert "F10" not in {fault.row for fault in chosen(["all"], "embedded")}
    with pytest.raises(UnknownRow, match="F10 exists in the other mode alone"):
        chosen(["F10"], "embedded")
    with pytest.raises(UnknownRow, match="there is no fault F99: choose from F01"):
        chosen(["F99"], "embedded")


def test_no_two_faults_have_one_name():
    assert len({fault.name for fault in ALL}) == len(ALL)
