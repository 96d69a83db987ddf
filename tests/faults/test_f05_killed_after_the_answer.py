"""F05: SIGKILL after the destination's 200 and before "delivered" is committed: sent again with the same key."""

import pytest

from .proven import DISTRIBUTED_FULL, EMBEDDED, proven


@proven(EMBEDDED, DISTRIBUTED_FULL)
@pytest.mark.parametrize("name", ["F05 kill -9 after the answer", "F05 kill -9 before the delivery commits"])
def test_the_destination_says_that_it_has_it_already(proven, name):
    for strike in proven.strikes(name):
        # The answer may have come a moment before the order to die was given.
        strike["at"] -= 0.5
        assert proven.repeated_after(strike, {"200"})
