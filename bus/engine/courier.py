"""Carrying claimed lanes to their destination: each lane in order, lanes beside each other, settled as they end."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable, Sequence

from bus.contract.clock import MICROSECONDS, Clock
from bus.contract.sink import Delivery
from bus.contract.verdict import Ambiguous, Rejected, Unavailable, Verdict

from . import attempt, killpoints
from .claim import ClaimedLane, start
from .destination import Destination
from .outcome import Circumstances, decide
from .routing import Routing
from .settle import LaneResult, Result, Settler
from .writer import StoreUnavailable, Writer

AGAIN = 0.5
"""Seconds after which a report that the store could not take is given to it again."""


class _Run:
    """One lane on its way: what is left to send, and what came of the rest."""

    def __init__(self, lane: ClaimedLane, owner: str) -> None:
        self.lane = lane
        self.left = list(lane.deliveries)
        self.result = LaneResult(lane.destination, lane.lane, lane.fence, owner)

    def stop(self) -> None:
        self.result.returned.extend(self.left)
        self.left = []


class _Head:
    """The first delivery of a run in one step. Without a verdict at its end it was not sent, and is given back."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.one = run.left[0]
        self.delivery: Delivery | None = None
        self.verdict: Verdict | None = None
        self.asked = False


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
        await self._settle([run])

    async def _carry_together(self, destination: Destination, runs: list[_Run]) -> None:
        size = destination.sink.batch
        going = runs
        while going:
            parts = [going[first : first + size] for first in range(0, len(going), size)]
            await asyncio.gather(*(self._step(destination, part) for part in parts))
            going = [run for run in going if run.left]
        await self._settle(runs)

    async def _step(self, destination: Destination, runs: Sequence[_Run]) -> None:
        """Attempt the head of each run, when the sink has room."""
        async with destination.sending:
            if destination.pace.take():
                await self._step_now(destination, runs)
                return
        for run in runs:  # given back, and claimed again when the pace allows
            run.stop()

    async def _step_now(self, destination: Destination, runs: Sequence[_Run]) -> None:
        heads = [_Head(run) for run in runs]
        began = self._clock()
        # Committing takes time: the switches and the lease are looked at before it, and again after it.
        if self._in_time(destination, heads) and await self._announce(destination, heads):
            began = self._clock()
            if self._in_time(destination, heads):
                await self._attempt(destination, heads)
        ended = self._clock()
        for head in heads:
            if head.verdict is None:
                head.run.stop()
            else:
                self._note(destination, head, head.verdict, began, ended)

    def _in_time(self, destination: Destination, heads: Sequence[_Head]) -> bool:
        """The lease leaves time for a whole attempt, and nobody has switched the destination off."""
        latest = self._clock() + int(self._deadline * MICROSECONDS)
        return all(latest <= head.run.lane.lease_until for head in heads) and self._may_start(destination)

    async def _announce(self, destination: Destination, heads: Sequence[_Head]) -> bool:
        """Commit that these attempts begin, where a crash would otherwise leave a doubt. False: they may not."""
        doubtful = [head for head in heads if destination.sink.kind != "keyed" and not head.one.started]
        alone = any(head.one.alone for head in heads)
        beginning = list(heads) if alone else doubtful
        if not beginning:
            return True
        begin = functools.partial(
            start,
            heads=[(head.run.lane, head.one.seq) for head in beginning],
            now=self._clock(),
            owner=self._owner,
            alone=alone,
        )
        try:
            return await self._writer.run(begin)
        except StoreUnavailable:
            return False

    async def _attempt(self, destination: Destination, heads: Sequence[_Head]) -> None:
        """Ask for what an earlier attempt left open, and send the rest."""
        for head in heads:
            encoded = attempt.encode(self._routing, head.one, self._deadline)
            if isinstance(encoded, Rejected):
                head.verdict = encoded
            else:
                head.delivery = encoded
        await asyncio.gather(*(self._look_back(destination, head) for head in heads if head.verdict is None))
        sending = [(head, head.delivery) for head in heads if head.verdict is None and head.delivery is not None]
        # Asking took time too.
        if sending and self._in_time(destination, [head for head, _ in sending]):
            killpoints.passing("worker.before_send")
            verdicts = await attempt.send(destination.sink, [delivery for _, delivery in sending], self._deadline)
            killpoints.passing("worker.after_response")
            for (head, _), verdict in zip(sending, verdicts, strict=True):
                head.verdict, head.asked = verdict, False

    async def _look_back(self, destination: Destination, head: _Head) -> None:
        """What is known of an attempt whose end nobody saw. No verdict: it may be sent (again)."""
        one, kind = head.one, destination.sink.kind
        if head.delivery is None or (one.token is None and (kind == "keyed" or not one.started)):
            return
        if one.token is None and kind == "blind":
            head.verdict = Ambiguous("the hub stopped in the middle of an attempt", at="hub")
            return
        head.asked = True
        head.verdict = await attempt.ask(destination.sink, head.delivery, self._deadline)

    def _note(self, destination: Destination, head: _Head, verdict: Verdict, began: int, ended: int) -> None:
        one, run = head.one, head.run
        if isinstance(verdict, Unavailable):
            destination.circuit.missed()
        elif head.delivery is not None:  # otherwise the mapping failed, and the destination was not tried
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
            asked=head.asked,
            token=one.token,
        )
        outcome = decide(verdict, case, self._chance)
        run.left.pop(0)
        run.result.results.append(Result(one, verdict, outcome, began, ended))
        if not outcome.passes or outcome.state == "dead":
            # A refusal is settled before a later version goes: unrecorded, it would be tried again after that one.
            run.stop()

    async def _settle(self, runs: Sequence[_Run]) -> None:
        await asyncio.gather(*(self._report(run.result) for run in runs))

    async def _report(self, result: LaneResult) -> None:
        """Settle one lane. While the store takes nothing the report waits: what arrived need not be sent again."""
        while True:
            try:
                await self._writer.add(self._settler.batch, result)
                return
            except StoreUnavailable:
                if self._writer.closed:
                    raise
            await asyncio.sleep(AGAIN)
