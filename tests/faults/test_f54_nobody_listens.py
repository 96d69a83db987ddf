"""F54: nobody reads what the hub says or its metrics: its pipe is full, a reader stands still. Deliveries go on."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from urllib.parse import urlsplit

from tests.processes.events import budget_line
from tests.processes.running import ARUS, Hub, until

from .town import town

DEAF = 20
ASKED = 20_000
ASK = b"GET /metrics HTTP/1.1\r\nHost: hub\r\n\r\n"


class Muffled(Hub):
    """Its stdout and stderr are a pipe of ours; ``fill`` leaves no room for a byte."""

    async def begin(self, *words, **options):
        self.reading, writing = os.pipe()
        fcntl.fcntl(self.reading, fcntl.F_SETPIPE_SZ, 65536)
        os.set_blocking(self.reading, False)
        self.process = await asyncio.create_subprocess_exec(
            ARUS, "serve", "--port", "0", cwd=self.folder, env=self.environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=writing, stderr=writing, start_new_session=True,
        )  # fmt: skip
        # A description of our own: were the hub's own unwilling to wait, the fault would not be one.
        self.writing = os.open(f"/proc/self/fd/{writing}", os.O_WRONLY | os.O_NONBLOCK)
        os.close(writing)
        self.read = b""

    def said(self):
        with contextlib.suppress(BlockingIOError):
            while more := os.read(self.reading, 65536):
                self.read += more
        return self.read.decode()

    def fill(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.writing, b"x" * 4096)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.writing, b"x")

    def is_full(self):
        try:
            os.write(self.writing, b"x")
        except BlockingIOError:
            return True
        return False

    async def close(self):
        await super().close()
        os.close(self.reading)
        os.close(self.writing)


async def test_a_full_pipe_stops_neither_deliveries_nor_the_start_of_a_dead_child(tmp_path):
    hub = Muffled(tmp_path)
    async with town(hub) as (receiver, key):
        hub.fill()
        for death in range(2):  # the supervisor has something to say of each, and so has the engine after it
            old = hub.children()["engine"]
            receiver.free.clear()
            await hub.post(key, budget_line(f"held-{death}", 1))
            await until(lambda wanted=f"held-{death}": wanted in receiver.ids, hub.children)
            os.kill(old, signal.SIGKILL)
            receiver.free.set()
            await until(lambda old=old: hub.children().get("engine", old) != old, "another engine")
            await hub.post(key, budget_line(f"after-{death}", 2))
            await until(lambda wanted=f"after-{death}": wanted in receiver.ids, "it goes on")
        assert hub.is_full(), "somebody read"
        hub.said()
        await hub.post(key, budget_line("last", 3))
        os.kill(hub.children()["engine"], signal.SIGKILL)
        await until(lambda: "found no reader" in hub.said(), "it tells that it was not heard")
        await until(
            lambda: "last" in receiver.ids, lambda: (receiver.ids, hub.said().lstrip("x")[-3000:], hub.children())
        )


async def test_readers_of_metrics_who_never_read_hold_nobody(tmp_path):
    hub = Hub(tmp_path)
    async with town(hub) as (receiver, key), contextlib.AsyncExitStack() as stack:
        place = urlsplit(hub.url)
        stuck = 0
        for _ in range(DEAF):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            deaf.connect((place.hostname, place.port))
            deaf.setblocking(False)
            # The front reads no more requests of one who takes no answers. Half a one is the last, as no whole one may
            # follow it.
            with contextlib.suppress(BlockingIOError):
                for _ in range(ASKED):
                    if deaf.send(ASK) < len(ASK):
                        break
                else:
                    continue
            stuck += 1
        ids = [f"m{number}" for number in range(50)]
        for number, id in enumerate(ids):
            await hub.post(key, budget_line(id, number))
        await until(lambda: set(ids) <= set(receiver.ids), hub.said)
        assert await hub.ready()
        assert sorted(receiver.ids) == sorted(ids)
        assert stuck == DEAF
