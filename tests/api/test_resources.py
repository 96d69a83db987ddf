"""Everything but the hot door: finding, telling, subscribing, deciding, switching."""

import csv
import io
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import update

from bus.engine import controls, registry, rejecting
from bus.engine.registers import snapshots
from bus.engine.subscribing import live
from bus.engine.tables import deliveries
from bus.entrypoints import deeds
from tests.api.calling import AGENCY, Front, event, line
from tests.services.waiting import wait_until

MARKER = "3578012345678901"


def make(front: Front, key: str, count: int = 1) -> None:
    for number in range(1, count + 1):
        assert front.event(event(str(number), number=number), key).status == 202


def become(front: Front, **values: Any) -> str:
    """Put the only delivery into a state, as the engine would; answers its id."""
    front.hub.writer.call(lambda connection: connection.execute(update(deliveries).values(**values)))
    with front.hub.database.reads.connect() as connection:
        return str(connection.execute(deliveries.select()).one().id)


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
    def test_wrong_questions(self, front: Front, key: str, query: str) -> None:
        answer = front.get(f"/v1/messages?{query}", key)
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


def line_subject(number: int) -> str:
    return f"2026:{AGENCY}:1.03.10.2.01.0029:5.1.02.01.01.{number:04d}"


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


class TestSchemas:
    def test_every_type(self, front: Front, key: str) -> None:
        from jsonschema import Draft202012Validator

        items = front.get("/v1/schemas", key).json["items"]
        assert {item["short"] for item in items} == set(front.hub.catalogue.types)
        for item in items:
            schema = front.get(f"/v1/schemas/{item['short']}", key).json
            assert front.get(f"/v1/schemas/{item['type']}", key).json == schema
            Draft202012Validator.check_schema(schema)
            assert schema["examples"]
            for example in schema["examples"]:
                Draft202012Validator(schema).validate(example)
            assert schema["x-arus-key"] == item["key"]
            assert schema["x-arus-feeds"] == item["feeds"]
        assert front.get("/v1/schemas/nothing", key).slug == "not-found"
        assert front.get("/v1/schemas").slug == "unauthorized"

    def test_the_openapi_document(self, front: Front) -> None:
        document = front.get("/openapi.json").json
        OpenAPIV31SpecValidator(document).validate()
        assert {"get", "post"} <= set(document["paths"]["/v1/messages"])
        assert front.get("/docs").slug == "not-found"


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
    def test_what_is_refused(self, front: Front, key: str, changed: dict[str, Any], slug: str) -> None:
        wanted = {"types": ["budget.line"], "url": "http://127.0.0.1/x"} | changed
        answer = front.post("/v1/subscriptions", wanted, key)
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
    def test_bodies_are_read_as_strictly_as_messages(self, front: Front, key: str, body: bytes, status: int) -> None:
        headers = {"Content-Type": "application/json"}
        answer = front.call("POST", "/v1/subscriptions", body, key=key, headers=headers)
        assert answer.status == status
        assert answer.slug
        assert front.call("POST", "/v1/subscriptions", b"{}", key=key).slug == "unsupported-media-type"


