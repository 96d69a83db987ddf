"""F34 and F35: one message posted fifty times at once is stored once; another content under its id is a conflict."""

from .proven import DISTRIBUTED_FULL, EMBEDDED, proven


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_f34_fifty_at_once_are_one(proven):
    for strike in proven.strikes("F34 one message posted 50 times at once"):
        several = [end for end in proven.during(strike, proven.history.ended) if end.id == strike["id"]]
        assert len(several) >= 50
        assert sum(end.answer == "accepted" for end in several) <= 1
        assert {end.answer for end in several if end.event == "ok"} <= {"accepted", "duplicate"}
        assert len(proven.history.applied[strike["id"]]) == 1


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_f35_the_first_content_stays(proven):
    for strike in proven.strikes("F35 another content under a known id"):
        assert strike["other"] == "409"
        (effect,) = proven.history.applied[strike["id"]]
        assert effect.sha == proven.history.invoked[strike["id"]].sha
