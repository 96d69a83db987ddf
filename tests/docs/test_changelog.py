import re

import pytest

from .pages import ROOT

FRAGMENTS = sorted(path for path in (ROOT / "docs" / "changelog.d").iterdir() if path.name != "README.md")


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_has_a_kind_and_one_short_paragraph(path):
    assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed)\.md", path.name)
    text = path.read_text(encoding="utf-8")
    assert "\n\n" not in text.strip()
    assert 20 < len(text.strip()) < 300
    assert text.strip().endswith(".")
