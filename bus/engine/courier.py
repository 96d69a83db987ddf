"""Carrying claimed lanes to their destination: each lane in order, lanes beside each other, settled as they end."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Sequence

from bus.contract.clock import MICROSECONDS, Clock
from bus.contract.sink import Delivery
from bus.contract.verdict import Ambiguous, Rejected, Unavailable, Verdict

from . import attempt
from .claim import Claimed, ClaimedLane, start
from .destination import Destination
from .outcome import Circumstances, decide
from .routing import Routing
from .settle import LaneResult, Result, Settler
from .writer import Writer


class _Run:
    """One lane on its way: what is left to send, and what came of the rest."""

    def __init__(self, lane: ClaimedLane, owner: str) -> None:
        self.lane = lane
        self.left = list(lane.deliveries)
        self.result = LaneResult(lane.destination, lane.lane, lane.fence, owner)

    def stop(self) -> None:
        self.result.returned.extend(self.left)
        self.left = []


class Courier:
    """``may_start(destination)`` is asked immediately before each attempt; ``deadline`` is an attempt's total time."""

    def __init__(
        self,
        routing: Routing,
        settler: Settler,
        writer: Writer,
        clock: Clock,
        *,
        owner: str,
        deadline: float,
        may_start: Callable[[Destination], bool],
        chance: random.Random | None = None,
    ) -> None:
        self._routing = routing
        self._settler = settler
        self._writer = writer
        self._clock = clock
        self._owner = owner
        self._deadline = deadline
        self._may_start = may_start
        self._chance = chance or random.Random()  # noqa: S311 - jitter, not a secret

    async def carry(self, destination: Destination, lanes: Sequence[ClaimedLane]) -> None:
        """Send what the lanes hold and settle them. Lanes of a bulk destination travel together."""
        if destination.sink.batch > 1:
            await self._carry_together(destination, [_Run(lane, self._owner) for lane in lanes])
        else:
            await asyncio.gather(*(self._carry_one(destination, _Run(lane, self._owner)) for lane in lanes))

    async def _carry_one(self, destination: Destination, run: _Run) -> None:
        while run.left:
            await self._step(destination, [run])
        await self._settle(destination, [run])

    async def _carry_together(self, destination: Destination, runs: list[_Run]) -> None:
        size = destination.sink.batch
        going = runs
        while going:
            parts = [going[first : first + size] for first in range(0, len(going), size)]
            await asyncio.gather(*(self._step(destination, part) for part in parts))
            going = [run for run in going if run.left]
        await self._settle(destination, runs)

    async def _step(self, destination: Destination, runs: Sequence[_Run]) -> None:
        """Attempt the head of each run."""
        heads = [(run, run.left[0]) for run in runs]
        if not await self._announce(destination, [one for _, one in heads]) or not self._in_time(destination, runs):
            for run in runs:
                run.stop()
            return
        began = self._clock()
        verdicts = await self._verdicts(destination, [one for _, one in heads])
        ended = self._clock()
        for (run, one), verdict in zip(heads, verdicts, strict=True):
            self._note(destination, run, one, verdict, began, ended)

    def _in_time(self, destination: Destination, runs: Sequence[_Run]) -> bool:
        """The lease leaves time for a whole attempt, and nobody has switched the destination off."""
        latest = self._clock() + int(self._deadline * MICROSECONDS)
        return all(latest <= run.lane.lease_until for run in runs) and self._may_start(destination)

    async def _announce(self, destination: Destination, heads: Sequence[Claimed]) -> bool:
        """Commit that these attempts begin, where a crash would otherwise leave a doubt."""
        doubtful = [one.seq for one in heads if destination.sink.kind != "keyed" and not one.started]
        alone = any(one.alone for one in heads)
        if not doubtful and not alone:
            return True
        if not self._may_start(destination):
            return False
        seqs = [one.seq for one in heads] if alone else doubtful
        await self._writer.run(functools.partial(start, seqs=seqs, now=self._clock(), owner=self._owner, alone=alone))
        return True

    async def _verdicts(self, destination: Destination, heads: Sequence[Claimed]) -> list[Verdict]:
        answers: list[Verdict | None] = [None] * len(heads)
        sendable: list[tuple[int, Delivery]] = []
        for index, one in enumerate(heads):
            delivery = attempt.encode(self._routing, one, self._deadline)
            if isinstance(delivery, Rejected):
                answers[index] = delivery
            elif one.started or one.token is not None:
                answers[index] = await self._earlier(destination, one, delivery)
                if answers[index] is None:
                    sendable.append((index, delivery))
            else:
                sendable.append((index, delivery))
        if sendable:
            sent = await attempt.send(destination.sink, [delivery for _, delivery in sendable], self._deadline)
            for (index, _), verdict in zip(sendable, sent, strict=True):
                answers[index] = verdict
        return [answer for answer in answers if answer is not None]

    async def _earlier(self, destination: Destination, one: Claimed, delivery: Delivery) -> Verdict | None:
        """What is known of an attempt whose end nobody saw. None: it may be sent again."""
        kind = destination.sink.kind
        if one.token is None and kind == "blind":
            return Ambiguous("the hub stopped in the middle of an attempt", at="hub")
        if one.token is None and kind == "keyed":
            return None
        return await attempt.ask(destination.sink, delivery, self._deadline)

    def _note(
        self, destination: Destination, run: _Run, one: Claimed, verdict: Verdict, began: int, ended: int
    ) -> None:
        if isinstance(verdict, Unavailable):
            destination.circuit.missed()
        else:
            destination.circuit.found()
        route = self._routing.routes.get(one.route)
        case = Circumstances(
            now=ended,
            tries=one.attempt,
            retries=one.retries,
            kind=destination.sink.kind,
            retry=self._routing.retry(one.route),
            partitioned=one.message.partition is not None,
            on_dead_holds=route is None or route.on_dead == "hold",
        )
        outcome = decide(verdict, case, self._chance)
        run.left.pop(0)
        run.result.results.append(Result(one, verdict, outcome, began, ended))
        if not outcome.passes:
            run.stop()

    async def _settle(self, destination: Destination, runs: Sequence[_Run]) -> None:
        settling: list[Awaitable[bool]] = [self._writer.add(self._settler.batch, run.result) for run in runs]
        await asyncio.gather(*settling)
        destination.lanes_in_hand -= len(runs)
