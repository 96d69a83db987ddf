"""Waiting for conditions instead of for the clock."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.1


def wait_until(condition: Callable[[], T], timeout: float = 10.0, what: str = "") -> T:
    """Call ``condition`` until its answer is true, and return that answer.

    ``timeout`` is in seconds; ``what`` names the awaited thing in the error.
    Raises TimeoutError, with the last answer, when it stays false. What ``condition`` raises is passed on.
    """
    end = time.monotonic() + timeout
    pause = _FIRST_PAUSE_SECONDS
    while not (answer := condition()):
        if time.monotonic() >= end:
            raise TimeoutError(_complaint(condition, timeout, what, answer))
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return answer


async def wait_until_async(
    condition: Callable[[], T | Awaitable[T]],
    timeout: float = 10.0,  # noqa: ASYNC109 - the error of asyncio.timeout does not say what was awaited
    what: str = "",
) -> T:
    """Do as :func:`wait_until`, without holding the event loop; ``condition`` may be a coroutine function."""
    end = time.monotonic() + timeout
    pause = _FIRST_PAUSE_SECONDS
    while True:
        given = condition()
        answer = await given if isinstance(given, Awaitable) else given
        if answer:
            return answer
        if time.monotonic() >= end:
            raise TimeoutError(_complaint(condition, timeout, what, answer))
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _complaint(condition: Callable[..., object], timeout: float, what: str, answer: object) -> str:
    name = what or getattr(condition, "__qualname__", repr(condition))
    return f"{name}: not so after {timeout:g} s; last answer {answer!r}"
