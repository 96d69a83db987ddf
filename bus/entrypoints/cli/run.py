"""``arus serve``, ``arus demo``, ``arus bench``: what runs for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from . import output
from .session import load_settings
from .verbs import Json


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(worker)
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


def worker(
    sweep: Annotated[bool, typer.Option("--sweep", help="Be the sweeper: ring for what is due, read feeds.")] = False,
    threads: Annotated[int, typer.Option("--threads", min=1, max=256, help="Visits at once.")] = 16,
    name: Annotated[str | None, typer.Option("--name", help="Celery node name; unique by itself if absent.")] = None,
) -> None:
    """Run a worker of the distributed mode (ARUS_BROKER_URL, ARUS_DATABASE_URL)."""
    settings = load_settings()
    if not settings.distributed or settings.database_url is None:
        output.note("arus: the distributed mode needs ARUS_BROKER_URL and ARUS_DATABASE_URL; arus serve needs neither")
        raise typer.Exit(2)
    if sweep:
        from bus.entrypoints.sweeper import sweep as run_sweeper

        raise typer.Exit(run_sweeper(settings))
    from bus.entrypoints.worker import work

    work(settings, name=name, threads=threads)


def demo(
    once: Annotated[bool, typer.Option("--once", help="To the end, then a summary.")] = False,
    as_json: Json = False,
) -> None:
    """Run the hub with its simulated systems."""
    load_settings()
    from bus.entrypoints.demo import demo as run

    raise typer.Exit(run(once=once, as_json=as_json))


def bench(
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=600, help="Length of one measurement.")] = 10.0,
    distributed: Annotated[
        bool, typer.Option("--distributed", help="Also with PostgreSQL and RabbitMQ, which it starts privately.")
    ] = False,
    backlog: Annotated[
        int | None,
        typer.Option(
            "--backlog", min=1_000, max=10_000_000, help="Hold a store with so many pending beside an empty one."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure on this machine, in interleaved rounds: acceptance and delivery beside what would be built instead."""
    load_settings()
    from bus.entrypoints.bench.processes import BenchFailed

    try:
        if backlog is None:
            from bus.entrypoints.bench.run import bench as run

            code = run(seconds=seconds, distributed=distributed, as_json=as_json)
        else:
            from bus.entrypoints.bench.backlog import bench as run_backlog

            code = run_backlog(backlog, seconds=seconds, distributed=distributed, as_json=as_json)
    except BenchFailed as error:
        output.note(f"arus bench: {error}")
        code = 1
    raise typer.Exit(code)
