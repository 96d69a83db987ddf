"""``/v1/replays``: by filter in the background, looked at before, stopped at once."""

import asyncio
import contextlib
import json
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from bus.engine import registers, replay_jobs
from bus.engine.tables import deliveries
from bus.entrypoints.replay_runner import ReplayRunner
from tests.api.calling import Front, make
from tests.services import wait_until_async


@pytest.fixture
def dead(front: Front, key: str) -> Front:
    """Five dead deliveries."""
    make(front, key, 5)
    values = {"state": "dead", "holds": 0, "reason": "HTTP 422: no", "settled_at": 1}
    front.hub.writer.call(lambda connection: connection.execute(update(deliveries).values(**values)))
    return front


def _states(front: Front) -> list[str]:
    with front.hub.database.reads.connect() as connection:
        return [row.state for row in connection.execute(select(deliveries.c.state).order_by(deliveries.c.seq))]


def _ids(front: Front) -> list[str]:
    with front.hub.database.reads.connect() as connection:
        return [row.id for row in connection.execute(select(deliveries.c.id).order_by(deliveries.c.seq))]


def _audited(front: Front, action: str) -> list[Any]:
    audit = registers.audit
    with front.hub.database.reads.connect() as connection:
        return list(connection.execute(select(audit).where(audit.c.action == action)))


async def _rounds(front: Front, count: int = 20) -> None:
    runner = ReplayRunner(front.hub, "test")
    for _ in range(count):
        await runner.round()


def _begin(front: Front, operator: str, **more: Any) -> Any:
    body = {"filter": {"state": "dead"}, "reason": "mended", **more}
    answer = front.post("/v1/replays", body, operator)
    assert answer.status == 202, answer
    assert answer.headers["location"] == f"/v1/replays/{answer.json['id']}"
    return answer.json


async def test_a_filter_runs_in_the_background(dead: Front, operator: str) -> None:
    job = _begin(dead, operator, filter={"destination": "e-project", "reason": "HTTP 400: no"})
    assert (job["state"], job["counts"]["resume"]) == ("running", 0)
    assert set(_states(dead)) == {"dead"}
    await _rounds(dead)
    done = dead.get(f"/v1/replays/{job['id']}", operator).json
    assert (done["state"], done["counts"]["resume"], done["error"]) == ("done", 5, None)
    assert done["filter"] == {"destination": "e-project", "reason": "HTTP 400: no"}
    assert done["ended_at"]
    assert set(_states(dead)) == {"pending"}
    assert dead.get("/v1/replays", operator).json == {"items": [done], "next": None}


async def test_stopped_it_sets_nothing_more_going(dead: Front, operator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_jobs, "PORTION", 2)
    job = _begin(dead, operator)
    runner = ReplayRunner(dead.hub, "test")
    await runner.round()
    assert _states(dead).count("pending") == 2
    stopped = dead.post(f"/v1/replays/{job['id']}/stop", {"reason": "enough"}, operator)
    assert (stopped.status, stopped.json["state"], stopped.json["counts"]["resume"]) == (200, "stopped", 2)
    for _ in range(5):
        await runner.round()
    assert _states(dead).count("pending") == 2
    assert dead.post("/v1/replays/none/stop", {"reason": "x"}, operator).slug == "not-found"
    assert dead.get("/v1/replays/none", operator).slug == "not-found"


async def test_a_replay_that_waits_for_its_rate_holds_no_other(dead: Front, operator: str) -> None:
    slow = _begin(dead, operator, rate=0.5)
    runner = ReplayRunner(dead.hub, "test")
    assert await runner.round() > replay_jobs.BUCKET / 10
    assert _states(dead).count("pending") == 1
    quick = _begin(dead, operator)
    for _ in range(5):
        await runner.round()
    assert _states(dead).count("pending") == 5
    assert dead.get(f"/v1/replays/{quick['id']}", operator).json["state"] == "done"
    assert dead.get(f"/v1/replays/{slow['id']}", operator).json["state"] == "running"


