"""Subscribing a URL over HTTP."""

from typing import Any

import pytest

from bus.engine.subscribing import live
from tests.api.calling import MARKER, Front, make


class TestSubscriptions:
    def test_the_life_of_one(self, front: Front, key: str) -> None:
        make(front, key, 2)
        reader = front.key("dashboard", "read")
        wanted = {"types": ["budget.*"], "url": "http://127.0.0.1:9/hook", "from": "current"}
        made = front.post("/v1/subscriptions", wanted, reader)
        assert made.status == 201
        document = made.json
        assert document["secret"].startswith("whsec_")
        assert made.headers["location"] == f"/v1/subscriptions/{document['id']}"
        (listed,) = front.get("/v1/subscriptions", reader).json["items"]
        assert listed == {name: value for name, value in document.items() if name != "secret"}
        assert [item["id"] for item in front.get("/v1/messages", reader).json["items"]] == ["2", "1"]
        story = front.get("/v1/messages/2?source=e-budgeting", reader).json
        assert [delivery["destination"] for delivery in story["deliveries"]] == [f"sub:{document['id']}"]
        assert story["raw"] is None
        assert story["deliveries"][0]["target"]["id"] == "2"
        assert front.get("/v1/subscriptions", key).json["items"] == []
        assert front.call("DELETE", f"/v1/subscriptions/{document['id']}", key=key).slug == "not-found"
        assert front.call("DELETE", f"/v1/subscriptions/{document['id']}", key=reader).status == 204
        assert front.call("DELETE", f"/v1/subscriptions/{document['id']}", key=reader).slug == "not-found"
        assert front.get("/v1/subscriptions", reader).json["items"] == []

    def test_the_secret_that_is_made_can_sign(self, front: Front, key: str) -> None:
        from connectors.webhook.sink import WebhookSink

        assert (
            front.post("/v1/subscriptions", {"types": ["budget.line"], "url": "http://localhost/x"}, key).status == 201
        )
        with front.hub.database.reads.connect() as connection:
            (made,) = live(connection)
        WebhookSink(made.url, made.secret)

    @pytest.mark.parametrize(
        ("changed", "slug"),
        [
            ({"types": ["nothing.*"]}, "unknown-type"),
            ({"types": []}, "invalid-request"),
            ({"types": [MARKER]}, "unknown-type"),
            ({"url": f"ftp://{MARKER}"}, "invalid-target"),
            ({"url": "http://"}, "invalid-target"),
            ({"url": f"http://u:{MARKER}@h/"}, "invalid-target"),
            ({"url": "http://[::1"}, "invalid-target"),
            ({"url": f"http://h/a b{MARKER}"}, "invalid-target"),
            ({"url": 5}, "invalid-request"),
            ({"secret": "whsec_!!!"}, "invalid-secret"),
            ({"from": MARKER}, "invalid-request"),
            ({MARKER: 1}, "invalid-request"),
        ],
    )
    def test_what_is_refused(self, refusing: Front, known: str, changed: dict[str, Any], slug: str) -> None:
        wanted = {"types": ["budget.line"], "url": "http://127.0.0.1/x"} | changed
        answer = refusing.post("/v1/subscriptions", wanted, known)
        assert (answer.status, answer.slug) == (422, slug)
        assert MARKER.encode() not in answer.body

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"{", 400),
            (b'{"url":1,"url":2}', 422),
            (b"[" * 50_000, 422),
            (b" " * 70_000, 413),
            (b"[]", 422),
        ],
    )
    def test_bodies_are_read_as_strictly_as_messages(
        self, refusing: Front, known: str, body: bytes, status: int
    ) -> None:
        headers = {"Content-Type": "application/json"}
        answer = refusing.call("POST", "/v1/subscriptions", body, key=known, headers=headers)
        assert answer.status == status
        assert answer.slug
        assert refusing.call("POST", "/v1/subscriptions", b"{}", key=known).slug == "unsupported-media-type"
