"""The demo's stage: a private home, the simulators and the hub, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LINES = 300
"""Budget lines of the simulated city: five OPD with sixty each."""

PATIENCE = 60.0
"""Seconds to wait for a process to answer."""


class StageError(Exception):
    """The demo cannot go on; the text says what did not come."""


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait for ``condition``; raises StageError with ``what`` did not come."""
    until = time.monotonic() + patience
    while not condition():
        if time.monotonic() > until:
            raise StageError(f"waited {patience:.0f} seconds in vain: {what}")
        time.sleep(0.05)


def call(url: str, body: Mapping[str, Any] | None = None) -> Any:
    """One JSON request to a simulator or the hub, on loopback."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback http
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())


def own_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with these settings alone: no store, drop folder or broker of a real hub."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}, **settings}


@dataclass(slots=True)
class Stage:
    """Everything that runs. ``urls`` are the simulators' addresses by system."""

    home: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    hub_url: str = ""

    def start_simulators(self) -> None:
        drop = self.home / "drop" / "e-budgeting" / "rka"
        self._simulator("e-budgeting", "connectors.e_budgeting.simulator", "--drop", str(drop), "--lines", str(LINES))
        self._simulator("e-project", "connectors.e_project.simulator")
        self._simulator("e-procurement", "connectors.e_procurement.simulator")

    def _simulator(self, system: str, module: str, *arguments: str) -> None:
        state = self.home / "simulators" / f"{system}.jsonl"
        state.parent.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own modules
            [sys.executable, "-m", module, "--with-parent", "--state", str(state), *arguments], stdout=subprocess.PIPE
        )
        self.processes[system] = process
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise StageError(f"the simulator of {system} did not start")
        self.urls[system] = json.loads(line)["url"]

    def start_hub(self) -> None:
        """Start the hub and wait until it is ready. The same port again after a kill."""
        port = self.hub_url.rsplit(":", 1)[1] if self.hub_url else "0"
        process = subprocess.Popen(  # noqa: S603 - as above
            [sys.executable, "-m", "bus.entrypoints.demo.hub", port, str(os.getpid())],
            env=own_environment(self.settings()),
            cwd=self.home,
            stderr=subprocess.PIPE,
        )
        self.processes["hub"] = process
        self.hub_url = self._address(process)
        wait_until(lambda: _answers(self.hub_url + "/readyz"), "the hub's /readyz")

    def settings(self) -> dict[str, str]:
        """The hub's settings, as environment."""
        return {
            "ARUS_HOME": str(self.home),
            "ARUS_POLL_SECONDS": "0.3",
            "ARUS_DROP_SETTLE_SECONDS": "0.2",
            "ARUS_E_PROJECT__URL": self.urls["e-project"],
            "ARUS_E_PROJECT__CLIENT_SECRET": _secret("connectors.e_project.simulator", "CLIENT_SECRET"),
            "ARUS_E_PROCUREMENT__URL": self.urls["e-procurement"] + "/soap",
            "ARUS_E_PROCUREMENT__PASSWORD": _secret("connectors.e_procurement.simulator", "PASSWORD"),
        }

    def _address(self, process: subprocess.Popen[bytes]) -> str:
        """The hub says where it listens; what else it says goes on to our own stderr."""
        for line in _lines(process):
            if line.startswith("arus: http://"):
                _pass_on(process)
                return line.split()[1]
        raise StageError("the hub did not start; see the lines above")

    def kill_hub(self) -> int:
        """SIGKILL, as a power cut or an operator in a hurry would. Answers the process id that died."""
        process = self.processes.pop("hub")
        process.send_signal(signal.SIGKILL)
        process.wait()
        return process.pid

    def drop(self, feed: str, name: str, content: bytes) -> None:
        """Leave a file for e-Procurement's feed: complete when it gets its name."""
        folder = self.home / "drop" / "e-procurement" / feed
        folder.mkdir(parents=True, exist_ok=True)
        passing = folder / f"{name}.part"
        passing.write_bytes(content)
        passing.rename(folder / name)

    def close(self) -> None:
        for process in reversed(list(self.processes.values())):
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            if process.poll() is None:
                process.kill()
                process.wait()


def _secret(module: str, name: str) -> str:
    """The made-up secret that the simulator itself expects."""
    import importlib

    return str(getattr(importlib.import_module(module), name))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback http
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    while process.stderr is not None and (line := process.stderr.readline()):
        text = line.decode(errors="replace").rstrip()
        if not text.startswith("arus: http"):
            sys.stderr.write(text + "\n")
        yield text


def _pass_on(process: subprocess.Popen[bytes]) -> None:
    import threading

    def go() -> None:
        for _ in _lines(process):
            pass

    threading.Thread(target=go, daemon=True).start()
