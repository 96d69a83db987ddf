"""Golden folders: one row in, the canonical record or the bilingual refusal out; one record in, the target form out.

``golden/<system>/<feed>__<case>/`` holds ``source.json`` and ``canonical.json`` or ``rejected.json``;
``golden/targets/<system>/<form>__<case>/`` holds ``canonical.json`` and ``target.json``. The rows are authored.
"""

import importlib
import json
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from mappings.problems import problems
from tests.mappings.feeds import modules_with

GOLDEN = Path(__file__).parent / "golden"
TARGETS = GOLDEN / "targets"


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*/*__*") if path.is_dir() and path.parent != TARGETS)


def _name(folder: Path) -> str:
    return str(folder.relative_to(GOLDEN))


def _module(folder: Path) -> Any:
    return importlib.import_module(f"mappings.{folder.parent.name}.{folder.name.partition('__')[0]}")


def _read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"), parse_float=Decimal)


def _agree(file: Path, answer: Any, accept: bool) -> None:
    text = json.dumps(answer, ensure_ascii=False, indent=2) + "\n"
    if accept:
        file.write_text(text, "utf-8")
    assert file.exists(), f"no {file.name}: look at the answer and write it with --accept\n{text}"
    assert json.loads(text) == json.loads(file.read_text("utf-8"))


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--accept", default=False))


@pytest.mark.parametrize("folder", _folders(GOLDEN), ids=_name)
def test_a_row_becomes_its_record_or_its_refusal(folder: Path, accept: bool):
    row = _read(folder / "source.json")
    try:
        record = _module(folder).to_canonical(row)
    except ValueError as error:
        answer, file, other = [asdict(problem) for problem in problems(error)], "rejected.json", "canonical.json"
    else:
        answer, file, other = record.to_data(), "canonical.json", "rejected.json"
        assert type(record).from_data(answer) == record, "the record does not survive its own JSON"
        assert _module(folder).record_key(row) == record.subject
    if accept:
        (folder / other).unlink(missing_ok=True)
    assert not (folder / other).exists(), f"{other} is expected, but the answer is {answer}"
    _agree(folder / file, answer, accept)


@pytest.mark.parametrize("folder", _folders(TARGETS), ids=_name)
def test_a_record_becomes_its_target_form(folder: Path, accept: bool):
    module = _module(folder)
    hints = get_type_hints(module.from_canonical)
    model = next(hint for name, hint in hints.items() if name != "return")
    record = model.from_data(json.loads((folder / "canonical.json").read_text("utf-8")))
    _agree(folder / "target.json", module.from_canonical(record), accept)


@pytest.mark.parametrize("feed", modules_with("to_canonical"))
def test_each_feed_has_an_accepted_and_a_refused_case(feed: str):
    folders = list(GOLDEN.glob(f"{feed}__*"))
    assert any((folder / "canonical.json").exists() for folder in folders), "no accepted case"
    assert any((folder / "rejected.json").exists() for folder in folders), "no refused case"


@pytest.mark.parametrize("form", modules_with("from_canonical"))
def test_each_target_form_has_a_full_and_a_sparse_case(form: str):
    assert {folder.name.partition("__")[2] for folder in TARGETS.glob(f"{form}__*")} >= {"full", "sparse"}


def test_no_refusal_repeats_a_value_of_its_row():
    """Each problem against the value of its own field, where that is long enough not to be a word of a sentence."""
    checked = 0
    for file in GOLDEN.glob("*/*__*/rejected.json"):
        row = _read(file.parent / "source.json")
        for problem in _read(file):
            value = str(row.get(problem["field"].partition(".")[0]) or "").strip()
            if len(value) > 4:
                assert value not in problem["english"] + problem["indonesian"], file
                checked += 1
    assert checked > 10