class TestDeciding:
    def test_parked_and_resolved(self, front: Front, key: str, operator: str) -> None:
        make(front, key)
        id = become(front, state="parked", parked="ambiguous", reason="no answer", due_at=0)
        (item,) = front.get("/v1/parked", key).json["items"]
        assert (item["id"], item["parked"], item["message"]["id"]) == (id, "ambiguous", "1")
        assert front.get("/v1/parked?reason=parent", key).json["items"] == []
        assert front.get("/v1/parked?destination=e-project", key).json["items"] == [item]
        decision = {"as": "delivered", "reason": "seen at the destination"}
        assert front.post(f"/v1/deliveries/{id}/resolve", decision, key).slug == "insufficient-scope"
        for wrong in ({"as": "maybe", "reason": "x"}, {"as": "retry"}, {"as": "retry", "reason": ""}):
            assert front.post(f"/v1/deliveries/{id}/resolve", wrong, operator).slug == "invalid-request"
        answer = front.post(f"/v1/deliveries/{id}/resolve", decision, operator)
        assert answer.json == {"id": id, "state": "delivered"}
        assert front.post(f"/v1/deliveries/{id}/resolve", decision, operator).status == 409
        assert front.post("/v1/deliveries/none/resolve", decision, operator).slug == "not-found"
        record = front.get(f"/v1/records/budget.line/{line_subject(1)}", key).json
        assert [replica["destination"] for replica in record["replicas"]] == ["e-project"]

    def test_failures_and_replay(self, front: Front, key: str, operator: str) -> None:
        make(front, key, 3)
        front.hub.writer.call(
            lambda connection: [
                connection.execute(
                    update(deliveries)
                    .where(deliveries.c.seq == number)
                    .values(
                        state="dead", holds=0, reason=f"gave up after {number} tries", settled_at=number * 1_000_000
                    )
                )
                for number in (1, 2, 3)
            ]
        )
        (group,) = front.get("/v1/failures", key).json["items"]
        assert (group["destination"], group["state"], group["count"]) == ("e-project", "dead", 3)
        assert group["first"] < group["last"]
        with front.hub.database.reads.connect() as connection:
            ids = [row.id for row in connection.execute(deliveries.select().order_by(deliveries.c.seq))]
        again = {"reason": "mended"}
        assert front.post(f"/v1/deliveries/{ids[0]}/replay", again, key).slug == "insufficient-scope"
        sent = front.post(f"/v1/deliveries/{ids[0]}/replay", again, operator).json
        assert sent == {"id": ids[0], "status": "replayed", "sent": ids[0]}
        assert front.post(f"/v1/deliveries/{ids[0]}/replay", again, operator).slug == "not-replayable"
        results = front.post("/v1/replays", {"ids": [ids[1], "none", ids[0]], "reason": "x"}, operator).json["items"]
        assert [result["status"] for result in results] == ["replayed", "refused", "refused"]
        assert front.get("/v1/failures", key).json["items"][0]["count"] == 1

    def test_replay_of_an_older_version_needs_a_word(self, front: Front, key: str, operator: str) -> None:
        make(front, key)
        id = become(front, state="delivered", holds=0)
        assert front.event(event("2"), key).status == 202
        assert front.post(f"/v1/deliveries/{id}/replay", {"reason": "x"}, operator).slug == "newer-version"
        again = front.post(f"/v1/deliveries/{id}/replay", {"reason": "x", "overwrite": True}, operator).json
        assert again["sent"] != id


class TestInputs:
    def reject(self, front: Front) -> None:
        from bus.contract.feed import FieldProblem, Row
        from bus.engine.snapshot_plan import Bad

        feed = front.hub.catalogue.feed("e-budgeting", "rka")
        row = Row(number=2, line=3, values={}, raw="=cmd();1")
        bad = Bad(row, (FieldProblem("amount", "not a number", "bukan angka", "Jumlah"),))
        front.hub.writer.call(
            lambda connection: rejecting.write(
                connection, feed, [bad], file="rka.csv", digest="d", now=front.hub.clock()
            )
        )

    def test_rejections(self, front: Front, key: str) -> None:
        self.reject(front)
        (item,) = front.get("/v1/rejections", key).json["items"]
        assert (item["file"], item["row"], item["line"], item["raw"]) == ("rka.csv", 2, 3, "=cmd();1")
        assert item["problems"][0]["indonesian"] == "bukan angka"
        assert front.get("/v1/rejections?feed=apbd", key).json["items"] == []
        answer = front.get("/v1/rejections", key, Accept="text/csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        (told,) = csv.DictReader(io.StringIO(answer.body.decode()))
        assert (told["column"], told["english"], told["raw"]) == ("Jumlah", "not a number", "'=cmd();1")

    def test_snapshots(self, front: Front, key: str, operator: str) -> None:
        front.hub.writer.call(
            lambda connection: connection.execute(
                snapshots.insert().values(
                    id="s1", system="e-budgeting", feed="rka", scopes="[]", file="f", content=b"", state="held",
                    rows=1, deletions=30, size=100, at=1,
                )
            )
        )  # fmt: skip
        (item,) = front.get("/v1/snapshots?state=held", key).json["items"]
        assert (item["id"], item["deletions"]) == ("s1", 30)
        assert front.get("/v1/snapshots", front.key("e-project")).json["items"] == []
        assert front.post("/v1/snapshots/s1/refuse", {"reason": "x"}, key).slug == "insufficient-scope"
        assert front.post("/v1/snapshots/s1/refuse", {}, operator).slug == "invalid-request"
        assert front.post("/v1/snapshots/s1/refuse", {"reason": "x"}, operator).json["state"] == "refused"
        assert front.post("/v1/snapshots/s1/approve", {"reason": "x"}, operator).slug == "not-held"
        assert front.post("/v1/snapshots/none/approve", {"reason": "x"}, operator).slug == "not-found"


class TestSystems:
    def test_listed(self, front: Front, key: str, operator: str) -> None:
        systems = {item["system"]: item for item in front.get("/v1/systems", operator).json["items"]}
        assert systems["e-budgeting"]["feeds"] == ["apbd", "rka"]
        assert systems["e-project"]["sinks"]
        assert systems["ops"]["external"]
        assert [item["system"] for item in front.get("/v1/systems", key).json["items"]] == ["e-budgeting"]

    def test_pause_answers_when_every_worker_has_seen_it(self, front: Front, operator: str) -> None:
        hub = front.hub
        hub.writer.call(lambda connection: controls.sign(connection, "w", hub.clock(), 0))
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(front.post("/v1/systems/e-project/pause", {"reason": "x"}, operator))
        )
        asking.start()

        def switched() -> bool:
            with hub.database.reads.connect() as connection:
                return controls.read(connection).paused == {"e-project"}

        wait_until(switched)
        assert not answers
        hub.writer.call(lambda connection: controls.sign(connection, "w", hub.clock(), 1))
        asking.join(10)
        assert answers[0].json == {"system": "e-project", "paused": True}
        hub.writer.call(lambda connection: controls.sign_off(connection, "w"))
        assert front.post("/v1/systems/e-project/resume", {"reason": "x"}, operator).json["paused"] is False
        assert not switched()

    def test_a_worker_that_does_not_confirm(self, front: Front, operator: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deeds, "CONFIRMATION", 0.05)
        front.hub.writer.call(lambda connection: controls.sign(connection, "w", 2**53, 0))
        answer = front.post("/v1/systems/e-project/pause", {"reason": "x"}, operator)
        assert (answer.status, answer.slug) == (503, "not-confirmed")
        assert "retry-after" in answer.headers

    def test_who_may(self, front: Front, key: str, operator: str) -> None:
        assert front.post("/v1/systems/e-project/pause", {"reason": "x"}, key).slug == "insufficient-scope"
        assert front.post("/v1/systems/nobody/pause", {"reason": "x"}, operator).slug == "not-found"


