"""Single values: exact, the same from JSON and CSV, or refused."""

import calendar
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.calendar_values import read_day, read_moment, sortable
from mappings.canonical.fields import WIB
from mappings.e_procurement.isb_rows import read_list, read_rup_codes
from mappings.e_procurement.spse_pengumuman import read_xml_moment
from mappings.errors import FieldError
from mappings.plain_values import (
    read_code,
    read_digits,
    read_document_number,
    read_money,
    read_quantity,
    read_text,
    read_whole_number,
    read_year,
)

READERS = [
    read_money,
    read_quantity,
    read_whole_number,
    read_year,
    read_digits,
    read_text,
    read_code,
    read_document_number,
    read_moment,
    read_day,
    read_list,
    read_rup_codes,
]
NO_NUMBERS = [
    "NaN",
    "None",
    "null",
    "nan",
    "-",
    "1e3",
    "1E+3",
    "0x10",
    "1_000",
    "1.000.000",
    "1,5",
    "Rp 5",
    "007",
    "٣",
    "+5",
]
CENTS = st.integers(-(10**22) + 1, 10**22 - 1).map(lambda cents: Decimal(cents).scaleb(-2))


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("blank", [None, "", "   ", "\t\n"])
def test_null_and_empty_and_blank_are_no_value(read: Any, blank: Any):
    assert read(blank) is None


@given(CENTS)
def test_money_is_the_same_from_a_json_number_and_from_a_csv_cell(amount: Decimal):
    assert read_money(amount) == read_money(format(amount, "f")) == amount


@given(st.integers(-(10**20) + 1, 10**20 - 1))
def test_whole_rupiah_are_the_same_from_json_csv_and_a_float_column(amount: int):
    assert read_money(amount) == read_money(str(amount)) == read_money(f"{amount}.0") == amount


@pytest.mark.parametrize(
    "value", [*NO_NUMBERS, "79.747", "1.005", 5.0, True, float("nan"), Decimal("NaN"), Decimal("1E+7"), [], "1" * 21]
)
def test_money_that_is_not_plain_is_refused(value: Any):
    with pytest.raises(FieldError):
        read_money(value)


@given(st.integers(0, 2**53 - 1))
def test_an_integer_that_a_table_tool_made_a_float_is_still_that_integer(number: int):
    assert read_whole_number(number) == read_whole_number(str(number)) == read_whole_number(f"{number}.0") == number
    assert read_digits(number) == read_digits(str(number)) == read_digits(f"{number}.0") == str(number)


def test_a_float_column_too_large_to_be_exact_is_refused():
    assert read_digits("9007199254740993") == "9007199254740993"
    with pytest.raises(FieldError):
        read_digits("9007199254740992.0")
    with pytest.raises(FieldError):
        read_whole_number("9007199254740992.0")


@pytest.mark.parametrize("value", [*NO_NUMBERS, "1.5", 5.0, True, Decimal("1.5"), []])
def test_a_whole_number_that_is_not_plain_is_refused(value: Any):
    with pytest.raises(FieldError):
        read_whole_number(value)


@pytest.mark.parametrize("year", [1999, 2100, "99", "2025.5"])
def test_a_year_outside_the_century_is_refused(year: Any):
    with pytest.raises(FieldError):
        read_year(year)


def test_a_code_keeps_its_leading_zeros():
    assert read_digits("0093") == "0093"
    assert read_code(" 1.02.0.00 ") == "1.02.0.00"
    with pytest.raises(FieldError):
        read_code("١.02")


@given(st.text())
def test_text_stays_as_written_unless_blank(text: str):
    assert read_text(text) == (text if text.strip() else None)


@given(st.text(alphabet=st.sampled_from("a1/.- \t\r\n\u00a0e\u0301é"), max_size=30))
def test_a_document_number_has_one_spelling(text: str):
    once = read_document_number(text)
    assert once is None or (read_document_number(once) == once and once == " ".join(once.split()) and "\t" not in once)


def test_a_document_number_keeps_case_and_inner_blanks():
    assert read_document_number(" 000.3.2/\t 2247 /2025/Dinkes ") == "000.3.2/ 2247 /2025/Dinkes"
    assert read_document_number("Cafe\u0301") == "Caf\u00e9"


