"""The installed command: quick help, no heavy imports, clean stdout."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ARUS = [sys.executable, "-c", "from bus.entrypoints.cli import main; main()"]
HEAVY = ("fastapi", "sqlalchemy", "pydantic", "zeep", "aiohttp", "rich", "alembic", "lxml")


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ARUS_HOME": str(cwd / "home"), "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([*ARUS, *words], capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def test_help_answers_in_under_half_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By processor time, without measuring of coverage: other tests run on the same cores."""
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("--help", cwd=tmp_path).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert 0 < min(taken) < 0.5


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """The cause that the time above stands for: it does not depend on the machine."""
    code = (
        "import sys\nfrom bus.entrypoints.cli import main\nsys.argv = ['arus', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.exit(','.join(name for name in {HEAVY!r} if name in sys.modules) or 0)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_verb_has_help(tmp_path: Path) -> None:
    text = run("--help", cwd=tmp_path).stdout
    verbs = (
        "demo serve bench check systems intake mapping keys subscriptions messages failures parked rejections",
        "snapshots resolve replay pause resume records db audit backup restore",
    )
    for verb in " ".join(verbs).split():
        assert f"\n  {verb} " in text, verb


def test_nothing_to_do_is_wrong_usage(tmp_path: Path) -> None:
    assert run(cwd=tmp_path).returncode == 2


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    environment = os.environ | {"ARUS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path(__file__).parents[2])}
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [*ARUS, "systems", "list", "--json"], stdout=closed, stderr=subprocess.PIPE, text=True, env=environment,
            cwd=tmp_path, check=False,
        )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "store" not in done.stderr
