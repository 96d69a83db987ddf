"""One attempt: from canonical to the destination's form, to the sink, within a total time; always a verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bus.contract.sink import Delivery, Sink
from bus.contract.verdict import Ambiguous, Rejected, Verdict

from .claim import Claimed
from .routing import Routing

Encoded = Delivery | Rejected


def encode(routing: Routing, claimed: Claimed, deadline: float) -> Encoded:
    """The delivery in the destination's own form. A mapping that fails is the hub's fault and is never retried."""
    target = None
    route = routing.routes.get(claimed.route)
    if route is not None and claimed.message.op == "upsert":
        try:
            target = route.encode(claimed.message.data)
        except Exception as error:  # noqa: BLE001 - a mapping may fail in any way; the lane must not
            return Rejected(f"the mapping of route {route.name} failed: {type(error).__name__}", at="mapping")
    return Delivery(
        key=claimed.key,
        message=claimed.message,
        sequence=claimed.sequence,
        attempt=claimed.attempt,
        target=target,
        deadline=deadline,
        token=claimed.token,
    )


async def send(sink: Sink, deliveries: Sequence[Delivery], deadline: float) -> list[Verdict]:
    """One verdict per delivery, whatever the sink does."""
    try:
        async with asyncio.timeout(deadline):
            verdicts = list(await sink.send(deliveries))
    except TimeoutError:
        return [Ambiguous(f"no answer within {deadline:g} seconds")] * len(deliveries)
    except Exception as error:  # noqa: BLE001 - a sink that breaks its promise must not break the engine
        return [Ambiguous(f"the sink failed: {type(error).__name__}", at="hub")] * len(deliveries)
    if len(verdicts) != len(deliveries):
        return [Ambiguous("the sink did not answer for every delivery", at="hub")] * len(deliveries)
    return verdicts


async def ask(sink: Sink, delivery: Delivery, deadline: float) -> Verdict | None:
    """What became of an earlier attempt; None: the destination does not have it."""
    try:
        async with asyncio.timeout(deadline):
            return await sink.ask(delivery)
    except TimeoutError:
        return Ambiguous(f"no answer to the question within {deadline:g} seconds")
    except Exception as error:  # noqa: BLE001 - as above
        return Ambiguous(f"the sink failed when asked: {type(error).__name__}", at="hub")