def test_lists_keep_their_order_and_lose_empty_parts():
    assert read_list("b.; a;;") == ("b.", "a")
    assert read_rup_codes(59000001) == read_rup_codes("59000001") == read_rup_codes("59000001.0") == ("59000001",)
    assert read_rup_codes("59000002; 59000001;") == ("59000002", "59000001")
    with pytest.raises(FieldError):
        read_rup_codes("59000001;abc")


SECONDS = st.integers(-2_000_000_000, 7_000_000_000).map(lambda second: datetime.fromtimestamp(second, WIB))


def _spoken(moment: datetime) -> str:
    month = calendar.month_abbr[moment.month]
    half = "AM" if moment.hour < 12 else "PM"
    return f"{month} {moment.day}, {moment.year}, {(moment.hour + 11) % 12 + 1}:{moment:%M:%S}{half}"


@given(SECONDS)
def test_the_five_spellings_of_one_time_are_one_time_in_wib(moment: datetime):
    assert read_moment(f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z") == moment
    assert read_moment(f"{moment:%Y-%m-%d %H:%M:%S}.000000Z") == moment
    assert read_moment(f"{moment:%Y-%m-%d %H:%M:%S}") == moment
    assert read_moment(_spoken(moment)) == moment
    assert read_moment(f"{moment:%Y-%m-%d}") == moment.replace(hour=0, minute=0, second=0)
    assert read_day(_spoken(moment)) == moment.date()


@pytest.mark.parametrize(
    ("written", "hour"),
    [("12:00:00AM", 0), ("12:59:59AM", 0), ("1:00:00AM", 1), ("12:00:00PM", 12), ("11:00:00 PM", 23)],
)
def test_twelve_o_clock_is_read_as_clocks_show_it(written: str, hour: int):
    moment = read_moment(f"Aug 13, 2025, {written}")
    assert moment is not None
    assert moment.hour == hour


def test_the_z_of_the_feeds_is_local_time_and_that_of_soap_is_utc():
    written = "2026-02-02T01:00:00Z"
    local, utc = read_moment(written), read_xml_moment(written)
    assert local is not None
    assert utc is not None
    assert local.isoformat() == "2026-02-02T01:00:00+07:00"
    assert utc.isoformat() == "2026-02-02T08:00:00+07:00"


def test_an_offset_is_the_same_instant_written_in_wib():
    assert read_moment("2026-02-02T10:00:00+09:00") == datetime(2026, 2, 2, 8, tzinfo=WIB)
    assert str(read_moment("2026-02-02T10:00:00+09:00")) == "2026-02-02 08:00:00+07:00"


def test_parsed_values_are_taken_as_they_are():
    assert read_day(date(2026, 2, 2)) == date(2026, 2, 2)
    assert read_moment(datetime(2026, 2, 2, 8, tzinfo=WIB).replace(tzinfo=None)) == datetime(2026, 2, 2, 8, tzinfo=WIB)


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30",
        "2026-13-01 00:00:00",
        "2026-01-01 25:00:00",
        "2026-1-1",
        "01/02/2026",
        "20260101",
        "Mei 17, 2026, 12:00:00AM",
        "May 32, 2026, 12:00:00AM",
        "May 17, 2026, 13:00:00PM",
        "0001-01-01T00:00:00+14:00",
        "null",
        20260101,
    ],
)
def test_what_is_no_date_is_refused(written: Any):
    with pytest.raises(FieldError):
        read_moment(written)


@given(st.lists(SECONDS, min_size=2, max_size=6))
def test_sortable_text_sorts_like_the_times_whatever_their_spelling(moments: list[datetime]):
    spellings = [
        _spoken,
        lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}",
        lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z",
    ]
    texts = [sortable(spellings[place % 3](moment)) for place, moment in enumerate(moments)]
    assert sorted(range(len(moments)), key=lambda i: texts[i]) == sorted(range(len(moments)), key=lambda i: moments[i])


def test_sortable_text_of_nothing_readable_is_empty():
    assert [sortable(value) for value in (None, "", "kemarin", timedelta())] == ["", "", "", ""]
