"""Connectors: what the hub knows of one system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .feed import DropFolder, Feed, Source
from .sink import Sink


@dataclass(frozen=True, slots=True)
class Connector:
    """One existing application: its id, the agency (OPD, 22 characters) that owns it, how it is read and written.

    ``sources`` are polled, by feed name; ``drops`` are watched folders, by feed name.
    """

    system: str
    title: str
    agency: str | None
    feeds: tuple[Feed, ...] = ()
    sink: Sink | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    drops: Mapping[str, DropFolder] = field(default_factory=dict)
