"""What the hub knows before it opens its store: types, systems, feeds, routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from pydantic import create_model

from bus.contract.feed import Feed, Record
from bus.contract.message import Op, full_type, short_type
from bus.contract.route import Route
from bus.routes import FEEDS, ROUTES
from bus.routes.joining import record_of, refusal
from connectors import e_budgeting, e_procurement, e_project
from mappings.canonical import MODELS, Canonical, subject_of


@dataclass(frozen=True, slots=True)
class System:
    """A system that the hub has a connector for. ``agency`` is the OPD that owns it."""

    id: str
    title: str
    agency: str


SYSTEMS: tuple[System, ...] = (
    System(e_budgeting.SYSTEM, e_budgeting.TITLE, e_budgeting.AGENCY),
    System(e_project.SYSTEM, e_project.TITLE, e_project.AGENCY),
    System(e_procurement.SYSTEM, e_procurement.TITLE, e_procurement.AGENCY),
)


class Catalogue:
    """Types by short name, feeds by system; who may send what."""

    def __init__(
        self,
        systems: Sequence[System] = SYSTEMS,
        feeds: Sequence[Feed] = FEEDS,
        routes: Sequence[Route] = ROUTES,
        models: Sequence[type[Canonical]] = MODELS,
    ) -> None:
        self.systems: Mapping[str, System] = {system.id: system for system in systems}
        self.types: Mapping[str, type[Canonical]] = {model.TYPE: model for model in models}
        self.routes = tuple(routes)
        self.feeds = tuple(feeds)
        self._feeds = {(feed.system, feed.name): feed for feed in feeds}
        self._may_post = {(feed.system, feed.type) for feed in feeds}

    def feed(self, system: str, name: str) -> Feed | None:
        return self._feeds.get((system, name))

    def feeds_of(self, kind: str) -> list[str]:
        """The feeds that may originate a type, as ``system/feed``."""
        return sorted(f"{feed.system}/{feed.name}" for feed in self.feeds if feed.type == short_type(kind))

    def types_of(self, system: str) -> frozenset[str]:
        """The types that a system's key may post."""
        return frozenset(kind for name, kind in self._may_post if name == system)

    def may_post(self, system: str, kind: str) -> bool:
        """A declared feed of a system may originate its type, and so may the system's key by posting it."""
        return (system, kind) in self._may_post

    def record(self, kind: str, data: Mapping[str, Any], op: Op = "upsert") -> Record:
        """Check canonical ``data`` of a known type; a deletion holds the key fields alone. Raises RowRefused."""
        model = self.types[kind]
        try:
            if op == "delete":
                return self._deletion(model, data)
            return record_of(model.from_data(dict(data)))
        except ValueError as error:
            raise refusal(error) from error

    def _deletion(self, model: type[Canonical], data: Mapping[str, Any]) -> Record:
        key = self._key_models[model.TYPE].from_data(dict(data))
        agency = getattr(key, model.AGENCY, None) if model.AGENCY else None
        return Record(model.TYPE, subject_of(getattr(key, name) for name in model.KEY), key.to_data(), agency)

    @cached_property
    def _key_models(self) -> Mapping[str, type[Canonical]]:
        made: dict[str, type[Canonical]] = {}
        for kind, model in self.types.items():
            fields: Any = {name: (model.model_fields[name].annotation, model.model_fields[name]) for name in model.KEY}
            made[kind] = cast("type[Canonical]", create_model(f"{model.__name__}Key", __base__=Canonical, **fields))
        return made

    def schema(self, kind: str) -> dict[str, Any]:
        """JSON Schema 2020-12 of a type (short or full name); raises KeyError for an unknown one."""
        model = self.types[short_type(kind)]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": full_type(model.TYPE),
            **model.model_json_schema(),
            "x-arus-key": list(model.KEY),
            "x-arus-feeds": self.feeds_of(model.TYPE),
            "examples": [model.EXAMPLE],
        }
