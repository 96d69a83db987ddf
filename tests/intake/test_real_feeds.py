"""The national feeds of a whole year through ``arus intake``: every row accounted for, money exact, cuts held.

What is expected is worked out here from the files, in the simplest way, by nothing of the hub's own code.
"""

import json
import shutil
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import quote, unquote

import pytest

from tests.intake.command import Arus

SYSTEM = "e-procurement"


class Feed(NamedTuple):
    """``key`` and ``money``: columns of the source; money -> field of the record. ``cut``: cut to 80 % it is held."""

    name: str
    file: str
    type: str
    register: str
    rows: int
    records: int
    key: tuple
    money: dict
    rejected: int = 0
    cut: bool = False


FEEDS = {
    feed.name: feed
    for feed in (
        Feed("master-satker", "RUP-MasterSatker", "reference.agency", "rup", 165, 165, ("kd_satker_str",), {}),
        Feed(
            "tender-pengumuman", "SPSE-TenderPengumuman", "procurement.tender", "tender", 92, 91, ("kd_tender",),
            {"pagu": "ceiling", "hps": "estimate"}, rejected=1,
        ),
        Feed(
            "nontender-pengumuman", "SPSE-NonTenderPengumuman", "procurement.tender", "nontender", 2386, 2386,
            ("kd_nontender",), {"pagu": "ceiling", "hps": "estimate"}, cut=True,
        ),
        Feed(
            "nontender-selesai", "SPSE-NonTenderSelesai", "procurement.award", "nontender", 1868, 1868,
            ("kd_nontender",),
            {
                "pagu": "ceiling", "hps": "estimate", "nilai_penawaran": "bid_value",
                "nilai_terkoreksi": "corrected_value", "nilai_negosiasi": "negotiated_value",
                "nilai_kontrak": "contract_value", "nilai_pdn_kontrak": "domestic_value",
                "nilai_umk_kontrak": "small_business_value",
            },
            cut=True,
        ),
        Feed(
            "nontender-sppbj", "SPSE-NonTenderEkontrak-1SPPBJ", "contract.appointment", "nontender", 1302, 1302,
            ("kd_nontender", "no_sppbj", "versi_addendum"),
            {"harga_final": "final_price", "nilai_jaminan_pelaksanaan": "bond_value"}, cut=True,
        ),
        Feed(
            "nontender-kontrak", "SPSE-NonTenderEkontrak-2Kontrak", "contract.contract", "nontender", 1047, 1039,
            ("kd_nontender", "no_kontrak", "versi_addendum"),
            {
                "nilai_kontrak": "value", "nilai_pdn_kontrak": "domestic_value",
                "nilai_umk_kontrak": "small_business_value",
            },
            cut=True,
        ),
        Feed(
            "nontender-spmk", "SPSE-NonTenderEkontrak-3SPMKSPP", "contract.commencement", "nontender", 965, 965,
            ("kd_nontender", "no_kontrak", "no_spmk_spp", "versi_addendum"), {}, cut=True,
        ),
        Feed(
            "nontender-bast", "SPSE-NonTenderEkontrak-4BAPBAST", "contract.handover", "nontender", 863, 423,
            ("kd_nontender", "no_kontrak", "versi_addendum", "no_bap", "no_bast", "tgl_bap"),
            {"besar_pembayaran": "payment", "nilai_kontrak": "contract_value"},
        ),
    )
}  # fmt: skip
CUT = [feed.name for feed in FEEDS.values() if feed.cut]


def path_of(folder, feed):
    return folder / "isb" / f"{feed.file}.json"


def source_rows(path):
    return json.loads(path.read_text("utf-8"), parse_float=Decimal)


def key_of(feed, row):
    """The record's key: the register and the key columns, percent-encoded, joined by colons."""
    parts = []
    for column in feed.key:
        value = "" if row[column] is None else " ".join(unicodedata.normalize("NFC", str(row[column])).split())
        parts.append(day(value) if column.startswith("tgl_") and value else value)
    return ":".join(quote(part, safe="") for part in (feed.register, *parts))


def day(text):
    if text[:4].isdigit():
        return text[:10]
    return datetime.strptime(text, "%b %d, %Y, %I:%M:%S%p").date().isoformat()  # noqa: DTZ007 - only the day is read


def two_decimals(value):
    whole, _, cents = str(value).partition(".")
    return f"{whole}.{cents:0<2}"


@pytest.fixture(scope="module")
def taken(shared_data, tmp_path_factory):
    """A home that has taken every feed once; what each intake said, and every living record."""
    home = tmp_path_factory.mktemp("feeds") / "home"
    arus = Arus(home)
    said = {feed.name: arus.intake(SYSTEM, feed.name, path_of(shared_data, feed)) for feed in FEEDS.values()}
    return home, said, {kind: arus.export(kind) for kind in {feed.type for feed in FEEDS.values()}}


@pytest.fixture
def arus(taken, tmp_path):
    """The command over a copy of that home."""
    shutil.copytree(taken[0], tmp_path / "home")
    return Arus(tmp_path / "home")


def exported(records, feed):
    return {key: data for key, data in records[feed.type].items() if key.startswith(f"{feed.register}:")}


