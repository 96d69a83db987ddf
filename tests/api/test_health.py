"""Liveness, readiness, metrics."""

import pytest

from bus.engine.browse import gauges
from tests.api.calling import Front, event, make
from tests.services.waiting import wait_until


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

    def test_not_ready_on_a_disk_that_is_almost_full(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        from bus.engine import readiness

        monkeypatch.setattr(readiness, "ROOM", 2**62)
        answer = front.get("/readyz")
        assert (answer.status, answer.slug) == (503, "not-ready")
        assert b"full" in answer.body

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

    def test_the_last_counts_are_written_at_the_end(self, front: Front, key: str) -> None:
        front.event(event("1", data={}), key)
        front.stop(gracefully=True)
        with front.hub.database.reads.connect() as connection:
            names = [name for name, *_ in gauges.read(connection, 0).counters]
        assert names == ["arus_messages_rejected_total"]
