"""Who posts for a destination that is too far behind hears 429 with Retry-After; nobody else does."""

import json
from pathlib import Path

import pytest
from sqlalchemy import update

from bus.engine import backlog, subscribing
from bus.engine.backlog import Backlog
from bus.engine.registers import subscriptions
from bus.engine.tables import deliveries
from bus.entrypoints.settings import Settings
from tests.api.calling import NDJSON, Front, event, make, stored
from tests.services.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(backlog, "FRESH", 0.02)
    return Settings(home=tmp_path / "home", max_backlog=3)


def _all_become(front: Front, **values: object) -> None:
    front.hub.writer.call(lambda connection: connection.execute(update(deliveries).values(**values)))


def _refused(front: Front, key: str) -> bool:
    """Post an event that is stored already: it changes nothing, whether it is taken or not."""
    return front.event(event("1"), key).status == 429


def test_at_the_limit_posters_wait_and_go_on_when_there_is_room(front: Front, key: str) -> None:
    make(front, key, 3)
    wait_until(lambda: _refused(front, key), what="the backlog is seen")
    answer = front.event(event("4", 4), key)
    assert (answer.status, answer.slug) == (429, "backlog")
    assert int(answer.headers["retry-after"]) >= 1
    assert front.event(json.dumps(event("5", 5)).encode(), key, NDJSON).slug == "backlog"
    assert stored(front) == 3
    _all_become(front, state="delivered", holds=0)
    wait_until(lambda: not _refused(front, key), what="there is room again")
    assert front.event(event("4", 4), key).status == 202


def test_who_posts_for_other_destinations_is_not_held_back(front: Front, key: str) -> None:
    other = front.key("e-project")
    make(front, key, 3)
    wait_until(lambda: _refused(front, key), what="the backlog is seen")
    assert front.event({}, other).status == 422  # it got past the check


@pytest.mark.parametrize("state", ["dead", "parked"])
def test_what_waits_for_a_person_is_no_backlog(front: Front, key: str, state: str) -> None:
    make(front, key, 3)
    wait_until(lambda: _refused(front, key), what="the backlog is seen")
    _all_become(front, state=state)
    wait_until(lambda: not _refused(front, key), what="there is room again")


class TestCounting:
    def test_a_subscription_is_a_destination_of_its_types(self, front: Front, key: str) -> None:
        hub = front.hub
        made = hub.writer.call(
            lambda connection: subscribing.subscribe(
                connection, "e-project", "http://127.0.0.1:9/", ["budget.*"],
                secret=None, start="now", actor="test", now=hub.clock(),
            )
        )  # fmt: skip
        make(front, key, 2)
        ended_elsewhere = update(deliveries).where(deliveries.c.destination == "e-project").values(state="delivered")
        hub.writer.call(lambda connection: connection.execute(ended_elsewhere))
        counted = Backlog(hub.database, hub.routing)
        counted.count()
        assert counted.before({"budget.line"}) == 2
        assert counted.before({"project.package"}) == 0
        removed = update(subscriptions).where(subscriptions.c.id == made.id).values(removed_at=1)
        hub.writer.call(lambda connection: connection.execute(removed))
        counted.count()
        assert counted.before({"budget.line"}) == 0

    def test_a_count_that_took_long_is_kept_for_longer(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [100.0]
        monkeypatch.setattr(backlog, "FRESH", 1.0)
        counted = Backlog(front.hub.database, front.hub.routing, lambda: now[0])
        assert counted.stale
        counted.count()
        now[0] += 0.9
        assert not counted.stale
        now[0] += 0.2
        assert counted.stale

        def slowly(_connection: object) -> dict[str, int]:
            now[0] += 2.0
            return {}

        monkeypatch.setattr(backlog, "by_destination", slowly)
        counted.count()
        now[0] += 2.0 * backlog.SHARE - 1
        assert not counted.stale
        now[0] += 2
        assert counted.stale
