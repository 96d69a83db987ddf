"""F04: SIGKILL in the middle of a call that the destination has applied: the same key again, and one effect."""

from .proven import DISTRIBUTED_FULL, EMBEDDED, proven


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_the_same_key_comes_again_and_has_no_second_effect(proven):
    for strike in proven.strikes("F04 kill -9 in the call, after it was applied"):
        assert proven.repeated_after(strike, {"hold"})
