"""Ids of deliveries, which are also their idempotency keys."""

from __future__ import annotations

import secrets

from bus.contract.clock import MICROSECONDS


def new_delivery_id(now: int) -> str:
    """32 hexadecimal digits: 48 bits of the time in milliseconds, as in UUID version 7 (RFC 9562), then 80 random ones.

    Ids of one moment stand together in the index: wholly random ones make each accept touch a page of its own for
    each delivery, which shows once the index is larger than the cache. Order means nothing, and clocks may jump.
    """
    return f"{now // (MICROSECONDS // 1000) & 0xFFFFFFFFFFFF:012x}{secrets.token_hex(10)}"
