"""F24, F25, F27, F31: partitions, lost answers, slow and torn answers between the hub and a destination."""

import pytest

from .proven import DISTRIBUTED_FULL, EMBEDDED, EMBEDDED_FULL, proven


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
@pytest.mark.parametrize("name", ["F24 partition, flapping", "F24 partition that swallows everything"])
def test_f24_order_is_kept_when_the_network_heals(proven, name):
    for strike in proven.strikes(name):
        assert any(one.at > strike["at"] for one in proven.history.effects)


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
def test_f25_what_arrived_without_an_answer_comes_again_with_its_key(proven):
    for strike in proven.strikes("F25 what is sent arrives, the answer does not"):
        assert proven.repeated_after(strike, {"200"})


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
def test_f27_a_slow_answer_is_given_up_in_time(proven):
    proven.strikes("F27 ten bytes a second")


@proven(EMBEDDED, DISTRIBUTED_FULL)
@pytest.mark.parametrize("name", ["F31 reset after applying", "F31 answers cut short"])
def test_f31_a_torn_answer_is_no_answer(proven, name):
    for strike in proven.strikes(name):
        assert proven.repeated_after(strike, {"200"})


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_f34_a_request_doubled_on_its_way_has_one_effect(proven):
    for strike in proven.strikes("F34 requests sent twice on the way"):
        arrived = [one for one in proven.history.arrived if one.effect == "duplicate"]
        assert proven.during(strike, arrived)
