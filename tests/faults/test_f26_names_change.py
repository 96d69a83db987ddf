"""F26: a subscriber's name is not found, or has come to point into the house: asked again, refused, never dead."""

import asyncio
import contextlib
import socket

import pytest
from aiohttp import web

from bus.engine import registry, subscribing
from bus.entrypoints.engine_process import run
from bus.entrypoints.links import open_links
from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import open_hub
from connectors.kit import guarded
from tests.engine.hub import incoming
from tests.processes.running import until

NAME = "dashboard.example"
RIGHT, PRIVATE = "127.0.0.1", "127.0.0.2"


class Names:
    """What names point to now; an unknown one is not found."""

    def __init__(self):
        self.known, self.asked = {}, 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked += 1
        if host not in self.known:
            raise OSError(None, "no such name")
        return [
            {"hostname": host, "host": self.known[host], "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        ]

    async def close(self):
        """Nothing is held open."""


class House:
    """An engine, and two servers on one port: the subscriber, and one that nobody from outside may reach."""

    def __init__(self, names, folder, *, production):
        self.names = names
        self.got = {RIGHT: [], PRIVATE: []}
        self.answer = web.Response
        self.settings = Settings(home=folder, production=production, outbound_allow=(RIGHT,))

    async def serve(self, stack):
        async def take(request):
            self.got[request.transport.get_extra_info("sockname")[0]].append(await request.json())
            return self.answer()

        app = web.Application()
        app.add_routes([web.post("/hook", take)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, RIGHT, 0).start()
        self.port = runner.addresses[0][1]
        await web.TCPSite(runner, PRIVATE, self.port).start()

    async def work(self, stack):
        self.hub = await asyncio.to_thread(open_hub, self.settings)
        stack.callback(self.hub.close)
        stop = asyncio.Event()
        task = asyncio.create_task(run(self.hub, open_links(self.settings), doorbell=None, stop=stop))
        stack.push_async_callback(asyncio.wait_for, task, 30)
        stack.callback(stop.set)

    def sign_up(self, host=NAME):
        now = self.hub.clock()

        def write(connection):
            registry.register(connection, "dashboard", title="d", agency=None, external=True, now=now)
            subscribing.subscribe(
                connection, "dashboard", f"http://{host}:{self.port}/hook", ["budget.*"],
                secret=None, start="now", actor="test", now=now,
            )  # fmt: skip

        self.hub.writer.call(write)

    def accept(self, id):
        self.hub.writer.put(self.hub.acceptor.batch, incoming(id, id=id))

    def state(self):
        """State, reason and attempts of the one delivery to the subscriber."""
        with self.hub.database.reads.connect() as connection:
            query = "SELECT state, reason, attempts FROM deliveries WHERE destination LIKE 'sub:%'"
            return tuple(connection.exec_driver_sql(query).one())

    async def says(self, words):
        await until(lambda: words in (self.state()[1] or ""), self.state)


@pytest.fixture
async def make_house(tmp_path, monkeypatch):
    names = Names()
    monkeypatch.setattr(guarded, "ThreadedResolver", lambda: names)
    async with contextlib.AsyncExitStack() as stack:

        async def make(*, production):
            house = House(names, tmp_path, production=production)
            await house.serve(stack)
            await house.work(stack)
            return house

        yield make


async def test_a_name_is_judged_when_it_is_called_and_nothing_dies_of_it(make_house):
    house = await make_house(production=True)
    house.sign_up()
    house.accept("a")
    await house.says("its name is not found (DNS)")
    house.names.known[NAME] = PRIVATE
    await house.says("private address")
    asked = house.names.asked
    await until(lambda: house.names.asked > asked, house.state)
    assert house.state()[0] in {"retrying", "delivering", "pending"}
    assert house.got == {RIGHT: [], PRIVATE: []}
    house.names.known[NAME] = RIGHT
    await until(lambda: house.state()[0] == "delivered", house.state)
    assert [one["id"] for one in house.got[RIGHT]] == ["a"]
    assert house.got[PRIVATE] == []


async def test_an_address_in_place_of_a_name_is_judged_too(make_house):
    house = await make_house(production=True)
    house.sign_up(PRIVATE)
    house.accept("a")
    await house.says("private address")
    assert house.got == {RIGHT: [], PRIVATE: []}


async def test_a_redirect_into_the_house_is_not_followed(make_house):
    house = await make_house(production=True)
    house.names.known[NAME] = RIGHT
    house.answer = lambda: web.Response(status=307, headers={"Location": f"http://{PRIVATE}:{house.port}/hook"})
    house.sign_up()
    house.accept("a")
    await house.says("redirects are never followed")
    assert house.got[PRIVATE] == []


async def test_the_private_server_can_be_reached_by_this_way_outside_production(make_house):
    """The control: what kept the others out was the judgement."""
    house = await make_house(production=False)
    house.names.known[NAME] = PRIVATE
    house.sign_up()
    house.accept("a")
    await until(lambda: house.got[PRIVATE], house.state)
