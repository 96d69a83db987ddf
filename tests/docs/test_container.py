"""Dockerfile and compose file, checked offline."""

import re
import subprocess
import sys
from pathlib import Path

from bus.entrypoints.settings import Settings

from .pages import ROOT, read


def test_the_compose_file_follows_the_compose_specification():
    check = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [check, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_sets_settings_that_exist_and_copies_what_exists():
    dockerfile = read("Dockerfile")
    named = set(re.findall(r"\bARUS_(\w+)=", dockerfile))
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)
    copied = {word for line in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE) for word in line.split()}
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    packages = re.search(r"^packages = \[(.+)\]$", read("pyproject.toml"), re.MULTILINE)[1]
    assert set(re.findall(r'"(\w+)"', packages)) <= copied
