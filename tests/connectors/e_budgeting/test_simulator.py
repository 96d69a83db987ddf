"""The simulator in its own process: what it drops is its own budget, whatever it does to the files."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.e_budgeting import rka
from mappings.e_budgeting import rka as mapping

ROOT = Path(__file__).resolve().parents[3]
LINES = 40


class Simulator:
    def __init__(self, folder, state):
        self.folder = folder
        arguments = ["--drop", str(folder), "--state", str(state), "--lines", str(LINES)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "connectors.e_budgeting.simulator", *arguments], cwd=ROOT, stdout=subprocess.PIPE
        )
        self.url = json.loads(self.process.stdout.readline())["url"]

    def drop(self, kind):
        body = json.dumps({"kind": kind}).encode()
        request = urllib.request.Request(self.url + "/drop", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["files"]

    def state(self):
        with urllib.request.urlopen(self.url + "/state") as answer:
            return {
                _key(line): Decimal(str(line["rincian"])) for line in json.load(answer, parse_float=Decimal)["lines"]
            }

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=30)

    def read(self, files):
        """Line -> amount of the files, and the number of rows refused."""
        lines, bad = {}, 0
        for file in files:
            for row in rka.read((self.folder / file["file"]).read_bytes(), file["file"]).rows:
                if row.problems:
                    bad += 1
                else:
                    line = mapping.to_canonical(row.values)
                    lines[line.agency, line.activity, line.account] = line.amount
        return lines, bad


def _key(line):
    return line["kode_skpd"], line["kode_sub_giat"], line["kode_akun"]


@pytest.fixture
def start(tmp_path):
    running = []

    def starting():
        running.append(Simulator(tmp_path / "drop", tmp_path / "state.ndjson"))
        return running[-1]

    yield starting
    for simulator in running:
        simulator.stop()


def test_its_files_are_its_budget_before_and_after_a_revision(start):
    simulator = start()
    before = simulator.state()
    files = simulator.drop("full")
    assert len(files) == 5
    assert simulator.read(files) == (before, 0)
    revised, bad = simulator.read(simulator.drop("revision"))
    after = simulator.state()
    assert bad == 0
    assert {key for key in after if after[key] != before[key]} <= revised.keys()
    assert sum(after[key] != before[key] for key in after) == LINES // 10
    assert all(after[key] == amount for key, amount in revised.items())
    assert not list(simulator.folder.glob("*.part"))


def test_bad_rows_are_bad_and_change_no_budget(start):
    simulator = start()
    before = simulator.state()
    (file,) = simulator.drop("bad_rows")
    lines, bad = simulator.read([file])
    assert (bad, bad + len(lines)) == (file["bad"], file["rows"])
    assert bad > 0
    assert simulator.state() == before


def test_a_half_written_file_breaks_off_in_a_line_and_can_be_finished(start):
    simulator = start()
    (file,) = simulator.drop("half_written")
    path = simulator.folder / file["file"]
    half = path.read_bytes()
    assert not half.endswith(b"\n")
    simulator.drop("finish")
    assert path.read_bytes().startswith(half)
    lines, bad = simulator.read([file])
    assert (len(lines), bad) == (file["rows"], 0)


def test_it_remembers_its_revisions(start):
    simulator = start()
    simulator.drop("revision")
    state, names = simulator.state(), {path.name for path in simulator.folder.iterdir()}
    simulator.stop()
    again = start()
    assert again.state() == state
    assert not names & {file["file"] for file in again.drop("full")}


def test_an_unknown_order_is_refused(start):
    with pytest.raises(urllib.error.HTTPError, match="400"):
        start().drop("explode")
