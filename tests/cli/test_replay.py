"""``arus replay`` by filter: what it would change, begun, listed, stopped; and wrong usage."""

from pathlib import Path

import pytest
from sqlalchemy import update

from bus.engine.tables import deliveries
from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import open_hub
from tests.cli.conftest import Arus

RKA = """\
tahun;kode_skpd;kode_sub_giat;kode_akun;rincian
2026;1.03.0.00.0.00.01.0000;1.03.10.2.01.0029;5.1.02.01.01.0024;1.250.000,00
2026;1.03.0.00.0.00.01.0000;1.03.10.2.01.0030;5.1.02.01.01.0024;2.250.000,00
"""


@pytest.fixture
def dead(arus: Arus, home: Path, tmp_path: Path) -> int:
    """Dead deliveries of two records; answers how many."""
    path = tmp_path / "rka.csv"
    path.write_text(RKA, encoding="utf-8")
    arus("intake", "e-budgeting", "rka", path)
    hub = open_hub(Settings(home=home))
    values = {"state": "dead", "holds": 0, "reason": "HTTP 422: no"}
    changed = hub.writer.call(lambda connection: connection.execute(update(deliveries).values(**values)).rowcount)
    hub.close()
    assert changed == 2
    return changed


def test_looked_at_begun_listed_stopped(arus: Arus, dead: int) -> None:
    filtered = ("--state", "dead", "--cause", "HTTP 400: no", "--since", "2020-01-01T00:00:00+07:00")
    told = arus("replay", *filtered, "--dry-run", "--reason", "look", "--json").json
    assert sum(one["counts"]["resume"] for one in told["destinations"]) == dead
    assert "not there yet" in arus("replay", *filtered, "--dry-run").out
    begun = arus("replay", *filtered, "--rate", "2.5", "--overwrite", "--reason", "mended", "--json").json
    assert (begun["state"], begun["rate"], begun["overwrite"], begun["reason"]) == ("running", 2.5, True, "mended")
    assert begun["actor"].startswith("cli")
    assert begun["id"] in arus("replay", "--list").out
    assert arus("replay", "--list", "--json").json == [begun]
    stopped = arus("replay", "--stop", begun["id"], "--reason", "enough", "--json").json
    assert (stopped["state"], stopped["counts"]["resume"]) == ("stopped", 0)
    assert "stopped" in arus("replay", "--stop", begun["id"]).out


def test_ids_can_be_looked_at_too(arus: Arus, dead: int) -> None:
    example = arus("failures", "--json").json[0]["example"]
    told = arus("replay", example, "--dry-run", "--json").json
    assert [one["counts"]["resume"] for one in told["destinations"]] == [1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["x", "--state", "dead"], 2),
        (["--state", "superseded"], 2),
        (["--since", "yesterday"], 2),
        (["--state", "dead", "--rate", "0"], 2),
        (["--stop", "none", "--list"], 2),
        (["--stop", "none"], 1),
        (["--type", "no.type"], 1),
    ],
)
def test_wrong_usage(arus: Arus, words: list[str], code: int) -> None:
    assert arus("replay", *words, code=code).err
