"""Whose eyes look: one agency never sees what another's systems sent, unless it is given to it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, exists, false, or_, select, true

from bus.engine.registers import rejections, snapshots, subscriptions, systems
from bus.engine.registry import Identity
from bus.engine.routing import SUBSCRIPTION
from bus.engine.tables import deliveries, messages


@dataclass(frozen=True, slots=True)
class View:
    """``system`` None sees all. ``destinations`` are where messages are given to this system."""

    system: str | None
    agency: str | None = None
    destinations: tuple[str, ...] = ()

    @property
    def sees_all(self) -> bool:
        return self.system is None

    def own_messages(self) -> ColumnElement[bool]:
        """Sent by this system, or about a record of its agency."""
        if self.sees_all:
            return true()
        own = messages.c.source == self.system
        return own if self.agency is None else or_(own, messages.c.agency == self.agency)

    def messages(self) -> ColumnElement[bool]:
        """Its own, and what was routed to it."""
        if self.sees_all:
            return true()
        given = exists().where(deliveries.c.message == messages.c.seq, deliveries.c.destination.in_(self.destinations))
        return or_(self.own_messages(), given)

    def deliveries(self) -> ColumnElement[bool]:
        """Those of its own messages, and those to itself. The statement joins ``messages``."""
        if self.sees_all:
            return true()
        return or_(self.own_messages(), deliveries.c.destination.in_(self.destinations))

    def rejections(self) -> ColumnElement[bool]:
        if self.sees_all:
            return true()
        own = rejections.c.system == self.system
        return own if self.agency is None else or_(own, rejections.c.agency == self.agency)

    def snapshots(self) -> ColumnElement[bool]:
        return true() if self.sees_all else snapshots.c.system == self.system

    def systems(self) -> ColumnElement[bool]:
        return true() if self.sees_all else systems.c.id == self.system


ALL = View(None)
"""An operator's view, and the command line's."""

NOTHING: ColumnElement[bool] = false()


def view_of(connection: Connection, identity: Identity) -> View:
    """What the caller may see."""
    if identity.sees_all:
        return ALL
    statement = select(subscriptions.c.id).where(
        subscriptions.c.system == identity.system, subscriptions.c.removed_at.is_(None)
    )
    given = [SUBSCRIPTION + row.id for row in connection.execute(statement)]
    return View(identity.system, identity.agency, (identity.system, *given))
