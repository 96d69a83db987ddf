"""Golden files: a whole CSV in, its records and its refusals out, through reader and mapping.

``golden/files/e_budgeting/<feed>__<case>/`` holds ``source.csv`` and what it gives: ``canonical.json`` (the records
in order) and ``rejected.json`` (line and reasons; for a file refused whole its code and text). The files are authored.
"""

import importlib
import json
from pathlib import Path

import pytest

from bus.contract.feed import FileRefused
from mappings.problems import problems

GOLDEN = Path(__file__).parents[1] / "golden" / "files" / "e_budgeting"
FOLDERS = sorted(GOLDEN.glob("*__*"))


def _outcome(feed, content):
    reader = importlib.import_module(f"connectors.e_budgeting.{feed}")
    mapping = importlib.import_module(f"mappings.e_budgeting.{feed}")
    records, refused = [], []
    try:
        rows = reader.read(content, "source.csv").rows
    except FileRefused as refusal:
        return None, [{"code": refusal.code, "english": refusal.english, "indonesian": refusal.indonesian}]
    for row in rows:
        reasons = row.problems
        if not reasons:
            try:
                records.append(mapping.to_canonical(row.values).to_data())
                continue
            except ValueError as error:
                reasons = problems(error)
        told = [{"field": one.field, "english": one.english, "indonesian": one.indonesian} for one in reasons]
        refused.append({"line": row.line, "problems": told})
    return records or None, refused or None


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_file_becomes_its_records_and_its_refusals(folder, request):
    accept = request.config.getoption("--accept", default=False)
    answers = _outcome(folder.name.partition("__")[0], (folder / "source.csv").read_bytes())
    for name, answer in zip(("canonical.json", "rejected.json"), answers, strict=True):
        file = folder / name
        if accept:
            file.unlink(missing_ok=True)
            if answer is not None:
                file.write_text(json.dumps(answer, ensure_ascii=False, indent=2) + "\n", "utf-8")
        assert (json.loads(file.read_text("utf-8")) if file.exists() else None) == answer


@pytest.mark.parametrize("feed", ["apbd", "rka"])
@pytest.mark.parametrize("answer", ["canonical.json", "rejected.json"])
def test_each_feed_has_an_accepted_and_a_refused_case(feed, answer):
    assert any((folder / answer).exists() for folder in FOLDERS if folder.name.startswith(f"{feed}__"))
