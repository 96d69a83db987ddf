"""Acts that both the HTTP front and the command line offer: each is one transaction, or a few with a bounded wait."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection

from bus.contract.errors import Problem, Refused
from bus.contract.message import short_type
from bus.engine import acts, audit, controls, registry, subscribing
from bus.engine.browse import participants
from bus.engine.browse.view import View
from bus.engine.subscribing import Subscription
from connectors.webhook.signature import PREFIX as SECRET_PREFIX
from connectors.webhook.signature import signing_key

from . import outbound
from .wiring import Hub

CONFIRMATION = 10.0
"""Seconds to wait until every living worker has seen a switch."""

_LOOK = 0.02


def pause(hub: Hub, system: str, *, actor: str, reason: str) -> None:
    """Stop all attempts towards ``system``. When this returns, no further attempt starts. Raises Refused."""
    _switch(hub, system, "paused", actor=actor, reason=reason)


def resume(hub: Hub, system: str, *, actor: str, reason: str) -> None:
    _switch(hub, system, "resumed", actor=actor, reason=reason)


def _switch(hub: Hub, system: str, action: str, *, actor: str, reason: str) -> None:
    def write(connection: Connection) -> int:
        if not registry.known(connection, system):
            raise Refused(Problem("not-found", "Not found", 404, "no such system"))
        now = hub.clock()
        at = now if action == "paused" else None
        audit.note(connection, now, actor, action, {"system": system, "reason": reason})
        return controls.set_paused(connection, system, at=at, reason=reason if at is not None else None)

    wanted = hub.writer.call(write)
    until = time.monotonic() + CONFIRMATION
    while _behind(hub, wanted):
        if time.monotonic() > until:
            detail = f"{system} is {action} in the store, but a worker has not confirmed it yet; ask again"
            raise Refused(Problem("not-confirmed", "Not confirmed", 503, detail), retry_after=2)
        time.sleep(_LOOK)


def _behind(hub: Hub, wanted: int) -> list[str]:
    with hub.database.reads.connect() as connection:
        return controls.behind(connection, wanted, hub.clock())


def subscribe(
    hub: Hub,
    system: str,
    url: str,
    types: Sequence[str],
    *,
    secret: str | None,
    start: Literal["now", "current"],
    actor: str,
) -> Subscription:
    """Subscribe ``system``'s ``url``; with ``current`` the present state of every record goes there first."""
    outbound.check_url(url, hub.settings)
    _check_types(hub, types)
    secret = _new_secret() if secret is None else _checked_secret(secret)

    def write(connection: Connection) -> Subscription:
        if not registry.known(connection, system):
            raise Refused(Problem("not-found", "Not found", 404, "no such system"))
        return subscribing.subscribe(
            connection, system, url, types, secret=secret, start=start, actor=actor, now=hub.clock()
        )

    made = hub.writer.call(write)
    if start == "current":
        _backfill(hub, made)
    return made


def _backfill(hub: Hub, made: Subscription) -> None:
    after = ("", "")
    while True:
        portion = partial(subscribing.backfill, subscription=made, now=hub.clock(), after=after)
        after = hub.writer.call(portion)
        if after == ("", ""):
            return


def _check_types(hub: Hub, types: Sequence[str]) -> None:
    for pattern in types:
        if not any(fnmatchcase(name, short_type(pattern)) for name in hub.catalogue.types):
            english = "each of types is a type or a pattern such as budget.*, and matches at least one type"
            indonesian = "setiap jenis atau pola, misalnya budget.*, harus cocok dengan sedikitnya satu jenis"
            errors = [{"field": "types", "english": english, "indonesian": indonesian}]
            raise Refused(Problem("unknown-type", "Unknown type", 422, english, errors))


def _new_secret() -> str:
    """256 random bits, as Standard Webhooks writes them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def _checked_secret(secret: str) -> str:
    try:
        signing_key(secret)
    except ValueError:
        english = "a secret that begins with whsec_ goes on in base64; leave it out to be given one"
        indonesian = "secret yang diawali whsec_ dilanjutkan dengan base64; kosongkan agar dibuatkan"
        errors = [{"field": "secret", "english": english, "indonesian": indonesian}]
        raise Refused(Problem("invalid-secret", "Invalid secret", 422, english, errors)) from None
    return secret


def replay(hub: Hub, ids: Sequence[str], *, actor: str, reason: str, overwrite: bool) -> list[dict[str, Any]]:
    """Replay each of these deliveries; what one refuses does not stop the others."""
    results: list[dict[str, Any]] = []
    for delivery in ids:
        try:
            sent = replay_one(hub, delivery, actor=actor, reason=reason, overwrite=overwrite)
            results.append({"id": delivery, "status": "replayed", "sent": sent})
        except Refused as refused:
            results.append({"id": delivery, "status": "refused", "problem": refused.problem.document()})
    return results


def replay_one(hub: Hub, delivery: str, *, actor: str, reason: str, overwrite: bool) -> str:
    """Send one delivery again; answers the id of what will be sent. Raises Refused."""
    return hub.writer.call(
        lambda connection: acts.replay(
            connection, delivery, actor=actor, now=hub.clock(), overwrite=overwrite, reason=reason
        )
    )


def resolve(
    hub: Hub, delivery: str, verdict: Literal["delivered", "retry", "discard"], *, actor: str, reason: str
) -> str:
    """A person decides on a parked or dead delivery; answers its new state."""
    return hub.writer.call(
        lambda connection: acts.resolve(
            connection, hub.routing, delivery, verdict, actor=actor, now=hub.clock(), reason=reason
        )
    )


def systems(hub: Hub, connection: Connection, view: View) -> list[dict[str, Any]]:
    """The systems with what they give (feeds) and take (sinks: types)."""
    found = participants.listed(connection, view)
    for system in found:
        name = system["system"]
        system["feeds"] = sorted(feed.name for feed in hub.catalogue.feeds if feed.system == name)
        system["sinks"] = sorted({route.type for route in hub.catalogue.routes if route.destination == name})
    return found
