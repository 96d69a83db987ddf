"""F01: SIGKILL of the process that accepts. The poster hears nothing, asks again, and its message is stored once."""

from .proven import DISTRIBUTED_FULL, EMBEDDED, EMBEDDED_FULL, proven


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_what_was_not_yet_committed_is_stored_by_the_retry(proven):
    for strike in proven.strikes("F01 kill -9 before the accept commits"):
        doubtful = proven.in_doubt(strike)
        assert "accepted" in proven.final_answers(doubtful).values()
        assert all(len(proven.history.applied[id]) == 1 for id in doubtful)


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_a_kill_anywhere(proven):
    for strike in proven.strikes("F01 kill -9 of a process that accepts"):
        assert set(proven.final_answers(proven.in_doubt(strike)).values()) <= {"accepted", "duplicate"}


@proven(EMBEDDED_FULL)
def test_the_hub_takes_its_children_along_and_comes_back(proven):
    proven.strikes("F01 kill -9 of the hub")
