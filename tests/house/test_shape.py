"""The shape of the tree: what DESIGN allows, and what no other tool checks."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bus", "connectors", "mappings", "monitoring", "proof")
LONGEST_MODULE = 300
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"}
TOP_LEVEL_FOLDERS = {*PACKAGES, "tests", "docs", ".ci"}
WORKING_FOLDERS = {"var"}
"""Made by running the hub where ARUS_HOME says nothing else; not part of the project."""
MAKE_TARGETS = {"demo", "test", "services", "lint", "bench"}


@cache
def _files() -> list[Path]:
    """List the repository's files, also those not yet added, or everything where there is no git."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        found = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        found = [path for folder in TOP_LEVEL_FOLDERS for path in (ROOT / folder).rglob("*")]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _modules() -> list[Path]:
    modules = [path for path in _files() if path.suffix == ".py"]
    assert len(modules) > 10
    return modules


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(path: Path) -> set[str]:
    """Return the full names of all imports in a module, wherever they stand, relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            names.add(".".join(part for part in (base, node.module) if part))
    return names


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _locked() -> list[tuple[str, Version]]:
    """List the pins; a name stands there twice where two Python versions need different ones."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;]+)", lock, re.MULTILINE)
    return [(canonicalize_name(name), Version(version)) for name, version in pins]


def test_no_module_is_longer_than_a_reader_can_hold():
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_every_module_is_named_by_its_domain():
    assert [_name(path) for path in _modules() if NAMES_THAT_SAY_NOTHING & {path.stem, *path.parts}] == []


def test_top_level_folders_are_the_given_ones():
    folders = {path.relative_to(ROOT).parts[0] for path in _files() if path.parent != ROOT}
    assert folders <= TOP_LEVEL_FOLDERS | WORKING_FOLDERS
    assert set(PACKAGES) <= folders


def test_the_bus_has_no_room_outside_the_import_rule():
    """The layers of import-linter name these four; a fifth would stand outside of every rule."""
    rooms = {path.relative_to(ROOT / "bus").parts[0] for path in _modules() if path.is_relative_to(ROOT / "bus")}
    assert rooms == {"__init__.py", "contract", "engine", "routes", "entrypoints"}


def test_mappings_import_only_the_standard_library_pydantic_and_lxml():
    allowed = {*sys.stdlib_module_names, "mappings", "pydantic", "pydantic_core", "lxml"}
    foreign = {
        _name(path): sorted(name for name in _imports(path) if name.split(".")[0] not in allowed)
        for path in _modules()
        if path.is_relative_to(ROOT / "mappings")
    }
    assert {name: imports for name, imports in foreign.items() if imports} == {}


@pytest.mark.parametrize("extra", ["", "dev"])
def test_lock_pins_everything_that_the_project_asks_for(extra):
    project, locked = _project(), _locked()
    asked = project["optional-dependencies"][extra] if extra else project["dependencies"]
    assert len(asked) > 10
    for requirement in map(Requirement, asked):
        pinned = [version for name, version in locked if name == canonicalize_name(requirement.name)]
        assert pinned, f"{requirement} is not in requirements.lock"
        assert all(version in requirement.specifier for version in pinned), f"{requirement}: {pinned}"


def test_every_pin_has_hashes_and_no_line_names_a_host():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"^.*(?://|--index|--extra-index|--find-links|--trusted).*$", lock, re.MULTILINE) == []
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(entries) == len(_locked())
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_makefile_has_the_promised_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) >= MAKE_TARGETS


def test_ci_runs_what_a_contributor_runs():
    steps = re.findall(r"^make --no-print-directory (\w+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert steps == ["services", "lint", "test"]
