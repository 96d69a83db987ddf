"""The processes of a measurement: each started on a free port, waited for, and ended with it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .load import KEYS

START_SECONDS = 90.0
END_SECONDS = 60.0
DRAIN_SECONDS = 60.0
"""Nothing was delivered for so long: it does not deliver what it accepted."""

ARUS = ("-c", "from bus.entrypoints.cli import main; main()")
"""The command line, by our own interpreter."""

_POLL = 0.02


class BenchFailed(Exception):
    """Something that is measured does not do its work; the text says what, and ends with what it said last."""


@contextlib.contextmanager
def python(
    words: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None, alive: str | None = None
) -> Iterator[None]:
    """Run Python with ``words`` until the end of the block, once ``alive`` answers (at once where that is None).

    It works in ``folder`` and sees no ``ARUS_*`` of a real hub. Raises BenchFailed.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
    log = folder / f"{secrets.token_hex(4)}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own modules
            [sys.executable, *words],
            env={**inherited, **(environment or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
        )
    try:
        if alive is not None:
            _wait(alive, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def module(name: str, folder: Path, path: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """A server of this package on a free port, once ``path`` answers there; gives its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with python(["-m", f"bus.entrypoints.bench.{name}", str(port)], folder, environment, url + path):
        yield url


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback http
            return
        time.sleep(_POLL)
    raise BenchFailed(f"nothing answers at {url}:\n{log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def load(urls: Sequence[str], key: str, seconds: float, kind: str, keys: int = KEYS) -> dict[str, float]:
    """Post for so long (``kind`` single or bulk); see ``load.py`` for what comes back. Raises BenchFailed."""
    places = ",".join(f"{url}/v1/messages" for url in urls)
    words = [places, key, secrets.token_hex(4), str(seconds), kind, str(keys)]
    done = subprocess.run(  # noqa: S603 - as above
        [sys.executable, "-m", "bus.entrypoints.bench.load", *words], capture_output=True, check=False
    )
    if done.returncode != 0:
        raise BenchFailed(f"the load ended: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return dict(json.loads(done.stdout))


def received(target: str, name: str) -> tuple[int, float]:
    """How many deliveries the destination has counted under a name, and when the last one came."""
    with urllib.request.urlopen(f"{target}/received", timeout=30) as answer:  # noqa: S310 - loopback http
        count, last = json.loads(answer.read()).get(name, (0, 0.0))
    return int(count), float(last)


def drain(target: str, name: str, wanted: int) -> float:
    """Wait for the ``wanted``-th delivery; answers when the last one came. Raises BenchFailed."""
    began = time.monotonic()
    count, last = received(target, name)
    while count < wanted:
        if time.monotonic() - max(last, began) > DRAIN_SECONDS:
            raise BenchFailed(f"{name} has delivered {count} of {wanted}, and does not go on")
        time.sleep(_POLL)
        count, last = received(target, name)
    return last
