"""The form in which a destination gets a message, for people to look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree
from pydantic import BaseModel

from bus.contract.message import Message
from bus.engine.routing import Routing


def with_targets(routing: Routing, message: Message, story: dict[str, Any]) -> dict[str, Any]:
    """``story`` with the target form of each delivery, as its route makes it now.

    ``target_mapping`` is the release of the mappings that made it now; an attempt tells the one that it was made by.
    """
    for delivery in story["deliveries"]:
        route = routing.routes.get(delivery["route"])
        delivery["target_mapping"] = route.mapping if route is not None else None
        delivery["target"], delivery["target_error"] = _target(routing, message, delivery)
    return story


def _target(routing: Routing, message: Message, delivery: Mapping[str, Any]) -> tuple[Any, str | None]:
    route = routing.routes.get(delivery["route"])
    if route is None:
        return message.event(int(delivery["sequence"])), None
    if message.op == "delete":
        return None, None
    if delivery.get("suspect") and delivery["state"] != "delivered":
        return None, "not made: a worker died with it in hand, and making its form might end this process too"
    try:
        return _plain(route.encode(message.data)), None
    except Exception as error:  # noqa: BLE001 - a mapping may fail in any way, and the story must still be told
        return None, f"the mapping fails: {type(error).__name__}"


def _plain(value: Any) -> Any:
    """As JSON can show it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, etree._Element):
        return etree.tostring(value, encoding="unicode", pretty_print=True)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
