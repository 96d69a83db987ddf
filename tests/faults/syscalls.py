"""What processes wrote, synced and sent, in the order in which the kernel was asked: strace, and a reader of its log.

Data that was written and not synced survives a killed process and not a power failure, so no kill can show what
this order shows.
"""

import contextlib
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.services import wait_until
from tests.services.programs import program

CALLS = "pwrite64,pwritev,write,writev,fsync,fdatasync,sendto,sendmsg"
SYNCS = {"fsync", "fdatasync"}

_BEGUN = re.compile(r"(?P<pid>\d+) +(?P<call>\w+)\(\d+<(?P<target>[^>]*)>(?P<rest>.*)", re.DOTALL)
_RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)", re.DOTALL)
_FAILED = re.compile(r"= (-1|\?)[^\"]*$")


@dataclass
class Call:
    """One system call; ``began`` and ``ended`` are lines of the log. One that failed or was cut off never ended."""

    name: str
    target: str
    """The file's path, or what strace calls a socket."""
    text: str
    began: int
    ended: float = float("inf")


def read(log):
    """The calls of a log, in the order in which they began."""
    calls, open_calls = [], {}
    for number, line in enumerate(log.splitlines()):
        if found := _BEGUN.match(line):
            call = Call(found["call"], found["target"], found["rest"], number)
            calls.append(call)
            if line.endswith("<unfinished ...>"):
                open_calls[found["pid"], call.name] = call
            elif not _FAILED.search(line):
                call.ended = number
        elif (found := _RESUMED.match(line)) and (call := open_calls.pop((found["pid"], found["call"]), None)):
            call.ended = float("inf") if _FAILED.search(line) else number
    return calls


def answers(calls):
    """By id: the line at which the first byte of its 202 was handed to a socket."""
    heads, found = {}, {}
    for call in calls:
        if "socket:" not in call.target and "TCP" not in call.target:
            continue
        if "HTTP/1.1 202" in call.text:
            heads[call.target] = call.began
        for id in re.findall(r'\\"id\\":\\"([\w-]+)\\",\\"status\\":\\"accepted', call.text):
            found[id] = heads[call.target]
    return found


def unsynced(calls, journal):
    """The ids that were answered with 202 before a file of ``journal`` held their bytes and was synced after that.

    ``journal`` is a pattern for the path of the store's log: SQLite's WAL, or a segment of PostgreSQL's.
    """
    files = [call for call in calls if re.search(journal, call.target)]
    writes = [call for call in files if call.name not in SYNCS]
    syncs = [call for call in files if call.name in SYNCS]

    def safe(id, answered):
        return any(
            sync.target == write.target and write.ended < sync.began and sync.ended < answered
            for write in writes
            if id in write.text and write.ended < answered
            for sync in syncs
        )

    return {id for id, answered in answers(calls).items() if not safe(id, answered)}


@contextlib.contextmanager
def traced(folder, *processes):
    """Trace these processes, all their threads and what they fork, while the block runs; gives the log's path."""
    log = Path(folder) / "syscalls.log"
    which = [word for process in processes for word in ("-p", str(process))]
    tracer = subprocess.Popen(
        [program("strace", package="strace"), "-f", "-y", "-e", f"trace={CALLS}", "-s", "1000000", "-o", log, *which],
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(
            lambda: tracer.poll() is not None or all(map(_is_traced, processes)), timeout=20, what="strace attaches"
        )
        assert tracer.poll() is None, f"strace may not attach: {tracer.stderr.read().decode()}"
        yield log
        assert tracer.poll() is None, "strace ended before the posts did"
    finally:
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.communicate(timeout=20)
        finally:
            tracer.kill()


def _is_traced(process):
    statuses = [(task / "status").read_text() for task in Path(f"/proc/{process}/task").iterdir()]
    return all(not re.search(r"^TracerPid:\s+0$", status, re.MULTILINE) for status in statuses)
