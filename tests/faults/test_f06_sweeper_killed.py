"""F06: SIGKILL of the sweeper that leads, in its tick; the other goes on, and no retry is forgotten or doubled."""

from .proven import DISTRIBUTED, proven


@proven(DISTRIBUTED)
def test_the_other_sweeper_goes_on(proven):
    for strike in proven.strikes("F06 kill -9 of the sweeper in its tick"):
        assert strike["pid"]
        assert any(one.at > strike["at"] for one in proven.history.effects)
