"""F45: two hubs, two processes, one drop folder: every file is taken by exactly one of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.connectors.kit.dropping import Inbox

ROOT = Path(__file__).resolve().parents[2]
FILES = 300

HUB = """
import sys
from pathlib import Path
from connectors.kit.drop import DropSettings, LocalDropFolder
folder = Path(sys.argv[1])
hub = LocalDropFolder(folder, DropSettings(settle_seconds=0))
print("ready", flush=True)
sys.stdin.readline()
while any(folder.glob("*.csv")):
    if (claimed := hub.claim()) is not None:
        print(claimed.name, flush=True)
        if len(sys.argv) > 2:
            sys.stdin.read()
        claimed.done()
"""


def _hub(folder, *more):
    return subprocess.Popen(
        [sys.executable, "-c", HUB, str(folder), *more],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_take_each_file_once(tmp_path):
    inbox = Inbox(tmp_path / "drop")
    names = [f"{number:04d}.csv" for number in range(FILES)]
    for name in names:
        inbox.put(name)
    hubs = [_hub(inbox.folder) for _ in range(2)]
    assert [hub.stdout.readline() for hub in hubs] == ["ready\n"] * 2
    for hub in hubs:
        hub.stdin.write("go\n")
        hub.stdin.flush()
    taken = [hub.communicate(timeout=60)[0].split() for hub in hubs]
    assert [hub.returncode for hub in hubs] == [0, 0]
    assert sorted(taken[0] + taken[1]) == names
    assert all(taken), "one hub took everything: the two did not run side by side"
    assert len(list(inbox.folder.glob("done/*/*.csv"))) == FILES
    assert inbox.names() == []
    assert not list(inbox.folder.glob("refused/*"))


def test_a_file_claimed_by_a_killed_hub_is_taken_by_the_other_and_not_before(tmp_path):
    inbox = Inbox(tmp_path / "drop")
    inbox.put("a.csv", b"x\n")
    hub = _hub(inbox.folder, "hold")
    try:
        hub.stdin.write("go\n")
        hub.stdin.flush()
        assert [hub.stdout.readline() for _ in range(2)] == ["ready\n", "a.csv\n"]
        assert inbox.settled() is None
        hub.send_signal(signal.SIGKILL)
        hub.wait(timeout=30)
        assert inbox.settled().content == b"x\n"
    finally:
        hub.kill()
        hub.communicate()
