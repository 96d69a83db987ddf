"""More callers read at once than there are connections to the store and threads."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.api.calling import Front, event

MANY = 120


def test_many_who_read_at_once_are_all_answered_and_keep_nobody_from_posting(front: Front, key: str) -> None:
    front.event(event(), key)
    begun = time.monotonic()
    with ThreadPoolExecutor(MANY) as callers:
        reading = [callers.submit(front.get, "/v1/messages/1?source=e-budgeting", key) for _ in range(MANY)]
        posted = callers.submit(front.event, event("2", 2), key)
        assert posted.result().status == 202
        assert {one.result().status for one in reading} == {200}
    # A request that is shut out by others waits for half a minute, and fails then.
    assert time.monotonic() - begun < 20
