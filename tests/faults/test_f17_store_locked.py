"""F17: somebody else holds SQLite's write lock: posts wait or are asked to come again, and none meets a 500."""

from .proven import EMBEDDED_FULL, proven


@proven(EMBEDDED_FULL)
def test_a_foreign_lock_costs_time_and_nothing_else(proven):
    for strike in proven.strikes("F17 SQLite locked from outside"):
        answers = {end.answer for end in proven.during(strike, proven.history.ended)}
        assert answers <= {"accepted", "duplicate", "503", "429"}
