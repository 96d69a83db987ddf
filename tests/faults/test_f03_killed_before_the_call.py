"""F03: SIGKILL of the process that delivers, before the call. What it held is delivered by its successor."""

from .proven import DISTRIBUTED_FULL, EMBEDDED, proven


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_what_was_claimed_and_not_sent_is_sent_by_another(proven):
    for strike in proven.strikes("F03 kill -9 before the call"):
        assert strike["pid"]
        assert any(one.at > strike["at"] for one in proven.history.effects)


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_a_kill_anywhere(proven):
    proven.strikes("F03 kill -9 of a process that delivers")
