"""An OPD is written in many ways; the table of agencies, which master-satker fills, gives each its one code."""

import json
import sqlite3

import pytest
from sqlalchemy import event

from tests.intake.hub import (
    APPOINTMENT,
    BUDGET_OPD,
    E_PROCUREMENT,
    RKA,
    SPPBJ,
    accounts,
    letter,
    line,
    numbers,
    rka,
)

MASTER = (E_PROCUREMENT, "master-satker")
NAME = "DINAS PEKERJAAN UMUM"


@pytest.fixture
def taught(either_hub):
    row = {"kd_satker_str": BUDGET_OPD, "nama_satker": NAME, "kd_satker": 96020, "kd_klpd": "D107"}
    assert either_hub.counts(MASTER, [row]) == {"rows": 1, "created": 1}
    return either_hub


@pytest.mark.parametrize("spelling", [NAME, "Dinas Pekerjaan Umum", "dinas  pekerjaan-umum.", BUDGET_OPD])
def test_an_rka_file_may_name_the_opd(taught, spelling):
    assert taught.counts(RKA, rka(line(1, agency=spelling)), "rka.csv") == {"rows": 1, "created": 1}
    (record,) = taught.records("budget.line").values()
    assert record["agency"] == BUDGET_OPD
    # The line belongs to the code: written by its code it is the same line of the same document.
    assert taught.counts(RKA, rka(line(1)), "rka.csv") == {"rows": 1, "unchanged": 1}
    assert {row.agency for row in taught.messages() if row.type == "budget.line"} == {BUDGET_OPD}


def test_a_name_that_nobody_taught_is_refused_until_it_is_known(hub):
    named = rka(line(1, agency=NAME), line(2))
    assert hub.counts(RKA, named, "rka.csv") == {"rows": 2, "created": 1, "rejected": 1}
    assert [one["field"] for one in json.loads(hub.rejections()[0].problems)] == ["agency"]
    hub.counts(MASTER, [{"kd_satker_str": BUDGET_OPD, "nama_satker": NAME, "kd_klpd": "D107"}])
    assert hub.counts(RKA, named, "rka.csv") == {"rows": 2, "created": 1, "unchanged": 1}
    assert hub.rejections() == []
    assert accounts(hub) == {1: "100.00", 2: "100.00"}


def test_a_new_name_leads_to_the_same_code_and_the_newest_meaning_wins(taught):
    other = "1.04.0.00.0.00.02.0000"
    taught.counts(MASTER, [{"kd_satker_str": BUDGET_OPD, "nama_satker": "DPUBM", "kd_klpd": "D107"}])
    taught.counts(RKA, rka(line(1, agency="DPUBM"), line(2, agency=NAME)), "rka.csv")
    assert {data["agency"] for data in taught.records("budget.line").values()} == {BUDGET_OPD}
    # Another document: the same file again would now delete what it no longer says.
    taught.counts(MASTER, [{"kd_satker_str": other, "nama_satker": NAME, "kd_klpd": "D108"}])
    taught.counts(RKA, rka(line(3, agency=NAME), title="RKA Perubahan"), "rka.csv")
    agencies = [data["agency"] for data in taught.records("budget.line").values() if data["account"].endswith("3")]
    assert agencies == [other]


def test_isb_rows_may_name_it_too_and_a_list_in_its_place_is_a_bad_row(taught):
    rows = [letter(1, kd_satker_str=NAME), letter(2, kd_satker_str=[NAME]), letter(3, kd_satker_str={"a": 1})]
    assert taught.counts(SPPBJ, rows) == {"rows": 3, "created": 1, "rejected": 2}
    assert taught.records(APPOINTMENT)["nontender:10043893000:1%2FSPPBJ:0"]["agency"] == BUDGET_OPD
    assert numbers(taught) == [1]


def test_more_strange_names_than_a_statement_takes(hub):
    """Databases bind 32,766 or 65,535 values at most; here fewer, so that a small file shows it."""

    @event.listens_for(hub.database.reads, "checkout")
    def _narrow(connection, _record, _proxy):
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1000)

    lines = [line(1, agency=f"Dinas {number}") for number in range(1500)]
    assert hub.counts(RKA, rka(*lines, line(1)), "rka.csv") == {"rows": 1501, "created": 1, "rejected": 1500}
