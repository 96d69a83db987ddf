"""The load: the same seed gives the same bytes, each message carries its place, and no two keys meet."""

from urllib.parse import quote

import orjson
import pytest

from mappings.canonical.budget_line import BudgetLine
from proof.load import Load, fingerprint, place_in_order


def load(messages=30, keys=7, seed=3):
    return Load(BudgetLine.EXAMPLE, BudgetLine.KEY, messages=messages, keys=keys, seed=seed)


def test_the_same_seed_gives_the_same_load():
    assert load().posting(4, 2) == load().posting(4, 2)
    assert load().order() == load().order()
    assert load().order() != load(seed=4).order()
    assert load().posting(4, 2).id != load(seed=4).posting(4, 2).id


def test_messages_are_spread_over_the_keys_without_remainder_lost():
    lengths = [load().length(key) for key in range(7)]
    assert sum(lengths) == 30
    assert max(lengths) - min(lengths) == 1
    assert sorted(load().order()) == list(range(7))


def test_data_is_a_budget_line_whose_key_is_the_subject():
    many = load(messages=30_000, keys=15_000)
    postings = [many.posting(key, 2) for key in range(0, 15_000, 97)]
    for posting in postings:
        event = orjson.loads(posting.body)
        line = BudgetLine.model_validate(event["data"])
        assert posting.key == ":".join(quote(str(getattr(line, name)), safe="") for name in BudgetLine.KEY)
        assert event["subject"] == posting.key
        # What the hub keeps and sends on is what was posted: the checker compares nothing but this.
        assert fingerprint(line.model_dump(mode="json", exclude_none=True)) == posting.sha
    assert len({posting.key for posting in postings}) == len(postings)


def test_every_second_message_leaves_its_subject_to_the_hub():
    assert "subject" not in orjson.loads(load().posting(0, 1).body)


def test_place_in_order_is_read_back_and_nothing_is_read_into_other_data():
    assert place_in_order(orjson.loads(load().posting(0, 4).body)["data"]) == 4
    assert [place_in_order({"amount": amount}) for amount in ("1.50", "x", "NaN", None)] == [None] * 4
    assert place_in_order({}) is None


def test_fingerprints_do_not_depend_on_the_order_of_members_but_on_every_value():
    assert fingerprint({"a": 1, "b": "2"}) == fingerprint({"b": "2", "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


@pytest.mark.parametrize(
    ("messages", "keys", "fields"), [(3, 4, BudgetLine.KEY), (4, 0, BudgetLine.KEY), (4, 4, ("id",))]
)
def test_a_load_that_cannot_be_is_refused(messages, keys, fields):
    with pytest.raises(ValueError, match="load"):
        Load(BudgetLine.EXAMPLE, fields, messages=messages, keys=keys, seed=1)
