"""Finding server programs, and running them as a user that they accept."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

import pytest


def program(name: str, *, places: Sequence[str] = (), package: str, prefer_places: bool = False) -> Path:
    """Return the path of a server program, from PATH or the last match of the glob patterns ``places``.

    ``prefer_places`` looks there first, for programs whose command in PATH is a distribution's wrapper.
    Where it is missing the test is skipped, and fails where CI=true: there everything must run.
    """
    in_path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    matches = [match for place in places for match in sorted(Path("/").glob(place.lstrip("/")))]
    candidates = [Path(in_path)] if in_path else []
    candidates = [*candidates, *matches] if prefer_places else [*matches, *candidates]
    if not candidates:
        missing(f"{name} is missing: run `make services`, or install {package}")
    return candidates[-1]


def missing(reason: str) -> NoReturn:
    """Something that the test needs cannot be had here: it is skipped, and fails where CI=true."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Account:
    """The operating system's user that a server runs as.

    Servers such as PostgreSQL refuse to run as root; for root the account is that of the
    package (``postgres``) or else ``nobody``, for everybody else it is their own.
    """

    def __init__(self, preferred: str) -> None:
        self.user: int | None = None
        self.group: int | None = None
        self.extra_groups: list[int] | None = None
        if os.geteuid() == 0:
            entries = {entry.pw_name: entry for entry in pwd.getpwall()}
            entry = entries.get(preferred) or entries["nobody"]
            self.user, self.group, self.extra_groups = entry.pw_uid, entry.pw_gid, []

    def own(self, folder: Path) -> None:
        """Give a folder to this account."""
        if self.user is not None and self.group is not None:
            os.chown(folder, self.user, self.group)

    def run(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str:
        """Run a command to its end and return its output; raises with that output when it fails."""
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            env=env,
            user=self.user,
            group=self.group,
            extra_groups=self.extra_groups,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def start(
        self,
        command: Sequence[str | Path],
        *,
        log: IO[bytes],
        end_signal: signal.Signals,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a server in a session of its own; it gets ``end_signal`` also when the test run is killed."""
        bound = [setpriv, "--pdeathsig", end_signal.name[3:]] if (setpriv := shutil.which("setpriv")) else []
        return subprocess.Popen(
            [*bound, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=env,
            start_new_session=True,
            user=self.user,
            group=self.group,
            extra_groups=self.extra_groups,
        )
