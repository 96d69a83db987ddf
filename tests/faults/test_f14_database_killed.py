"""F14 and F15: PostgreSQL dies, or connections are cut in the answer to COMMIT: doubt for the poster, no half state."""

from .proven import DISTRIBUTED, DISTRIBUTED_FULL, proven


@proven(DISTRIBUTED)
def test_f14_messages_wait_for_the_database(proven):
    for strike in proven.strikes("F14 PostgreSQL killed and started"):
        answers = {end.answer for end in proven.during(strike, proven.history.ended)}
        assert answers <= {"accepted", "duplicate", "503", "ServerDisconnectedError", "TimeoutError"}


@proven(DISTRIBUTED_FULL)
def test_f15_an_unknown_commit_is_found_by_its_id(proven):
    for strike in proven.strikes("F15 connection cut instead of the answer to COMMIT"):
        doubtful = proven.in_doubt(strike)
        assert set(proven.final_answers(doubtful).values()) <= {"accepted", "duplicate"}
        assert "500" not in {end.answer for end in proven.during(strike, proven.history.ended)}
