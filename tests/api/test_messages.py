"""Finding messages and telling the story of one; records and their versions."""

import json
from datetime import UTC, datetime

import pytest

from tests.api.calling import MARKER, Front, event, line, line_subject, make


class TestMessages:
    def test_search(self, front: Front, key: str) -> None:
        make(front, key, 5)
        assert front.event(event("other", number=9, data=line(9, description="Jalan 100% Rungkut")), key).status == 202

        def ids(query: str) -> list[str]:
            answer = front.get(f"/v1/messages?{query}", key)
            assert answer.status == 200, answer
            return [item["id"] for item in answer.json["items"]]

        assert ids("") == ["other", "5", "4", "3", "2", "1"]
        assert ids("type=budget.line&limit=1") == ["other"]
        assert ids("type=id.go.surabaya.budget.line.v1&source=e-budgeting&id=3") == ["3"]
        assert ids("source=/systems/e-budgeting&id=3") == ["3"]
        assert ids("q=rungkut") == ["other"]
        assert ids("q=100%25+R") == ["other"]
        assert ids("q=1_0") == []
        assert ids("status=pending&limit=2") == ["other", "5"]
        assert ids("status=dead") == []
        assert ids(f"subject={line_subject(2)}") == ["2"]
        assert ids("since=2020-01-01T00:00:00Z") == ids("")
        assert ids("until=2020-01-01T00:00:00Z") == []
        first = front.get("/v1/messages?limit=4", key).json
        second = front.get(f"/v1/messages?limit=4&cursor={first['next']}", key).json
        assert [item["id"] for item in first["items"] + second["items"]] == ids("")
        assert second["next"] is None
        item = first["items"][0]
        assert item["deliveries"] == {"pending": 1}
        assert datetime.fromisoformat(item["accepted_at"]).tzinfo is not None

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=1000000000",
            f"limit={MARKER}",
            f"cursor={MARKER}",
            f"status={MARKER}",
            "since=2026-01-01",
            f"since={MARKER}",
            "q=" + "x" * 500,
        ],
    )
    def test_wrong_questions(self, refusing: Front, known: str, query: str) -> None:
        answer = refusing.get(f"/v1/messages?{query}", known)
        assert answer.status == 422
        assert answer.slug
        assert MARKER.encode() not in answer.body

    def test_the_story(self, front: Front, key: str) -> None:
        sent = event("a/b c", time="2026-01-31T14:00:00+07:00")
        assert front.event(sent, key).status == 202
        hub_id = front.get("/v1/messages", key).json["items"][0]["hub_id"]
        story = front.get(f"/v1/messages/{hub_id}", key).json
        assert story["id"] == "a/b c"
        assert json.loads(story["raw"]) == sent
        assert story["canonical"] == sent["data"]
        assert story["envelope"]["subject"] == story["subject"]
        assert datetime.fromisoformat(story["envelope"]["time"]) == datetime(2026, 1, 31, 7, tzinfo=UTC)
        (delivery,) = story["deliveries"]
        assert delivery["destination"] == "e-project"
        assert delivery["state"] == "pending"
        assert delivery["attempts"] == []
        assert delivery["target"]
        assert delivery["target_error"] is None
        for path in ("a%2Fb%20c", "a/b%20c", "a%2Fb%20c?source=e-budgeting", "a%2Fb%20c?source=/systems/e-budgeting"):
            assert front.get(f"/v1/messages/{path}", key).json["hub_id"] == hub_id
        for path in ("m999999", "nothing", "a%2Fb%20c?source=e-project"):
            assert front.get(f"/v1/messages/{path}", key).slug == "not-found"


class TestRecords:
    def test_a_record_and_its_versions(self, front: Front, key: str) -> None:
        make(front, key)
        assert front.event(event("2", data=line(amount="2.00")), key).status == 202
        record = front.get(f"/v1/records/budget.line/{line_subject(1)}", key).json
        assert record["version"] == 2
        assert record["data"]["amount"] == "2.00"
        assert [version["id"] for version in record["versions"]] == ["2", "1"]
        assert record["replicas"] == []
        assert not record["deleted"]
        assert front.get("/v1/records/budget.line/nothing", key).slug == "not-found"
        assert front.get(f"/v1/records/{MARKER}/x", key).slug == "not-found"

    def test_keys_with_escapes_are_found_as_pasted_and_as_encoded(self, front: Front) -> None:
        key = front.key("e-budgeting")
        data = {
            "region": "Kota A/B", "fiscal_year": 2026, "organisation": "1", "document": "APBD: murni", "code": "5.1",
            "description": "x", "account": "5.1", "level": 2, "leaf": True, "amount": "1.00",
        }  # fmt: skip
        sent = event(type="id.go.surabaya.budget.document_line.v1", data=data)
        assert front.event(sent, key).status == 202
        subject = "Kota%20A%2FB:2026:1:APBD%3A%20murni:5.1:x"
        for path in (subject, subject.replace("%", "%25"), subject.replace("%", "%25").replace(":", "%3A")):
            answer = front.get(f"/v1/records/budget.document_line/{path}", key)
            assert answer.json["key"] == subject
