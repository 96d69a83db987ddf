"""``arus bench``: it measures; how fast is no matter here."""

import json
from collections import Counter
from types import SimpleNamespace

import pytest

from bus.entrypoints.bench import backlog, figures, run
from bus.entrypoints.bench.load import event
from bus.entrypoints.bench.processes import BenchFailed, drain, module, received

ACCEPTED = {"accepted", "p50_ms", "p95_ms"}
DELIVERED = {*ACCEPTED, "delivered"}
HUB = {*DELIVERED, *(f"bulk_{name}" for name in DELIVERED)}
BACKLOG = {*ACCEPTED, "bulk_accepted", "drained", *backlog.PAGES}


def _told(capsys):
    return json.loads(capsys.readouterr().out)


def _names(told):
    for side in told.values():
        assert all(one["least"] <= one["median"] <= one["most"] and one["most"] > 0 for one in side.values())
    return {name: set(side) for name, side in told.items()}


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Settings of a real hub, which must be left alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARUS_DATABASE_URL", f"sqlite:///{tmp_path / 'real.db'}")
    yield
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(300)
def test_a_short_run_prints_its_figures(monkeypatch, capsys, elsewhere):
    monkeypatch.setattr(run, "ROUNDS", 1)
    assert run.bench(seconds=0.3, distributed=False, as_json=True) == 0
    told = _told(capsys)
    assert _names(told["figures"]) == {"echo": ACCEPTED, "embedded": HUB}
    assert set(told["ratios"]) == {"echo"}


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_the_do_it_yourself_solution_stands_beside_both_ways_of_running(monkeypatch, capsys, elsewhere):
    monkeypatch.setattr(run, "ROUNDS", 1)
    assert run.bench(seconds=0.3, distributed=True, as_json=True) == 0
    told = _told(capsys)
    assert _names(told["figures"]) == {"echo": ACCEPTED, "diy": DELIVERED, "embedded": HUB, "distributed": HUB}
    assert set(told["ratios"]["diy"]) == {"echo", "embedded", "distributed"}


@pytest.mark.timeout(300)
def test_a_backlog_is_held_beside_an_empty_store(monkeypatch, capsys, elsewhere):
    monkeypatch.setattr(backlog, "WINDOWS", 1)
    assert backlog.bench(2_000, seconds=0.3, distributed=False, as_json=True) == 0
    told = _told(capsys)["sqlite"]
    assert _names(told["figures"]) == {"full": BACKLOG, "empty": BACKLOG}
    assert set(told["ratios"]) == {"full"}


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_a_backlog_is_held_beside_an_empty_store_in_both_databases(monkeypatch, capsys, elsewhere):
    monkeypatch.setattr(backlog, "WINDOWS", 1)
    assert backlog.bench(5_000, seconds=0.3, distributed=True, as_json=True) == 0
    told = _told(capsys)
    assert [_names(told[store]["figures"]) for store in ("sqlite", "postgresql")] == [
        {"full": BACKLOG, "empty": BACKLOG}
    ] * 2


def test_the_do_it_yourself_solution_carries_what_it_accepts_and_refuses_what_is_no_event(monkeypatch, tmp_path):
    from bus.entrypoints.bench import diy, diy_worker

    monkeypatch.setattr(diy, "deliver", SimpleNamespace(delay=diy_worker.deliver))  # at once, without a broker
    accept = next(route.endpoint for route in diy.create().routes if route.path == "/v1/messages")
    with module("target", tmp_path, "/received") as target:
        monkeypatch.setenv("DIY_TARGET", f"{target}/hook/diy")
        assert accept(diy.Event(**event("one", 1, 1))) == {"status": "accepted"}
        assert received(target, "diy")[0] == 1
    with pytest.raises(ValueError, match="specversion"):
        diy.Event(id="no event")


def test_a_ratio_is_taken_in_its_round_and_against_what_the_rival_does():
    rounds = [
        {"diy": {"accepted": 2.0, "delivered": 1.0}, "hub": {"accepted": 8.0, "bulk_delivered": 2.0}},
        {"diy": {"accepted": 4.0, "delivered": 3.0}, "hub": {"accepted": 8.0, "bulk_delivered": 3.0}},
        {"diy": {"accepted": 1.0, "delivered": 1.0}, "hub": {"accepted": 9.0, "bulk_delivered": 9.0}},
    ]
    found = figures.ratios(rounds, "diy")["hub"]
    assert found["accepted"] == figures.Figure(4.0, 2.0, 9.0)
    assert found["bulk_delivered"] == figures.Figure(2.0, 1.0, 9.0)


def test_the_table_names_each_figure_with_its_unit(capsys):
    rounds = [{"echo": {"accepted": 16.0}, "hub": {"accepted": value}} for value in (2.0, 8.0, 4.0)]
    figures.table(figures.figures(rounds), {"echo": figures.ratios(rounds, "echo")})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["median", "least", "most", "of", "echo"]
    assert lines[2].split() == ["hub", "accepted/s", "4.00", "2.00", "8.00", "0.25"]


def test_no_side_always_comes_after_the_same():
    turns = run.turns(["echo", "embedded", "distributed", "diy"], 4)
    assert Counter(turn[0] for turn in turns) == dict.fromkeys(["echo", "embedded", "distributed", "diy"], 1)
    assert all(sorted(turn) == sorted(turns[0]) for turn in turns)


def test_who_does_not_deliver_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("bus.entrypoints.bench.processes.DRAIN_SECONDS", 0.3)
    with module("target", tmp_path, "/received") as target:
        assert received(target, "diy") == (0, 0.0)
        with pytest.raises(BenchFailed, match="diy has delivered 0 of 1"):
            drain(target, "diy", 1)
