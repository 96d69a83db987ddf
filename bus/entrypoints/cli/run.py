"""``arus serve``, ``arus demo``, ``arus bench``: what runs for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from .session import load_settings
from .verbs import Json


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(demo)
    app.command()(bench)


def serve(
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="ARUS_PORT; 0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="ARUS_HOST; 127.0.0.1 unless told otherwise.")] = None,
) -> None:
    """Run the hub: the front (HTTP) and the engine, until it is told to stop."""
    load_settings()
    from bus.entrypoints.serve import serve as run

    raise typer.Exit(run(port=port, host=host))


def demo(
    once: Annotated[bool, typer.Option("--once", help="To the end, then a summary.")] = False,
    as_json: Json = False,
) -> None:
    """Run the hub with its simulated systems."""
    from bus.entrypoints.demo import demo as run

    raise typer.Exit(run(once=once, as_json=as_json))


def bench(
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=600, help="Length of one measurement.")] = 10.0,
    as_json: Json = False,
) -> None:
    """Measure acceptance and end-to-end rates beside an endpoint without a store."""
    from bus.entrypoints.bench import bench as run

    raise typer.Exit(run(seconds=seconds, as_json=as_json))
