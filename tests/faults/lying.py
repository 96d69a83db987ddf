"""A server before a simulated system: it passes requests on, and answers some of them itself, on the wire."""

import asyncio
import contextlib
import re

import aiohttp

DESYNC_SECONDS = 0.05


class Liar:
    """``lies`` are answers, whole and raw, by a text that the request holds; each is told once and passes nothing on.

    A lie may be a function of the request's body. ``afterwards`` is sent on the connection of a lie a moment later,
    as if the next request had been answered before it came. ``told`` says which lies were told.
    """

    def __init__(self, simulator):
        self.simulator = simulator
        self.lies = {}
        self.afterwards = {}
        self.told = []
        self.url = ""
        self._server = None
        self._session = None
        self._connections = set()

    async def start(self):
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self):
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._session.close()

    async def _serve(self, reader, writer):
        self._connections.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                name = next((name for name in self.lies if name.encode() in head + body), None)
                if name is None:
                    writer.write(await self._honest(head, body))
                elif await self._lie(name, body, writer):
                    break
                await writer.drain()
        writer.close()

    async def _lie(self, name, body, writer):
        """Answer with the lie. True: the connection ends with it."""
        lie = self.lies.pop(name)
        self.told.append(name)
        writer.write(lie(body) if callable(lie) else lie)
        await writer.drain()
        more = self.afterwards.pop(name, None)
        if more is None:
            return True
        await asyncio.sleep(DESYNC_SECONDS)  # the fault itself: it comes when the answer before it is done with
        writer.write(more)
        return False

    async def _honest(self, head, body):
        request, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = request.split(" ", 2)
        kept = [line.partition(": ")[::2] for line in lines if line]
        headers = {name: value for name, value in kept if name.lower() not in {"host", "content-length"}}
        url = aiohttp.client.URL(self.simulator + path, encoded=True)
        async with self._session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer:
            content = await answer.read()
            shown = [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() in PASSED]
        told = [f"HTTP/1.1 {answer.status} OK", *shown, f"Content-Length: {len(content)}", "", ""]
        return "\r\n".join(told).encode() + content


PASSED = {"content-type", "etag", "idempotent-replayed", "retry-after", "www-authenticate"}


def answer(body, kind="application/json", *lines, length=None, status=200):
    """An HTTP answer as bytes; ``length`` is what it says of its body, if that is not so."""
    size = len(body) if length is None else length
    return (
        "\r\n".join(
            [f"HTTP/1.1 {status} OK", f"Content-Type: {kind}", *lines, f"Content-Length: {size}", "", ""]
        ).encode()
        + body
    )
