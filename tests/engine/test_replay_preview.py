"""What a replay would change, told before it is begun."""

from bus.contract.verdict import Rejected, RetryLater
from bus.engine import replay_jobs, tables
from bus.engine.browse import replays
from bus.engine.replay_filter import ReplayFilter
from tests.engine.hub import incoming


def _preview(hub, wanted, **more):
    with hub.database.reads.connect() as connection:
        return replays.preview(connection, wanted, overwrite=more.get("overwrite", False))


def test_a_preview_counts_what_the_job_then_does(hub):
    for amount in ("1.00", "2.00"):
        hub.accept(*[incoming(f"k{number}", data={"amount": amount, "same": 1}) for number in range(30)])
    hub.deliver_all()
    before = hub.count(tables.deliveries)
    wanted = ReplayFilter(state="delivered")
    (told,) = _preview(hub, wanted)
    assert told["destination"] == "e-project"
    assert told["counts"] == {"resume": 0, "new_delivery": 30, "refused_newer_exists": 30, "nothing": 0}
    assert len(told["samples"]) == 20
    first = told["samples"][0]
    assert (first["would"], first["version"], first["newest_version"]) == ("refused_newer_exists", 1, 2)
    assert first["differs_from_newest"] == ["amount"]
    assert first["changes_at_destination"] == [{"field": "amount", "from": "2.00", "to": "1.00"}]
    assert hub.count(tables.deliveries) == before
    (told,) = _preview(hub, wanted, overwrite=True)
    assert told["counts"]["new_delivery"] == 60
    id = hub.do(
        replay_jobs.create, wanted, overwrite=False, rate=None, actor="person", reason="mended", now=hub.clock()
    )
    seqs, upto = hub.do(replay_jobs.candidates, hub.do(replay_jobs.find, id), 0)
    assert hub.do(replay_jobs.advance, id, seqs, upto, owner="one", now=hub.clock()).going is False
    row = hub.do(replay_jobs.find, id)
    assert (row.resumed, row.renewed, row.refused, row.skipped) == (0, 30, 30, 0)


def test_a_preview_of_ids_says_what_each_would_do(hub):
    hub.post("a")
    hub.deliver_all()
    hub.post("b")
    hub.carry(Rejected("no"))
    hub.post("c")
    hub.carry(RetryLater("busy"))
    ids = tuple(row.id for row in hub.deliveries())
    (told,) = _preview(hub, ReplayFilter(ids=ids))
    assert told["counts"] == {"resume": 1, "new_delivery": 1, "refused_newer_exists": 0, "nothing": 1}
    assert [sample["would"] for sample in told["samples"]] == ["new_delivery", "resume", "nothing"]
    assert told["samples"][1]["changes_at_destination"] is None  # the destination holds nothing of it yet


def test_a_preview_shows_a_deletion_as_one(hub):
    hub.post("k", data={"amount": "1.00"})
    hub.deliver_all()
    hub.post("k", op="delete", data={})
    hub.deliver_all()
    (told,) = _preview(hub, ReplayFilter(state="delivered"))
    assert told["samples"][0]["changes_at_destination"] == [{"field": "op", "from": "delete", "to": "upsert"}]


def test_nested_fields_differ_by_their_names(hub):
    hub.post("k", data={"a": {"b": 1, "c": 2}, "d": [1]})
    hub.deliver_all()
    hub.post("k", data={"a": {"b": 1, "c": 3}, "d": [1, 2]})
    hub.deliver_all()
    (told,) = _preview(hub, ReplayFilter(state="delivered"))
    assert told["samples"][0]["differs_from_newest"] == ["a.c", "d"]
