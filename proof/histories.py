"""The logs of one run, as the checker reads them.

``client.jsonl``  of the poster: ``invoke`` before sending, then ``ok``, ``fail`` or ``info``; ``other`` with the
                  answer to another content under a known id
``dest.jsonl``    of the destination: every attempt that reached it, its effect, and the answer
``faults.jsonl``  what was done to the hub and when it was back
``signs.jsonl``   what monitoring saw of each process that answers, about once a second
``final.json``    the hub's own account once nothing moved any more
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

OPEN_STATES = frozenset({"pending", "delivering", "retrying", "deferred"})
"""States of a delivery on which the hub still works by itself."""

STANDING_STATES = frozenset({"parked", "dead"})
"""States that wait visibly for somebody, with a reason."""


class HistoryError(Exception):
    """A log is missing or cannot be read: nothing can be decided."""


@dataclass(frozen=True, slots=True)
class Invoked:
    """A message as it was first posted. ``n`` is its place in the order of its key."""

    id: str
    key: str
    n: int
    sha: str
    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """An answer to the poster: ``ok``, ``fail`` or ``info``."""

    id: str
    event: str
    answer: str
    at: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """One attempt at the destination. ``effect``: ``applied``, ``duplicate`` or ``none``."""

    id: str
    idempotency_key: str
    key: str
    sequence: int
    sha: str
    n: int | None
    attempt: int
    effect: str
    answer: str
    at: float


@dataclass(frozen=True, slots=True)
class Fault:
    """``hit``: the process that was meant really died; ``back_at``: the hub was ready again (None: never).

    ``quiet``: neither poster nor destination should have noticed.
    """

    name: str
    at: float
    hit: bool
    back_at: float | None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Sign:
    """What one look saw. ``oldest``: seconds that the subscriber's oldest delivery waits; None: no metrics came."""

    at: float
    ready: bool
    oldest: float | None


@dataclass(frozen=True, slots=True)
class Final:
    """The hub's own account: messages accepted, deliveries by state, and the ids that stand with their reason.

    ``stories`` has, of messages that were tried more than once, (number, outcome) of each attempt as recorded.
    ``audit`` is what ``arus audit verify`` found; None: it was not asked.
    """

    accepted: int
    states: dict[str, int]
    standing: dict[str, dict[str, Any]]
    stories: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    audit: dict[str, Any] | None = None


@dataclass(frozen=True)
class History:
    """A whole run. ``tries`` holds every invoke as (id, at) in the poster's order, repeated ones too.

    ``others`` are the answers to another content posted under a known id.
    """

    invoked: dict[str, Invoked]
    tries: list[tuple[str, float]]
    changed: list[str]
    ended: list[Ended]
    others: list[Ended]
    arrived: list[Arrived]
    malformed: list[str]
    faults: list[Fault]
    signs: list[Sign]
    final: Final

    @cached_property
    def acknowledged(self) -> dict[str, float]:
        """Ids that the hub accepted, with the time at which the poster first knew."""
        first: dict[str, float] = {}
        for end in self.ended:
            if end.event == "ok":
                first.setdefault(end.id, end.at)
        return first

    @cached_property
    def refused(self) -> set[str]:
        """Ids that the hub refused and never accepted later."""
        return {end.id for end in self.ended if end.event == "fail"} - self.acknowledged.keys()

    @cached_property
    def effects(self) -> list[Arrived]:
        """What had an effect, in the order of the effects."""
        return [one for one in self.arrived if one.effect == "applied"]

    @cached_property
    def applied(self) -> dict[str, list[Arrived]]:
        """Effects by message."""
        found: dict[str, list[Arrived]] = defaultdict(list)
        for one in self.effects:
            found[one.id].append(one)
        return dict(found)


def read(folder: Path) -> History:
    """Read the logs of ``folder``. Raises HistoryError."""
    try:
        return _read(folder)
    except (KeyError, TypeError) as error:
        raise HistoryError(f"a line lacks what it must have: {error!r}") from error


def repeated(folder: Path) -> list[str]:
    """Ids that the destination saw more than once. Raises HistoryError."""
    return list(dict.fromkeys(line["id"] for line in _lines(folder / "dest.jsonl") if line.get("attempt", 1) > 1))


def _read(folder: Path) -> History:
    invoked: dict[str, Invoked] = {}
    tries: list[tuple[str, float]] = []
    changed: list[str] = []
    ended: list[Ended] = []
    others: list[Ended] = []
    for line in _lines(folder / "client.jsonl"):
        if line["event"] != "invoke":
            known = others if line["event"] == "other" else ended
            known.append(Ended(line["id"], line["event"], line["answer"], line["at"]))
            continue
        one = Invoked(line["id"], line["key"], line["n"], line["sha"], line["at"])
        first = invoked.setdefault(one.id, one)
        if (first.key, first.n, first.sha) != (one.key, one.n, one.sha):
            changed.append(one.id)
        tries.append((one.id, one.at))
    came = _lines(folder / "dest.jsonl")
    fields = Arrived.__slots__
    return History(
        invoked=invoked,
        tries=tries,
        changed=changed,
        ended=ended,
        others=others,
        arrived=[Arrived(*(line[name] for name in fields)) for line in came if "malformed" not in line],
        malformed=[line["malformed"] for line in came if "malformed" in line],
        faults=_faults(_lines(folder / "faults.jsonl")),
        signs=[Sign(line["at"], line["ready"], line["oldest"]) for line in _lines(folder / "signs.jsonl")],
        final=_final(folder / "final.json"),
    )


def _faults(lines: list[dict[str, Any]]) -> list[Fault]:
    back = {line["number"]: line["at"] for line in lines if line["event"] == "back"}
    return [
        Fault(line["name"], line["at"], line["hit"], back.get(line["number"]), line.get("quiet", False))
        for line in lines
        if line["event"] == "fault"
    ]


def _final(path: Path) -> Final:
    try:
        document = orjson.loads(path.read_bytes())
        told = {id: [(number, outcome) for number, outcome in tries] for id, tries in document["stories"].items()}
        return Final(document["accepted"], document["states"], document["standing"], told, document.get("audit"))
    except (OSError, KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise HistoryError(f"{path.name}: {error}") from error


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]
    except (OSError, orjson.JSONDecodeError) as error:
        raise HistoryError(f"{path.name}: {error}") from error
