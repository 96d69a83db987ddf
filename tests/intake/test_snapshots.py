"""A file is compared with what its feed said before: every row is counted once, and only its scope is replaced."""

import json

import pytest

from bus.contract.errors import Refused
from bus.engine import registers, tables
from tests.intake.hub import (
    APPOINTMENT,
    KONTRAK,
    OPD,
    PENGUMUMAN,
    RKA,
    SPPBJ,
    accounts,
    as_csv,
    contract,
    key_of,
    letter,
    letters,
    line,
    numbers,
    rka,
)

TENDER = {
    "kd_nontender": 10043893000,
    "tahun_anggaran": 2025,
    "kd_klpd": "D107",
    "kd_satker_str": OPD,
    "nama_paket": "Belanja Jasa",
    "pagu": 100,
    "hps": 90,
}


def test_each_row_is_counted_as_what_became_of_it(either_hub):
    hub = either_hub
    assert hub.counts(SPPBJ, letters(1, 2, 3, 4)) == {"rows": 4, "created": 4}
    second = [letter(1), letter(2, harga_final=5), letter(5), letter(5), letter(3, harga_final="murah")]
    assert hub.counts(SPPBJ, second) == {
        "rows": 5, "created": 1, "changed": 1, "unchanged": 1, "duplicate": 1, "rejected": 1, "deleted": 1,
    }  # fmt: skip
    assert numbers(hub) == [1, 2, 3, 5]
    records = hub.records(APPOINTMENT)
    assert [records[key_of(number)]["final_price"] for number in (2, 3)] == ["5.00", "72897000.00"]
    assert hub.counts(SPPBJ, second) == {"rows": 5, "unchanged": 3, "duplicate": 1, "rejected": 1}


def test_a_waiting_delivery_is_counted_as_parked_among_the_created(either_hub):
    hub = either_hub
    assert hub.counts(KONTRAK, [contract(1), contract(2)]) == {"rows": 2, "created": 2, "parked": 2}
    assert len(hub.records("contract.contract")) == 2
    assert {row.state for row in hub.rows(tables.deliveries)} == {"parked"}
    # The announcement arrives, and is delivered before anything that waits for it.
    assert hub.counts(PENGUMUMAN, [TENDER]) == {"rows": 1, "created": 1}
    changed = [contract(1, nilai_kontrak=5), contract(2)]
    assert hub.counts(KONTRAK, changed) == {"rows": 2, "changed": 1, "unchanged": 1, "parked": 1}


def test_there_and_back_again_is_three_messages(either_hub):
    hub = either_hub
    for price in (1, 2, 1):
        hub.counts(SPPBJ, [letter(7, harga_final=price)])
    told = hub.messages(key_of(7))
    assert [json.loads(one.data)["final_price"] for one in told] == ["1.00", "2.00", "1.00"]
    assert [one.version for one in told] == [1, 2, 3]
    assert len({one.id for one in told}) == 3
    assert [bytes(one.raw) for one in told] == [
        json.dumps(letter(7, harga_final=price)).encode() for price in (1, 2, 1)
    ]


def test_deletion_carries_the_key_alone_and_a_record_may_come_back(either_hub):
    hub = either_hub
    hub.counts(SPPBJ, letters(1, 2))
    assert hub.counts(SPPBJ, letters(1)) == {"rows": 1, "unchanged": 1, "deleted": 1}
    assert numbers(hub) == [1]
    assert hub.counts(SPPBJ, letters(1, 2)) == {"rows": 2, "created": 1, "unchanged": 1}
    told = hub.messages(key_of(2))
    assert [(one.op, one.version, one.agency) for one in told] == [
        ("upsert", 1, OPD), ("delete", 2, OPD), ("upsert", 3, OPD),
    ]  # fmt: skip
    key = {"register": "nontender", "code": "10043893000", "number": "2/SPPBJ", "addendum": 0}
    assert json.loads(told[1].data) == key


