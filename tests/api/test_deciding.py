"""What waits and failed, and the acts of a person on it; switching systems off and on."""

import threading
from typing import Any

import pytest
from sqlalchemy import update

from bus.engine import controls
from bus.engine.tables import deliveries
from bus.entrypoints import deeds
from tests.api.calling import Front, event, line_subject, make
from tests.services.waiting import wait_until


def become(front: Front, **values: Any) -> str:
    """Put the only delivery into a state, as the engine would; answers its id."""
    front.hub.writer.call(lambda connection: connection.execute(update(deliveries).values(**values)))
    with front.hub.database.reads.connect() as connection:
        return str(connection.execute(deliveries.select()).one().id)


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
        make(front, front.key("e-budgeting"))
        (item,) = front.get("/v1/parked", operator).json["items"]
        assert (item["state"], item["parked"], item["due_at"]) == ("parked", "paused", None)
        assert front.get("/v1/parked?reason=paused", operator).json["items"] == [item]
        assert front.get("/v1/parked?reason=parent", operator).json["items"] == []
        assert b'arus_parked{reason="paused"} 1.0' in front.get("/metrics", operator).body
        assert front.post("/v1/systems/e-project/resume", {"reason": "x"}, operator).json["paused"] is False
        assert front.get("/v1/parked", operator).json["items"] == []
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
