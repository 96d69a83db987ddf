"""Public corpora through the door: broken JSON, naughty strings."""

import json
from pathlib import Path

from sqlalchemy import select

from bus.engine.tables import messages
from tests.api.calling import (
    NDJSON,
    Front,
    event,
    line,
    stored,
)


def test_the_corpus_through_http(front: Front, key: str, shared_data: Path) -> None:
    """``n_`` as whole bodies: 4xx. ``y_`` inside ``data``: never 5xx, refused only for a named rule."""
    folder = shared_data / "corpora" / "json-test-suite" / "test_parsing"
    for path in sorted(folder.glob("n_*")):
        answer = front.event(path.read_bytes(), key)
        assert 400 <= answer.status < 500, path.name
        assert answer.slug
    shell = json.dumps(event(data="@")).encode()
    for path in sorted(folder.glob("[yi]_*")):
        answer = front.event(shell.replace(b'"@"', path.read_bytes()), key)
        assert 400 <= answer.status < 500, path.name
        assert answer.slug
    assert stored(front) == 0


def test_naughty_strings_are_kept_or_refused(front: Front, key: str, shared_data: Path) -> None:
    """In a text field and in an id: equal bytes out, or a refusal; never 5xx."""
    texts = json.loads((shared_data / "corpora" / "naughty-strings" / "blns.json").read_bytes())
    lines = [
        json.dumps(event(str(number), number=number, data=line(number, description=text)), ensure_ascii=False)
        for number, text in enumerate(texts)
    ]
    results = front.event("\n".join(lines).encode(), key, NDJSON).json
    assert len(results) == len(texts)
    accepted = {result["id"] for result in results if result["status"] == "accepted"}
    assert len(accepted) > 400
    with front.hub.database.reads.connect() as connection:
        kept = {row.id: json.loads(row.data) for row in connection.execute(select(messages.c.id, messages.c.data))}
    assert {id: kept[id]["description"] for id in accepted} == {id: texts[int(id)] for id in accepted}
    for text in texts[::5]:  # each is a commit of its own
        assert front.event(event(id=text), key).status in {202, 200, 409, 422}