@pytest.mark.parametrize(
    ("dates", "wins"),
    [
        (("2025-03-21T00:00:00.000000Z", "2025-03-20T00:00:00.000000Z"), 1),
        (("2025-03-20T23:00:00.000000Z", "2025-03-21T00:00:00.000000Z"), 2),
        (("2025-03-21T00:00:00.000000Z", "2025-03-21T00:00:00.000000Z"), 2),
        (("Aug 13, 2025, 12:00:00AM", "2025-08-12 10:00:00"), 1),
        (("2025-08-12 10:00:00", "Aug 13, 2025, 12:00:00AM"), 2),
        ((None, None), 2),
        ((None, "2025-03-21"), 2),
        (("2025-03-21", None), 1),
    ],
)
def test_within_a_file_the_latest_event_wins_then_the_last_row(hub, dates, wins):
    rows = [letter(1, harga_final=place, _event_date=date) for place, date in enumerate(dates, start=1)]
    taken = hub.take(SPPBJ, rows)
    assert (taken.counts.created, taken.counts.duplicate, taken.conflicts) == (1, 1, 1)
    assert hub.records(APPOINTMENT)[key_of(1)]["final_price"] == f"{wins}.00"
    assert len(hub.messages()) == 1


def test_only_duplicates_that_say_something_else_are_conflicts(hub):
    taken = hub.take(SPPBJ, [letter(1), letter(1, _event_date="2025-03-21"), letter(2), letter(2, harga_final=5)])
    assert (taken.counts.duplicate, taken.conflicts) == (2, 1)


def test_the_dates_of_the_export_change_nothing(hub):
    dates = ("_event_date", "_inserted_date", "tgl_penarikan")
    hub.counts(SPPBJ, [letter(1) | dict.fromkeys(dates, "2025-03-20")])
    again = [letter(1) | dict.fromkeys(dates, "2025-03-21")]
    assert hub.counts(SPPBJ, again) == {"rows": 1, "unchanged": 1}


class TestWhatARefusedRowProtects:
    @pytest.fixture(autouse=True)
    def standing(self, hub):
        hub.counts(SPPBJ, letters(1, 2, 3))

    def test_its_own_record(self, hub):
        second = [letter(1), letter(2, harga_final="?")]
        assert hub.counts(SPPBJ, second) == {"rows": 2, "unchanged": 1, "rejected": 1, "deleted": 1}
        assert numbers(hub) == [1, 2]

    @pytest.mark.parametrize(
        "unreadable",
        [
            {"no_sppbj": None},
            {"kd_nontender": "1e9", "harga_final": "?"},
            {"versi_addendum": -1},
            {"kd_klpd": None},
            {"tahun_anggaran": "dua ribu"},
            {"no_sppbj": {"a": 1}},
            {"kd_klpd": ["D107"]},
        ],
        ids=str,
    )
    def test_everything_if_its_key_or_scope_cannot_be_read(self, hub, unreadable):
        second = [letter(1), letter(2) | unreadable]
        assert hub.counts(SPPBJ, second) == {"rows": 2, "unchanged": 1, "rejected": 1}
        assert numbers(hub) == [1, 2, 3]

    def test_everything_if_it_is_no_row_at_all(self, hub):
        assert hub.counts(SPPBJ, [letter(1), 7]) == {"rows": 2, "unchanged": 1, "rejected": 1}
        assert numbers(hub) == [1, 2, 3]

    def test_its_scope_counts_as_met(self, hub):
        """A file of which nothing but a bad row speaks of a scope still replaces that scope."""
        assert hub.counts(SPPBJ, [letter(2, harga_final="?")]) == {"rows": 1, "rejected": 1, "deleted": 2}
        assert numbers(hub) == [2]


