"""The fifteen real budget documents: every line accounted for, every refusal for a true reason, every sum right."""

import re
from collections import Counter
from decimal import Decimal

import pytest

from connectors.e_budgeting import apbd
from mappings.e_budgeting import apbd as mapping
from mappings.problems import problems
from tests.connectors.e_budgeting.plain_sums import FILES, leaf_sum

# file: (lines, accepted, refused by the field of their first reason)
EXPECTED = {
    "3401_1471950240.csv": (95, 93, {"code": 2}),  # 1.1 and 1.2 for 1.10 and 1.20
    "3401_1480397695.csv": (126, 126, {}),
    "3402_1472806276.csv": (448, 448, {}),
    "3402_1473841363.csv": (1501, 1498, {"code": 1, "description": 2}),  # SURPLUS as a code, with -2.99E+11
    "3402_1475209423.csv": (523, 523, {}),
    "3402_1475312269.csv": (1942, 1942, {}),
    "3403_1476851628.csv": (553, 553, {}),
    "3403_1476948640.csv": (1195, 1194, {"amount": 1}),  # "Dst....": no amount
    "3404_1474707063.csv": (89, 88, {"code": 1}),  # 1.2 for 1.20
    "3471_1475924180.csv": (405, 404, {"code": 1}),  # "1 06.1...": a dot is missing
    "3471_1476076984.csv": (505, 505, {}),
    "34_1472465980.csv": (186, 0, {"columns": 186}),  # 216,190,000.00 outside quotes
    "34_1473838090.csv": (41, 41, {}),
    "_1474251101.csv": (81, 81, {}),
    "_1474523061.csv": (85, 84, {"code": 1}),  # 1.2 for 1.20
}
PRINTED_TOTALS = {
    "3401_1471950240.csv": "1174629041137.61",
    "3401_1480397695.csv": "7682898517.00",
    "3402_1472806276.csv": "470986518000.00",
    "3402_1475209423.csv": "4641486500.00",
}
"""Where a document prints the sum of its lines (JUMLAH, SURPLUS/DEFISIT of spending alone)."""


@pytest.fixture(scope="module")
def documents(shared_data):
    read = {}
    for path in sorted((shared_data / "apbd").glob("*.csv")):
        rows = apbd.read(path.read_bytes(), path.name).rows
        read[path.name] = [_outcome(row) for row in rows]
    return read


def _outcome(row):
    if row.problems:
        return row, None, row.problems
    try:
        return row, mapping.to_canonical(row.values), ()
    except ValueError as error:
        return row, None, problems(error)


def test_all_fifteen_are_here(documents):
    assert set(documents) == set(FILES) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_line_is_accepted_or_refused_with_a_reason(documents, name):
    outcomes = documents[name]
    refused = Counter(reasons[0].field for _, record, reasons in outcomes if record is None)
    assert (len(outcomes), len(outcomes) - refused.total(), dict(refused)) == EXPECTED[name]
    for row, record, reasons in outcomes:
        assert (record is None) == bool(reasons)
        assert all(reason.english and reason.indonesian for reason in reasons)
        assert row.raw
        assert row.line >= row.number


def test_at_least_nine_of_ten_lines_are_accepted_over_all(documents):
    outcomes = [outcome for lines in documents.values() for outcome in lines]
    assert sum(record is not None for _, record, _ in outcomes) / len(outcomes) > 0.97


@pytest.mark.parametrize("name", EXPECTED)
def test_the_leaves_add_up_to_the_sum_of_the_simple_way(documents, shared_data, name):
    total = sum((record.amount for _, record, _ in documents[name] if record and record.leaf), Decimal(0))
    assert total == leaf_sum(shared_data / "apbd" / name)
    if name in PRINTED_TOTALS:
        assert total == Decimal(PRINTED_TOTALS[name])


@pytest.mark.parametrize("name", EXPECTED)
def test_no_two_lines_of_a_document_share_a_key(documents, name):
    keys = Counter(record.subject for _, record, _ in documents[name] if record)
    assert not [key for key, count in keys.items() if count > 1]
    for row, record, _ in documents[name]:
        if record:
            assert mapping.record_key(row.values) == record.subject
        assert mapping.scope(row.values) is not None


def test_a_record_is_a_leaf_if_and_only_if_its_code_begins_no_other(documents):
    for lines in documents.values():
        codes = {row.values["code"] for row, _, _ in lines if row.values["code"]}
        above = {code[: at.start()] for code in codes for at in _dots(code)}
        for _, record, _ in lines:
            if record:
                assert record.leaf == (record.code != "" and record.code not in above)


def _dots(code):
    return re.finditer(r"\.", code)
