"""The runs of a whole hub, one for each mode."""

import pytest

from .proven import prove

_RUNS = {}


@pytest.fixture(scope="session")
def proven(request, tmp_path_factory):
    """The finished run of the mode that the test asks for. One that cannot be made fails every row once."""
    mode = request.param
    if mode not in _RUNS:
        try:
            _RUNS[mode] = prove(mode, tmp_path_factory.mktemp(f"proof-{mode}"))
        except Exception as error:  # noqa: BLE001 - kept for the rows that follow
            _RUNS[mode] = error
    if isinstance(_RUNS[mode], Exception):
        raise _RUNS[mode]
    return _RUNS[mode]
