"""``docs/promises.md`` has twelve promises, and the proofs it names exist."""

import re

import pytest

from .pages import ROOT, read

PAGE = read("docs/promises.md")
PROOFS = sorted(set(re.findall(r"`(tests/[\w/.]+\.py)(?:::(?:\w+::)?(\w+))?`", PAGE)))


def test_there_are_twelve_and_each_says_how_it_stands():
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:-1]
    assert [int(section.split(".")[0]) for section in sections] == list(range(1, 13))
    for section in sections:
        assert re.search(r"\*\*(Holds|In\s+part|Not yet)", section), section.splitlines()[0]
        assert "**Not yet" in section or "`tests/" in section, "a promise that holds names its proof"


@pytest.mark.parametrize(("path", "name"), PROOFS, ids=[f"{path}::{name}" for path, name in PROOFS])
def test_a_named_proof_exists(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"def {name or 'test_'}", text)