@pytest.mark.parametrize("name", FEEDS)
class TestEachFeed:
    def test_no_row_is_unaccounted_for(self, taken, name):
        feed, said = FEEDS[name], taken[1][name]
        expected = {"rows": feed.rows, "created": feed.records, "rejected": feed.rejected}
        expected["duplicate"] = feed.rows - feed.records - feed.rejected
        assert {column: value for column, value in said.items() if column != "parked"} == {
            column: value for column, value in expected.items() if value
        }
        assert feed.rejected <= 0.02 * feed.rows

    def test_the_records_are_those_of_the_file(self, taken, shared_data, name):
        feed = FEEDS[name]
        keys = {key_of(feed, row) for row in source_rows(path_of(shared_data, feed)) if len(row["kd_satker_str"]) == 22}
        assert set(exported(taken[2], feed)) == keys
        assert len(keys) == feed.records

    def test_money_is_the_source_s_to_the_cent(self, taken, shared_data, name):
        """Of every accepted row: rows of one key never differ in money."""
        feed = FEEDS[name]
        records, compared = exported(taken[2], feed), 0
        for row in source_rows(path_of(shared_data, feed)):
            if len(row["kd_satker_str"]) != 22:
                continue
            for column, field in feed.money.items():
                compared += 1
                expected = None if row[column] is None else two_decimals(row[column])
                assert records[key_of(feed, row)].get(field) == expected, column
        assert compared == (feed.rows - feed.rejected) * len(feed.money)

    def test_the_same_file_again_is_no_news(self, arus, shared_data, name):
        feed = FEEDS[name]
        said = arus.intake(SYSTEM, name, path_of(shared_data, feed))
        assert said["unchanged"] == feed.records
        assert not {"created", "changed", "deleted", "parked"} & set(said)


def test_each_rejection_has_its_true_reason(taken):
    (told,) = Arus(taken[0]).rejections()
    assert (told["system"], told["feed"]) == (SYSTEM, "tender-pengumuman")
    (problem,) = told["problems"]
    assert problem["field"] == "kd_satker_str"
    assert "22" in problem["english"]
    assert "22 karakter" in problem["indonesian"]
    row = json.loads(told["raw"])
    assert len(row["kd_satker_str"]) != 22
    assert row["kd_klpd"] == "B154"


def test_the_river_narrows_as_measured(taken):
    """Distinct packages of each step that went through all the steps before it, from the keys of the records."""
    flow, counts = None, []
    for name, feed in FEEDS.items():
        if name.startswith("nontender"):
            codes = {unquote(key.split(":")[1]) for key in exported(taken[2], feed)}
            flow = codes if flow is None else flow & codes
            counts.append(len(flow))
    assert counts == [2386, 1868, 1291, 1029, 957, 302]


def first_rows(path, share):
    """The first rows of the array, in the very text of the file; and as values."""
    text, decoder = path.read_text("utf-8"), json.JSONDecoder(parse_float=Decimal)
    rows, ends, at = [], [], text.index("[") + 1
    while True:
        at = next(place for place in range(at, len(text)) if not text[place].isspace())
        row, at = decoder.raw_decode(text, at)
        rows.append(row)
        ends.append(at)
        at = next(place for place in range(at, len(text)) if not text[place].isspace())
        if text[at] == "]":
            break
        at += 1
    left = int(len(rows) * share)
    return text[: ends[left - 1]] + "]", rows[:left]


@pytest.mark.parametrize("name", CUT)
def test_a_file_cut_to_eighty_per_cent_waits_for_a_person(arus, taken, shared_data, tmp_path, name):
    feed = FEEDS[name]
    everything = exported(taken[2], feed)
    text, rows = first_rows(path_of(shared_data, feed), 0.8)
    kept = {key_of(feed, row) for row in rows}
    gone = len(everything) - len(kept)
    assert gone > 0.1 * len(everything)
    cut = tmp_path / "cut.json"
    cut.write_text(text, "utf-8")

    def hold():
        problem = arus.intake(SYSTEM, name, cut, code=1)["problem"]
        assert (problem["type"].rpartition("/")[2], problem["deletions"], problem["size"]) == (
            "snapshot-held", gone, len(everything),
        )  # fmt: skip
        assert exported({feed.type: arus.export(feed.type)}, feed) == everything
        return problem["snapshot"]

    refused = hold()
    arus("snapshots", "refuse", refused, "--reason", "cut short")
    assert exported({feed.type: arus.export(feed.type)}, feed) == everything
    approved = hold()
    said = json.loads(arus("snapshots", "approve", approved, "--reason", "true", "--json"))
    assert (said["deleted"], said["unchanged"], said["created"], said["changed"]) == (gone, len(kept), 0, 0)
    assert set(exported({feed.type: arus.export(feed.type)}, feed)) == kept


def test_a_file_that_breaks_off_within_a_row_is_refused_whole(arus, taken, shared_data, tmp_path):
    feed = FEEDS["nontender-spmk"]
    content = path_of(shared_data, feed).read_bytes()
    cut = tmp_path / "cut.json"
    cut.write_bytes(content[: len(content) * 8 // 10])
    problem = arus.intake(SYSTEM, feed.name, cut, code=1)["problem"]
    assert problem["type"].endswith("/not-json")
    assert arus.export(feed.type) == taken[2][feed.type]
