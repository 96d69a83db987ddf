"""F07: the process that delivers stands still for two leases and comes back: nothing is doubled or out of order."""

from .proven import DISTRIBUTED_FULL, EMBEDDED_FULL, proven


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
def test_who_comes_back_changes_nothing(proven):
    for strike in proven.strikes("F07 a process that delivers is paused for two leases"):
        assert any(one.at > strike["at"] for one in proven.history.effects)
