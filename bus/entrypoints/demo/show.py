"""The demo's story: a budget flows into planning and procurement and back, through faults and a SIGKILL."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bus.engine.database import Database, open_database, upgrade
from bus.entrypoints.catalogue import Catalogue
from bus.entrypoints.settings import Settings

from . import national
from .compare import Comparison, compare
from .stage import LINES, Stage, StageError, call, wait_until
from .tallying import accepted, delivered, figures, open_deliveries

LONGEST = 120.0
"""Seconds within which everything must have arrived."""


class Show:
    """One run. ``say`` gets a line for each thing that happens."""

    def __init__(self, stage: Stage, database: Database, say: Callable[[str], None]) -> None:
        self.stage = stage
        self.database = database
        self.catalogue = Catalogue()
        self.say = say

    def run(self) -> dict[str, Any]:
        """The story to its end; answers the summary."""
        self.say(f"the hub runs: {self.stage.hub_url}")
        self._budget()
        self._kill()
        self._revision()
        self._national_register()
        self._settle()
        comparison = self._compare()
        return {**figures(self.database, self.catalogue.systems), "lost": comparison.lost, "drift": comparison.drift}

    def _budget(self) -> None:
        self._order("e-budgeting", "/drop", {"kind": "full"})
        self.say(f"e-Budgeting dropped its RKA: {LINES} budget lines of 5 OPD, in five dialects of CSV")
        self._order("e-project", "/kendali/gagal", {"mode": "429", "times": 15})
        self._order("e-procurement", "/kendali/gagal", {"mode": "fault", "times": 3})
        self.say("e-Project is told to answer 429 fifteen times, e-Procurement to fault three times")
        wait_until(lambda: delivered(self.database, "e-project") > LINES // 3, "budget lines at e-Project")

    def _kill(self) -> None:
        before = accepted(self.database, "e-budgeting"), delivered(self.database, "e-project")
        pid = self.stage.kill_hub()
        self.say(f"killed the hub with SIGKILL (process {pid}), {before[0]} accepted and {before[1]} delivered so far")
        self.stage.start_hub()
        self.say("the hub is back, with what it had accepted")

    def _revision(self) -> None:
        wait_until(lambda: accepted(self.database, "e-budgeting") >= LINES, "the whole budget in the hub")
        self._order("e-project", "/kendali/gagal", {"mode": "reset_after_apply", "times": 5})
        self._order("e-budgeting", "/drop", {"kind": "revision"})
        self.say("e-Budgeting revised a tenth of its lines; e-Project applies five writes and cuts the line")
        self._order("e-budgeting", "/drop", {"kind": "bad_rows"})
        self.say("a clerk dropped a file in which every third amount is no number")

    def _national_register(self) -> None:
        files = national.snapshots()
        for feed in sorted(files):
            self.stage.drop(feed, f"{feed}-{national.YEAR}.json", files[feed])
        self.say(f"the national register's {len(files)} snapshot files were dropped, the results before their parents")

    def _settle(self) -> None:
        started = time.monotonic()
        while time.monotonic() - started < LONGEST:
            if open_deliveries(self.database) == 0 and self._compare() == Comparison():
                self.say(f"everything has arrived after {time.monotonic() - started:.1f} seconds more")
                return
            time.sleep(0.5)
        self.say(f"after {LONGEST:.0f} seconds {open_deliveries(self.database)} deliveries are still on their way")

    def _compare(self) -> Comparison:
        paths = {"e-budgeting": "/state", "e-project": "/kendali/status", "e-procurement": "/kendali/status"}
        states = {system: call(self.stage.urls[system] + path) for system, path in paths.items()}
        return compare(self.database, self.catalogue, states)

    def _order(self, system: str, path: str, order: dict[str, Any]) -> None:
        call(self.stage.urls[system] + path, order)


def _say(line: str) -> None:
    sys.stderr.write(f"{datetime.now().astimezone():%H:%M:%S}  {line}\n")
    sys.stderr.flush()


def demo(*, once: bool, as_json: bool) -> int:
    """Run the demo; with ``once`` to its end, else until it is interrupted. Answers the exit code."""
    home = _home(Settings.load().home)
    stage = Stage(home)
    upgrade(url := f"sqlite:///{home / 'arus.db'}")
    database = open_database(url)
    try:
        stage.start_simulators()
        stage.start_hub()
        summary = Show(stage, database, _say).run()
        _print(summary, as_json)
        if not once:
            _linger(stage)
    except StageError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stage.close()
        database.close()
    return 0 if summary["lost"] == 0 and summary["drift"] == 0 else 1


def _home(parent: Path) -> Path:
    """A place of its own for each run, so that a demo never touches a real hub's store."""
    home = (
        parent / "demo" / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{time.monotonic_ns() % 10**6:06d}"
    ).absolute()
    home.mkdir(parents=True)
    return home


def _print(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(summary) + "\n")
        return
    names = ("accepted", "delivered", "rejected", "parked", "dead", "superseded")
    lines = [f"{'':15}" + "".join(f"{name:>12}" for name in names)]
    for system, row in {**summary["systems"], "together": summary}.items():
        lines.append(f"{system:15}" + "".join(f"{row[name]:>12}" for name in names))
    lines.append(f"lost {summary['lost']}, drift {summary['drift']}: each system's own state against the hub's records")
    sys.stdout.write("\n".join(lines) + "\n")


def _linger(stage: Stage) -> None:
    _say(f"the hub goes on at {stage.hub_url}; end it with Ctrl-C")
    while stage.processes["hub"].poll() is None:
        time.sleep(0.5)
