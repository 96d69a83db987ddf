"""The hot door over HTTP: every status, and that nothing bad is stored or repeated."""

import json

import pytest
from sqlalchemy import select

from bus.engine.tables import deliveries, messages
from tests.api.calling import (
    MARKER,
    STRUCTURED,
    Front,
    event,
    line,
    stored,
)
from tests.services.waiting import wait_until


def test_accepted_duplicate_conflict(front: Front, key: str) -> None:
    first = front.event(event(), key)
    assert (first.status, first.json) == (202, {"id": "1", "status": "accepted"})
    assert first.headers["content-type"] == "application/json"
    again = event()
    again["traceparent"] = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    again = dict(reversed(again.items()))
    second = front.event(again, key)
    assert (second.status, second.json) == (200, {"id": "1", "status": "duplicate"})
    other = front.event(event(data=line(amount="1.00")), key)
    assert (other.status, other.slug) == (409, "conflict")
    assert stored(front) == 1


def test_an_accepted_message_has_what_was_sent(front: Front, key: str) -> None:
    sent = event(time="2026-01-31T14:00:00.123456+07:00", sequence="007", partitionkey="p 1", extra=None)
    assert front.event(sent, key).status == 202
    with front.hub.database.reads.connect() as connection:
        row = connection.execute(select(messages)).one()
        states = connection.execute(select(deliveries.c.destination, deliveries.c.state)).all()
    assert bytes(row.raw) == json.dumps(sent).encode()
    assert (row.posted_sequence, row.partition, row.op, row.source) == (7, "p 1", "upsert", "e-budgeting")
    assert row.time == 1769842800123456
    assert row.subject == "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.0001"
    assert row.agency == "1.03.0.00.0.00.01.0000"
    assert json.loads(row.data)["amount"] == "1250000000.00"
    assert [tuple(state) for state in states] == [("e-project", "pending")]


def test_a_deletion_has_the_key_fields_alone(front: Front, key: str) -> None:
    assert front.event(event("1"), key).status == 202
    fields = {name: line()[name] for name in ("fiscal_year", "agency", "activity", "account")}
    assert front.event(event("2", data=line(), op="delete"), key).slug == "invalid-data"
    assert front.event(event("3", data=fields, op="delete"), key).status == 202


@pytest.mark.parametrize(
    "subject",
    [
        "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.0024",
        "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.2.1.1.24",
    ],
)
def test_a_subject_agrees_in_canonical_spelling_or_as_posted(front: Front, key: str, subject: str) -> None:
    assert front.event(event(data=line(account="5.1.2.1.1.24"), subject=subject), key).status == 202


