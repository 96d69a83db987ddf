"""``arus prove``: the fault-injection proof over a private hub."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import output
from .verbs import Json

if TYPE_CHECKING:
    from proof.checker import Verdict
    from proof.plan import Plan

SHOWN = 100
"""Ids of a violation in ``--json``; all are in the logs."""


def prove(
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.5, max=10_080, help="Under load for so long.")
    ] = None,
    messages: Annotated[
        int | None, typer.Option("--messages", min=3_000, max=10_000_000, help="So many messages; 5000 if neither.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same load, places and whims again.")] = 1,
    faults: Annotated[str, typer.Option("--faults", help="Rows of the fault matrix, such as F03,F10; or all.")] = "all",
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=10_000, help="Each fault so often.")] = 1,
    distributed: Annotated[
        bool, typer.Option("--distributed", help="Start PostgreSQL, RabbitMQ and two of each process.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Keep the logs here; it must be empty or absent.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove on this machine that nothing is lost, doubled or reordered: a private hub, a load, faults, a checker."""
    import asyncio

    from proof.plan import Plan
    from proof.run import run

    if minutes is not None and messages is not None:
        raise typer.BadParameter("say how long or how many, not both", param_hint="--minutes")
    plan = Plan(
        messages=messages or 5_000,
        minutes=minutes,
        seed=seed,
        faults=tuple(row.strip() for row in faults.split(",") if row.strip()),
        rounds=rounds,
        distributed=distributed,
    )
    _check(plan)
    place = _place(folder)
    with _failures_told():
        verdict = asyncio.run(run(plan, place, say=output.note))
    _print(verdict, place, as_json=as_json)
    raise typer.Exit(0 if verdict.passed else 1)


def _check(plan: Plan) -> None:
    """Wrong usage ends here, before anything is started."""
    from proof.faults import UnknownRow

    try:
        if not plan.strikes:
            raise typer.BadParameter("name at least one row, or all", param_hint="--faults")
    except UnknownRow as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from None


def _place(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="arus-prove-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise typer.BadParameter(f"{folder} is not empty", param_hint="--folder")
    return folder.absolute()


@contextlib.contextmanager
def _failures_told() -> Iterator[None]:
    """A run that cannot be made has shown nothing: it ends with 1, and a word on why."""
    from proof.hub import HubFailed
    from proof.servers import ServerFailed, ServerMissing

    told = HubFailed, ServerFailed, ServerMissing
    try:
        yield
    except told as error:
        output.note(f"arus prove: {error}")
        raise typer.Exit(1) from None
    except ExceptionGroup as group:
        known, other = group.split(told)
        if known is None or other is not None:
            raise
        output.note(f"arus prove: {_first(known)}")
        raise typer.Exit(1) from None


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _print(verdict: Verdict, place: Path, *, as_json: bool) -> None:
    counts = {name: value for name, value in asdict(verdict).items() if name != "violations"}
    if as_json:
        broken = [{"rule": one.rule, "what": one.what, "ids": list(one.ids[:SHOWN])} for one in verdict.violations]
        output.document({**counts, "passed": verdict.passed, "violations": broken, "logs": str(place)})
        return
    for name, value in counts.items():
        output.say(f"{name.replace('_', ' '):<18} {value:>10}")
    for violation in verdict.violations:
        output.say(str(violation))
    output.say(f"{'proved' if verdict.passed else 'NOT PROVED'}; the logs are in {place}")
