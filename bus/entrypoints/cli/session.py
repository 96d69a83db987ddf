"""An open hub for the length of one verb, with or without a running one."""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from . import output

if TYPE_CHECKING:
    from bus.entrypoints.settings import Settings
    from bus.entrypoints.wiring import Hub


def load_settings() -> Settings:
    """The settings, or a word on what is wrong with them and exit code 2."""
    from pydantic import ValidationError
    from pydantic_settings.exceptions import SettingsError

    from bus.entrypoints.settings import Settings

    try:
        return Settings.load()
    except ValidationError as error:
        output.note("arus: the settings (environment ARUS_*, arus.toml) are wrong:")
        for problem in error.errors(include_input=False, include_url=False):
            output.note(f"  {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}")
    except (SettingsError, ValueError) as error:
        output.note(f"arus: the settings (environment ARUS_*, arus.toml) cannot be read: {type(error).__name__}")
    raise typer.Exit(2)


@contextlib.contextmanager
def opened(*, as_json: bool = False) -> Iterator[Hub]:
    """The hub, its store created or migrated. What it refuses is told, and the verb ends with 1."""
    settings = load_settings()
    from bus.entrypoints.wiring import open_hub

    with refusals_told(as_json=as_json):
        hub = open_hub(settings)
        try:
            yield hub
        finally:
            hub.close()


@contextlib.contextmanager
def refusals_told(*, as_json: bool) -> Iterator[None]:
    """What is refused inside is told, and the verb ends with 1."""
    import sqlite3

    from sqlalchemy.exc import DBAPIError

    from bus.contract.errors import Problem, Refused
    from bus.engine.database import SchemaError
    from bus.engine.writer import StoreUnavailable

    try:
        yield
    except BrokenPipeError:
        raise  # whoever read our output has seen enough
    except Refused as refused:
        output.refuse(refused.problem, as_json=as_json)
    except SchemaError as error:
        output.refuse(Problem("schema", "The store's schema does not fit", 503, str(error)), as_json=as_json)
    except (StoreUnavailable, DBAPIError, sqlite3.Error, OSError) as error:
        detail = f"{type(error).__name__}; is ARUS_HOME writable, is the database at ARUS_DATABASE_URL up?"
        output.refuse(Problem("store-unavailable", "The store cannot be used now", 503, detail), as_json=as_json)


def actor() -> str:
    """Whom the audit log names."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
