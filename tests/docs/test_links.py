import re
from xml.etree import ElementTree

import pytest

from .pages import ROOT, all_pages, headings, read

LINK = re.compile(r"!?\[[^]]*\]\(([^)\s]+)\)")


def _name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", all_pages(), ids=_name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in LINK.findall(without_code):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        inside = there.is_relative_to(ROOT) and there.exists()
        if not inside or (anchor and anchor not in headings(there.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


def test_every_decision_is_numbered_and_listed_once():
    files = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    assert re.findall(r"^\| \[\d+\]\(([^)]+)\)", read("docs/adr/README.md"), re.MULTILINE) == files
    for name in files:
        text = read(f"docs/adr/{name}")
        assert text.startswith(f"# {int(name[:4])}. ")
        assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Refused"], name


def test_files_named_in_code_style_exist():
    """A path to a file of ours, written as code, names one that exists."""
    for page in all_pages():
        for name in re.findall(
            r"`((?:bus|connectors|mappings|monitoring|tests|docs|proof)/[\w./-]+\.\w+)`", page.read_text("utf-8")
        ):
            assert (ROOT / name).exists(), f"{_name(page)}: {name}"


def test_the_picture_is_whole_and_tells_what_it_shows():
    """A screen reader and a browser both get something."""
    picture = ElementTree.parse(ROOT / "docs/architecture.svg").getroot()
    told = [picture.find(f"{{http://www.w3.org/2000/svg}}{name}").text for name in ("title", "desc")]
    assert all(text.strip() for text in told)
    assert "architecture.svg" in read("README.md")
