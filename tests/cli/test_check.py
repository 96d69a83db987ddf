"""``arus check`` finds what is wrong with a configuration, and nothing in the one that is shipped."""

from dataclasses import replace
from pathlib import Path

import pytest

from bus.contract.route import Parent, Route
from bus.entrypoints.catalogue import Catalogue
from bus.entrypoints.checking import findings
from bus.entrypoints.settings import Settings
from mappings.canonical import BudgetLine
from tests.cli.conftest import Arus


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_what_is_shipped_is_right(arus: Arus, home: Path) -> None:
    assert arus("check", "--json").json == {"ok": True, "findings": []}
    assert arus("check").out == "nothing wrong\n"
    assert (home / "drop" / "e-budgeting" / "rka").is_dir()


def _fails(_data: object) -> None:
    raise ZeroDivisionError


WRONG_ROUTES = {
    "not declared": Route("r", "budget.line", "nowhere", dict),
    "carries the type": Route("r", "nothing", "e-project", dict),
    "waits for": Route("r", "budget.line", "e-project", dict, parents=(Parent("nothing", lambda _data: None),)),
    "ZeroDivisionError": Route("r", "budget.line", "e-project", _fails),
}


@pytest.mark.parametrize("words", WRONG_ROUTES)
def test_a_wrong_route(settings: Settings, words: str) -> None:
    (found,) = findings(settings, Catalogue(routes=[WRONG_ROUTES[words]]))
    assert found["where"] == "route r"
    assert words in found["what"]


def test_wrong_feeds(settings: Settings) -> None:
    good = Catalogue().feeds[0]
    for feeds, words in (
        ([good, good], "more than once"),
        ([replace(good, system="nowhere")], "not declared"),
        ([replace(good, type="nothing")], "not declared"),
        ([replace(good, key=("x",))], "another key"),
    ):
        (found,) = findings(settings, Catalogue(feeds=feeds, routes=[]))
        assert words in found["what"]


def test_wrong_types(settings: Settings) -> None:
    class WrongExample(BudgetLine):
        EXAMPLE = {"fiscal_year": 1}  # noqa: RUF012

    class WrongKey(BudgetLine):
        KEY = ("nothing",)

    for model, words in ((WrongExample, "example"), (WrongKey, "nothing")):
        (found,) = findings(settings, Catalogue(models=[model], feeds=[], routes=[]))
        assert words in found["what"]


def test_a_drop_folder_that_cannot_be(tmp_path: Path, arus: Arus, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ARUS_DROP", str(tmp_path / "file"))
    done = arus("check", code=1)
    assert "drop folder e-budgeting/rka" in done.out
