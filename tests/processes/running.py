"""A hub as its users have it: the command ``arus`` in a working directory of its own."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

ARUS = str(Path(sys.executable).with_name("arus"))
PATIENCE = 40.0


async def until(condition, what):
    """Wait until ``condition`` (plain or async) answers something true, and answer that."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s in vain: {what() if callable(what) else what}"
        await asyncio.sleep(0.02)


def alive(pid):
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def group(leader):
    """The living processes of a process group."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, own = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(own) == leader and state not in {"Z", "X"}:
                found.append(int(folder.name))
    return found


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self):
        """Read stdout, which must be one JSON document and nothing else."""
        return json.loads(self.out)


class Hub:
    """``arus serve`` and the other verbs in ``folder``; its home is there unless ``environment`` says otherwise."""

    def __init__(self, folder, **environment):
        self.folder = folder
        self.home = folder / "home"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
        quick = {"ARUS_POLL_SECONDS": "0.1", "ARUS_DROP_SETTLE_SECONDS": "0.1"}
        self.environment = {**inherited, "ARUS_HOME": str(self.home), **quick, **environment}
        self.url = ""
        self.process = None
        self._said = 0
        self._log = folder / "hub.log"
        self._session = None

    async def begin(self, *words, program=(ARUS, "serve"), port="0"):
        """Start, as the leader of a process group; does not wait for anything."""
        self._said = self._log.stat().st_size if self._log.exists() else 0
        words = (*program, *(("--port", port) if program == (ARUS, "serve") and port else ()), *words)
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *words, cwd=self.folder, env=self.environment, stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    async def start(self, *words, **options):
        """Start and wait until it is ready at the address that it says."""
        await self.begin(*words, **options)
        self.url = await until(self._address, self.said)
        await until(self.ready, self.said)

    def said(self):
        """What it has written since its last start."""
        return self._log.read_bytes()[self._said :].decode()

    def _address(self):
        assert self.process.returncode is None, self.said()
        lines = [line for line in self.said().splitlines(keepends=True) if line.startswith("arus: http://")]
        return lines[0].split()[1] if lines and lines[0].endswith("\n") else None

    async def ready(self):
        try:
            async with self.session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    @property
    def session(self):
        self._session = self._session or aiohttp.ClientSession()
        return self._session

    def children(self):
        """The living children by role, ``front`` and ``engine``."""
        pid = self.process.pid
        found = {}
        with contextlib.suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                with contextlib.suppress(OSError):
                    line = Path(f"/proc/{child}/cmdline").read_text()
                    found |= {role: int(child) for role in ("front", "engine") if f"{role}_process" in line}
        return found

    async def ended(self):
        """Wait for its end; answers the exit code."""
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    async def stop(self):
        """SIGTERM; answers the exit code."""
        self.process.terminate()
        return await self.ended()

    async def close(self):
        if self._session is not None:
            await self._session.close()
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), 30)
        for pid in group(self.process.pid):  # what a failing test has left
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def arus(self, *words, code=0, **environment):
        """One verb, with its exit code checked."""
        process = await asyncio.create_subprocess_exec(
            ARUS, *map(str, words), cwd=self.folder, env=self.environment | environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        done = Done(process.returncode, out.decode(), err.decode())
        assert done.code == code, done
        return done

    async def call(self, method, path, key, body=None, status=(200, 201, 202), kind="application/json"):
        """One request; answers what JSON it got."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
        data = None if body is None else json.dumps(body)
        async with self.session.request(method, self.url + path, headers=headers, data=data) as answer:
            text = await answer.text()
            assert answer.status in status, (answer.status, text)
            return json.loads(text) if text else None

    async def post(self, key, event):
        return await self.call("POST", "/v1/messages", key, event, kind="application/cloudevents+json")

    async def key(self, system="e-budgeting", scope="post,read"):
        return (await self.arus("keys", "create", system, "--scope", scope, "--json")).json["key"]

    async def subscribe(self, key, url, **more):
        wanted = {"types": ["budget.*"], "url": url, **more}
        return await self.call("POST", "/v1/subscriptions", key, wanted, status=(201,))
