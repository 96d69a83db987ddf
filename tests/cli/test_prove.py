"""``arus prove``: what it refuses, what it prints, and how it ends."""

import json

import pytest
from typer.testing import CliRunner

import proof.run
from bus.entrypoints.cli.app import build
from proof.checker import Verdict
from proof.hub import HubFailed
from proof.rules import Violation
from proof.servers import ServerMissing

COUNTS = {
    "posts": 3100, "acknowledged": 3000, "attempts": 3020, "delivered": 2999, "repeated": 20, "lost": 1,
    "duplicated": 0, "reordered": 0, "faults": 2, "recovered": 2, "standing": 0, "ambiguous_parked": 0,
}  # fmt: skip


@pytest.fixture
def prove(monkeypatch, tmp_path):
    """``prove(outcome, *words)``: the verb over a run that ends so; ``prove.plan`` is what it was asked to do."""
    monkeypatch.chdir(tmp_path)

    def verb(outcome, *words):
        async def run(plan, folder, environment=None, say=None):
            verb.plan = plan
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(proof.run, "run", run)
        return CliRunner().invoke(build(), ["prove", *words])

    return verb


def test_a_run_that_holds_ends_with_0(prove):
    done = prove(
        Verdict(**{**COUNTS, "lost": 0}, violations=()), "--messages", "3000", "--faults", "F01,F03", "--seed", "5"
    )
    assert done.exit_code == 0
    assert "proved" in done.stdout
    assert (prove.plan.messages, prove.plan.faults, prove.plan.seed) == (3000, ("F01", "F03"), 5)
    assert prove.plan.distributed is False


def test_a_violation_ends_with_1_and_is_named(prove):
    done = prove(Verdict(**COUNTS, violations=(Violation("N1", "is nowhere", ("a-7",)),)), "--json", "--distributed")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert {name: document[name] for name in COUNTS} == COUNTS
    assert document["passed"] is False
    assert document["violations"] == [{"rule": "N1", "what": "is nowhere", "ids": ["a-7"]}]
    assert prove.plan.distributed is True


@pytest.mark.parametrize(
    "outcome",
    [
        ServerMissing("initdb is not installed here: install postgresql"),
        HubFailed("it is not ready"),
        ExceptionGroup("run", [ExceptionGroup("tasks", [HubFailed("it is not ready")])]),
    ],
)
def test_a_run_that_cannot_be_made_ends_with_1_and_the_reason(prove, outcome):
    done = prove(outcome, "--json")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "not installed here" in done.stderr or "not ready" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--faults", "F99"], "there is no fault F99"),
        (["--faults", "F10"], "F10 exists in the other mode alone"),
        (["--faults", ","], "name at least one row"),
        (["--minutes", "1", "--messages", "3000"], "not both"),
        (["--messages", "10"], "3000"),
    ],
)
def test_wrong_usage_ends_with_2(prove, words, told):
    done = prove(AssertionError("it must not run"), *words)
    assert done.exit_code == 2
    assert told in " ".join(done.stderr.split())


def test_a_folder_that_holds_something_is_refused(prove, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "client.jsonl").touch()
    done = prove(AssertionError("it must not run"), "--folder", str(tmp_path / "logs"))
    assert done.exit_code == 2
    assert "is not empty" in done.stderr
