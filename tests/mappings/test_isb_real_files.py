"""The eight ISB feeds in their real files: every row accounted for, money to the cent, JSON and CSV alike."""

import csv
import hashlib
import importlib
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mappings.problems import problems

Row = dict[str, Any]


class Feed(NamedTuple):
    """A feed's module, its file, what the file is known to hold, and its money column -> canonical field."""

    module: str
    file: str
    rows: int
    keys: int
    money: dict[str, str]


FEEDS = [
    Feed("nontender_pengumuman", "SPSE-NonTenderPengumuman", 2386, 2386, {"pagu": "ceiling", "hps": "estimate"}),
    Feed(
        "nontender_selesai",
        "SPSE-NonTenderSelesai",
        1868,
        1868,
        {
            "pagu": "ceiling",
            "hps": "estimate",
            "nilai_penawaran": "bid_value",
            "nilai_terkoreksi": "corrected_value",
            "nilai_negosiasi": "negotiated_value",
            "nilai_kontrak": "contract_value",
            "nilai_pdn_kontrak": "domestic_value",
            "nilai_umk_kontrak": "small_business_value",
        },
    ),
    Feed(
        "nontender_sppbj",
        "SPSE-NonTenderEkontrak-1SPPBJ",
        1302,
        1302,
        {"harga_final": "final_price", "nilai_jaminan_pelaksanaan": "bond_value"},
    ),
    Feed(
        "nontender_kontrak",
        "SPSE-NonTenderEkontrak-2Kontrak",
        1047,
        1039,
        {"nilai_kontrak": "value", "nilai_pdn_kontrak": "domestic_value", "nilai_umk_kontrak": "small_business_value"},
    ),
    Feed("nontender_spmk", "SPSE-NonTenderEkontrak-3SPMKSPP", 965, 965, {}),
    Feed(
        "nontender_bast",
        "SPSE-NonTenderEkontrak-4BAPBAST",
        863,
        423,
        {"besar_pembayaran": "payment", "nilai_kontrak": "contract_value"},
    ),
    Feed("tender_pengumuman", "SPSE-TenderPengumuman", 92, 92, {"pagu": "ceiling", "hps": "estimate"}),
    Feed("master_satker", "RUP-MasterSatker", 165, 165, {}),
]
REFUSED = {"tender_pengumuman": [("kd_satker_str", "harus kode OPD 22 karakter, misalnya 1.02.0.00.0.00.02.0000")]}
"""One tender of a city-owned water company, whose agency code is ``01``."""


def _rows(folder: Path, feed: Feed) -> list[Row]:
    text = (folder / "isb" / f"{feed.file}.json").read_text("utf-8")
    rows: list[Row] = json.loads(text, parse_float=Decimal)
    return rows


def _module(feed: Feed) -> Any:
    return importlib.import_module(f"mappings.e_procurement.{feed.module}")