class TestHealth:
    def test_ready(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        from bus.engine import readiness

        assert front.get("/livez").status == 200
        assert front.get("/readyz").json == {"status": "ready"}
        monkeypatch.setattr(readiness, "head", lambda: "later")
        assert front.get("/readyz").slug == "not-ready"

    def test_not_ready_without_a_store(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        from bus.engine import readiness
        from bus.engine.writer import StoreUnavailable

        def fail(*_: object, **__: object) -> None:
            raise StoreUnavailable("full")

        monkeypatch.setattr(readiness, "probe", fail)
        assert (front.get("/readyz").status, front.get("/livez").status) == (503, 200)

    def test_metrics(self, front: Front, key: str) -> None:
        make(front, key)
        front.event(event("2", data={}), key)
        told = 'arus_messages_rejected_total{reason="invalid-data",system="e-budgeting"} 1.0'
        wait_until(lambda: told in front.get("/metrics").body.decode())
        text = front.get("/metrics").body.decode()
        assert 'arus_messages_accepted_total{system="e-budgeting",type="budget.line"} 1.0' in text
        assert 'arus_pending{destination="e-project",state="pending"} 1.0' in text
        assert front.get("/metrics", **{"X-Forwarded-For": "1.2.3.4"}).slug == "unauthorized"
        assert front.get("/metrics", key, **{"X-Forwarded-For": "1.2.3.4"}).status == 200


def test_unknown_addresses_and_methods(front: Front, key: str) -> None:
    assert front.get(f"/v1/{MARKER}", key).slug == "not-found"
    answer = front.call("PUT", "/v1/parked", key=key)
    assert (answer.status, answer.slug) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


def test_every_address_of_v1_asks_for_a_key(front: Front) -> None:
    """What a stranger may ask is listed here, and nothing else."""
    document = front.get("/openapi.json").json
    asked = 0
    for path, operations in document["paths"].items():
        for method in operations:
            address = path.replace("{type}", "budget.line").replace("{", "").replace("}", "")
            answer = front.call(method.upper(), address, b"{}", headers={"Content-Type": "application/json"})
            if path in {"/livez", "/readyz", "/metrics"}:
                assert answer.status == 200
            else:
                assert (answer.status, answer.slug) == (401, "unauthorized"), path
                asked += 1
    assert asked > 15


def test_a_key_that_only_posts_reads_nothing(front: Front) -> None:
    key = front.key("e-budgeting", "post")
    for path in ("/v1/messages", "/v1/parked", "/v1/rejections", "/v1/systems", "/v1/subscriptions", "/v1/failures"):
        assert front.get(path, key).slug == "insufficient-scope"


def test_admin_may_all(front: Front) -> None:
    admin = front.key("ops", "admin")
    assert registry.Identity("", "", None, frozenset({"admin"})).sees_all
    assert front.get("/v1/parked", admin).status == 200
    assert front.post("/v1/systems/e-project/pause", {"reason": "x"}, admin).status == 200
