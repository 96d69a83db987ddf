"""Reference pages of what the hub carries: types, feeds, routes, metrics."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import json
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

import bus.routes
from bus.contract.message import full_type
from bus.contract.route import Route
from bus.entrypoints.catalogue import Catalogue
from mappings.canonical import fields as forms
from monitoring.metrics import FAMILIES


def cell(text: object) -> str:
    """``text`` as one table cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """A Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(map(cell, row))} |"


def first_sentence(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].replace("``", "`").split())


def _form_docs() -> dict[str, str]:
    """Name of each form of the canonical model -> the text below its definition."""
    body = ast.parse(inspect.getsource(forms)).body
    found: dict[str, str] = {}
    for one, following in itertools.pairwise(body):
        text = following.value if isinstance(following, ast.Expr) else None
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and isinstance(text, ast.Constant):
            found[one.targets[0].id] = str(text.value)
    return {name: text for name, text in found.items() if "Annotated" in repr(getattr(forms, name))}


def _plain(schema: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in schema.items() if name not in {"title", "default", "description"}}
    return json.dumps(kept, sort_keys=True)


def _form(schema: Mapping[str, Any], known: Mapping[str, str]) -> str:
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if choices:
        return " or ".join(_form(one, known) for one in choices)
    if _plain(schema) in known:
        return known[_plain(schema)]
    if schema.get("type") == "array":
        return f"list of {_form(schema['items'], known)}"
    if "enum" in schema:
        return " / ".join(f"`{one}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    limits = [f"{sign} {schema[name]}" for name, sign in (("minimum", "≥"), ("maximum", "≤")) if name in schema]
    return " ".join([str(schema["type"]), *limits])


def types() -> Iterator[str]:
    """Canonical types, their keys and fields."""
    catalogue = Catalogue()
    docs = _form_docs()
    known = {_plain(TypeAdapter(getattr(forms, name)).json_schema()): name for name in docs}
    yield "# Canonical types"
    yield ""
    yield "A record's key, the CloudEvents `subject`, is its key fields in this order, each percent-encoded, joined by"
    yield "`:`. `GET /v1/schemas/{type}` gives the JSON Schema."
    yield ""
    rows = [
        (f"[`{kind}`](#{kind.replace('.', '')})", f"`{full_type(kind)}`", ", ".join(f"`{one}`" for one in model.KEY))
        for kind, model in catalogue.types.items()
    ]
    yield from table(("type", "full name", "key"), rows)
    yield ""
    yield "## Forms"
    yield ""
    yield from table(("form", "meaning"), [(f"`{name}`", text.replace("``", "`")) for name, text in docs.items()])
    for kind, model in catalogue.types.items():
        schema = catalogue.schema(kind)
        yield from ("", f"## {kind}", "")
        yield first_sentence(inspect.getmodule(model).__doc__)  # type: ignore[union-attr]
        yield first_sentence(model.__doc__)
        yield ""
        yield f"Originates from: {', '.join(f'`{feed}`' for feed in catalogue.feeds_of(kind)) or 'no feed yet'}."
        yield ""
        required = set(schema.get("required", ()))
        rows = [
            (f"`{name}`", _form(one, known), "key" if name in model.KEY else "required" if name in required else "")
            for name, one in schema["properties"].items()
        ]
        yield from table(("field", "form", ""), rows)


def feeds() -> Iterator[str]:
    """Feeds by system."""
    yield "# Feeds"
    yield ""
    yield "Who may originate which type. File formats: [for clerks](../feeds.md)."
    yield ""
    rows = []
    for feed in Catalogue().feeds:
        how = "polled" if feed.read is None else "file"
        kind = f"[`{feed.type}`](types.md#{feed.type.replace('.', '')})"
        rows.append((f"`{feed.system}`", f"`{feed.name}`", kind, how, "snapshot" if feed.snapshot else "changes"))
    yield from table(("system", "feed", "type", "read as", "holds"), rows)


def routes() -> Iterator[str]:
    """Routes, with the reason that their file gives."""
    default = {field.name: field.default for field in Route.__dataclass_fields__.values()}
    rows = []
    for module in pkgutil.iter_modules(bus.routes.__path__):
        loaded = importlib.import_module(f"bus.routes.{module.name}")
        route = getattr(loaded, "ROUTE", None)
        if route is None:
            continue
        parents = ", ".join(f"`{parent.type}`" for parent in route.parents) or "none"
        some = "" if route.when is default["when"] else " (some)"
        link = f"[`{route.name}`](../../bus/routes/{module.name}.py)"
        rows.append((link, f"`{route.type}`{some}", f"`{route.destination}`", parents, first_sentence(loaded.__doc__)))
    yield "# Routes"
    yield ""
    retry = Route.__dataclass_fields__["retry"].default
    yield f"Unless a route says otherwise, {retry.attempts} answers of *retry later* make a delivery dead, with waits"
    yield f"from {retry.first:g} to {retry.longest:g} seconds. Subscriptions get every message of their types and have"
    yield "no parents."
    yield ""
    yield from table(("route", "type", "to", "waits for", "what"), rows)


def metrics() -> Iterator[str]:
    """Metric families."""
    yield "# Metrics"
    yield ""
    yield "`GET /metrics`, Prometheus text format. Families are present even when they have no value yet. All"
    yield "subscriptions together have the destination `subscription`."
    yield ""
    rows = [
        (f"`{family.full_name}`", family.kind, ", ".join(f"`{one}`" for one in family.labels), family.help)
        for family in FAMILIES.values()
    ]
    yield from table(("family", "kind", "labels", "meaning"), rows)
