"""The checker's rule on the audit chain (N8): it can be broken, and is kept."""

import orjson
import pytest

from proof import checker, histories, rules
from tests.proof.handmade import EACH, KEYS, LEAST, Handmade


@pytest.fixture
def run():
    return Handmade()


def broken(run, folder):
    """The rules that the spoiled run breaks."""
    return {violation.rule for violation in run.verdict(folder).violations}


@pytest.mark.parametrize(
    "audit",
    [
        {"ok": False, "wrong": 1, "findings": [{"what": "changed", "first": 7, "last": 7, "seq": 7}]},
        {"sealed": 0},
        {"sealed": 39, "unsealed": 2},
        {"sealed": len(KEYS) * EACH},
    ],
    ids=["does not verify", "nothing sealed", "not all sealed", "a row too few"],
)
def test_n8_a_chain_that_is_wrong_or_too_short_breaks_it(run, tmp_path, audit):
    run.final["audit"].update(audit)
    assert broken(run, tmp_path) == {"N8"}


def test_n8_messages_that_were_under_way_together_may_share_a_row(run, tmp_path):
    before = rules.fewest_rows(histories.read(run.write(tmp_path)))
    for line in run.client:
        if line["id"] == "b-1" and line["event"] == "invoke":
            line["at"] = 1.0
    assert before == len(KEYS) * EACH + 1
    assert rules.fewest_rows(histories.read(run.write(tmp_path))) == before - 1


def test_a_folder_whose_audit_chain_was_never_verified_cannot_be_judged_for_it(run, tmp_path, capsys):
    del run.final["audit"]
    run.write(tmp_path)
    assert checker.main([str(tmp_path), "--least", str(LEAST), "--json"]) == 1
    told = orjson.loads(capsys.readouterr().out)["violations"]
    assert [one["rule"] for one in told] == ["N8"]
    assert all("cannot be judged" in one["what"] for one in told)
