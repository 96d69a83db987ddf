"""Reference pages of the ways in: settings, problems, HTTP, command line."""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from reference_code import first_sentence, table

from bus.contract.errors import PROBLEM_BASE
from bus.entrypoints.api import strict_json
from bus.entrypoints.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def _inner_model(field: FieldInfo) -> type[BaseModel] | None:
    options = typing.get_args(field.annotation) or (field.annotation,)
    return next((one for one in options if inspect.isclass(one) and issubclass(one, BaseModel)), None)


def _kind(annotation: Any) -> str:
    options = [one for one in typing.get_args(annotation) if one is not type(None)]
    if isinstance(annotation, types.UnionType) and options:
        return " or ".join(map(_kind, options))
    if typing.get_origin(annotation) is tuple:
        return "JSON list"
    return {"SecretStr": "secret", "str": "text", "bool": "true/false", "Path": "path"}.get(
        annotation.__name__, annotation.__name__
    )


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default in (None, ()):
        return ""
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def settings() -> Iterator[str]:
    """Every setting, as environment variable."""
    yield "# Settings"
    yield ""
    yield "Environment variables, or the same names without `ARUS_` in `arus.toml` in the working directory; the"
    yield "environment wins. A doubled underscore is a table in `arus.toml`: `ARUS_E_PROJECT__URL` is `url` in"
    yield "`[e_project]`."
    yield ""
    rows: list[tuple[str, str, str, str]] = []
    for name, field in Settings.model_fields.items():
        inner = _inner_model(field)
        if inner is None:
            rows.append((f"`ARUS_{name.upper()}`", _kind(field.annotation), _default(field), field.description or ""))
            continue
        folder = inspect.getmodule(inner).__name__.rsplit(".", 1)[0].replace(".", "/")  # type: ignore[union-attr]
        told = f"{field.description} Options: [README](../../{folder}/README.md)."
        rows.append((f"`ARUS_{name.upper()}__…`", "table", "", told))
        for key, option in inner.model_fields.items():
            variable = f"`ARUS_{name.upper()}__{key.upper()}`"
            rows.append((variable, _kind(option.annotation), _default(option), option.description or ""))
    yield from table(("variable", "form", "default", "meaning"), rows)


def _literal(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _named_problems() -> Mapping[str, tuple[str, str, str]]:
    """Slug -> status, title, where: every refusal that the code names in so many words."""
    found: dict[str, tuple[str, str, str]] = {}
    for rule in strict_json.RULES:
        problem = strict_json.refusal(rule).problem
        found[rule] = (str(problem.status), problem.title, "request")
    files = [*(ROOT / "bus").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    for path in sorted(files):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(_literal(node.args[0]), str):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [_literal(argument) for argument in node.args]
            if called == "Problem" and len(given) > 2 and isinstance(given[2], int):
                found[str(given[0])] = (str(given[2]), str(given[1]), "request")
            elif called == "refuse" and len(given) > 2 and isinstance(given[1], str):
                found[str(given[0])] = ("422", given[1], "request")
            elif called == "FileRefused":
                found.setdefault(str(given[0]), ("422", str(given[1] or "see the detail"), "file"))
    return found


def problems() -> Iterator[str]:
    """Problem types."""
    named = _named_problems()
    yield "# Problem types"
    yield ""
    yield f"Errors are `application/problem+json` (RFC 9457). `type` is `{PROBLEM_BASE}<name>`:"
    yield "a stable name, not a page. `detail` says what to do; `errors` names fields, in English and Indonesian. No"
    yield "value of the input is repeated."
    for where, head in (("request", "Requests"), ("file", "Files")):
        yield from ("", f"## {head}", "")
        rows = [(f"`{slug}`", told[0], told[1]) for slug, told in sorted(named.items()) if told[2] == where]
        yield from table(("name", "status", "means"), rows)


def http() -> Iterator[str]:
    """Addresses, from the application's own OpenAPI document."""
    from bus.entrypoints.api.app import create_app  # noqa: PLC0415 - only this page needs the application

    closed: Any = types.SimpleNamespace(writer=None, database=None, routing=None)  # addresses are known without a store
    yield "# HTTP"
    yield ""
    yield "`/openapi.json` has parameters and answers in full. Posting messages: [how](../posting.md)."
    yield ""
    rows = [
        (f"`{method.upper()} {path}`", first_sentence(told.get("summary")))
        for path, operations in create_app(closed).openapi()["paths"].items()
        for method, told in operations.items()
    ]
    yield from table(("call", "what"), rows)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every verb by its full name; a group that does something by itself is a verb too."""
    children = getattr(command, "commands", {})
    if not children or command.invoke_without_command:
        yield name, command
    for word, child in sorted(children.items()):
        yield from _commands(child, f"{name} {word}")


def _argument(argument: Any) -> str:
    return (argument.metavar or argument.name).upper() + ("…" if argument.nargs != 1 else "")


def cli() -> Iterator[str]:
    """Verbs with their options."""
    import typer  # noqa: PLC0415

    from bus.entrypoints.cli.app import build  # noqa: PLC0415

    yield "# Command line"
    yield ""
    yield "Exit codes: 0 done, 1 it found something wrong, 2 wrong usage. With `--json` stdout holds one JSON document"
    yield "and nothing else; everything else goes to stderr. Verbs work with or without a running hub, and create or"
    yield "migrate the store by themselves."
    for name, command in _commands(typer.main.get_command(build()), "arus"):
        arguments = [one for one in command.params if one.param_type_name == "argument"]
        yield from ("", f"## {name}", "", f"`{' '.join([name, *map(_argument, arguments)])}`", "")
        yield first_sentence(command.help)
        shown = [(f"`{_argument(one)}`", one.help or "") for one in arguments]
        options = [one for one in command.params if one.param_type_name == "option" and "--help" not in one.opts]
        shown += [(", ".join(f"`{word}`" for word in one.opts), one.help or "") for one in options]
        if shown:
            yield ""
            yield from table(("argument or option", "meaning"), shown)
