"""A store with a huge backlog beside one with an empty queue, in alternating windows: acceptance, drain rate, pages.

Both hubs stand the whole time; one is measured while the other waits. Deliveries are paused while acceptance and
pages are measured, on both, so that a window measures one thing.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import figures, processes
from .filling import fill
from .hubs import PrivateHub
from .processes import BenchFailed, module
from .servers import Servers, with_servers

WINDOWS = 5

LANE = 50
"""Messages of the backlog in one lane."""

LONGEST = 2
"""A drain window ends with the queue, or after so many times the length of the others."""

PAGES = {
    "messages_ms": "/v1/messages?limit=50",
    "failures_ms": "/v1/failures",
    "parked_ms": "/v1/parked?limit=50",
    "metrics_ms": "/metrics",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two hubs, running. ``name`` is what the destination counts its deliveries under."""

    hub: PrivateHub
    name: str
    urls: tuple[str, ...]
    key: str


def bench(count: int, *, seconds: float, distributed: bool, as_json: bool) -> int:
    """Measure and print, for SQLite and, if ``distributed``, for PostgreSQL; each window lasts ``seconds``."""
    with tempfile.TemporaryDirectory(prefix="arus-bench-") as place:
        told = {"sqlite": _measured(Path(place), "sqlite", count, seconds, None)}
        if distributed:
            told["postgresql"] = with_servers(
                lambda servers: _measured(Path(place), "postgresql", count, seconds, servers)
            )
    if as_json:
        figures.document({"backlog": count, "seconds": seconds, "windows": WINDOWS, **told})
        return 0
    for store, one in told.items():
        sys.stdout.write(f"{store}: {count} messages accepted in {one['filled_seconds']:.0f} s\n")
        figures.table(one["figures"], {"empty": one["ratios"]})
    return 0


def _measured(folder: Path, store: str, count: int, seconds: float, servers: Servers | None) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(module("target", folder, "/received"))
        keys = max(count // LANE, 1)
        hubs = {name: _hub(folder / store / name, count, servers, name) for name in ("full", "empty")}
        posters = {name: hub.prepare(f"{target}/hook/{store}-{name}") for name, hub in hubs.items()}
        for hub in hubs.values():
            hub.pause()
        filled = fill(hubs["full"], count, keys, _say)
        fill(hubs["empty"], keys, keys, _say)
        sides = {
            name: Side(hub, f"{store}-{name}", stack.enter_context(hub.running()), posters[name])
            for name, hub in hubs.items()
        }
        # One message in each lane has come and gone there: on both, a message finds its record and its lane.
        with _open(sides["empty"]):
            processes.drain(target, sides["empty"].name, keys)
        for side in sides.values():  # connections and caches of a first message are nobody's figure
            _measure(side, target, min(seconds, 1.0), keys)
        rounds = []
        for number in range(WINDOWS):
            order = ("full", "empty") if number % 2 == 0 else ("empty", "full")
            rounds.append({name: _measure(sides[name], target, seconds, keys) for name in order})
            _say(f"{store}: window {number + 1} of {WINDOWS}")
    found = figures.figures(rounds)
    return {"filled_seconds": round(filled, 3), "figures": found, "ratios": figures.ratios(rounds, "empty")}


def _hub(home: Path, count: int, servers: Servers | None, name: str) -> PrivateHub:
    """It asks nobody to wait, however far behind it is."""
    if servers is None:
        return PrivateHub(home, max_backlog=count * 10)
    return PrivateHub(home, servers.database(name), servers.host(name), max_backlog=count * 10)


def _measure(side: Side, target: str, seconds: float, keys: int) -> dict[str, float]:
    """One window of each kind. The empty hub ends as it began: with nothing to deliver."""
    single = processes.load(side.urls, side.key, seconds, "single", keys)
    bulk = processes.load(side.urls, side.key, seconds / 2, "bulk", keys)
    found = {"accepted": single["per_second"], "p50_ms": single["p50_ms"], "p95_ms": single["p95_ms"]}
    found["bulk_accepted"] = bulk["per_second"]
    found |= {name: _page_ms(side, path) for name, path in PAGES.items()}
    found["drained"] = _drain(side, target, int(single["messages"] + bulk["messages"]), seconds * LONGEST)
    return found


def _page_ms(side: Side, path: str) -> float:
    request = urllib.request.Request(side.urls[0] + path, headers={"Authorization": f"Bearer {side.key}"})  # noqa: S310
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - loopback http
            answer.read()
    except urllib.error.HTTPError as error:
        raise BenchFailed(f"{path} answered {error.code}: {error.read().decode(errors='replace')[:500]}") from None
    return (time.monotonic() - began) * 1000


def _drain(side: Side, target: str, posted: int, seconds: float) -> float:
    """Deliveries a second, from the first one after the resumption; to the end of the queue, or for so long.

    As many are measured as were just posted: the same on both sides, of which the full one has older ones to deliver.
    """
    before, _ = processes.received(target, side.name)
    with _open(side):
        first = processes.drain(target, side.name, before + 1)
        until = time.monotonic() + seconds
        count, last = processes.received(target, side.name)
        while count < before + posted and time.monotonic() < until:
            time.sleep(0.02)
            count, last = processes.received(target, side.name)
        if side.name.endswith("-empty"):
            processes.drain(target, side.name, before + posted)
    return (count - before - 1) / (last - first)


@contextlib.contextmanager
def _open(side: Side) -> Iterator[None]:
    side.hub.resume()
    try:
        yield
    finally:
        side.hub.pause()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
