"""Replays by filter, as the HTTP front and the command line offer them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from bus.contract.errors import Problem, Refused
from bus.engine import audit, replay_jobs
from bus.engine.browse import replays
from bus.engine.replay_filter import ReplayFilter

from .wiring import Hub


def begin(
    hub: Hub, wanted: ReplayFilter, *, overwrite: bool, rate: float | None, actor: str, reason: str
) -> dict[str, Any]:
    """Begin a replay in the background; answers it as it stands. Raises Refused where the filter names nothing."""
    _check(wanted)
    create = partial(
        replay_jobs.create, wanted=wanted, overwrite=overwrite, rate=rate, actor=actor, reason=reason, now=hub.clock()
    )
    return find(hub, hub.writer.call(create))


def preview(hub: Hub, wanted: ReplayFilter, *, overwrite: bool, actor: str, reason: str) -> list[dict[str, Any]]:
    """What a replay would change now, by destination. It shows values of records: who looked stands in the log."""
    _check(wanted)
    with hub.database.reads.connect() as connection:
        found = replays.preview(connection, wanted, overwrite=overwrite)
    detail = {"filter": wanted.text(), "reason": reason, "shown": _shown(found)}
    hub.writer.call(lambda connection: audit.note(connection, hub.clock(), actor, "replay previewed", detail))
    return found


def _shown(found: Sequence[dict[str, Any]]) -> list[str]:
    return [sample["id"] for one in found for sample in one["samples"]]


def _check(wanted: ReplayFilter) -> None:
    if wanted.empty:
        english = "name at least one of destination, type, source, subject, state, from, to, reason"
        indonesian = "sebutkan sedikitnya satu dari destination, type, source, subject, state, from, to, reason"
        errors = [{"field": "filter", "english": english, "indonesian": indonesian}]
        raise Refused(Problem("empty-filter", "The filter means everything", 422, english, errors))


def stop(hub: Hub, id: str, *, actor: str, reason: str) -> dict[str, Any]:
    """When this returns, the replay sets nothing more going. Raises Refused where it is unknown."""
    ended = partial(replay_jobs.stop, id=id, actor=actor, reason=reason, now=hub.clock())
    return replays.shown(hub.writer.call(ended))


def find(hub: Hub, id: str) -> dict[str, Any]:
    """One replay as it stands. Raises Refused where it is unknown."""
    with hub.database.reads.connect() as connection:
        row = replay_jobs.find(connection, id)
    if row is None:
        raise Refused(Problem("not-found", "Not found", 404, "no such replay"))
    return replays.shown(row)


def listed(hub: Hub) -> list[dict[str, Any]]:
    """The latest replays, newest first."""
    with hub.database.reads.connect() as connection:
        return replays.listed(connection)
