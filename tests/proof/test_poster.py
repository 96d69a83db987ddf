"""The poster: strict order per key, doubt is repeated unchanged, and its log tells every step before it is taken."""

import asyncio

import orjson
import pytest
from aiohttp import web

from mappings.canonical.budget_line import BudgetLine
from proof.journal import Journal
from proof.load import Load
from proof.poster import Manner, Poster


class FakeHub:
    """Accepts messages; ``spoil`` may answer a request itself instead."""

    def __init__(self, journal):
        self.journal = journal
        self.posts, self.accepted = [], {}
        self.spoil = lambda number, events: None
        self.logged_before_sending = True

    async def serve(self, request):
        body = await request.read()
        bulk = request.content_type == "application/x-ndjson"
        events = [orjson.loads(line) for line in (body.split(b"\n") if bulk else [body])]
        self.posts.append(events)
        invoked = {line["id"] for line in self.log() if line["event"] == "invoke"}
        self.logged_before_sending &= {event["id"] for event in events} <= invoked
        spoiled = self.spoil(len(self.posts), events)
        if spoiled is not None:
            return spoiled
        results = [
            {"id": event["id"], "status": "duplicate" if event["id"] in self.accepted else "accepted"}
            for event in events
        ]
        self.accepted.update({event["id"]: event for event in events})
        return web.json_response(results if bulk else results[0], status=200 if bulk else 202)

    def log(self):
        return [orjson.loads(line) for line in self.journal.read_bytes().splitlines()]


@pytest.fixture
async def hub(tmp_path):
    fake = FakeHub(tmp_path / "client.jsonl")
    runner = web.ServerRunner(web.Server(fake.serve, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


async def post(hub, messages=60, keys=6, manner=Manner(single=2, bulk=1, batch=4)):  # noqa: B008 - it is frozen
    load = Load(BudgetLine.EXAMPLE, BudgetLine.KEY, messages=messages, keys=keys, seed=1)
    room = asyncio.Event()
    room.set()
    async with Journal(hub.journal) as journal:
        poster = Poster([hub.url], "key", load, journal, manner, room)
        await asyncio.wait_for(poster.run(), 30)
    return poster


def ends(hub, id):
    return [line["event"] for line in hub.log() if line["id"] == id]


async def test_every_message_goes_out_once_both_singly_and_in_bulk(hub):
    poster = await post(hub)
    assert poster.acknowledged == len(hub.accepted) == 60
    assert {len(events) for events in hub.posts} >= {1, 4}
    assert hub.logged_before_sending
    assert [line["event"] for line in hub.log()].count("ok") == 60


async def test_the_next_of_a_key_goes_out_after_the_answer_to_the_one_before(hub):
    await post(hub)
    open_of = {}
    for line in hub.log():
        if line["event"] == "invoke":
            assert line["key"] not in open_of.values()
            assert line["n"] == 1 + sum(
                ends(hub, f"1-{line['id'].split('-')[1]}-{n}") != [] for n in range(1, line["n"])
            )
            open_of[line["id"]] = line["key"]
        else:
            del open_of[line["id"]]


@pytest.mark.parametrize("answer", [503, 500, 429, "reset", "not json"])
async def test_doubt_is_repeated_with_the_same_id_and_body(hub, answer):
    requests = {}

    def spoil(number, events):
        first = requests.setdefault(tuple(event["id"] for event in events), number) == number
        if not first or number > 4:
            return None
        if answer == "reset":
            raise ConnectionResetError
        return web.Response(status=200, text="<") if answer == "not json" else web.Response(status=answer, text="{}")

    hub.spoil = spoil
    poster = await post(hub)
    assert poster.acknowledged == 60
    doubtful = [line["id"] for line in hub.log() if line["event"] == "info"]
    assert len(doubtful) >= 4
    for id in doubtful:
        assert ends(hub, id) == ["invoke", "info", "invoke", "ok"]
        bodies = [event for events in hub.posts for event in events if event["id"] == id]
        assert bodies[0] == bodies[1]


async def test_a_refusal_is_final_and_the_key_goes_on(hub):
    hub.spoil = lambda number, events: web.json_response({}, status=422) if number == 1 else None
    poster = await post(hub)
    refused = [line["id"] for line in hub.log() if line["event"] == "fail"]
    assert 1 <= len(refused) <= 4
    assert poster.acknowledged == 60 - len(refused)


async def test_results_that_do_not_match_the_lines_are_not_taken_for_success(hub):
    hub.spoil = lambda number, events: web.json_response([{"id": "?", "status": "accepted"}] * len(events))
    poster = await post(hub, manner=Manner(single=0, bulk=1, batch=4))
    assert poster.acknowledged == 0
    assert {line["event"] for line in hub.log()} == {"invoke", "fail"}


async def test_nothing_goes_out_while_there_is_no_room(hub):
    load = Load(BudgetLine.EXAMPLE, BudgetLine.KEY, messages=6, keys=3, seed=1)
    room = asyncio.Event()
    async with Journal(hub.journal) as journal:
        posting = asyncio.create_task(Poster([hub.url], "key", load, journal, Manner(), room).run())
        for _ in range(20):
            await asyncio.sleep(0)
        assert hub.posts == []
        room.set()
        await asyncio.wait_for(posting, 30)
    assert len(hub.accepted) == 6


async def test_a_log_that_cannot_be_written_stops_the_poster(hub, monkeypatch):
    def full(_journal, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        await post(hub)
    assert hub.posts == []
