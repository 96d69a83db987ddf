"""The faults that a run can inject, each under the row of the fault matrix that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from .answers import ANSWERS
from .deployment import DEPLOYMENT
from .fault import Fault, Mode
from .kills import KILLS
from .network import NETWORK
from .pauses import PAUSES
from .posts import POSTS
from .servers import SERVERS
from .store import STORE

ALL: tuple[Fault, ...] = (*KILLS, *PAUSES, *SERVERS, *STORE, *NETWORK, *ANSWERS, *POSTS, *DEPLOYMENT)

ROWS = tuple(sorted({fault.row for fault in ALL}))


class UnknownRow(Exception):
    """A row that no fault belongs to, or that does not exist in the asked mode."""


def chosen(rows: Sequence[str], mode: Mode) -> tuple[Fault, ...]:
    """The faults of these rows in this mode; ``all`` stands for every row that exists there. Raises UnknownRow."""
    here = tuple(fault for fault in ALL if mode in fault.modes)
    if list(rows) == ["all"]:
        return here
    for row in rows:
        if row not in ROWS:
            raise UnknownRow(f"there is no fault {row}: choose from {', '.join(ROWS)} or all")
        if not any(fault.row == row for fault in here):
            raise UnknownRow(f"{row} exists in the other mode alone, not in the {mode} one")
    return tuple(fault for fault in here if fault.row in rows)


__all__ = ["ALL", "ROWS", "Fault", "Mode", "UnknownRow", "chosen"]
