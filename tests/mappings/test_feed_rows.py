"""What every feed module does with good, bad and hostile rows, without the real files."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mappings.e_procurement import (
    master_satker,
    nontender_bast,
    nontender_kontrak,
    nontender_pengumuman,
    spse_pengumuman,
)
from mappings.problems import problems
from tests.mappings.feeds import modules_with

GOLDEN = Path(__file__).parent / "golden"
FEEDS = {name: module for name, module in modules_with("to_canonical").items() if name.split("/")[0] != "e_budgeting"}


def _golden(case: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads((GOLDEN / case / "source.json").read_text("utf-8"), parse_float=Decimal)
    return row


def _accepted(feed: str) -> dict[str, Any]:
    folder = next(folder for folder in sorted(GOLDEN.glob(f"{feed}__*")) if (folder / "canonical.json").exists())
    return _golden(str(folder.relative_to(GOLDEN)))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.binary(max_size=4),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
)


@pytest.mark.parametrize("feed", FEEDS)
@given(data=st.data())
def test_any_junk_in_any_column_is_a_record_or_a_refusal(feed: str, data: st.DataObject):
    row = _accepted(feed)
    for column in data.draw(st.lists(st.sampled_from(sorted(row)), min_size=1, max_size=3, unique=True)):
        row[column] = data.draw(JUNK)
    _either_way(FEEDS[feed], row)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("row", [{}, {"": 1}, {None: ["too", "many", "cells"]}, {"\x00": "\x00"}])
def test_a_row_of_another_form_is_refused(feed: str, row: Mapping[str, Any]):
    with pytest.raises(ValidationError) as refusal:
        FEEDS[feed].to_canonical(row)
    assert "wajib diisi" in {problem.indonesian for problem in problems(refusal.value)}
    assert FEEDS[feed].record_key(row) is None
    assert FEEDS[feed].scope(row) is None
    assert FEEDS[feed].event_date(row) == ""


def _either_way(module: ModuleType, row: dict[str, Any]) -> None:
    module.scope(row)
    assert isinstance(module.event_date(row), str)
    try:
        record = module.to_canonical(row)
    except ValueError as error:
        found = problems(error)
    else:
        assert module.record_key(row) == record.subject
        assert type(record).from_data(json.loads(json.dumps(record.to_data()))) == record
        return
    assert all(problem.field in row or problem.field.partition(".")[0] in row for problem in found)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_new_column_changes_nothing(feed: str):
    row = _accepted(feed)
    assert FEEDS[feed].to_canonical({**row, "kolom_baru": "x", "_inserted_date": "2026-01-01"}) == FEEDS[
        feed
    ].to_canonical(row)


@pytest.mark.parametrize("feed", [name for name in FEEDS if name.startswith("e_procurement/") and "spse" not in name])
def test_dates_of_the_pull_are_no_part_of_the_record(feed: str):
    row, module = _accepted(feed), FEEDS[feed]
    later = {**row, "_event_date": "2027-01-01", "tgl_penarikan": "2027-01-01", "_inserted_date": "2027-01-01 00:00:00"}
    assert module.to_canonical(later) == module.to_canonical(row)
    assert module.event_date(later) > module.event_date(row)


@pytest.mark.parametrize("name", ["npwp_16_penyedia", "npwp16_penyedia", "npwp_penyedia_16"])
def test_the_tax_number_has_three_names(name: str):
    row = {key: value for key, value in _golden("e_procurement/nontender_kontrak__signed").items() if "npwp" not in key}
    assert nontender_kontrak.to_canonical({**row, name: "0012345678901000"}).supplier_tax_number == "0012345678901000"
    assert nontender_kontrak.to_canonical(row).supplier_tax_number is None


def test_a_bad_row_still_tells_its_key_and_its_scope():
    row = {**_golden("e_procurement/nontender_bast__instalment"), "besar_pembayaran": "banyak", "kd_satker_str": None}
    with pytest.raises(ValidationError):
        nontender_bast.to_canonical(row)
    assert (
        nontender_bast.record_key(row)
        == nontender_bast.to_canonical(_golden("e_procurement/nontender_bast__instalment")).subject
    )
    assert nontender_bast.scope(row) == ("D999", "2026")


def test_a_row_whose_key_cannot_be_read_has_none():
    row = _golden("e_procurement/nontender_bast__instalment")
    assert nontender_bast.record_key({**row, "tgl_bap": "kemarin"}) is None
    assert nontender_bast.record_key({**row, "versi_addendum": ""}) is None


def test_the_scope_has_the_year_only_where_the_feed_has_one():
    row = _golden("e_procurement/nontender_pengumuman__from_csv")
    assert nontender_pengumuman.scope(row) == ("D999", "2026")
    assert nontender_pengumuman.scope({**row, "tahun_anggaran": "dua ribu"}) is None
    assert nontender_pengumuman.scope({**row, "kd_klpd": ""}) is None
    assert master_satker.scope(_golden("e_procurement/master_satker__agency")) == ("D999",)


def test_the_citys_own_announcement_leads_to_its_package():
    tender = spse_pengumuman.to_canonical(_golden("e_procurement/spse_pengumuman__announced"))
    assert (tender.register, tender.package_code) == ("spse", "PKT-2026-000123")


def test_numbering_that_differs_in_white_space_alone_is_one_contract():
    row = _golden("e_procurement/nontender_kontrak__signed")
    spaced = {**row, "no_kontrak": "\t000.3.2/  290 /SPK/CONTOH/2026 "}
    assert nontender_kontrak.record_key(spaced) == nontender_kontrak.record_key(row)
    assert nontender_kontrak.record_key(
        {**row, "no_kontrak": "000.3.2/290/SPK/CONTOH/2026"}
    ) != nontender_kontrak.record_key(row)
