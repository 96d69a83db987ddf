"""Reference page of outcomes: from a destination's answer to the state of its delivery, asked of the code itself."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime

from reference_code import table

from bus.contract.route import Retry
from bus.contract.sink import SinkClass
from bus.contract.verdict import Ambiguous, Deferred, Delivered, Verdict, name_of
from bus.engine.outcome import LONGEST_ASKED, Circumstances, Outcome, decide
from bus.engine.retry import UNAVAILABLE_LONGEST
from connectors.kit.http import BEFORE_SENDING, verdict_of_failure
from connectors.kit.http_status import verdict_of, wait_asked
from connectors.kit.soap import PASSING_FAULTS, REFUSING_FAULTS, verdict_of_fault

KINDS: tuple[SinkClass, ...] = ("keyed", "queryable", "blind")
HEAD = ("verdict", *KINDS)
NOW = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def outcome_of(verdict: Verdict, kind: SinkClass) -> Outcome:
    """Of a delivery's first attempt, on a route with the usual retries."""
    case = Circumstances(now=0, tries=1, retries=0, kind=kind, retry=Retry(), partitioned=False, on_dead_holds=True)
    return decide(verdict, case, random.Random(0))  # noqa: S311 - waits are not shown


def _word(outcome: Outcome) -> str:
    if outcome.state == "parked":
        return f"`parked`, `{outcome.parked}`"
    if outcome.keep_start:
        return "asked for, then `retrying`"
    return f"`{outcome.state}`"


def _then(verdict: Verdict) -> tuple[str, ...]:
    return (f"`{name_of(verdict)}`", *(_word(outcome_of(verdict, kind)) for kind in KINDS))


def _statuses() -> Iterator[tuple[str, ...]]:
    told = [(status, (*_then(verdict_of(status)), _why(verdict_of(status)))) for status in range(100, 600)]
    for row, group in itertools.groupby(told, key=lambda one: one[1]):
        codes = [status for status, _ in group]
        yield (str(codes[0]) if len(codes) == 1 else f"{codes[0]}–{codes[-1]}", *row)


def _why(verdict: Verdict) -> str:
    return str(getattr(verdict, "reason", "it has it")).partition(": ")[2] or "unless the sink reads the body otherwise"


def _failures() -> Iterator[tuple[str, ...]]:
    for kind, why in BEFORE_SENDING:
        made = kind.__new__(kind)  # their constructors want live connections
        yield (why, *_then(verdict_of_failure(made)))
    for error, when in ((TimeoutError(), "no answer in time"), (OSError(), "the connection broke")):
        yield (f"{when}, after sending", *_then(verdict_of_failure(error)))


def _faults() -> Iterator[tuple[str, ...]]:
    for kind in (*REFUSING_FAULTS, *PASSING_FAULTS):
        yield (f"`{kind}`", *_then(verdict_of_fault(kind, "said", 500)))
    yield ("any other code, also with 200", *_then(verdict_of_fault("Other", "said", 200)))
    yield ("no code", *_then(verdict_of_fault("", "said", 500)))


def _waits() -> Iterator[tuple[str, str]]:
    headers = ("120", "Mon, 05 Jan 2026 08:31:00 GMT", "1000000000", "Mon, 05 Jan 2126 08:31:00 GMT", "0", "-5",
               "Mon, 05 Jan 2026 08:29:00 GMT", "soon")  # fmt: skip
    for header in headers:
        seconds = wait_asked(header, NOW)
        yield f"`{header}`", "the route's own wait" if seconds is None else f"{seconds:g} s"


def outcomes() -> Iterator[str]:
    """The page."""
    retry = Retry()
    yield "# Outcomes"
    yield ""
    yield "What an answer makes of a delivery, by the class of its sink: `keyed` destinations take an idempotency key,"
    yield "`queryable` ones can be asked what they have, `blind` ones can do neither. A sink may read an answer's body"
    yield "and know better than its status; its README says where."
    yield ""
    soon = f"again, at least every {UNAVAILABLE_LONGEST:g} s unless it asks for longer, for ever"
    rows = [
        ("`delivered`", "the destination has it", "goes on"),
        ("`retry_later`", f"again after the route's wait; `dead` after {retry.attempts} of them", "is held"),
        ("`unavailable`", soon, "is held"),
        ("`rejected`", "`dead`, for a person", "goes on, unless it has a `partitionkey`"),
        ("`ambiguous`", "same key, asked for, or a person: never guessed", "is held"),
        ("`deferred`", "asked for with its token", "is held"),
    ]
    yield from table(("verdict", "then", "its lane"), rows)
    yield from ("", "## HTTP statuses", "", "Redirects are never followed.", "")
    yield from table(("status", *HEAD, "why"), list(_statuses()))
    yield from ("", "## No answer", "")
    yield from table(("what happened", *HEAD), list(_failures()))
    yield from ("", "## SOAP faults", "")
    yield "Whatever HTTP status they come with; a status that speaks for itself is heard first."
    yield ""
    yield from table(("fault code", *HEAD), list(_faults()))
    yield from ("", "## Answers that come later or not at all", "")
    later = [
        ("taken, result later (`Deferred`)", *_then(Deferred("token", 60.0))),
        ("the hub stopped in the middle of an attempt", *_then(Ambiguous("stopped", at="hub"))),
        ("a row of a bulk answer is missing", *_then(Ambiguous("no row"))),
        ("a row of a bulk answer says done", *_then(Delivered())),
    ]
    yield from table(("what happened", *HEAD), later)
    yield from (
        "",
        "## Retry-After",
        "",
        f"As asked on {NOW:%a, %d %b %Y %H:%M:%S} GMT; at most {LONGEST_ASKED:g} s.",
        "",
    )
    yield from table(("header", "wait"), list(_waits()))
