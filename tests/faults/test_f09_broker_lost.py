"""F09 to F12: the broker is killed, lost with its data, blocks, or goes silent. Posts go on, and all is delivered."""

import pytest

from .proven import DISTRIBUTED, DISTRIBUTED_FULL, proven


def _taken_without_a_broker(proven, name):
    for strike in proven.strikes(name):
        taken = [end for end in proven.during(strike, proven.history.ended, after=0.0) if end.event == "ok"]
        assert len(taken) >= 20


@proven(DISTRIBUTED)
def test_f10_an_empty_broker_is_as_good_as_the_old_one(proven):
    _taken_without_a_broker(proven, "F10 broker lost with its data")


@proven(DISTRIBUTED_FULL)
@pytest.mark.parametrize("name", ["F09 broker killed and started", "F11 broker blocks publishers"])
def test_f09_f11_a_broker_that_comes_back(proven, name):
    _taken_without_a_broker(proven, name)


@proven(DISTRIBUTED_FULL)
def test_f12_half_open_connections_are_noticed(proven):
    proven.strikes("F12 half-open connections to the broker")
