"""Fills a store with messages as the front would accept them, without HTTP and without anybody delivering."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import orjson

from bus.contract.message import Incoming
from bus.entrypoints.api import envelope
from bus.entrypoints.api.envelope import Sender
from bus.entrypoints.catalogue import Catalogue

from .hubs import PrivateHub
from .load import SYSTEM, event

GROUP = 500
"""Messages of one transaction."""

_SAY = 5.0
"""Seconds between two words on how far it is."""


def fill(place: PrivateHub, count: int, keys: int, say: Callable[[str], None]) -> float:
    """Accept ``count`` messages in ``keys`` lanes; answers the seconds that it took."""
    hub = place.open()
    sender = Sender(SYSTEM, None)
    began = said = time.monotonic()
    for start in range(0, count, GROUP):
        numbers = range(start, min(start + GROUP, count))
        items = [_checked(number, keys, sender, hub.catalogue) for number in numbers]
        hub.writer.call(partial(hub.acceptor.accept, items=items))
        if time.monotonic() - said > _SAY:
            said = time.monotonic()
            say(f"filling: {numbers.stop} of {count}, {numbers.stop / (said - began):.0f}/s")
    hub.close()
    return time.monotonic() - began


def _checked(number: int, keys: int, sender: Sender, catalogue: Catalogue) -> Incoming:
    posted = event("fill", number, keys)
    return envelope.read(posted, orjson.dumps(posted), sender, catalogue)
