"""Routes: which messages go to which system, in which form, under which conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Retry:
    """Backoff for ``RetryLater``: exponential from ``first`` to at most ``longest`` seconds, half of it by chance.

    ``attempts`` tries that the destination answered with ``RetryLater`` make a delivery dead.
    """

    attempts: int = 12
    first: float = 1.0
    longest: float = 3600.0


@dataclass(frozen=True, slots=True)
class Parent:
    """A record that must come first. ``key`` reads its subject from the child's data; None: this child needs none."""

    type: str
    key: Callable[[Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Route:
    """Messages of one type to one system.

    ``encode`` is a pure mapping from canonical data to the destination's form; an exception in it is never
    retried. ``on_dead``: what a dead delivery does to later ones in lanes with an explicit partition key. ``mapping``
    names the release of the code behind ``encode``; it is kept with each attempt.
    """

    name: str
    type: str
    destination: str
    encode: Callable[[Mapping[str, Any]], Any]
    when: Callable[[Mapping[str, Any]], bool] = lambda _data: True
    retry: Retry = Retry()
    parents: tuple[Parent, ...] = ()
    on_dead: Literal["hold", "continue"] = "hold"
    mapping: str | None = None
