"""Rejections and held snapshots over HTTP."""

import csv
import io

from bus.engine import rejecting
from bus.engine.registers import snapshots
from tests.api.calling import (
    Front,
)


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
