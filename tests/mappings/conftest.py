"""Option ``--accept``: ``pytest tests/mappings --accept`` writes the golden answers anew, to be read in the diff."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer ``--accept`` where this folder is named on the command line."""
    parser.addoption("--accept", action="store_true", help="write the golden answers anew")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse ``--accept`` in CI, where it would make every golden test pass."""
    if config.getoption("--accept", default=False) and os.environ.get("CI"):
        raise pytest.UsageError("--accept writes golden answers; it is refused where CI is set")
