"""F28, F29, F37: destinations that refuse for a while, or fail after applying. Each message is delivered in the end."""

import itertools

from .proven import DISTRIBUTED_FULL, EMBEDDED, EMBEDDED_FULL, proven


def _answered(proven, strike, answers):
    return {one.id for one in proven.during(strike, proven.history.arrived) if one.answer in answers}


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
def test_f28_a_503_is_tried_again(proven):
    for strike in proven.strikes("F28 503"):
        turned_away = _answered(proven, strike, {"503"})
        assert turned_away
        assert turned_away <= proven.history.applied.keys()


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
def test_f28_a_500_after_applying_is_repeated_with_the_same_key(proven):
    for strike in proven.strikes("F28 500, 502, 504 after applying"):
        assert proven.repeated_after(strike, {"500", "502", "504"})


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
def test_f29_a_429_is_obeyed_whatever_it_asks_for(proven):
    for strike in proven.strikes("F29 429 with odd Retry-After"):
        turned_away = _answered(proven, strike, {"429"})
        assert turned_away <= proven.history.applied.keys()
        for id in turned_away:
            tries = proven.attempts(id)
            gaps = [after.at - before.at for before, after in itertools.pairwise(tries)]
            assert all(0.3 < gap < 60 for gap in gaps), gaps


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_f37_later_messages_of_a_key_wait_for_the_one_that_is_tried_again(proven):
    for strike in proven.strikes("F37 five refusals of a message, later ones wait"):
        refused = _answered(proven, strike, {"429"})
        assert refused
        for id in refused:
            tries = proven.attempts(id)
            first, success = tries[0], next(one for one in tries if one.effect == "applied")
            between = [
                one
                for one in proven.history.arrived
                if one.key == first.key and one.n > first.n and first.at <= one.at < success.at
            ]
            assert between == []
