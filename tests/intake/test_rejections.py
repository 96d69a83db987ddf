"""Refused rows are kept: which row and line, why in both languages, and the row as it came."""

import json

from sqlalchemy import select

from bus.engine import registers
from bus.engine.intake import Intake
from monitoring.metrics import tally
from tests.intake.hub import BUDGET_OPD, CATALOGUE, OPD, RKA, SPPBJ, as_csv, letter, letters, line, rka


def _told(row):
    return [(one["field"], one["column"]) for one in json.loads(row.problems)]


def test_row_line_reasons_and_the_row_itself(either_hub):
    hub = either_hub
    bad = line(2, "seratus")
    hub.take(RKA, rka(line(1), bad, "", line(3), f"2026;{BUDGET_OPD};;;1,00"), "rka.csv")
    first, second = hub.rejections()
    assert (first.file, first.row, first.line, first.raw.strip()) == ("rka.csv", 2, 5, bad)
    assert (second.row, second.line) == (4, 8)
    assert (first.system, first.feed, first.agency, first.at) == (*RKA, BUDGET_OPD, hub.clock.now)
    assert _told(first) == [("amount", "rincian")]
    assert {field for field, _ in _told(second)} == {"activity", "account"}
    for row in (first, second):
        for problem in json.loads(row.problems):
            assert problem["english"] != problem["indonesian"]
            assert "seratus" not in problem["english"] + problem["indonesian"]


def test_json_rows_keep_their_exact_text(either_hub):
    text = json.dumps(letter(1, harga_final="?", nama_paket="a\u0000b \u2028 é")).replace(": ", " :\t")
    either_hub.take(SPPBJ, f"[{json.dumps(letter(2))},\n  {text}]")
    (row,) = either_hub.rejections()
    assert (row.row, row.raw, row.agency) == (2, text, OPD)


def test_the_same_file_again_replaces_what_it_left(either_hub):
    hub = either_hub
    bad = letters(1, 2, harga_final="?")
    hub.take(SPPBJ, bad, "a.json")
    hub.clock.forward(60)
    hub.take(SPPBJ, bad, "b.json")
    assert [(row.file, row.row, row.at) for row in hub.rejections()] == [
        ("b.json", 1, hub.clock.now), ("b.json", 2, hub.clock.now),
    ]  # fmt: skip
    hub.take(SPPBJ, [*bad, letter(3)], "b.json")
    assert len(hub.rejections()) == 4, "other content is another file, whatever its name"
    (other,) = {row.file_sha256 for row in hub.rejections() if row.row == 1} - {hub.rejections()[0].file_sha256}
    assert other


def test_two_feeds_do_not_mix(hub):
    content = as_csv(letters(1, harga_final="?"))
    hub.take(SPPBJ, content, "a.csv")
    hub.take(("e-procurement", "nontender-kontrak"), content, "a.csv")
    assert [row.feed for row in hub.rejections()] == ["nontender-sppbj", "nontender-kontrak"]


def test_they_are_counted_for_monitoring(hub):
    acceptor = hub.intake._acceptor
    intake = Intake(hub.database, hub.writer, acceptor, hub.clock, tally)
    intake.take(CATALOGUE.feed(*SPPBJ), json.dumps(letters(1, 2, harga_final="?")).encode(), "a", actor="x")
    with hub.database.reads.connect() as connection:
        counted = connection.execute(select(registers.counters)).all()
    assert [row.value for row in counted if "rejected" in row.name] == [2]
