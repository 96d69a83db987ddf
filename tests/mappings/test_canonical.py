"""The canonical models: their examples, their keys, and what they refuse."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mappings.canonical import MODELS, Agency, BudgetLine, Canonical, Contract, Handover, Package, Tender, subject_of

SUBJECTS = {
    "reference.agency": "rup:1.02.0.00.0.00.02.0000",
    "budget.line": "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.0024",
    "budget.document_line": (
        "Kabupaten%20Bantul:2016:1.02.01:Penjabaran%20APBD:1.2.1.2.1.0.0.4.1.2.1.43:"
        "Retribusi%20Pelayanan%20Pendidikan%20Pelatihan%20Teknis"
    ),
    "project.package": "e-project:PKT-2026-000123",
    "procurement.tender": "nontender:10048728000",
    "procurement.award": "nontender:10050366000",
    "contract.appointment": "nontender:10043893000:000.3.2%2F288%2FSPPBJ%2FDISPAKAN:0",
    "contract.contract": "nontender:10060496000:000.4%2F405%2FSekre%2F2025:0",
    "contract.commencement": (
        "nontender:10196758000:000.3.2%2F%202247%20%2F2025%2FDinkes:000.3.2%2F%202248%20%2F2025%2FDinkes:0"
    ),
    "contract.handover": (
        "nontender:10074293000:Print.07%2F%20SPK%2FSekre.Disnaker%2F2025:0:"
        "027%20%2F%2007%20%2FBA-Pemb%2F%20SEKRE.Disnaker%2F2025:"
        "027%20%2F%2007%20%2F%20BA-%20STHP%20%2F%20SEKRE.DISNAKER%20%2F%202025:2025-03-17"
    ),
}


def _with(model: type[Canonical], **changes: object) -> Canonical:
    return model.from_data({**model.EXAMPLE, **changes})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.TYPE)
class TestEveryModel:
    def test_its_example_is_valid_and_serialises_to_itself(self, model: type[Canonical]):
        record = model.from_data(model.EXAMPLE)
        assert record.to_data() == model.EXAMPLE
        assert model.from_data(json.loads(json.dumps(record.to_data()))) == record

    def test_its_subject_is_the_documented_one(self, model: type[Canonical]):
        assert model.from_data(model.EXAMPLE).subject == SUBJECTS[model.TYPE]

    def test_its_key_fields_exist(self, model: type[Canonical]):
        assert set(model.KEY) <= set(model.model_fields)

    def test_its_agency_is_a_field_of_its_own(self, model: type[Canonical]):
        record = model.from_data(model.EXAMPLE)
        assert record.agency_code == (model.EXAMPLE[model.AGENCY] if model.AGENCY else None)

    def test_it_refuses_an_unknown_field(self, model: type[Canonical]):
        with pytest.raises(ValidationError) as refusal:
            _with(model, surprise="x")
        assert [error["type"] for error in refusal.value.errors()] == ["extra_forbidden"]

    def test_it_refuses_to_miss_any_field_of_its_example_that_it_requires(self, model: type[Canonical]):
        required = [name for name, field in model.model_fields.items() if field.is_required()]
        assert set(required) <= set(model.EXAMPLE)
        for name in required:
            with pytest.raises(ValidationError):
                model.from_data({key: value for key, value in model.EXAMPLE.items() if key != name})

    def test_null_is_the_same_as_absent(self, model: type[Canonical]):
        optional = {name: None for name, field in model.model_fields.items() if not field.is_required()}
        assert "register" not in optional
        bare = {name: value for name, value in model.EXAMPLE.items() if name not in optional}
        assert model.from_data({**bare, **optional}) == model.from_data(bare)

    def test_it_cannot_be_changed(self, model: type[Canonical]):
        with pytest.raises(ValidationError):
            setattr(model.from_data(model.EXAMPLE), model.KEY[0], "x")


@pytest.mark.parametrize(
    "money",
    [
        1250000000,
        1250000000.0,
        "1250000000",
        "1.5",
        "1.500",
        "1e3",
        "1E+3",
        "NaN",
        "Infinity",
        "-Infinity",
        "",
        " 1.00",
        "1.00\n",
        "+1.00",
        "01.00",
        "1,00",
        "1_000.00",
        "100000000000000000000.00",
        True,
        [],
    ],
)
def test_money_that_is_no_decimal_string_with_two_decimals_is_refused(money: object):
    with pytest.raises(ValidationError):
        _with(BudgetLine, amount=money)


@given(st.integers(-(10**22) + 1, 10**22 - 1))
def test_money_survives_to_the_cent(cents: int):
    text = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
    assert _with(BudgetLine, amount=text).to_data()["amount"] == text


@given(st.decimals(-(10**20) + 1, 10**20 - 1, places=2))
def test_a_mapping_gives_money_as_a_decimal(amount: Decimal):
    assert Decimal(_with(BudgetLine, amount=amount).to_data()["amount"]) == amount


@pytest.mark.parametrize("amount", ["0.001", "NaN", "Infinity", "1E+20", "1E+30", "1E+999999"])
def test_a_mapping_cannot_give_money_that_would_be_rounded(amount: str):
    with pytest.raises(ValidationError):
        _with(BudgetLine, amount=Decimal(amount))


@pytest.mark.parametrize("spelling", ["5.1.02.01.01.0024", "5.1.02.01.001.00024", "5.1.2.1.1.24", "5.1.02.01.01.0024."])
def test_one_account_in_any_padding_is_one_key(spelling: str):
    assert _with(BudgetLine, account=spelling).subject == SUBJECTS["budget.line"]


@pytest.mark.parametrize("spelling", ["5.1.02.01.01", "5.1.02.01.01.0024.1", "5.1..01.01.0024", "5.1.a.1.1.24", 5.1])
def test_what_is_no_account_is_refused(spelling: object):
    with pytest.raises(ValidationError):
        _with(BudgetLine, account=spelling)


@pytest.mark.parametrize(
    "bad",
    ["a\x00b", "a\x07b", "a\u200bb", "a\u202eb", "a\u2028b", "a\ud800b", "Cafe\u0301", " a", "a ", "a  b", "\ta", ""],
)
def test_a_key_refuses_what_the_eye_cannot_tell_apart(bad: str):
    with pytest.raises(ValidationError):
        _with(Contract, number=bad)


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1bb", "a\ud800b"])
def test_text_refuses_control_characters_and_lone_surrogates(bad: str):
    with pytest.raises(ValidationError):
        _with(Contract, name=bad)


def test_text_keeps_what_a_clerk_wrote():
    written = "  <p>a.\tLingkup\r\n\u201cpekerjaan\u201d \U0001f6a7</p> "
    assert _with(Contract, scope_of_work=written).to_data()["scope_of_work"] == written


def test_colons_and_signs_in_a_key_cannot_forge_another_key():
    left = subject_of(["nontender", "1:2", "3"])
    right = subject_of(["nontender", "1", "2:3"])
    assert left != right
    assert left == "nontender:1%3A2:3"


@given(st.lists(st.one_of(st.none(), st.integers(0, 99), st.text(min_size=1, max_size=20)), min_size=2, max_size=4))
def test_a_subject_tells_its_parts(parts: list[object]):
    from urllib.parse import unquote

    try:
        subject = subject_of(parts)
    except UnicodeEncodeError:  # lone surrogates, which no key field lets through
        return
    assert [unquote(part) for part in subject.split(":")] == ["" if part is None else str(part) for part in parts]


def test_a_missing_part_of_a_key_is_empty_in_the_subject():
    handover = _with(Handover, bap_number=None, bap_date=None)
    assert handover.subject.split(":")[4] == ""
    assert handover.subject.endswith(":")


@pytest.mark.parametrize("year", [1999, 2100, "2026", 2026.0, True])
def test_a_fiscal_year_is_an_integer_of_this_century(year: object):
    with pytest.raises(ValidationError):
        _with(BudgetLine, fiscal_year=year)


@pytest.mark.parametrize(
    "moment", ["2026-02-02", "2026-02-02T08:00:00", "2026-02-30T08:00:00+07:00", "2026-02-02 08:00:00+07:00", 0, 1.5]
)
def test_a_time_without_its_zone_or_outside_the_calendar_is_refused(moment: object):
    with pytest.raises(ValidationError):
        _with(Tender, announced_at=moment)


@pytest.mark.parametrize("day", ["2026-2-2", "2026-02-30", "02/02/2026", "2026-02-02T00:00:00", 20260202, 0, 86400])
def test_a_day_is_written_as_iso_8601(day: object):
    with pytest.raises(ValidationError):
        _with(Package, selection_start=day)


@pytest.mark.parametrize(
    "code",
    [
        "1.02.0.00.0.00.02.000",
        "1.02.0.00.0.00.02.00000",
        "01.02.0.00.0.00.02.0000",
        "1.02.0.00.0.00.02.0000\n",
        "SK.05",
    ],
)
def test_an_agency_code_has_22_characters(code: str):
    with pytest.raises(ValidationError):
        _with(Agency, code=code)


def test_lists_of_codes_come_from_json_as_lists():
    assert _with(Tender, rup_codes=["55901309", "55901310"]).to_data()["rup_codes"] == ["55901309", "55901310"]
    with pytest.raises(ValidationError):
        _with(Tender, rup_codes=[55901309])
    with pytest.raises(ValidationError):
        _with(Tender, rup_codes="55901309")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agency", "\u0661.03.0.00.0.00.01.0000"),
        ("activity", "\u0661.03.10.2.01.0029"),
        ("account", "\u0665.1.2.1.1.24"),
    ],
)
def test_a_code_has_ascii_digits_only(field: str, value: str):
    with pytest.raises(ValidationError):
        _with(BudgetLine, **{field: value})
