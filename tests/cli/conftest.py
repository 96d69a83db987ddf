"""The command line in its own ARUS_HOME, called in this process: exit code, stdout and stderr."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bus.entrypoints.cli.app import build


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Read stdout, which must be one JSON document and nothing else."""
        return json.loads(self.out)


Arus = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def arus(home: Path) -> Arus:
    def run(*words: str, code: int = 0) -> Done:
        result = CliRunner().invoke(build(), [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        done = Done(result.exit_code, result.stdout, result.stderr)
        assert done.code == code, done
        return done

    return run
