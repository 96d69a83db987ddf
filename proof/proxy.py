"""A TCP proxy in a process of its own that misbehaves on demand, for any protocol.

``python -m proof.proxy HOST PORT`` prints ``{"port": …}`` and forwards until its standard input ends. A line of JSON
on standard input is a new ``Weather``; each is answered by a line with the counts so far.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import orjson

CHUNK = 65536

Way = Literal["up", "down"]
"""``up``: towards the server that the proxy stands before; ``down``: back to who called."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to connections from now on, those that are open included. The defaults let everything pass.

    ``refuse``: connections are cut at once; ``refuse_new``: only those that come now. ``black_hole``: they are taken,
    and nothing passes in either direction. ``deaf``: what goes up arrives, and nothing comes down (an asymmetric
    partition, a half-open connection). ``reset_answers``: the server's answer is waited for, and the connection reset
    instead of passing it on; with ``reset_on`` only where those bytes went up just before. ``truncate``: only so many
    bytes of an answer pass, then the end. ``drop_after``: the connection is cut after so many bytes in either
    direction. ``duplicate``: what goes up is sent once more, over a connection of its own, and the second answer
    thrown away. ``delay`` and ``jitter``: seconds before each piece; ``rate``: bytes a second downwards. ``share``: of
    the pieces that meet all this.
    """

    refuse: bool = False
    refuse_new: bool = False
    black_hole: bool = False
    deaf: bool = False
    reset_answers: bool = False
    reset_on: str = ""
    truncate: int | None = None
    drop_after: int | None = None
    duplicate: bool = False
    delay: float = 0.0
    jitter: float = 0.0
    rate: float | None = None
    share: float = 1.0
    seed: int = 0


class Cut(Exception):
    """This connection ends here, by a reset."""


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.proxy = proxy
        self.client = client
        self.server = server
        self.moved = 0
        self.marked = False

    async def pump(self, reader: asyncio.StreamReader, way: Way) -> None:
        writer = self.server if way == "up" else self.client
        while piece := await reader.read(CHUNK):
            passed = await self._meet(piece, way)
            if passed:
                writer.write(passed)
                await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _meet(self, piece: bytes, way: Way) -> bytes:
        """What of ``piece`` is passed on. Raises Cut."""
        weather = self.proxy.weather
        if way == "up":
            self.marked = weather.reset_on.encode() in piece
        if self.proxy.chance.random() >= weather.share:
            return piece
        self.moved += len(piece)
        if weather.refuse or (weather.drop_after is not None and self.moved > weather.drop_after):
            raise self.proxy.cut("refuse" if weather.refuse else "drop_after")
        if weather.black_hole or (weather.deaf and way == "down"):
            self.proxy.hits["black_hole" if weather.black_hole else "deaf"] += 1
            return b""
        await self.proxy.hold_up(weather)
        return await self._answered(piece, weather) if way == "down" else self._asked(piece, weather)

    def _asked(self, piece: bytes, weather: Weather) -> bytes:
        if weather.duplicate:
            self.proxy.again(piece)
        return piece

    async def _answered(self, piece: bytes, weather: Weather) -> bytes:
        if weather.reset_answers and self.marked:
            raise self.proxy.cut("reset_answers")
        if weather.truncate is not None:
            self.client.write(piece[: weather.truncate])
            await self.client.drain()
            self.proxy.hits["truncate"] += 1
            raise EOFError
        if weather.rate is not None:
            self.proxy.hits["rate"] += 1
            for byte in piece:
                self.client.write(bytes([byte]))
                await self.client.drain()
                await asyncio.sleep(1 / weather.rate)
            return b""
        return piece


class Proxy:
    """Forwards to ``host:port`` in the present ``weather``; ``hits`` counts what it did to whom."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self.weather = Weather()
        self.chance = random.Random(0)  # noqa: S311 - reproducible misbehaviour, not a secret
        self.hits: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def change(self, weather: Weather) -> None:
        self.weather = weather
        self.chance = random.Random(weather.seed)  # noqa: S311

    def cut(self, why: str) -> Cut:
        self.hits[why] += 1
        return Cut(why)

    async def hold_up(self, weather: Weather) -> None:
        if weather.delay or weather.jitter:
            self.hits["delay"] += 1
            await asyncio.sleep(weather.delay + self.chance.random() * weather.jitter)

    def again(self, piece: bytes) -> None:
        self._keep(asyncio.create_task(self._send_alone(piece)))

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        """Hold a task until it is done: the loop's reference is weak, and a silent connection has no other."""
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send_alone(self, piece: bytes) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection(*self._place)
            writer.write(piece)
            async with asyncio.timeout(5):
                await reader.read(CHUNK)
            self.hits["duplicate"] += 1
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One incoming connection."""
        self._keep(asyncio.current_task())
        self.hits["connections"] += 1
        if self.weather.refuse or self.weather.refuse_new:
            self.hits["refuse"] += 1
            writer.transport.abort()
            return
        try:
            server_reader, server = await asyncio.open_connection(*self._place)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self, writer, server)
        pumps = [
            asyncio.ensure_future(link.pump(reader, "up")),
            asyncio.ensure_future(link.pump(server_reader, "down")),
        ]
        try:
            await asyncio.gather(*pumps)
        except (Cut, OSError, asyncio.CancelledError):  # cancelled: the proxy ends, and its connections with it
            writer.transport.abort()
        except EOFError:
            writer.close()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            server.transport.abort()
            writer.close()


async def _main(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    control = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(control), sys.stdin)
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    _tell({"port": server.sockets[0].getsockname()[1]})
    while line := await control.readline():
        wanted = orjson.loads(line)
        if wanted is not None:
            proxy.change(Weather(**wanted))
        _tell(dict(proxy.hits))


def _tell(document: object) -> None:
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
