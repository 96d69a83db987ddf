"""The tree of verbs."""

from __future__ import annotations

import typer

from . import (
    audit,
    backup,
    intake,
    keys,
    messages,
    operate,
    prove,
    records,
    replay,
    run,
    snapshots,
    store,
    subscriptions,
    systems,
)


def build() -> typer.Typer:
    # Plain help: the coloured one takes half a second to import.
    app = typer.Typer(
        name="arus",
        help="Arus: the integration hub of a city's systems.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    run.register(app)
    app.command()(prove.prove)
    store.register(app)
    intake.register(app)
    operate.register(app)
    replay.register(app)
    backup.register(app)
    for name, group in (
        ("systems", systems.app),
        ("keys", keys.app),
        ("subscriptions", subscriptions.app),
        ("messages", messages.app),
        ("snapshots", snapshots.app),
        ("records", records.app),
        ("audit", audit.app),
    ):
        app.add_typer(group, name=name)
    return app
