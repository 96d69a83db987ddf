"""What the runs of a whole hub share."""

import pytest


@pytest.fixture
def at_natural_speed(monkeypatch):
    """The hub's processes are not measured for coverage: SIGKILL would lose what they measured anyway."""
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
