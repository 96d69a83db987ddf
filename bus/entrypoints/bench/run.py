"""One interleaved run: endpoint without a store, hub single, hub bulk, hub end to end; medians and ratios."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bus.engine import registry, subscribing
from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import open_hub

ROUNDS = 3

_DRAIN_PATIENCE = 120.0


def bench(*, seconds: float, as_json: bool) -> int:
    """Measure and print. Load goes to loopback only; each window lasts ``seconds``."""
    with tempfile.TemporaryDirectory(prefix="arus-bench-") as home, contextlib.ExitStack() as stack:
        echo = stack.enter_context(_process("bus.entrypoints.bench.echo", _free_port(), "/livez"))
        target = stack.enter_context(_process("bus.entrypoints.bench.target", _free_port(), "/received"))
        poster, hub = _prepare(Path(home), target), _free_port()
        address = stack.enter_context(_process("bus.entrypoints.bench.serve", hub, "/readyz", Path(home)))
        rounds = [_round(echo, address, target, poster, seconds) for _ in range(ROUNDS)]
    figures = {name: median(one[name] for one in rounds) for name in rounds[0]}
    figures["single_of_echo"] = median(one["single"] / one["echo"] for one in rounds)
    figures["end_to_end_of_echo"] = median(one["end_to_end"] / one["echo"] for one in rounds)
    _print(figures, as_json)
    return 0


def _round(echo: str, hub: str, target: str, key: str, seconds: float) -> dict[str, float]:
    one: dict[str, float] = {}
    plain = _load(echo, key, seconds, "single")
    one["echo"], one["echo_p95_ms"] = plain["per_second"], plain["p95_ms"]
    before, began = _received(target), time.monotonic()
    single = _load(hub, key, seconds, "single")
    one["single"], one["single_p95_ms"] = single["per_second"], single["p95_ms"]
    _drain(target, before + int(single["messages"]))
    one["end_to_end"] = single["messages"] / (time.monotonic() - began)
    before, began = _received(target), time.monotonic()
    bulk = _load(hub, key, seconds, "bulk")
    one["bulk"] = bulk["per_second"]
    _drain(target, before + int(bulk["messages"]))
    one["bulk_end_to_end"] = bulk["messages"] / (time.monotonic() - began)
    return one


def _load(url: str, key: str, seconds: float, kind: str) -> dict[str, float]:
    words = [f"{url}/v1/messages", key, secrets.token_hex(4), str(seconds), kind]
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own module
        [sys.executable, "-m", "bus.entrypoints.bench.load", *words], stdout=subprocess.PIPE, check=True
    )
    return dict(json.loads(done.stdout))


def _received(target: str) -> int:
    with urllib.request.urlopen(f"{target}/received", timeout=10) as answer:  # noqa: S310 - loopback http
        return int(json.loads(answer.read())["received"])


def _drain(target: str, wanted: int) -> None:
    until = time.monotonic() + _DRAIN_PATIENCE
    while _received(target) < wanted:
        if time.monotonic() > until:
            raise TimeoutError("the hub did not deliver what it accepted")
        time.sleep(0.02)


def _prepare(home: Path, target: str) -> str:
    """A home with a poster's key and a subscription to the target."""
    hub = open_hub(Settings(home=home, database_url=None))
    now = hub.clock()
    key = hub.writer.call(
        lambda c: registry.create_key(c, "e-budgeting", ["post"], agency=None, actor="bench", now=now)
    )
    hub.writer.call(lambda c: registry.register(c, "bench-target", title="bench", agency=None, external=True, now=now))
    hub.writer.call(
        lambda c: subscribing.subscribe(
            c, "bench-target", f"{target}/hook", ["budget.*"], secret=None, start="now", actor="bench", now=now
        )
    )
    hub.close()
    return key.key


@contextlib.contextmanager
def _process(module: str, port: int, path: str, home: Path | None = None) -> Iterator[str]:
    # A hub is measured in a home of its own: no store, broker or arus.toml of a real one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
    process = subprocess.Popen(  # noqa: S603 - as above
        [sys.executable, "-m", module, str(port)],
        env=environment if home is None else {**environment, "ARUS_HOME": str(home)},
        cwd=home,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}{path}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback http
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers at {url}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _print(figures: dict[str, float], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({name: round(value, 3) for name, value in figures.items()}) + "\n")
        return
    rows: list[tuple[str, Any]] = [
        ("endpoint without a store, posts/s", figures["echo"]),
        ("hub, one event a post, accepted/s", figures["single"]),
        ("  of the endpoint without a store", figures["single_of_echo"]),
        ("  accept p95, ms", figures["single_p95_ms"]),
        ("hub, one event a post, delivered/s from first post to last delivery", figures["end_to_end"]),
        ("  of the endpoint without a store", figures["end_to_end_of_echo"]),
        ("hub, NDJSON of 500, accepted/s", figures["bulk"]),
        ("hub, NDJSON of 500, delivered/s", figures["bulk_end_to_end"]),
    ]
    for name, value in rows:
        sys.stdout.write(f"{name:70}{value:12.2f}\n")
