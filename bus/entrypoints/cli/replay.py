"""``arus replay``: deliveries again, some by their ids or many by a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import output
from .session import actor, opened
from .verbs import Json, Reason, moment

if TYPE_CHECKING:
    from bus.engine.replay_filter import ReplayFilter
    from bus.entrypoints.wiring import Hub


class State(StrEnum):
    dead = "dead"
    parked = "parked"
    delivered = "delivered"


def register(app: typer.Typer) -> None:
    app.command()(replay)


def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of deliveries; or name a filter.")] = None,
    destination: Annotated[str | None, typer.Option("--destination", help="Towards one system.")] = None,
    type: Annotated[str | None, typer.Option("--type", help="Short or full type.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Of messages that one system sent.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Of one record: its key.")] = None,
    state: Annotated[State | None, typer.Option("--state", help="Without it: the dead and the parked ones.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Accepted at or after.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Accepted before.")] = None,
    cause: Annotated[
        str | None, typer.Option("--cause", help="The reason that failures or parked shows; its numbers do not count.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    rate: Annotated[float | None, typer.Option("--rate", min=0.001, max=10_000, help="Deliveries a second.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Even where a newer version exists.")] = False,
    reason: Reason = "",
    stop: Annotated[str | None, typer.Option("--stop", help="Stop the replay with this id.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="The latest replays by filter.")] = False,
    as_json: Json = False,
) -> None:
    """Send again: parked or dead goes on, delivered is sent anew at the end of its lane.

    By filter it runs in the background, in a running hub; --list shows how far it is.
    """
    named = {
        "destination": destination,
        "type": type,
        "source": source,
        "subject": subject,
        "state": state.value if state else None,
        "since": moment(since, "--since"),
        "until": moment(until, "--until"),
        "reason": cause,
    }
    filtered = any(value is not None for value in named.values())
    if [bool(ids), filtered, stop is not None, listed].count(True) != 1:
        raise typer.BadParameter("give ids, or a filter such as --destination and --state, or --stop, or --list")
    with opened(as_json=as_json) as hub:
        from bus.entrypoints import replays

        if listed:
            _list(replays.listed(hub), as_json=as_json)
        elif stop is not None:
            _tell(replays.stop(hub, stop, actor=actor(), reason=reason), as_json=as_json)
        elif dry_run:
            wanted = _filter(hub, ids, named)
            found = replays.preview(hub, wanted, overwrite=overwrite, actor=actor(), reason=reason)
            _preview(found, as_json=as_json)
        elif ids:
            _some(hub, ids, overwrite=overwrite, reason=reason, as_json=as_json)
        else:
            wanted = _filter(hub, None, named)
            job = replays.begin(hub, wanted, overwrite=overwrite, rate=rate, actor=actor(), reason=reason)
            _tell(job, as_json=as_json)


def _filter(hub: Hub, ids: Sequence[str] | None, named: Mapping[str, Any]) -> ReplayFilter:
    from bus.contract.errors import Problem, Refused
    from bus.contract.message import SOURCE_PREFIX, short_type
    from bus.engine.replay_filter import ReplayFilter

    if ids:
        return ReplayFilter(ids=tuple(ids))
    values = dict(named)
    if values["type"] is not None:
        values["type"] = short_type(values["type"])
        if values["type"] not in hub.catalogue.types:
            raise Refused(Problem("not-found", "Not found", 404, "no such type"))
    if values["source"] is not None:
        values["source"] = values["source"].removeprefix(SOURCE_PREFIX)
    return ReplayFilter(**values)


def _some(hub: Hub, ids: Sequence[str], *, overwrite: bool, reason: str, as_json: bool) -> None:
    from bus.entrypoints import deeds

    results = deeds.replay(hub, ids, actor=actor(), reason=reason, overwrite=overwrite)
    if as_json:
        output.document(results)
    else:
        for result in results:
            told = result.get("sent") or result["problem"].get("detail", result["problem"]["title"])
            output.say(f"{result['id']} {result['status']} {told}")
    if any(result["status"] != "replayed" for result in results):
        raise typer.Exit(1)


def _preview(found: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.document({"dry_run": True, "destinations": found})
        return
    output.table([{"destination": one["destination"], **one["counts"]} for one in found], ("destination", *_WOULD))
    for one in found:
        for sample in one["samples"]:
            changes = sample["changes_at_destination"]
            told = "not there yet" if changes is None else ", ".join(map(_change, changes)) or "no change"
            output.say(f"{one['destination']} {sample['subject']} {sample['would']}: {told}")


_WOULD = ("resume", "new_delivery", "refused_newer_exists", "nothing")


def _change(change: Mapping[str, Any]) -> str:
    return f"{change['field']} {change['from']} -> {change['to']}"


def _list(jobs: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    columns = ("id", "state", "created_at", "ended_at", "filter", "rate", "counts", "reason", "error")
    output.listing(jobs, columns, as_json=as_json)


def _tell(job: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(job)
    else:
        counts = " ".join(f"{name}={count}" for name, count in job["counts"].items())
        output.say(f"{job['id']} {job['state']} {counts}")
