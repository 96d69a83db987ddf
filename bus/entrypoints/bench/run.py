"""One interleaved run: an endpoint without a store, the do-it-yourself solution, the hub in both ways of running."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from . import figures, processes
from .hubs import PrivateHub
from .processes import module, python
from .servers import Servers, with_servers

T = TypeVar("T")

ROUNDS = 3

CELERY_PROCESSES = 2
"""As many as the distributed hub has workers."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of those compared. ``delivers``: what it takes arrives at the destination; ``bulk``: it takes NDJSON."""

    name: str
    urls: Sequence[str]
    key: str = "-"
    delivers: bool = True
    bulk: bool = False


def bench(*, seconds: float, distributed: bool, as_json: bool) -> int:
    """Measure and print. Load goes to loopback only; each window lasts ``seconds``."""
    rounds = with_servers(lambda servers: _rounds(seconds, servers)) if distributed else _rounds(seconds, None)
    bases = ["echo", *(["diy"] if distributed else [])]
    found = figures.figures(rounds)
    of = {base: figures.ratios(rounds, base) for base in bases}
    if as_json:
        figures.document({"seconds": seconds, "rounds": len(rounds), "figures": found, "ratios": of})
    else:
        figures.table(found, of)
    return 0


def _rounds(seconds: float, servers: Servers | None) -> list[figures.Round]:
    with tempfile.TemporaryDirectory(prefix="arus-bench-") as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        target = stack.enter_context(module("target", folder, "/received"))
        sides = [stack.enter_context(_echo(folder)), stack.enter_context(_embedded(folder, target))]
        if servers is not None:
            sides.append(stack.enter_context(_distributed(folder, target, servers)))
            sides.append(stack.enter_context(_diy(folder, target, servers)))
        for side in sides:  # connections, caches and forks of a first message are nobody's figure
            _measure(side, target, min(seconds, 1.0))
        return [{side.name: _measure(side, target, seconds) for side in turn} for turn in turns(sides, ROUNDS)]


def turns(sides: Sequence[T], rounds: int) -> list[list[T]]:
    """The order in each round: each begins with another side, so that the machine's moods fall on all alike."""
    starts = [turn % len(sides) for turn in range(rounds)]
    return [[*sides[start:], *sides[:start]] for start in starts]


def _measure(side: Side, target: str, seconds: float) -> dict[str, float]:
    found = _window(side, "single", target, seconds)
    if side.bulk:
        found |= {f"bulk_{name}": value for name, value in _window(side, "bulk", target, seconds).items()}
    return found


def _window(side: Side, kind: str, target: str, seconds: float) -> dict[str, float]:
    """Posts of so many seconds, and the time until the last of them has arrived."""
    before, _ = processes.received(target, side.name)
    done = processes.load(side.urls, side.key, seconds, kind)
    found = {"accepted": done["per_second"], "p50_ms": done["p50_ms"], "p95_ms": done["p95_ms"]}
    if side.delivers:
        last = processes.drain(target, side.name, before + int(done["messages"]))
        found["delivered"] = done["messages"] / (last - done["began"])
    return found


@contextlib.contextmanager
def _echo(folder: Path) -> Iterator[Side]:
    with module("echo", folder, "/livez") as url:
        yield Side("echo", [url], delivers=False)


@contextlib.contextmanager
def _embedded(folder: Path, target: str) -> Iterator[Side]:
    hub = PrivateHub(folder / "embedded")
    key = hub.prepare(f"{target}/hook/embedded")
    with hub.running() as urls:
        yield Side("embedded", urls, key, bulk=True)


@contextlib.contextmanager
def _distributed(folder: Path, target: str, servers: Servers) -> Iterator[Side]:
    hub = PrivateHub(folder / "distributed", servers.database("hub"), servers.host("hub"))
    key = hub.prepare(f"{target}/hook/distributed")
    with hub.running() as urls:
        yield Side("distributed", urls, key, bulk=True)


@contextlib.contextmanager
def _diy(folder: Path, target: str, servers: Servers) -> Iterator[Side]:
    environment = {"DIY_BROKER": servers.host("diy"), "DIY_TARGET": f"{target}/hook/diy"}
    celery = ["-m", "celery", "-A", "bus.entrypoints.bench.diy_worker", "worker", "--pool=prefork"]
    celery += [f"--concurrency={CELERY_PROCESSES}", "--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    with python(celery, folder, environment), module("diy", folder, "/livez", environment) as url:
        yield Side("diy", [url])
