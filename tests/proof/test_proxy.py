"""The proxy: what each weather does to a connection, seen by a caller and by the server behind it."""

import asyncio
import contextlib

import pytest

from proof.gateway import Gateway
from proof.proxy import Weather
from tests.services import wait_until_async

ANSWER = b"a" * 100


class Server:
    """Answers every piece with ``ANSWER``; ``got`` holds the pieces."""

    def __init__(self):
        self.got = []

    async def serve(self, reader, writer):
        with contextlib.suppress(OSError):
            while piece := await reader.read(1000):
                self.got.append(piece)
                writer.write(ANSWER)
                await writer.drain()
        writer.close()


@pytest.fixture
async def behind():
    """The server, the proxy before it, and ``talk(words)``: what a new connection hears, or the error it meets."""
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with Gateway("127.0.0.1", listening.sockets[0].getsockname()[1]) as gate:

        async def talk(words, patience=10.0):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
                writer.write(words)
                heard = b""
                async with asyncio.timeout(patience):
                    while len(heard) < len(ANSWER) and (piece := await reader.read(1000)):
                        heard += piece
            except (OSError, TimeoutError) as error:
                return type(error)
            writer.close()
            return heard

        yield server, gate, talk
    listening.close()


async def test_in_good_weather_everything_passes(behind):
    server, _, talk = behind
    assert await talk(b"hello") == ANSWER
    assert server.got == [b"hello"]


async def test_refusing_lets_nothing_arrive(behind):
    server, gate, talk = behind
    await gate.change(Weather(refuse=True))
    assert await talk(b"hello") in {ConnectionResetError, b""}
    assert server.got == []
    assert (await gate.hits())["refuse"] == 1
    await gate.change(Weather())
    assert await talk(b"hello") == ANSWER


async def test_a_reset_comes_after_the_server_has_answered(behind):
    server, gate, talk = behind
    await gate.change(Weather(reset_answers=True))
    assert await talk(b"hello") in {ConnectionResetError, b""}
    assert server.got == [b"hello"]


async def test_a_marked_reset_leaves_other_words_alone(behind):
    server, gate, talk = behind
    await gate.change(Weather(reset_answers=True, reset_on="COMMIT"))
    assert await talk(b"SELECT") == ANSWER
    assert await talk(b"xx COMMIT xx") in {ConnectionResetError, b""}
    assert server.got == [b"SELECT", b"xx COMMIT xx"]


async def test_deaf_lets_up_and_nothing_down(behind):
    server, gate, talk = behind
    await gate.change(Weather(deaf=True))
    assert await talk(b"hello", patience=0.3) is TimeoutError
    assert server.got == [b"hello"]


async def test_a_black_hole_swallows_both_ways(behind):
    server, gate, talk = behind
    await gate.change(Weather(black_hole=True))
    assert await talk(b"hello", patience=0.3) is TimeoutError
    assert server.got == []


async def test_answers_are_cut_short_or_dropped_or_slow(behind):
    _, gate, talk = behind
    await gate.change(Weather(truncate=20))
    assert await talk(b"hello") == ANSWER[:20]
    await gate.change(Weather(drop_after=50))
    assert await talk(b"hello") in {ConnectionResetError, b""}
    await gate.change(Weather(rate=10))
    assert await talk(b"hello", patience=0.5) is TimeoutError
    await gate.change(Weather(delay=0.01, jitter=0.01))
    assert await talk(b"hello") == ANSWER
    assert {"truncate", "drop_after", "rate", "delay"} <= (await gate.hits()).keys()


async def test_a_request_sent_twice_arrives_twice_and_is_answered_once(behind):
    server, gate, talk = behind
    await gate.change(Weather(duplicate=True))
    assert await talk(b"hello") == ANSWER
    await wait_until_async(lambda: server.got == [b"hello"] * 2)


async def test_a_share_is_drawn_from_a_seed(behind):
    _, gate, talk = behind
    await gate.change(Weather(reset_answers=True, share=0.5, seed=3))
    heard = [await talk(b"x") for _ in range(20)]
    assert 3 < heard.count(ANSWER) < 17
    await gate.change(Weather(reset_answers=True, share=0.5, seed=3))
    assert [one == ANSWER for one in [await talk(b"x") for _ in range(20)]] == [one == ANSWER for one in heard]