async def test_a_fault_in_one_replay_is_told_and_ends_it_alone(
    dead: Front, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _begin(dead, operator)

    def broken(*_args: Any, **_more: Any) -> None:
        raise KeyError("a value")

    monkeypatch.setattr(replay_jobs, "advance", broken)
    await _rounds(dead, 2)
    failed = dead.get(f"/v1/replays/{job['id']}", operator).json
    assert (failed["state"], failed["error"]) == ("failed", "KeyError")


async def test_a_store_that_is_away_for_a_moment_ends_no_replay(
    dead: Front, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _begin(dead, operator)
    asked = []

    def away(*args: Any, **_more: Any) -> None:
        asked.append(args)
        raise OperationalError("x", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(replay_jobs, "candidates", away)
        running = asyncio.create_task(ReplayRunner(dead.hub, "test").run())
        await wait_until_async(lambda: bool(asked), what="the runner has looked")
        assert not running.done()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    await _rounds(dead)
    assert dead.get(f"/v1/replays/{job['id']}", operator).json["state"] == "done"


def test_a_dry_run_says_what_would_change_and_changes_nothing(dead: Front, operator: str) -> None:
    body = {"filter": {"state": "dead", "source": "/systems/e-budgeting"}, "dry_run": True, "reason": "look"}
    answer = dead.post("/v1/replays", body, operator)
    assert answer.status == 200
    (told,) = answer.json["destinations"]
    assert (told["destination"], told["counts"]["resume"], len(told["samples"])) == ("e-project", 5, 5)
    assert set(_states(dead)) == {"dead"}
    assert dead.get("/v1/replays", operator).json["items"] == []
    (row,) = _audited(dead, "replay previewed")
    assert json.loads(row.detail)["shown"] == [sample["id"] for sample in told["samples"]]
    ids = dead.post("/v1/replays", {"ids": _ids(dead)[:2], "dry_run": True, "reason": "look"}, operator).json
    assert ids["destinations"][0]["counts"]["resume"] == 2


def test_ids_are_sent_again_at_once(dead: Front, operator: str) -> None:
    ids = _ids(dead)
    answer = dead.post("/v1/replays", {"ids": [ids[0], "none"], "reason": "x"}, operator)
    assert (answer.status, [item["status"] for item in answer.json["items"]]) == (200, ["replayed", "refused"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filter"),
        ({"filter": {"state": "dead"}, "ids": ["a"]}, "filter"),
        ({"filter": {"state": "superseded"}}, "filter.state"),
        ({"filter": {"from": "2026-01-01T00:00:00"}}, "filter.from"),
        ({"filter": {"from": 5}}, "filter.from"),
        ({"filter": {"to": "yesterday"}}, "filter.to"),
        ({"filter": {"state": "dead"}, "rate": 0}, "rate"),
        ({"filter": {"state": "dead"}, "rate": "5"}, "rate"),
        ({"filter": {"unknown": "dead"}}, "filter.?"),
        ({"ids": []}, "ids"),
        ({"filter": {}}, "filter"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    front: Front, operator: str, body: dict[str, Any], field: str
) -> None:
    answer = front.post("/v1/replays", {"reason": "x", **body}, operator)
    assert answer.status == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_who_may(front: Front, key: str, operator: str) -> None:
    body = {"filter": {"state": "dead"}, "reason": "x"}
    assert front.post("/v1/replays", body, key).slug == "insufficient-scope"
    assert front.get("/v1/replays", key).slug == "insufficient-scope"
    assert front.get("/v1/replays/x", key).slug == "insufficient-scope"
    assert front.post("/v1/replays/x/stop", {"reason": "x"}, key).slug == "insufficient-scope"
    assert front.post("/v1/replays", {"filter": {"state": "dead"}}, operator).slug == "invalid-request"
    assert front.post("/v1/replays", {"filter": {"type": "no.type"}, "reason": "x"}, operator).slug == "not-found"


def test_times_and_a_fractional_rate_are_taken(front: Front, operator: str) -> None:
    body = {"filter": {"from": "2026-01-01T00:00:00+07:00", "to": "2026-01-02T00:00:00Z"}, "rate": 0.5, "reason": "x"}
    job = front.post("/v1/replays", body, operator).json
    assert job["filter"] == {"from": "2026-01-01T00:00:00+07:00", "to": "2026-01-02T07:00:00+07:00"}
    assert job["rate"] == 0.5


def test_the_openapi_document_shows_the_body_without_foreign_references(front: Front) -> None:
    document = front.get("/openapi.json").json
    schema = document["paths"]["/v1/replays"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "$defs" not in json.dumps(schema)
    assert "$ref" not in json.dumps(schema)
    assert "destination" in json.dumps(schema["properties"]["filter"])
