"""Batches and NDJSON: one result per event, in order."""

import json

from sqlalchemy import select

from bus.engine.tables import messages
from tests.api.calling import (
    BATCHED,
    MARKER,
    NDJSON,
    Front,
    event,
    line,
    stored,
)


class TestMany:
    def test_the_good_ones_are_stored_whatever_the_bad_ones_do(self, front: Front, key: str) -> None:
        good, other = event("1"), event("2", number=2)
        lines = [
            json.dumps(good),
            "",
            "{broken",
            json.dumps(event("3", data=line(amount=MARKER))),
            json.dumps(other),
            json.dumps(good),
            json.dumps(event("1", data=line(amount="7.00"))),
            '{"id":"4","id":"4"}',
        ]
        answer = front.event("\r\n".join(lines).encode(), key, NDJSON)
        assert answer.status == 200
        results = answer.json
        assert [result["index"] for result in results] == list(range(7))
        assert [(result["id"], result["status"]) for result in results] == [
            ("1", "accepted"),
            (None, "rejected"),
            ("3", "rejected"),
            ("2", "accepted"),
            ("1", "duplicate"),
            ("1", "conflict"),
            (None, "rejected"),
        ]
        assert [result["problem"]["type"].rsplit("/", 1)[1] for result in results if "problem" in result] == [
            "invalid-json",
            "invalid-data",
            "conflict",
            "duplicate-member",
        ]
        assert MARKER.encode() not in answer.body
        assert stored(front) == 2

    def test_more_than_one_portion_keeps_its_order(self, front: Front, key: str) -> None:
        lines = [json.dumps(event(str(number), number=number % 7)) for number in range(1200)]
        answer = front.event("\n".join(lines).encode(), key, NDJSON)
        assert [(result["id"], result["status"]) for result in answer.json] == [
            (str(number), "accepted") for number in range(1200)
        ]
        with front.hub.database.reads.connect() as connection:
            ids = connection.execute(select(messages.c.id).order_by(messages.c.seq)).scalars().all()
        assert ids == [str(number) for number in range(1200)]

    def test_a_batch(self, front: Front, key: str) -> None:
        body = [event("1"), event("2", data={}), 5, event("3", number=3)]
        text = json.dumps(body)[:-1] + ',{"id":"5","id":"5"}]'
        answer = front.event(text.encode(), key, BATCHED)
        assert [(result["id"], result["status"]) for result in answer.json] == [
            ("1", "accepted"),
            ("2", "rejected"),
            (None, "rejected"),
            ("3", "accepted"),
            ("5", "rejected"),
        ]
        with front.hub.database.reads.connect() as connection:
            raw = connection.execute(select(messages.c.raw).order_by(messages.c.seq)).scalars().first()
        assert json.loads(bytes(raw)) == event("1")
        assert front.event(b"[]", key, BATCHED).json == []
        assert front.event(b"{}", key, BATCHED).status == 400

    def test_nothing_is_an_empty_list(self, front: Front, key: str) -> None:
        assert front.event(b"\n\n", key, NDJSON).json == []
