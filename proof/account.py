"""The hub's own account of a run, asked for through its interface when nothing moves any more."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from .histories import OPEN_STATES, STANDING_STATES
from .hub import Hub, HubFailed
from .load import SYSTEM, TYPE

PAGE = 500
LOOK_SECONDS = 0.2
STORIES = 1_000
"""Each is a question to the hub."""

_SAMPLE = re.compile(r"^(?P<name>arus_\w+)\{(?P<labels>[^}]*)\} (?P<value>\S+)$", re.MULTILINE)


def samples(exposition: str, name: str, **labels: str) -> float:
    """The sum of a family's samples that carry these labels; 0 where there are none."""
    return sum(_values(exposition, name, labels))


def largest(exposition: str, name: str, **labels: str) -> float:
    """The largest of a family's samples that carry these labels; 0 where there are none."""
    return max(_values(exposition, name, labels), default=0.0)


def _values(exposition: str, name: str, labels: Mapping[str, str]) -> Iterator[float]:
    wanted = {f'{label}="{value}"' for label, value in labels.items()}
    for found in _SAMPLE.finditer(exposition):
        if found["name"] == name and wanted <= set(found["labels"].split(",")):
            yield float(found["value"])


async def at_rest(hub: Hub, patience: float) -> bool:
    """Wait until no delivery to a subscription is on its way; False where one still is after ``patience`` seconds."""
    until = time.monotonic() + patience
    while True:
        exposition = await hub.call("GET", "/metrics")
        if not any(samples(exposition, "arus_pending", destination="subscription", state=one) for one in OPEN_STATES):
            return True
        if time.monotonic() > until:
            return False
        await asyncio.sleep(LOOK_SECONDS)


async def audited(hub: Hub, patience: float) -> dict[str, Any]:
    """What the hub's command finds in the audit chain, once every row is sealed or ``patience`` seconds are over."""
    until = time.monotonic() + patience
    while True:
        found = await hub.audit()
        if not found["unsealed"] or time.monotonic() > until:
            return found
        await asyncio.sleep(LOOK_SECONDS)


async def account(hub: Hub, reader: str, repeated: Sequence[str] = (), patience: float = 30.0) -> dict[str, Any]:
    """``final.json``: how many messages were accepted, and the subscriber's deliveries by state.

    Of the ``repeated`` messages (the first ``STORIES`` of them) also each attempt, in the order in which the hub
    wrote them down. ``audit`` is what ``audited`` says.
    ``reader`` is the subscriber's key: it sees its own deliveries and no others, which is what is to be counted.
    """
    states: Counter[str] = Counter()
    standing: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        page = await hub.call("GET", f"/v1/messages?type={TYPE}&limit={PAGE}{cursor}", reader)
        for message in page["items"]:
            states.update(message["deliveries"])
            if STANDING_STATES & message["deliveries"].keys():
                standing[message["id"]] = await _how(hub, reader, message["hub_id"])
        if page["next"] is None:
            break
        cursor = f"&cursor={quote(page['next'])}"
    exposition = await hub.call("GET", "/metrics")
    accepted = samples(exposition, "arus_messages_accepted_total", system=SYSTEM, type=TYPE)
    stories = {id: await _attempts(hub, reader, id) for id in repeated[:STORIES]}
    audit = await audited(hub, patience)
    return {
        "accepted": int(accepted), "states": dict(states), "standing": standing, "stories": stories, "audit": audit,
    }  # fmt: skip


async def _attempts(hub: Hub, reader: str, id: str) -> list[list[Any]]:
    """Number and outcome of each attempt of the one delivery that the subscriber has of a message.

    None of them where the hub has no story of it, or two: that is for the checker to say.
    """
    try:
        story = await hub.call("GET", f"/v1/messages/{quote(id)}?source={quote(f'/systems/{SYSTEM}', safe='')}", reader)
    except HubFailed:
        return []
    return [[tried["number"], tried["outcome"]] for one in story["deliveries"] for tried in one["attempts"]]


async def _how(hub: Hub, reader: str, message: str) -> dict[str, Any]:
    story = await hub.call("GET", f"/v1/messages/{quote(message)}", reader)
    for delivery in story["deliveries"]:
        if delivery["state"] in STANDING_STATES:
            return {"state": delivery["state"], "reason": delivery["reason"], "parked": delivery["parked"]}
    return {"state": "gone", "reason": "it moved while it was looked at", "parked": None}
