"""``arus demo``: to the end, with its SIGKILL; a comparison that can fail; nothing left behind."""

import copy
import json
import os
import re
import signal
import subprocess
import time
from decimal import Decimal

import pytest

from bus.engine.database import open_database
from bus.entrypoints.catalogue import Catalogue
from bus.entrypoints.demo.compare import Comparison, compare
from bus.entrypoints.demo.stage import Stage, call

from .running import ARUS, group

# One worker runs the demo once for all of this file.
pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]

COUNTS = {"accepted", "delivered", "rejected", "parked", "dead", "superseded"}
STATES = {"e-budgeting": "/state", "e-project": "/kendali/status", "e-procurement": "/kendali/status"}


def begin(folder, *words, err):
    """The demo in a process group of its own, where settings of a real hub stand all around."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
    environment |= {"ARUS_DATABASE_URL": f"sqlite:///{folder / 'real.db'}", "ARUS_PORT": "1", "ARUS_PRODUCTION": "true"}
    (folder / "arus.toml").write_text('drop = "real-drop"\n')
    with (folder / "out").open("wb") as out:
        return subprocess.Popen(
            [ARUS, "demo", *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            start_new_session=True,
        )  # fmt: skip


def nobody_left(leader, patience=30):
    deadline = time.monotonic() + patience
    while group(leader) and time.monotonic() < deadline:
        time.sleep(0.05)
    return group(leader) == []


class Run:
    """A demo that has run to its end."""

    def __init__(self, folder):
        self.folder = folder
        began = time.monotonic()
        with (folder / "err").open("wb") as err:
            process = begin(folder, "--once", "--json", err=err)
            self.code = process.wait(240)
        self.seconds = time.monotonic() - began
        self.leftover = group(process.pid)
        self.out = (folder / "out").read_text()
        self.err = (folder / "err").read_text()

    @property
    def home(self):
        (home,) = (self.folder / "var" / "demo").iterdir()
        return home


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def summary(run):
    return json.loads(run.out)


class TestToTheEnd:
    def test_it_ends_well_in_time_and_leaves_no_process(self, run):
        assert run.code == 0, run.err
        assert run.seconds < 180
        assert run.leftover == []

    def test_its_summary_has_the_fields_that_scripts_rely_on(self, summary):
        assert set(summary) == COUNTS | {"lost", "drift", "systems"}
        assert set(summary["systems"]) == {"e-budgeting", "e-project", "e-procurement"}
        counts = [summary[name] for name in COUNTS | {"lost", "drift"}]
        for system in summary["systems"].values():
            assert set(system) == COUNTS
            counts += system.values()
        assert all(type(count) is int and count >= 0 for count in counts)

    def test_nothing_is_lost_and_nothing_differs(self, summary):
        assert (summary["lost"], summary["drift"]) == (0, 0)

    def test_records_moved_both_ways_where_they_can(self, summary):
        systems = summary["systems"]
        assert all(system["accepted"] > 0 for system in systems.values())
        assert systems["e-project"]["delivered"] > 0
        assert systems["e-procurement"]["delivered"] > 0
        assert systems["e-budgeting"]["delivered"] == 0  # it takes nothing: it drops files
        assert systems["e-budgeting"]["rejected"] > 0
        assert all(summary[name] == sum(one[name] for one in systems.values()) for name in COUNTS)

    def test_it_killed_its_hub_and_said_so(self, run):
        assert re.search(r"killed the hub with SIGKILL \(process \d+\)", run.err)
        assert "the hub is back" in run.err

    def test_it_kept_away_from_a_real_hub(self, run):
        assert sorted(path.name for path in run.folder.iterdir()) == ["arus.toml", "err", "out", "var"]
        assert (run.home / "arus.db").exists()


@pytest.fixture(scope="module")
def database(run):
    database = open_database(f"sqlite:///{run.home / 'arus.db'}")
    yield database
    database.close()


@pytest.fixture(scope="module")
def states(run):
    """What the simulators held when the demo ended, from their own journals."""
    stage = Stage(run.home)
    try:
        stage.start_simulators()
        return {system: call(stage.urls[system] + path) for system, path in STATES.items()}
    finally:
        stage.close()


@pytest.fixture
def held(states):
    return copy.deepcopy(states)


class TestComparison:
    """The demo's own state, changed after its end by one thing at a time."""

    def compared(self, database, held):
        return compare(database, Catalogue(), held)

    def test_as_it_ended_all_agree(self, database, held):
        assert self.compared(database, held) == Comparison(0, 0)

    @pytest.mark.parametrize(
        ("system", "collection"),
        [
            ("e-project", "anggaran"),
            ("e-project", "pengumuman"),
            ("e-project", "hasil"),
            ("e-project", "kontrak"),
            ("e-procurement", "paket"),
        ],
    )
    def test_what_a_destination_misses_is_lost_and_what_it_has_otherwise_is_drift(
        self, database, held, system, collection
    ):
        stored = held[system][collection]
        first, second = list(stored)[:2]
        del stored[first]
        assert self.compared(database, held) == Comparison(1, 0)
        name = next(name for name, value in stored[second].items() if isinstance(value, str) and name != "kode")
        stored[second][name] += "9"
        assert self.compared(database, held) == Comparison(1, 1)

    def test_what_a_destination_has_that_the_hub_has_not_is_lost_too(self, database, held):
        held["e-project"]["anggaran"]["2026:nobody"] = {"pagu": "1.00"}
        assert self.compared(database, held) == Comparison(1, 0)

    def test_a_budget_line_that_the_hub_misses_or_has_otherwise(self, database, held):
        lines = held["e-budgeting"]["lines"]
        lines.append({**lines[0], "kode_akun": "5.1.02.99.99.9999"})
        assert self.compared(database, held) == Comparison(1, 0)
        lines[1]["rincian"] = str(Decimal(str(lines[1]["rincian"])) + Decimal("0.01"))
        assert self.compared(database, held) == Comparison(1, 1)

    def test_a_package_or_an_announcement_that_its_own_system_misses(self, database, held):
        code, package = next(iter(held["e-project"]["paket"].items()))
        del held["e-project"]["paket"][code]
        assert self.compared(database, held) == Comparison(1, 0)
        held["e-project"]["paket"][code] = package
        held["e-procurement"]["pengumuman"].popitem()
        assert self.compared(database, held) == Comparison(1, 0)


def test_a_killed_demo_leaves_no_process(tmp_path):
    process = begin(tmp_path, err=subprocess.PIPE)
    try:
        for line in process.stderr:
            if b"the hub runs" in line:
                break
        assert len(group(process.pid)) >= 6  # itself, three simulators, the hub and its children
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert nobody_left(process.pid)
    finally:
        for pid in group(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.stderr.close()
        process.wait()
