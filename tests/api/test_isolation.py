"""One agency never sees another's: every list, every single thing, every count; and what is foreign looks unknown."""

from typing import Any

import pytest
from sqlalchemy import update

from bus.engine.registers import rejections, snapshots
from bus.engine.tables import deliveries
from tests.api.calling import AGENCY, OTHER_AGENCY, Front, event, line

SECRET = "Rumah Sakit Rahasia"


@pytest.fixture
def foreign(front: Front) -> dict[str, str]:
    """Something of everything that belongs to e-budgeting and to OTHER_AGENCY; answers the ids."""
    owner = front.key("e-budgeting")
    data = line(agency=OTHER_AGENCY, description=SECRET)
    assert front.event(event("theirs", data=data), owner).status == 202
    made = front.post("/v1/subscriptions", {"types": ["project.*"], "url": "http://127.0.0.1:9/theirs"}, owner)

    def write(connection: Any) -> str:
        connection.execute(update(deliveries).values(state="parked", parked="ambiguous", reason=SECRET))
        connection.execute(
            rejections.insert().values(
                system="e-budgeting", feed="rka", problems="[]", raw=SECRET, agency=OTHER_AGENCY, at=1
            )
        )
        connection.execute(
            snapshots.insert().values(
                id="theirs", system="e-budgeting", feed="rka", scopes="[]", file=SECRET, content=b"", state="held",
                rows=1, deletions=1, size=1, at=1,
            )
        )  # fmt: skip
        return str(connection.execute(deliveries.select()).one().id)

    delivery = front.hub.writer.call(write)
    message = front.get("/v1/messages", owner).json["items"][0]
    return {
        "delivery": delivery,
        "hub_id": message["hub_id"],
        "subject": message["subject"],
        "subscription": made.json["id"],
    }


LISTS = ("messages", "parked", "failures", "rejections", "snapshots", "subscriptions")


@pytest.mark.parametrize("system", ["bystander", "e-procurement"])
def test_a_stranger_sees_nothing(front: Front, foreign: dict[str, str], system: str) -> None:
    stranger = front.key(system, "post,read", agency=AGENCY if system == "bystander" else None)
    for name in LISTS:
        assert front.get(f"/v1/{name}", stranger).json == {"items": [], "next": None}, name
    assert front.get("/v1/messages?q=Rahasia", stranger).json["items"] == []
    assert front.get("/v1/messages?source=e-budgeting&id=theirs", stranger).json["items"] == []
    assert SECRET.encode() not in front.get("/v1/rejections", stranger, Accept="text/csv").body
    assert [item["system"] for item in front.get("/v1/systems", stranger).json["items"]] == [system]


def test_a_foreign_thing_looks_unknown(front: Front, foreign: dict[str, str]) -> None:
    stranger = front.key("bystander", "post,read", agency=AGENCY)
    pairs = [
        (f"/v1/messages/{foreign['hub_id']}", "/v1/messages/m999"),
        ("/v1/messages/theirs", "/v1/messages/nobodys"),
        ("/v1/messages/theirs?source=e-budgeting", "/v1/messages/nobodys?source=e-budgeting"),
        (f"/v1/records/budget.line/{foreign['subject']}", "/v1/records/budget.line/2026:x"),
    ]
    for theirs, nobodys in pairs:
        seen, unknown = front.get(theirs, stranger), front.get(nobodys, stranger)
        assert (seen.status, seen.body) == (404, unknown.body), theirs
        assert front.get(theirs, front.key("e-budgeting")).status == 200, theirs
    removed = front.call("DELETE", f"/v1/subscriptions/{foreign['subscription']}", key=stranger)
    assert (removed.status, removed.body) == (404, front.call("DELETE", "/v1/subscriptions/x", key=stranger).body)


def test_the_agency_of_the_record_sees_it(front: Front, foreign: dict[str, str]) -> None:
    agency = front.key("dinkes", "read", agency=OTHER_AGENCY)
    (item,) = front.get("/v1/messages", agency).json["items"]
    assert item["hub_id"] == foreign["hub_id"]
    assert front.get(f"/v1/messages/{item['hub_id']}", agency).json["raw"]
    assert len(front.get("/v1/parked", agency).json["items"]) == 1
    assert len(front.get("/v1/rejections", agency).json["items"]) == 1
    assert front.get(f"/v1/records/budget.line/{foreign['subject']}", agency).status == 200
    assert front.get("/v1/snapshots", agency).json["items"] == []


def test_the_receiver_sees_what_is_given_to_it_and_no_more(front: Front, foreign: dict[str, str]) -> None:
    """A route gives e-project the message; deliveries to others and the raw form are not its business."""
    front.post(
        "/v1/subscriptions", {"types": ["budget.*"], "url": "http://127.0.0.1:9/b"}, front.key("dashboard", "read")
    )
    assert (
        front.event(event("2", data=line(agency=OTHER_AGENCY, amount="3.00")), front.key("e-budgeting")).status == 202
    )
    receiver = front.key("e-project", "read")
    item = front.get("/v1/messages?id=2", receiver).json["items"][0]
    assert sum(item["deliveries"].values()) == 1
    story = front.get(f"/v1/messages/{item['hub_id']}", receiver).json
    assert [delivery["destination"] for delivery in story["deliveries"]] == ["e-project"]
    assert story["raw"] is None
    assert story["raw_base64"] is None
    record = front.get(f"/v1/records/budget.line/{foreign['subject']}", receiver).json
    assert record["version"] == 2


def test_an_operator_sees_all(front: Front, foreign: dict[str, str], operator: str) -> None:
    for name in LISTS:
        assert (front.get(f"/v1/{name}", operator).json["items"] == []) == (name == "failures"), name
    assert front.get(f"/v1/messages/{foreign['hub_id']}", operator).status == 200


@pytest.mark.parametrize(("state", "seen"), [("delivered", 1), ("pending", 0)])
def test_how_a_delivery_to_another_stands_is_no_filter(front: Front, state: str, seen: int) -> None:
    """A subscriber has its message; that e-project still waits for the same one is not told by what is found."""
    subscriber = front.key("dashboard", "read")
    front.post("/v1/subscriptions", {"types": ["budget.*"], "url": "http://127.0.0.1:9/b"}, subscriber)
    assert front.event(event("1"), front.key("e-budgeting")).status == 202
    own = update(deliveries).where(deliveries.c.destination != "e-project").values(state="delivered", holds=0)
    front.hub.writer.call(lambda connection: connection.execute(own).rowcount)
    assert len(front.get(f"/v1/messages?status={state}", subscriber).json["items"]) == seen
