"""F06: SIGKILL of the sweeper that leads, in its tick; the other goes on, and no retry is forgotten or doubled."""

from .proven import DISTRIBUTED, DISTRIBUTED_FULL, proven


@proven(DISTRIBUTED)
def test_the_other_sweeper_goes_on(proven):
    for strike in proven.strikes("F06 kill -9 of the sweeper in its tick"):
        assert strike["pid"]
        assert any(one.at > strike["at"] for one in proven.history.effects)


@proven(DISTRIBUTED_FULL)
def test_one_that_was_paused_past_its_lease_finds_that_the_other_leads(proven):
    proven.strikes("F06 each sweeper is paused for two leases")
