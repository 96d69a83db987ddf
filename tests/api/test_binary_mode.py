"""CloudEvents binary mode: attributes in headers."""

import json

import pytest

from tests.api.calling import (
    Front,
    event,
    line,
)


class TestBinaryMode:
    def headers(self, **changed: str) -> dict[str, str]:
        made = {
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": "b-1",
            "ce-source": "/systems/e-budgeting",
            "ce-type": "id.go.surabaya.budget.line.v1",
        }
        return made | {name.replace("_", "-"): value for name, value in changed.items()}

    def post(self, front: Front, key: str, headers: dict[str, str]):
        return front.call("POST", "/v1/messages", json.dumps(line()), key=key, headers=headers)

    def test_is_the_same_event_as_structured(self, front: Front, key: str) -> None:
        assert self.post(front, key, self.headers()).json == {"id": "b-1", "status": "accepted"}
        assert front.event(event("b-1"), key).json == {"id": "b-1", "status": "duplicate"}

    @pytest.mark.parametrize(
        ("sent", "id"),
        [("a%20b", "a b"), ("%E2%82%AC", "\u20ac"), ("100%2525", "100%25"), ('"a\\"b"', 'a"b')],
    )
    def test_values_are_decoded_once(self, front: Front, key: str, sent: str, id: str) -> None:
        assert self.post(front, key, self.headers(ce_id=sent)).json["id"] == id

    @pytest.mark.parametrize("sent", ["%C0%AF", "%ff", "100%", "%zz", "\xe9", "a%00b", "%ED%A0%80"])
    def test_what_cannot_be_decoded_is_refused(self, refusing: Front, known: str, sent: str) -> None:
        answer = self.post(refusing, known, self.headers(ce_id=sent))
        assert (answer.status, answer.slug) == (400, "invalid-header")

    def test_unknown_and_doubled_headers(self, front: Front, key: str) -> None:
        assert self.post(front, key, self.headers(ce_status="x")).slug == "unknown-attribute"
        assert self.post(front, key, self.headers(ce_datacontenttype="x")).slug == "invalid-header"
        request = (
            f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\n"
            "ce-specversion: 1.0\r\nce-id: 1\r\nce-id: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        )
        received = front.raw(request.encode())
        assert b" 400 " in received.splitlines()[0]
        assert b"invalid-header" in received
