"""The one place where the parts of a hub are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from bus.contract.clock import SteadyClock
from bus.engine import registry
from bus.engine.accept import Acceptor
from bus.engine.database import Database, open_database, upgrade
from bus.engine.intake import Intake
from bus.engine.routing import Routing
from bus.engine.snapshot_plan import HoldRule
from bus.engine.timekeeping import hub_clock
from bus.engine.writer import Writer
from monitoring.metrics import tally

from .catalogue import Catalogue
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Hub:
    """An open hub in one process: the store, its one writer, and what acts on them."""

    settings: Settings
    catalogue: Catalogue
    database: Database
    writer: Writer
    routing: Routing
    acceptor: Acceptor
    intake: Intake
    clock: SteadyClock

    def close(self) -> None:
        """Finish the writes that were given, then let go of the store."""
        self.writer.close()
        self.database.close()


Ring = Callable[[set[str]], None]
"""Told after each commit which destinations got deliveries (none: something else was written)."""


def open_hub(
    settings: Settings,
    *,
    ring: Ring = lambda _destinations: None,
    broken: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda _line: None,
) -> Hub:
    """Create or migrate the store and open it. ``ring`` is called after each commit of this process, ``broken`` when
    the disk failed a sync and nothing can be written until the process is another, ``tell`` with each line that its
    log is to have of the store.

    Works with or without a running hub: SQLite and PostgreSQL both take several writers, one at a time.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    upgrade(settings.url)
    catalogue = Catalogue()
    database = open_database(settings.url)
    routing = Routing(catalogue.routes)
    clock = hub_clock(database)
    acceptor = Acceptor(routing, clock, tally)
    writer = Writer(database.writes, lambda: ring(acceptor.take_rung()), broken, tell)
    hold = HoldRule(settings.hold_share, settings.hold_rows)
    intake = Intake(database, writer, acceptor, clock, tally, hold)
    hub = Hub(settings, catalogue, database, writer, routing, acceptor, intake, clock)
    writer.call(lambda connection: _register_systems(hub, connection))
    return hub


def _register_systems(hub: Hub, connection: Connection) -> None:
    now = hub.clock()
    for system in hub.catalogue.systems.values():
        registry.register(connection, system.id, title=system.title, agency=system.agency, external=False, now=now)
