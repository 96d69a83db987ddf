"""The documents, and what stands in them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def all_pages():
    """Every Markdown file that is written for a reader."""
    tops = list(ROOT.glob("*.md"))
    inner = [path for folder in ("docs", "connectors") for path in (ROOT / folder).rglob("*.md")]
    return sorted([*tops, *inner])


def read(name):
    """A document by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name, language):
    """The code blocks of one language in a document, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(name), re.MULTILINE | re.DOTALL)


def headings(text):
    """Anchors as GitHub makes them of the headings."""
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", without_code, re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found
