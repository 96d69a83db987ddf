"""A worker whose every commit, send and answer waits for the schedule: the real courier, no thread, no time."""

import asyncio
import queue
import random
from dataclasses import dataclass, field

from bus.engine.claim import claim
from bus.engine.courier import Courier
from bus.engine.destination import Destination
from bus.engine.settle import Settler
from bus.engine.writer import Writer

LEASE = 60.0


async def idle():
    """Give every task as many turns as it can need until it waits for the schedule."""
    for _ in range(14):
        await asyncio.sleep(0)


class HandWriter(Writer):
    """The writer without its thread: ``commit`` is called by the schedule."""

    def __init__(self, engine):
        self._engine = engine
        self._after_commit = lambda: None
        self._failed = None
        self._away_since = self._doubtful = None
        self._queue = queue.SimpleQueue()

    def _hand_in(self, work):
        self._queue.put(work)

    def commit(self):
        group, _ = self._gather(self._queue.get_nowait())
        self._answer(group, self._commit(group))


@dataclass
class Call:
    """One ``send`` or ``ask`` under way. ``verdicts`` is set once it reached the destination."""

    place: str
    asks: bool
    deliveries: list
    began: int
    future: asyncio.Future
    verdicts: list | None = None


class Telephone:
    """The sink of one worker at one destination."""

    concurrency = 4

    def __init__(self, worker, place):
        self._worker, self._place = worker, place
        self.kind, self.batch = place.kind, place.batch

    async def send(self, deliveries):
        return await self._call(False, list(deliveries))

    async def ask(self, delivery):
        return (await self._call(True, [delivery]))[0]

    async def close(self):
        """Nothing is held open."""

    async def _call(self, asks, deliveries):
        call = Call(self._place.name, asks, deliveries, self._worker.world.clock(), asyncio.Future())
        self._worker.world.check_call(self._worker, call)
        self._worker.calls.append(call)
        return await call.future


@dataclass
class Claim:
    """What the worker knows of a lane that it claimed."""

    lane: str
    fence: int
    until: int
    passed: set = field(default_factory=set)


class FakeWorker:
    def __init__(self, world, name):
        self.world, self.name = world, name
        self.writer = HandWriter(world.engine)
        self.calls: list[Call] = []
        self.tasks: set[asyncio.Task] = set()
        self.claims: dict[str, Claim] = {}
        self.settler = Settler(world.routing, world.clock)
        self.destinations = {
            place.name: Destination(place.name, place.name, Telephone(self, place)) for place in world.places.values()
        }
        self.courier = Courier(
            world.routing,
            self.settler,
            self.writer,
            world.clock,
            owner=name,
            deadline=LEASE / 2,
            may_start=lambda destination: destination.system not in world.paused,
            chance=random.Random(1),
        )

    @property
    def busy(self):
        return bool(self.calls) or self.writer.waiting > 0

    def take(self, name, width, depth):
        """Claim, as the drain does: suspects alone, lanes of a bulk destination together."""
        with self.world.engine.begin() as connection:
            lanes = claim(connection, name, self.world.clock(), owner=self.name, width=width, depth=depth, lease=LEASE)
        for lane in lanes:
            for one in lane.deliveries:
                self.claims[one.key] = Claim(lane.lane, lane.fence, lane.lease_until)
        together = [lane for lane in lanes if not lane.deliveries[0].alone]
        parts = [[lane] for lane in lanes if lane.deliveries[0].alone]
        parts += [together] if self.world.places[name].batch > 1 and together else [[lane] for lane in together]
        for part in parts:
            if len(part) == 1 and part[0].deliveries[0].alone and (self.busy or self.tasks):
                self.forgotten(part)
                continue
            task = self.world.loop.create_task(self.courier.carry(self.destinations[name], part))
            self.tasks.add(task)
            task.add_done_callback(self._ended)
        self.world.turn()

    def forgotten(self, part):
        """A suspect waits for its turn until its lease is over: the gate's business, not this machine's."""

    def _ended(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.world.problems.append(task.exception())

    def reach(self, call, behaviours):
        """The call arrives at its destination, which acts; the answer is still on its way."""
        place = self.world.places[call.place]
        late = self.world.clock() > call.began + int(LEASE / 2 * 1_000_000)
        call.verdicts = []
        for delivery, behaviour in zip(call.deliveries, behaviours, strict=True):
            lane = self.claims[delivery.key].lane
            if call.asks:
                call.verdicts.append(place.ask(delivery, lane, behaviour))
            elif late and not self.world.takes_late(place, delivery):
                call.verdicts.append(place.send(delivery, lane, "lost, no answer", late=True))
            else:
                call.verdicts.append(place.send(delivery, lane, behaviour, late=late))

    def answer(self, call):
        """The answer arrives back."""
        self.calls.remove(call)
        for delivery, verdict in zip(call.deliveries, call.verdicts, strict=True):
            if self.world.passing(verdict):
                self.claims[delivery.key].passed.add(delivery.key)
        call.future.set_result(call.verdicts)
        self.world.turn()

    def die(self):
        """Everything that only this worker knew is gone; what was on its way is lost."""
        for task in list(self.tasks):
            task.remove_done_callback(self._ended)
            task.cancel()
        self.tasks.clear()
        self.world.loop.run_until_complete(idle())
