"""A whole hub under faults, run once for all rows of a mode; each row's test reads what happened around its fault."""

import asyncio
import fcntl
import os
import traceback

import orjson
import pytest

from proof import histories
from proof.checker import check
from proof.destination import Mood
from proof.plan import Plan
from proof.run import run
from proof.servers import Broker, Database, ServerMissing, program
from tests.services.programs import missing

ALL = os.environ.get("ARUS_PROVE") == "all"
"""Every row that exists, under a longer load: ``make prove``."""

QUICK = {
    "embedded": ("F01", "F02", "F03", "F04", "F05", "F31", "F34", "F35", "F37"),
    "distributed": ("F06", "F10", "F14"),
}
MESSAGES = {"embedded": 4_000, "distributed": 2_500}

_SHARED = pytest.mark.timeout(900)
_ONLY_FULL = pytest.mark.prove


def _mode(name, *marks):
    return pytest.param(name, marks=[_SHARED, *marks])


EMBEDDED, DISTRIBUTED = _mode("embedded"), _mode("distributed")
EMBEDDED_FULL, DISTRIBUTED_FULL = _mode("embedded", _ONLY_FULL), _mode("distributed", _ONLY_FULL)


def proven(*modes):
    """The test gets the finished run of each of these modes."""
    return pytest.mark.parametrize("proven", modes, indirect=True)


class Proven:
    """What came of a run, and what happened around one fault."""

    def __init__(self, folder, verdict):
        self.folder = folder
        self.verdict = verdict
        self.history = histories.read(folder)
        lines = [orjson.loads(line) for line in (folder / "faults.jsonl").read_bytes().splitlines()]
        self._back = {line["number"]: line["at"] for line in lines if line["event"] == "back"}
        self._faults = [line for line in lines if line["event"] == "fault"]

    def strikes(self, name):
        """The faults of this name: each hit, and each was recovered from without a person."""
        found = [line for line in self._faults if line["name"] == name]
        assert found, f"{name} never struck; there were {[line['name'] for line in self._faults]}"
        assert all(line["hit"] for line in found), found
        assert all(line["number"] in self._back for line in found), "the hub never came back"
        assert self.verdict.violations == ()
        return found

    def during(self, strike, entries, after=1.0):
        """Entries (with ``at``) between the fault and a moment after its end."""
        end = self._back[strike["number"]] + after
        return [entry for entry in entries if strike["at"] <= entry.at <= end]

    def in_doubt(self, strike):
        """Ids of messages to whose poster the hub owed an answer during the fault."""
        return {end.id for end in self.during(strike, self.history.ended) if end.event == "info"}

    def final_answers(self, ids):
        """How the poster was answered in the end, by id."""
        return {end.id: end.answer for end in self.history.ended if end.id in ids}

    def attempts(self, id):
        """The attempts of a message that reached the destination, in order."""
        return [one for one in self.history.arrived if one.id == id]

    def repeated_after(self, strike, answers):
        """Ids that the destination had, answering ``answers`` (or not at all), and that came again later."""
        # What an earlier fault had repeated can be hit too: its effect is older than this fault.
        applied = [one for one in self.history.arrived if one.effect != "none" and one.answer in answers]
        found = []
        for one in self.during(strike, applied, after=0.0):
            later = [two for two in self.attempts(one.id) if two.at > one.at]
            assert {two.effect for two in later} <= {"duplicate", "none"}
            assert {two.idempotency_key for two in later} <= {one.idempotency_key}
            if any(two.effect == "duplicate" for two in later):
                found.append(one.id)
        return found


def plan(mode):
    full = Plan(messages=20_000, keys=300, faults=("all",), seed=23, distributed=mode == "distributed", least=100)
    if ALL:
        return full
    return Plan(
        messages=MESSAGES[mode],
        keys=100,
        faults=QUICK[mode],
        seed=23,
        distributed=mode == "distributed",
        least=50,
        mood=Mood(seed=23, unavailable=0.002, reset=0.002),
    )


def need_servers():
    """Without them the distributed rows are skipped here, and fail where CI=true."""
    try:
        program("initdb", ["/usr/lib/postgresql/*/bin/initdb"], Database.package)
        program("rabbitmq-server", ["/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"], Broker.package)
    except ServerMissing as error:
        missing(str(error))


def prove(mode, folder):
    """Run the plan of ``mode``. The hub's processes are not measured for coverage: SIGKILL would lose it anyway."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
            patch.delenv(name, raising=False)
        said = []
        try:
            verdict = asyncio.run(run(plan(mode), folder, say=said.append))
        except BaseException:
            print(*said, sep="\n")  # noqa: T201 - how far it came, which pytest shows
            raise
    print(*said, verdict, sep="\n")  # noqa: T201 - the figures of the run
    return verdict


def once(mode, shared):
    """The run of ``mode``, made by the first of the test processes that asks for it and read by the others."""
    if mode == "distributed":
        need_servers()
    folder, failure = shared / f"proof-{mode}", shared / f"proof-{mode}.failed"
    with (shared / f"proof-{mode}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failure.exists():
            pytest.fail(f"the run failed before:\n{failure.read_text()}")
        if not folder.exists():
            try:
                prove(mode, folder)
            except BaseException:
                failure.write_text(traceback.format_exc())
                raise
    return Proven(folder, check(histories.read(folder), plan(mode).least))
