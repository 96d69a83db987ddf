"""``arus bench``: it measures; how fast is no matter here."""

import contextlib
import json

import pytest

from bus.entrypoints.bench import run

RATES = {"echo", "single", "end_to_end", "bulk", "bulk_end_to_end"}
SHARES = {"single_of_echo", "end_to_end_of_echo"}
TIMES = {"echo_p95_ms", "single_p95_ms"}


@pytest.mark.timeout(300)
def test_a_short_run_prints_its_figures(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(run, "ROUNDS", 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARUS_DATABASE_URL", f"sqlite:///{tmp_path / 'real.db'}")
    assert run.bench(seconds=0.3, as_json=True) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == RATES | SHARES | TIMES
    assert all(isinstance(value, float) and value > 0 for value in figures.values())
    assert list(tmp_path.iterdir()) == []


def test_the_table_names_each_figure_with_its_unit(monkeypatch, capsys):
    rounds = iter([2.0, 8.0, 4.0])

    def measured(*_arguments):
        value = next(rounds)
        return dict.fromkeys(RATES | TIMES, 1.0) | {"single": value, "echo": 16.0}

    monkeypatch.setattr(run, "_round", measured)
    monkeypatch.setattr(run, "_process", lambda *_arguments: contextlib.nullcontext("http://127.0.0.1:9"))
    assert run.bench(seconds=1, as_json=False) == 0
    table = capsys.readouterr().out.splitlines()
    assert last_word(table, "hub, one event a post, accepted/s") == "4.00"
    assert last_word(table, "  of the endpoint") == "0.25"


def last_word(table, beginning):
    return next(line for line in table if line.startswith(beginning)).split()[-1]
