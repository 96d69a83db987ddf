"""``docs/posting.md`` is run as it is printed, against a hub of its own."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.webhook.signature import signature, signing_key

from .pages import blocks

PAGE = "docs/posting.md"
ARUS = Path(sys.executable).parent / "arus"


@pytest.fixture
def hub(tmp_path):
    """Start a hub in an empty home; give the environment in which the examples run."""
    environment = {**os.environ, "ARUS_HOME": str(tmp_path / "home"), "PATH": f"{ARUS.parent}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [ARUS, "serve", "--port", "0"], env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        first = process.stderr.readline()
        assert first.startswith("arus: http://"), first
        yield {**environment, "ARUS_URL": first.removeprefix("arus: ").strip()}
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


def _run(words, hub, folder):
    return subprocess.run(words, env=hub, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_every_example_runs_as_printed(hub, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("the examples use curl")
    make_key, *calls = blocks(PAGE, "sh")
    made = _run(["bash", "-e", "-c", make_key], hub, tmp_path)
    assert made.returncode == 0, made.stderr
    hub["ARUS_KEY"] = json.loads(made.stdout)["key"]
    answers = []
    for call in calls:
        done = _run(["bash", "-e", "-c", call], hub, tmp_path)
        assert done.returncode == 0, f"{call}\n{done.stdout}{done.stderr}"
        answers.append(json.loads(done.stdout))
    posted, found, subscribed = answers
    assert posted["status"] == "accepted"
    assert [item["id"] for item in found["items"]] == ["rka-2026-000001-v1"]
    assert subscribed["secret"].startswith("whsec_")

    bulk = _run([sys.executable, "-c", blocks(PAGE, "python")[0]], hub, tmp_path)
    assert bulk.returncode == 0, bulk.stderr
    assert bulk.stdout.split() == ["0", "rka-2026-000001-v1", "duplicate", "1", "rka-2026-000001-v2", "accepted"]


def test_the_receiver_s_check_takes_our_signature_and_no_other():
    found = {}
    exec(blocks(PAGE, "python")[1], found)
    secret = "whsec_" + base64.b64encode(b"a key of this test").decode()
    now, body = str(int(time.time())), b'{"id": "1"}'
    headers = {
        "webhook-id": "key-1",
        "webhook-timestamp": now,
        "webhook-signature": signature(signing_key(secret), "key-1", now, body),
    }
    assert found["genuine"](secret, headers, body)
    assert not found["genuine"](secret, headers, body + b" ")
    assert not found["genuine"](secret, {**headers, "webhook-timestamp": str(int(now) - 600)}, body)
