"""The real input files, which are no part of the repository."""

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real input files: ARUS_SHARED_DATA, or ../shared/data beside the checkout."""
    folder = Path(os.environ.get("ARUS_SHARED_DATA") or _ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real input files in {folder}: set ARUS_SHARED_DATA to their folder")
    return folder.resolve()
