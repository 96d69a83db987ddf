"""What ``arus check`` looks at. Each question answers findings: {"where", "what"}."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy.exc import SQLAlchemyError

from bus.contract.route import Route
from bus.engine import readiness
from bus.engine.database import SchemaError
from bus.engine.writer import StoreUnavailable

from .catalogue import Catalogue
from .settings import Settings
from .wiring import open_hub

Finding = dict[str, str]

LONGEST_KEY = 1024


def findings(settings: Settings, catalogue: Catalogue | None = None) -> list[Finding]:
    """Everything that is wrong with the configuration, in the order in which it should be mended."""
    known = catalogue or Catalogue()
    return [*_types(known), *_feeds(known), *_routes(known), *_store(settings), *_drops(settings, known)]


def _finding(where: str, what: str) -> Finding:
    return {"where": where, "what": what}


def _types(catalogue: Catalogue) -> Iterator[Finding]:
    for name, model in catalogue.types.items():
        where = f"type {name}"
        missing = [field for field in model.KEY if field not in model.model_fields]
        if missing:
            yield _finding(where, f"its key names fields that it does not have: {', '.join(missing)}")
            continue
        try:
            example = model.from_data(dict(model.EXAMPLE))
        except ValueError as error:
            yield _finding(where, f"its example is not valid ({type(error).__name__})")
            continue
        if len(example.subject.encode()) > LONGEST_KEY:
            yield _finding(where, f"the key of its example is longer than {LONGEST_KEY} bytes")


def _feeds(catalogue: Catalogue) -> Iterator[Finding]:
    for (system, name), count in Counter((feed.system, feed.name) for feed in catalogue.feeds).items():
        if count > 1:
            yield _finding(f"feed {system}/{name}", "is declared more than once")
    for feed in catalogue.feeds:
        where = f"feed {feed.system}/{feed.name}"
        if feed.system not in catalogue.systems:
            yield _finding(where, "belongs to a system that is not declared")
        model = catalogue.types.get(feed.type)
        if model is None:
            yield _finding(where, f"makes the type {feed.type}, which is not declared")
        elif tuple(feed.key) != tuple(model.KEY):
            yield _finding(where, f"has another key than its type {feed.type}")


def _routes(catalogue: Catalogue) -> Iterator[Finding]:
    for name, count in Counter(route.name for route in catalogue.routes).items():
        if count > 1:
            yield _finding(f"route {name}", "is declared more than once")
    for route in catalogue.routes:
        for what in _route(catalogue, route):
            yield _finding(f"route {route.name}", what)


def _route(catalogue: Catalogue, route: Route) -> Iterator[str]:
    if route.destination not in catalogue.systems:
        yield f"goes to {route.destination}, which is not declared"
    for parent in route.parents:
        if parent.type not in catalogue.types:
            yield f"waits for the type {parent.type}, which is not declared"
    model = catalogue.types.get(route.type)
    if model is None:
        yield f"carries the type {route.type}, which is not declared"
        return
    try:
        data = model.from_data(dict(model.EXAMPLE)).to_data()
        if route.when(data):
            route.encode(data)
        for parent in route.parents:
            parent.key(data)
    except Exception as error:  # noqa: BLE001 - a mapping may fail in any way, and each is a finding
        yield f"cannot map the example of its type ({type(error).__name__})"


def _store(settings: Settings) -> Iterator[Finding]:
    try:
        with closing(open_hub(settings)) as hub:
            hub.writer.call(lambda connection: readiness.probe(connection, hub.clock()))
    except SchemaError as error:
        yield _finding("store", str(error))
    except (SQLAlchemyError, StoreUnavailable, OSError) as error:
        yield _finding(
            "store", f"cannot be opened and written ({type(error).__name__}): see ARUS_HOME, ARUS_DATABASE_URL"
        )


def _drops(settings: Settings, catalogue: Catalogue) -> Iterator[Finding]:
    for feed in catalogue.feeds:
        if feed.read is None:
            continue
        folder = settings.drop_folder(feed.system, feed.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            yield _finding(f"drop folder {feed.system}/{feed.name}", f"cannot be made ({type(error).__name__})")
            continue
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield _finding(f"drop folder {feed.system}/{feed.name}", "cannot be read and written")