BAD_EVENTS = {
    "subject-differs": event(subject=MARKER),
    "unknown-attribute": event(status="delivered"),
    "unknown-attribute-": event(**{MARKER: "x"}),
    "unknown-type": event(type=f"id.go.surabaya.{MARKER}.v1"),
    "unknown-type-short": event(type="budget.line"),
    "type-not-yours": event(type="id.go.surabaya.contract.contract.v1"),
    "source-not-yours": event(source="/systems/e-project"),
    "source-not-yours-": event(source=MARKER),
    "invalid-attribute-specversion": event(specversion="0.3"),
    "invalid-attribute-no-specversion": event(specversion=None),
    "invalid-attribute-id": event(id=""),
    "invalid-attribute-no-id": event(id=None),
    "invalid-attribute-id-long": event(id="x" * 201),
    "invalid-attribute-id-control": event(id="a\nb"),
    "invalid-attribute-id-hidden": event(id="a\u200bb"),
    "invalid-attribute-id-number": event(id=1),
    "invalid-attribute-time": event(time="2026-01-31T14:00:00"),
    "invalid-attribute-time-day": event(time="2026-02-30T14:00:00Z"),
    "invalid-attribute-time-year": event(time="0001-01-01T00:00:00+07:00"),
    "invalid-attribute-time-form": event(time=MARKER),
    "invalid-attribute-sequence": event(sequence="-1"),
    "invalid-attribute-sequence-number": event(sequence=5),
    "invalid-attribute-sequence-long": event(sequence="1" * 19),
    "invalid-attribute-sequence-digits": event(sequence="\u0661"),
    "invalid-attribute-partitionkey": event(partitionkey="x" * 201),
    "invalid-attribute-partitionkey-empty": event(partitionkey=""),
    "invalid-attribute-op": event(op=MARKER),
    "invalid-attribute-datacontenttype": event(datacontenttype="text/xml"),
    "invalid-attribute-dataschema": event(dataschema=""),
    "invalid-data": event(data=line(amount=MARKER)),
    "invalid-data-number": event(data=line(amount=1250000000.5)),
    "invalid-data-integer": event(data=line(amount=1250000000)),
    "invalid-data-unknown": event(data=line(nik=MARKER)),
    "invalid-data-name": event(data=line(**{MARKER: "1"})),
    "invalid-data-bool": event(data=line(fiscal_year=True)),
    "invalid-data-year": event(data=line(fiscal_year=1999)),
    "invalid-data-missing": event(data={}),
    "invalid-data-list": event(data=[line()]),
    "invalid-data-text": event(data=MARKER),
    "invalid-event": [event()],
    "invalid-event-text": MARKER,
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_what_is_wrong_is_named_and_not_repeated(refusing: Front, known: str, name: str) -> None:
    answer = refusing.event(BAD_EVENTS[name], known)
    assert answer.status == 422
    assert name.startswith(answer.slug)
    assert MARKER.encode() not in answer.body
    assert stored(refusing) == 0


def test_a_wrong_field_is_told_in_two_languages(refusing: Front, known: str) -> None:
    (error,) = refusing.event(event(data=line(amount=5)), known).json["errors"]
    assert error["field"] == "data.amount"
    assert "two decimals" in error["english"]
    assert "dua desimal" in error["indonesian"]


def test_null_attributes_are_absent_and_a_broken_trace_is_ignored(front: Front, key: str) -> None:
    sent = event(traceparent="nonsense") | {"subject": None, "sequence": None}
    assert front.event(sent, key).status == 202


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 400, "empty-body"),
        (b"{", 400, "invalid-json"),
        (b"\xff\xfe{}", 400, "not-utf-8"),
        (b'{"id":"1","id":"2"}', 422, "duplicate-member"),
        (json.dumps(event()).replace("5.1.02", "5.1.02\\u0000").encode(), 422, "nul-character"),
        (b'{"data":' + b"[" * 70 + b"]" * 70 + b"}", 422, "too-deep"),
    ],
)
def test_what_is_no_good_json(refusing: Front, known: str, body: bytes, status: int, slug: str) -> None:
    answer = refusing.event(body, known)
    assert (answer.status, answer.slug) == (status, slug)


def test_who_may_post(front: Front, key: str) -> None:
    assert front.event(event(), None).slug == "unauthorized"
    answer = front.event(event(), "arus_000000000000_wrong")
    assert (answer.status, answer.slug) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    reader = front.key("e-budgeting", "read")
    assert (front.event(event(), reader).status, front.event(event(), reader).slug) == (403, "insufficient-scope")
    stranger = front.key("newcomer", "post,read")
    assert front.event(event(source="/systems/newcomer"), stranger).slug == "type-not-yours"
    assert front.call("POST", f"/v1/messages?key={key}", b"{}").status == 401
    assert stored(front) == 0


def test_a_revoked_key_fails(front: Front, key: str) -> None:
    from bus.engine import registry

    assert front.event(event(), key).status == 202
    front.hub.writer.call(lambda c: registry.revoke_key(c, key.split("_")[1], actor="test", now=front.hub.clock()))
    wait_until(lambda: front.event(event("2"), key).status == 401, timeout=1)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json", "application/cloudevents+json; charset=latin-1"]
)
def test_other_media_types(refusing: Front, known: str, content_type: str) -> None:
    answer = refusing.event(event(), known, content_type)
    assert (answer.status, answer.slug) == (415, "unsupported-media-type")


def test_compressed_bodies_are_not_taken(refusing: Front, known: str) -> None:
    headers = {"Content-Type": STRUCTURED, "Content-Encoding": "gzip"}
    assert refusing.call("POST", "/v1/messages", b"x", key=known, headers=headers).slug == "unsupported-media-type"


def test_other_methods(refusing: Front, known: str) -> None:
    answer = refusing.call("DELETE", "/v1/messages", key=known)
    assert (answer.status, answer.slug) == (405, "method-not-allowed")
