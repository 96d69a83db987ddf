"""F29: a destination asks to wait (``Retry-After``): kept exactly, but never for more than an hour or for nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import pytest_asyncio
from aiohttp import web

from connectors.kit.simulation import runner_of
from tests.processes.events import budget_line
from tests.processes.running import until

from .standing import moment, standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 3600.0
OWN = (0.5, 1.0)
"""The route's own first wait, half of it by chance."""


class Busy:
    """Answers each message's first request as it is told, and takes it then; keeps when each came."""

    def __init__(self):
        self.first = {}
        self.came = {}

    async def answer(self, request):
        id = (await request.json())["id"]
        self.came.setdefault(id, []).append(asyncio.get_running_loop().time())
        if len(self.came[id]) == 1 and id in self.first:
            status, header = self.first[id]
            return web.Response(status=status, headers={"Retry-After": header() if callable(header) else header})
        return web.Response(status=204)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def busy():
    busy = Busy()
    app = web.Application()
    app.add_routes([web.post("/hook", busy.answer)])
    runner = runner_of(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    busy.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield busy
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory, busy):
    async with standing(tmp_path_factory.mktemp("f29")) as running:
        running.destination = await running.subscribe(busy.url)
        yield running


def _in(**delta):
    return lambda: format_datetime(datetime.now(UTC) + timedelta(**delta), usegmt=True)


ASKED = {
    "seconds": ("120", 120.0, 120.0),
    "seconds-to-the-cap": ("3600", CAP, CAP),
    "absurd": ("1000000000", CAP, CAP),
    "more-digits-than-a-number-has": ("9" * 400, CAP, CAP),
    "a-date": (_in(seconds=90), 85.0, 91.0),
    "a-date-in-a-hundred-years": (_in(days=36_500), CAP, CAP),
    "negative": ("-30", *OWN),
    "nothing": ("0", *OWN),
    "a-date-that-is-past": (_in(seconds=-60), *OWN),
    "words": ("soon", *OWN),
}
"""Header (or what makes it when it is asked for), and the shortest and longest wait that may come of it."""


# Fewer with 503: five in a row would open the circuit, and the wait would be the circuit's.
@pytest.mark.parametrize(("status", "names"), [(429, [*ASKED]), (503, ["seconds", "absurd", "a-date", "negative"])])
async def test_the_next_attempt_is_when_it_asks_for_within_reason(hub, busy, status, names):
    ids = {f"{status}-{name}": name for name in names}
    for number, (id, name) in enumerate(ids.items(), start=status):
        busy.first[id] = (status, ASKED[name][0])
        await hub.post(budget_line(id, number))
    await until(lambda: busy.came.keys() >= ids.keys(), "each to be asked for once")
    for id, name in ids.items():
        _, shortest, longest = ASKED[name]
        if longest > OWN[1]:
            told = await hub.settled(id, hub.destination, "retrying")
            due = moment(told["due_at"])
        else:  # it comes again by itself: when, its second attempt tells
            told = await hub.settled(id, hub.destination, "delivered")
            due = moment(told["attempts"][1]["started_at"])
        wait = (due - moment(told["attempts"][0]["ended_at"])).total_seconds()
        if longest <= OWN[1]:
            longest += 30  # the attempt itself may begin late on a busy machine, but never early
        assert shortest - 0.001 <= wait <= longest + 0.001, (id, wait)
        assert told["attempts"][0]["status"] == status
    # Those that were given time are left alone while others come and go.
    patient = [id for id, name in ids.items() if ASKED[name][2] > OWN[1]]
    assert {len(busy.came[id]) for id in patient} == {1}


async def test_what_asks_for_a_moment_comes_after_it_and_once(hub, busy):
    shown = {"a-moment": "2", "a-moment-as-date": _in(seconds=3)}
    for number, (id, header) in enumerate(shown.items()):
        busy.first[id] = (429, header)
        await hub.post(budget_line(id, number + 1))
    for id in shown:
        told = await hub.settled(id, hub.destination, "delivered")
        first, second = busy.came[id]
        assert second - first >= 1.9
        assert [one["status"] for one in told["attempts"]] == [429, 204]
        assert told["retries"] == 1


async def test_a_wait_holds_its_own_key_alone(hub, busy):
    busy.first["held"] = (429, "1000000000")
    await hub.post(budget_line("held", 50))
    await until(lambda: "held" in busy.came, "the first to be asked")
    await hub.post(budget_line("behind", 50, "1.00"))
    await hub.post(budget_line("beside", 51))
    await hub.settled("beside", hub.destination, "delivered")
    assert (await hub.delivery("behind", hub.destination))["state"] == "pending"
    assert len(busy.came["held"]) == 1
    assert "behind" not in busy.came
