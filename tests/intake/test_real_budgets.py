"""The fifteen published budgets through ``arus intake``, each in a home of its own: two are one document twice."""

import shutil
from decimal import Decimal

import pytest

from tests.connectors.e_budgeting.plain_sums import FILES, leaf_sum
from tests.intake.command import Arus

TRUE_REASONS = {
    "3401_1471950240.csv": {"code": 2},  # 1.1 and 1.2 for 1.10 and 1.20
    "3402_1473841363.csv": {"code": 1, "description": 2},  # SURPLUS as a code, with -2.99E+11
    "3403_1476948640.csv": {"amount": 1},  # "Dst....": no amount
    "3404_1474707063.csv": {"code": 1},  # 1.2 for 1.20
    "3471_1475924180.csv": {"code": 1},  # "1 06.1...": a dot is missing
    "34_1472465980.csv": {"columns": 186},  # 216,190,000.00 outside quotes
    "_1474523061.csv": {"code": 1},  # 1.2 for 1.20
}
"""Refused lines by the field of their first reason, as found by looking at the files."""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A home whose store is made; taking its copy is quicker than making fifteen."""
    home = tmp_path_factory.mktemp("budgets") / "home"
    Arus(home)("db", "upgrade")
    return home


@pytest.fixture(scope="module")
def taken(shared_data, template, tmp_path_factory):
    """Counts, records and rejections by file."""
    found = {}
    for path in sorted((shared_data / "apbd").glob("*.csv")):
        arus = Arus(tmp_path_factory.mktemp("budget") / "home")
        shutil.copytree(template, arus.home)
        said = arus.intake("e-budgeting", "apbd", path)
        found[path.name] = (said, arus.export("budget.document_line"), arus.rejections())
    return found


def test_all_fifteen_were_taken(taken):
    assert set(taken) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_a_record_or_a_rejection_with_a_true_reason(taken, name):
    said, records, rejected = taken[name]
    expected = {"rows": said["rows"], "created": len(records), "rejected": len(rejected)}
    assert said == {column: value for column, value in expected.items() if value}
    assert said["rows"] == len(records) + len(rejected)
    fields = [row["problems"][0]["field"] for row in rejected]
    assert {field: fields.count(field) for field in fields} == TRUE_REASONS.get(name, {})
    for row in rejected:
        assert (row["file"], row["raw"] != "", row["line"] > row["row"]) == (name, True, True)
        assert all(one["english"] and one["indonesian"] for one in row["problems"])


def test_nine_of_ten_lines_are_accepted_over_all(taken):
    rows, records = (
        sum(values) for values in zip(*((said["rows"], len(r)) for said, r, _ in taken.values()), strict=True)
    )
    assert rows > 7000
    assert records >= 0.9 * rows


@pytest.mark.parametrize("name", FILES)
def test_the_leaves_add_up_to_the_sum_of_the_simple_way(taken, shared_data, name):
    leaves = [data["amount"] for data in taken[name][1].values() if data["leaf"]]
    assert all(amount[-3] == "." for amount in leaves)
    assert sum(map(Decimal, leaves), Decimal(0)) == leaf_sum(shared_data / "apbd" / name)
