"""``arus backup`` and ``arus restore``."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import output
from .session import actor, load_settings, refusals_told
from .verbs import Json

if TYPE_CHECKING:
    from bus.engine.archive import Manifest
    from bus.engine.restore import Restored

_SHOWN = 10
"""Messages that are named for each destination; --json names all."""


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.", dir_okay=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    as_json: Json = False,
) -> None:
    """Save the whole store into one file, also while the hub runs. It holds secrets and personal data."""
    settings = load_settings()
    with refusals_told(as_json=as_json):
        from bus.contract.clock import system_clock
        from bus.engine.backup import backup as save

        manifest = save(settings.url, file.absolute(), now=system_clock(), overwrite=overwrite)
        told = _saved(file, manifest)
    if as_json:
        output.document(told)
    else:
        output.say(f"{file}: {manifest.messages} messages, {manifest.deliveries} deliveries, {told['bytes']} bytes")
        output.say(f"audit head {manifest.audit_position} {manifest.audit_hash}: note it down elsewhere")


def restore(
    file: Annotated[Path, typer.Argument(help="A file of arus backup.", exists=True, dir_okay=False, readable=True)],
    force: Annotated[bool, typer.Option("--force", help="Replace a store that is not empty.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the store, while no hub runs, and tell what may be sent again."""
    settings = load_settings()
    with refusals_told(as_json=as_json), _no_hub_in(settings.home):
        from bus.contract.clock import system_clock
        from bus.engine.restore import restore as load

        restored = load(settings.url, file.absolute(), now=system_clock(), actor=actor(), force=force)
        told = _restored(restored)
    if as_json:
        output.document(told)
        return
    output.say(f"restored as of {told['backup_at']}; what was accepted after it is not here")
    output.say(f"may be sent again: {told['may_send_again']} deliveries")
    for name, one in told["destinations"].items():
        shown = one["messages"][:_SHOWN]
        more = f" and {len(one['messages']) - len(shown)} more" if len(one["messages"]) > len(shown) else ""
        output.say(f"  {name}: {one['deliveries']} ({' '.join(shown)}{more})")


@contextlib.contextmanager
def _no_hub_in(home: Path) -> Iterator[None]:
    """Hold the home's lock, as ``arus serve`` does. Raises Refused where a hub has it."""
    from bus.contract.errors import Problem, Refused

    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "arus.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            detail = f"a hub runs in {home}: stop it first"
            raise Refused(Problem("store-in-use", "The store is in use", 409, detail)) from None
        yield
    finally:
        os.close(descriptor)


def _moment(at: int) -> str:
    from bus.contract.clock import to_datetime

    return to_datetime(at).isoformat()


def _saved(file: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "made_at": _moment(manifest.made_at),
        "database": manifest.database,
        "revision": manifest.revision,
        "messages": manifest.messages,
        "deliveries": manifest.deliveries,
        "open": dict(manifest.open),
        "audit": {"position": manifest.audit_position, "hash": manifest.audit_hash, "unsealed": manifest.unsealed},
    }


def _restored(restored: Restored) -> dict[str, Any]:
    manifest, replaced = restored.manifest, restored.replaced
    destinations = {
        name: {"deliveries": count, "messages": [f"m{number}" for number in restored.messages[name]]}
        for name, count in restored.deliveries.items()
    }
    return {
        "restored_at": _moment(restored.restored_at),
        "backup_at": _moment(manifest.made_at),
        "may_send_again": sum(restored.deliveries.values()),
        "destinations": destinations,
        "audit": {
            "backup_head": {"position": manifest.audit_position, "hash": manifest.audit_hash},
            "replaced_head": replaced and {"position": replaced.position, "hash": replaced.hash},
        },
    }
