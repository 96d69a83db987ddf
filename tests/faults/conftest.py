"""The runs of a whole hub, one for each mode."""

import os

import pytest

from .proven import once

_RUNS = {}


@pytest.fixture(scope="session")
def proven(request, tmp_path_factory):
    """The finished run of the mode that the test asks for; test processes side by side share it."""
    mode, base = request.param, tmp_path_factory.getbasetemp()
    if mode not in _RUNS:
        _RUNS[mode] = once(mode, base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
    return _RUNS[mode]
