"""``docs/feeds.md`` names the feeds and columns that the mappings read."""

import importlib
import re

import pytest

from bus.routes import FEEDS

from .pages import read

PAGE = read("docs/feeds.md")
FILE_FEEDS = [feed for feed in FEEDS if feed.read is not None]


@pytest.mark.parametrize("feed", FILE_FEEDS, ids=lambda feed: f"{feed.system}-{feed.name}")
def test_each_file_feed_is_explained(feed):
    assert f"`{feed.name}`" in PAGE


ROWS = re.findall(r"^\| `([a-z-]+)` \| [\w-]+ \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def test_all_isb_feeds_stand_in_the_table():
    assert {row[0] for row in ROWS} == {feed.name for feed in FILE_FEEDS if feed.system == "e-procurement"}


@pytest.mark.parametrize(("name", "key", "more"), ROWS, ids=[row[0] for row in ROWS])
def test_the_columns_are_the_mapping_s(name, key, more):
    fields = importlib.import_module(f"mappings.e_procurement.{name.replace('-', '_')}").Source.model_fields
    told = set(re.findall(r"`(\w+)`", key + more))
    required = {column for column, field in fields.items() if field.is_required()}
    assert told <= set(fields)
    assert required <= told | {"kd_klpd", "kd_satker_str", "tahun_anggaran"}
