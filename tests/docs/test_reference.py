"""The reference pages are what the code says."""

import importlib.util

import pytest

from bus.entrypoints.settings import Settings
from bus.routes import FEEDS, ROUTES
from mappings.canonical import MODELS
from monitoring.metrics import FAMILIES

from .pages import DOCS, read


def _generator():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_PAGES = _generator().pages()


@pytest.mark.parametrize("path", sorted(_PAGES), ids=lambda path: path.name)
def test_a_page_and_the_code_agree(path):
    assert path.read_text(encoding="utf-8") == _PAGES[path], "run .venv/bin/python docs/generate.py"


def test_no_page_is_left_over():
    assert set((DOCS / "reference").glob("*.md")) == set(_PAGES)


def test_everything_is_named():
    """The pages come from the code; this holds the generator itself to account."""
    assert {model.TYPE for model in MODELS if f"## {model.TYPE}\n" not in read("docs/reference/types.md")} == set()
    assert {route.name for route in ROUTES if f"[`{route.name}`]" not in read("docs/reference/routes.md")} == set()
    assert {
        (feed.system, feed.name)
        for feed in FEEDS
        if f"| `{feed.system}` | `{feed.name}` |" not in read("docs/reference/feeds.md")
    } == set()
    metrics, settings = read("docs/reference/metrics.md"), read("docs/reference/settings.md")
    assert {family.full_name for family in FAMILIES.values() if f"`{family.full_name}`" not in metrics} == set()
    assert {name for name in Settings.model_fields if f"`ARUS_{name.upper()}" not in settings} == set()
