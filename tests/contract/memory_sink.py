"""The memory reference: the smallest sink and source that keep every promise."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence

from bus.contract.feed import Page, Row, SourceUnavailable
from bus.contract.message import Op
from bus.contract.sink import Delivery, SinkClass
from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable, Verdict

from .sink_contract import Misbehaviour, message
from .source_contract import SourceFault


class MemoryDestination:
    """A system in this process: it remembers keys, and records with the last delivery that touched them."""

    def __init__(self) -> None:
        self.present = True
        self.fault: str | None = None
        self.applied: Counter[str] = Counter()
        self.records: dict[str, Delivery] = {}

    def apply(self, delivery: Delivery) -> Verdict:
        if delivery.key in self.applied:
            return Delivered("duplicate")
        if delivery.target == "refused":
            return Rejected("it does not take this")
        self.applied[delivery.key] += 1
        if delivery.message.op == "delete":
            self.records.pop(delivery.message.subject, None)
        else:
            self.records[delivery.message.subject] = delivery
        return Delivered()


class MemorySink:
    """``kind`` is the test's choice: the destination remembers keys, and can be asked."""

    batch = 10
    concurrency = 4

    def __init__(self, destination: MemoryDestination, kind: SinkClass = "keyed") -> None:
        self._destination = destination
        self.kind: SinkClass = kind

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        return [await self._one(delivery) for delivery in deliveries]

    async def ask(self, delivery: Delivery) -> Verdict | None:
        if not self._destination.present or self._destination.fault:
            return Unavailable("not there")
        return Delivered() if self._destination.applied[delivery.key] else None

    async def close(self) -> None:
        """Nothing is held open."""

    async def _one(self, delivery: Delivery) -> Verdict:
        there, fault = self._destination, self._destination.fault
        if not there.present or fault == "out of service":
            return Unavailable("not there")
        if fault == "busy":
            return RetryLater("busy")
        if fault == "never answers":
            try:
                async with asyncio.timeout(delivery.deadline):
                    await asyncio.Event().wait()
            except TimeoutError:
                return Ambiguous("no answer in time")
        if fault == "applies and breaks off":
            there.apply(delivery)
        if fault:
            return Ambiguous("no usable answer")
        return there.apply(delivery)


class MemoryBench:
    secrets = ("not-told",)

    def __init__(self, kind: SinkClass) -> None:
        self.destination = MemoryDestination()
        self.sink = MemorySink(self.destination, kind)

    def delivery(self, number: int, op: Op = "upsert") -> Delivery:
        subject = str(number)
        target = None if op == "delete" else {"number": number}
        return Delivery(f"key-{op}-{number}", message("budget.line", subject, {}, op), 1, 1, target, deadline=5)

    def refused(self, number: int) -> Delivery:
        return Delivery(f"bad-{number}", message("budget.line", f"bad-{number}", {}), 1, 1, "refused", deadline=5)

    def effects(self, delivery: Delivery) -> int:
        return self.destination.applied[delivery.key]

    def misbehave(self, how: Misbehaviour) -> None:
        self.destination.fault = how

    def heal(self) -> None:
        self.destination.fault = None

    async def stop(self) -> None:
        self.destination.present = False


class MemorySource:
    """Changes in their order; the cursor is how many were read."""

    def __init__(self, changes: list[tuple[int, int]], page: int, slowest: float) -> None:
        self.changes = changes
        self.page = page
        self.slowest = slowest
        self.fault: str | None = None

    async def fetch(self, cursor: str | None) -> Page:
        if self.fault == "never answers":
            await asyncio.sleep(self.slowest)
        if self.fault:
            raise SourceUnavailable("not there")
        start = int(cursor or 0)
        found = self.changes[start : start + self.page]
        rows = [
            Row(place, place, {"number": number, "version": version}, json.dumps([number, version]))
            for place, (number, version) in enumerate(found, 1)
        ]
        end = start + len(found)
        return Page(rows, str(end), more=end < len(self.changes))

    async def close(self) -> None:
        """Nothing is held open."""


class MemorySourceBench:
    secrets = ("not-told",)
    page = 3
    slowest = 0.1

    def __init__(self) -> None:
        self.source = MemorySource([], self.page, self.slowest)

    async def put(self, number: int, version: int) -> None:
        self.source.changes.append((number, version))

    def seen(self, page: Page) -> list[tuple[int, int]]:
        return [(row.values["number"], row.values["version"]) for row in page.rows]

    def misbehave(self, how: SourceFault) -> None:
        self.source.fault = how

    def heal(self) -> None:
        self.source.fault = None

    async def stop(self) -> None:
        self.source.fault = "gone"