def _as_csv(rows: list[Row], write: Callable[[Any], Any]) -> list[Row]:
    """The rows after a CSV file: written by the standard writer, read by the standard reader."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows({name: write(value) for name, value in row.items()} for row in rows)
    file.seek(0)
    return list(csv.DictReader(file))


def _as_float_column(value: Any) -> Any:
    """What a table tool makes of an integer once a cell of its column is empty."""
    return f"{value}.0" if isinstance(value, int) else value


def _hashes(feed: Feed, rows: list[Row]) -> list[str]:
    module, found = _module(feed), []
    for row in rows:
        try:
            data = module.to_canonical(row).to_data()
        except ValueError as error:
            data = {"problems": [problem.field for problem in problems(error)]}
        found.append(hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest())
    return found


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.module)
class TestEveryFeed:
    def test_every_row_is_accepted_or_refused_for_the_known_reason(self, feed: Feed, shared_data: Path):
        rows, refused = _rows(shared_data, feed), []
        for row in rows:
            try:
                _module(feed).to_canonical(row)
            except ValueError as error:
                refused += [(problem.field, problem.indonesian) for problem in problems(error)]
        assert len(rows) == feed.rows
        assert refused == REFUSED.get(feed.module, [])
        assert len(refused) <= 0.02 * len(rows)

    def test_the_keys_are_as_many_as_were_counted(self, feed: Feed, shared_data: Path):
        module, rows = _module(feed), _rows(shared_data, feed)
        keys = {module.record_key(row) for row in rows}
        assert None not in keys
        assert len(keys) == feed.keys

    def test_record_key_is_the_subject(self, feed: Feed, shared_data: Path):
        module = _module(feed)
        for row in _rows(shared_data, feed):
            if feed.module in REFUSED and len(row["kd_satker_str"]) != 22:
                continue
            assert module.record_key(row) == module.to_canonical(row).subject

    def test_money_is_exact(self, feed: Feed, shared_data: Path):
        """Against the digits of the file, put in cents by text alone."""
        module = _module(feed)
        text = (shared_data / "isb" / f"{feed.file}.json").read_text("utf-8")
        for row, digits in zip(_rows(shared_data, feed), json.loads(text, parse_float=str, parse_int=str), strict=True):
            if feed.module in REFUSED and len(row["kd_satker_str"]) != 22:
                continue
            data = module.to_canonical(row).to_data()
            for column, field in feed.money.items():
                expected = digits[column]
                if expected is not None:
                    whole, _, cents = expected.partition(".")
                    expected = f"{whole}.{cents:0<2}"
                assert data.get(field) == expected, column

    def test_csv_of_the_same_rows_hashes_alike(self, feed: Feed, shared_data: Path):
        rows = _rows(shared_data, feed)
        hashes = _hashes(feed, rows)
        assert len(set(hashes)) >= feed.keys * 0.98
        assert _hashes(feed, _as_csv(rows, lambda value: value)) == hashes
        assert _hashes(feed, _as_csv(rows, _as_float_column)) == hashes

    def test_scope_and_event_date_are_readable_in_every_row(self, feed: Feed, shared_data: Path):
        module, rows = _module(feed), _rows(shared_data, feed)
        scopes = {module.scope(row) for row in rows}
        expected = {
            (row["kd_klpd"], str(row["tahun_anggaran"])) if "tahun_anggaran" in row else (row["kd_klpd"],)
            for row in rows
        }
        assert scopes == expected
        assert [bool(module.event_date(row)) for row in rows] == ["_event_date" in row for row in rows]

    def test_no_official_and_no_bank_account_goes_on(self, feed: Feed, shared_data: Path):
        module = _module(feed)
        for row in _rows(shared_data, feed):
            private = {
                str(value)
                for name, value in row.items()
                if value and name.startswith(("nip_", "nama_ppk", "nama_pokja", "no_rek", "nama_pemilik", "wakil_sah"))
            }
            try:
                said = module.to_canonical(row).to_data()
            except ValueError:
                continue
            supplier = {row.get("nama_penyedia")}  # a person may sign for the firm that bears his name
            assert not (private - supplier) & {str(value) for value in said.values()}


def test_the_river_narrows_as_measured(shared_data: Path):
    """Distinct packages of each step that went through all steps before it."""
    steps = [feed for feed in FEEDS if feed.module.startswith("nontender")]
    assert [feed.module.partition("_")[2] for feed in steps] == [
        "pengumuman",
        "selesai",
        "sppbj",
        "kontrak",
        "spmk",
        "bast",
    ]
    flow: set[str] | None = None
    counts = []
    for feed in steps:
        codes = {_module(feed).to_canonical(row).code for row in _rows(shared_data, feed)}
        flow = codes if flow is None else flow & codes
        counts.append(len(flow))
    assert counts == [2386, 1868, 1291, 1029, 957, 302]


def test_every_contract_document_finds_its_appointment_number_in_one_spelling(shared_data: Path):
    """Numbers of papers that refer to each other are normalised alike, so that they join."""
    by_module = {feed.module: feed for feed in FEEDS}
    letters = {
        (record.code, record.number)
        for record in map(
            _module(by_module["nontender_sppbj"]).to_canonical, _rows(shared_data, by_module["nontender_sppbj"])
        )
    }
    kontrak = by_module["nontender_kontrak"]
    joined = [
        (record.code, record.appointment_number) in letters
        for record in map(_module(kontrak).to_canonical, _rows(shared_data, kontrak))
    ]
    assert sum(joined) / len(joined) > 0.95
