"""What a verdict makes of a delivery: pure, no database, no clock."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bus.contract.clock import MICROSECONDS
from bus.contract.route import Retry
from bus.contract.sink import SinkClass
from bus.contract.verdict import Ambiguous, Deferred, Delivered, Rejected, RetryLater, Unavailable, Verdict

from .retry import backoff, unavailable_backoff

LONGEST_ASKED = 3600.0
"""A destination may ask us to wait at most an hour; a longer wish is a mistake on its side."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The delivery's next state. ``keep_start``: the attempt may have had its effect, ask before the next one."""

    state: str
    holds: bool
    retries: int
    due_at: int
    parked: str | None = None
    reason: str | None = None
    token: str | None = None
    keep_start: bool = False

    @property
    def passes(self) -> bool:
        """Later deliveries of the lane may go on."""
        return not self.holds


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What ``decide`` needs to know of the delivery. ``tries`` counts all attempts, ``retries`` those that use up.

    ``asked``: the verdict answers a question about an earlier attempt, of which ``token`` may be the name; nothing
    was sent.
    """

    now: int
    tries: int
    retries: int
    kind: SinkClass
    retry: Retry
    partitioned: bool
    on_dead_holds: bool
    asked: bool = False
    token: str | None = None


def decide(verdict: Verdict, case: Circumstances, chance: random.Random) -> Outcome:
    """The one place where verdicts become states."""
    if case.asked and isinstance(verdict, RetryLater | Unavailable | Ambiguous):
        return _ask_again(verdict, case, chance)
    match verdict:
        case Delivered():
            return Outcome("delivered", False, case.retries, case.now)
        case Rejected(reason=reason):
            return _dead(reason, case, case.retries)
        case RetryLater(reason=reason, after=after):
            retries = case.retries + 1
            if retries >= case.retry.attempts:
                return _dead(f"gave up after {retries} tries: {reason}", case, retries)
            wait = backoff(case.retry, retries, chance)
            if after is not None:  # a wish for no wait must not use up all tries in one moment
                wait = max(_capped(after), case.retry.first / 2)
            return Outcome("retrying", True, retries, _in(case.now, wait), reason=reason)
        case Unavailable(reason=reason, after=after):
            wait = max(unavailable_backoff(case.retry, case.tries, chance), _capped(after or 0.0))
            return Outcome("retrying", True, case.retries, _in(case.now, wait), reason=reason)
        case Deferred(token=token, check_after=check_after):
            due = _in(case.now, max(_capped(check_after), case.retry.first / 2))
            return Outcome(
                "deferred", True, case.retries, due, reason="the destination processes it later", token=token
            )
        case Ambiguous(reason=reason):
            return _ambiguous(reason, case, chance)


def _ask_again(verdict: RetryLater | Unavailable | Ambiguous, case: Circumstances, chance: random.Random) -> Outcome:
    """The question found no answer: what the earlier attempt did is as unknown as before, so nothing may be sent."""
    due = _in(case.now, unavailable_backoff(case.retry, case.tries, chance))
    state = "retrying" if case.token is None else "deferred"
    return Outcome(
        state, True, case.retries, due, reason=verdict.reason, token=case.token, keep_start=case.token is None
    )


def _ambiguous(reason: str, case: Circumstances, chance: random.Random) -> Outcome:
    """Repeated with the same key, asked for, or parked for a person: in that order, never guessed."""
    if case.kind == "blind":
        return Outcome("parked", True, case.retries, case.now, parked="ambiguous", reason=reason)
    due = _in(case.now, unavailable_backoff(case.retry, case.tries, chance))
    return Outcome("retrying", True, case.retries, due, reason=reason, keep_start=case.kind == "queryable")


def _dead(reason: str, case: Circumstances, retries: int) -> Outcome:
    holds = case.partitioned and case.on_dead_holds
    return Outcome("dead", holds, retries, case.now, reason=reason)


def _capped(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_ASKED)  # in this order not-a-number becomes 0


def _in(now: int, seconds: float) -> int:
    return now + int(seconds * MICROSECONDS)
