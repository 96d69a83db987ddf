"""Processes seen from outside, and the account read from the hub's metrics."""

import os
import subprocess
import sys

from proof.account import samples
from proof.processes import alive, children, gone
from tests.services import wait_until


def started():
    return subprocess.Popen([sys.executable, "-c", "input()", "a mark"], stdin=subprocess.PIPE)


async def test_a_child_is_listed_while_it_runs_and_gone_once_it_is_dead():
    process = started()
    # Before its own program runs, a new child still has this one's command line.
    assert wait_until(lambda: "a mark" in children(os.getpid()).get(process.pid, ""))
    assert alive(process.pid)
    assert not await gone([process.pid], patience=0)
    process.kill()
    assert await gone([process.pid], patience=10)
    # Dead, though not yet reaped.
    assert process.pid not in children(os.getpid())
    process.communicate()


async def test_no_process_is_gone_already():
    process = started()
    process.communicate(b"\n")
    assert await gone([process.pid], patience=0)
    assert not alive(process.pid)


def test_samples_are_added_up_over_the_labels_that_are_not_named():
    exposition = (
        "# TYPE arus_pending gauge\n"
        'arus_pending{destination="subscription",state="pending"} 3.0\n'
        'arus_pending{destination="subscription",state="retrying"} 2.0\n'
        'arus_pending{destination="e-project",state="pending"} 7.0\n'
        'arus_dead{destination="subscription"} 1.0\n'
    )
    assert samples(exposition, "arus_pending", destination="subscription") == 5
    assert samples(exposition, "arus_pending", state="pending", destination="e-project") == 7
    assert samples(exposition, "arus_parked", reason="parent") == 0
