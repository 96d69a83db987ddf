"""Kill points: the process dies at the asked passage of the asked place, and nowhere without being asked."""

import os
import signal
import subprocess
import sys

import pytest

PASS_FIVE_TIMES = """
from bus.engine import killpoints
for turn in range(1, 6):
    killpoints.passing("worker.before_send")
    killpoints.passing("api.before_commit")
    print(turn, flush=True)
"""


def passing(asked=None):
    """Exit code, and how many rounds were made."""
    environment = {**os.environ, **({"ARUS_KILL_POINT": str(asked)} if asked else {})}
    done = subprocess.run(
        [sys.executable, "-c", PASS_FIVE_TIMES], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, len(done.stdout.splitlines()), done.stderr


def test_nobody_dies_without_being_asked(monkeypatch):
    monkeypatch.delenv("ARUS_KILL_POINT", raising=False)
    assert passing()[:2] == (0, 5)


@pytest.mark.parametrize(
    ("asked", "rounds"),
    [("worker.before_send", 0), ("worker.before_send:3", 2), ("api.before_commit:5", 4), ("worker.before_send:6", 5)],
)
def test_the_nth_passage_kills(asked, rounds):
    assert passing(asked)[:2] == (0 if rounds == 5 else -signal.SIGKILL, rounds)


def test_an_order_kills_one_process_and_tells_which(tmp_path):
    order = tmp_path / "order"
    assert passing(order)[:2] == (0, 5)
    order.write_text("api.before_commit:2")
    assert passing(order)[:2] == (-signal.SIGKILL, 1)
    assert [path.name.rpartition(".")[2].isdecimal() for path in tmp_path.iterdir()] == [True]
    assert passing(order)[:2] == (0, 5)


@pytest.mark.parametrize("asked", ["worker.befor_send", "api.before_commit:x"])
def test_a_place_that_does_not_exist_is_refused(asked):
    code, _, words = passing(asked)
    assert code == 1
    assert "ARUS_KILL_POINT is name[:n]" in words
