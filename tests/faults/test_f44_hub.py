"""F44, the hub's side: the same file again is no news, and its name decides nothing."""

import pytest

from bus.engine.database import open_database, upgrade
from tests.intake.hub import RKA, Hub, accounts, line, rka


@pytest.fixture(params=["sqlite", "postgresql"])
def hub(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'arus.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
    upgrade(url)
    database = open_database(url, synchronous="OFF")
    hub = Hub(database)
    yield hub
    hub.close()
    database.close()


FIRST, OTHER = rka(line(1), line(2)), rka(line(1), line(2, "250,50"), line(3))


def test_same_file_again_and_the_same_content_under_another_name(hub):
    assert hub.counts(RKA, FIRST, "a.csv") == {"rows": 2, "created": 2}
    before = hub.trace()
    assert hub.counts(RKA, FIRST, "a.csv") == {"rows": 2, "unchanged": 2}
    assert hub.counts(RKA, FIRST, "b.csv") == {"rows": 2, "unchanged": 2}
    assert hub.trace() == before
    assert len(hub.audited("file-taken")) == 3


def test_same_name_with_other_content_brings_what_is_new_in_it(hub):
    hub.counts(RKA, FIRST, "a.csv")
    assert hub.counts(RKA, OTHER, "a.csv") == {"rows": 3, "created": 1, "changed": 1, "unchanged": 1}
    assert accounts(hub) == {1: "100.00", 2: "250.50", 3: "100.00"}
    # The older content once more is no repetition: it says what holds now.
    assert hub.counts(RKA, FIRST, "a.csv") == {"rows": 2, "changed": 1, "unchanged": 1, "deleted": 1}
    assert accounts(hub) == {1: "100.00", 2: "100.00"}


def test_a_file_with_bad_rows_again_keeps_one_rejection_each(hub):
    bad = rka(line(1), line(2, "?"))
    for name in ("a.csv", "a.csv", "b.csv"):
        hub.take(RKA, bad, name)
    assert [(row.file, row.row) for row in hub.rejections()] == [("b.csv", 2)]
    assert len(hub.messages()) == 1