class TestScopes:
    def test_one_that_the_file_leaves_out_is_untouched(self, either_hub):
        hub = either_hub
        hub.counts(SPPBJ, letters(1, 2, kd_klpd="D1"))
        assert hub.counts(SPPBJ, letters(3, kd_klpd="D2")) == {"rows": 1, "created": 1}
        assert hub.counts(SPPBJ, letters(4, kd_klpd="D1", tahun_anggaran=2026)) == {"rows": 1, "created": 1}
        assert numbers(hub) == [1, 2, 3, 4]

    def test_several_in_one_file_are_replaced_each(self, hub):
        first = letters(1, 2, kd_klpd="D1") + letters(3, 4, kd_klpd="D2") + letters(5, kd_klpd="D3")
        hub.counts(SPPBJ, first)
        second = letters(1, kd_klpd="D1") + letters(4, kd_klpd="D2")
        assert hub.counts(SPPBJ, second) == {"rows": 2, "unchanged": 2, "deleted": 2}
        assert numbers(hub) == [1, 4, 5]

    def test_a_key_that_another_scope_holds_lives_on(self, either_hub):
        hub = either_hub
        hub.counts(SPPBJ, letters(1, 2) + letters(1, tahun_anggaran=2026))
        assert hub.counts(SPPBJ, letters(2)) == {"rows": 1, "unchanged": 1}
        assert numbers(hub) == [1, 2]
        assert hub.counts(SPPBJ, letters(3, tahun_anggaran=2026)) == {"rows": 1, "created": 1, "deleted": 1}
        assert numbers(hub) == [2, 3]

    def test_a_key_that_moves_to_another_scope_of_the_file_is_not_deleted(self, hub):
        hub.counts(SPPBJ, letters(1, 2) + letters(3, tahun_anggaran=2026))
        moved = letters(2) + letters(1, 3, tahun_anggaran=2026)
        counts = hub.counts(SPPBJ, moved)
        assert "deleted" not in counts
        assert numbers(hub) == [1, 2, 3]
        assert {one.op for one in hub.messages()} == {"upsert"}

    def test_titles_of_a_budget_are_scopes(self, hub):
        hub.counts(RKA, rka(line(1), line(2)), "rka.csv")
        assert hub.counts(RKA, rka(line(3), title="RKA Perubahan"), "b.csv") == {"rows": 1, "created": 1}
        assert hub.counts(RKA, rka(line(1)), "c.csv") == {"rows": 1, "unchanged": 1, "deleted": 1}
        assert accounts(hub) == {1: "100.00", 3: "100.00"}


@pytest.mark.parametrize(
    ("feed", "content"),
    [
        (SPPBJ, b""),
        (SPPBJ, b" \r\n"),
        (SPPBJ, b"[]"),
        (SPPBJ, b"kd_nontender,no_sppbj\n"),
        (RKA, rka()),
        (SPPBJ, b'[{"kd_nontender": 1}, '),
        (SPPBJ, b'{"kd_nontender": 1}'),
    ],
)
def test_a_file_without_rows_or_end_is_refused_whole(hub, feed, content):
    hub.counts(SPPBJ, letters(1))
    hub.counts(RKA, rka(line(1)), "rka.csv")
    before = hub.trace()
    with pytest.raises(Refused) as refused:
        hub.take(feed, content, "a.csv")
    assert hub.trace() == before
    assert refused.value.problem.status == 422
    (error,) = refused.value.problem.errors
    assert error["english"]
    assert error["indonesian"]
    assert [json.loads(row.detail)["file"] for row in hub.audited("file-refused")] == ["a.csv"]


def test_json_and_csv_of_the_same_rows_are_one(either_hub):
    hub = either_hub
    rows = [letter(1, nilai_jaminan_pelaksanaan=None), letter(2, nilai_jaminan_pelaksanaan=7)]
    hub.counts(SPPBJ, rows)
    assert hub.counts(SPPBJ, as_csv(rows), "a.csv") == {"rows": 2, "unchanged": 2}
    assert hub.counts(SPPBJ, as_csv(rows, ";"), "a.csv") == {"rows": 2, "unchanged": 2}
    assert hub.counts(SPPBJ, rows) == {"rows": 2, "unchanged": 2}


def test_what_was_read_is_on_record(hub):
    hub.counts(SPPBJ, [letter(1), letter(2, harga_final="?")], "mei.json")
    (taken,) = hub.audited("file-taken")
    detail = json.loads(taken.detail)
    assert (detail["file"], detail["rows"], detail["rejected"]) == ("mei.json", 2, 1)
    assert taken.actor == "tester"
    (feed,) = hub.rows(registers.feeds)
    assert (feed.last_success, feed.lease_owner, feed.cursor) == (hub.clock.now, None, detail["sha256"])


def test_a_file_name_that_is_no_unicode_does_no_harm(either_hub):
    """As ``os`` gives the bytes ``a\\xe9.json``: the rows count, the name is told as well as it can be."""
    either_hub.take(SPPBJ, [letter(1), letter(2, harga_final="?")], "a\udce9.json")
    assert [row.file for row in either_hub.rejections()] == ["a?.json"]
    with pytest.raises(Refused):
        either_hub.take(SPPBJ, b"[]", "b\udce9.json")
    assert [json.loads(row.detail)["file"] for row in either_hub.audited("file-refused")] == ["b?.json"]
