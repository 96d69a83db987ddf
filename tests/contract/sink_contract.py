"""The promises of :class:`bus.contract.sink.Sink`, each as one test.

A connector's test inherits :class:`SinkContract` and gives it a :class:`Bench`: its sink joined to a destination
that counts its effects and misbehaves on command.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import pytest

from bus.contract.message import Message, Op
from bus.contract.sink import Delivery, Sink
from bus.contract.verdict import (
    Ambiguous,
    Deferred,
    Delivered,
    Rejected,
    RetryLater,
    Unavailable,
    Verdict,
)

Misbehaviour = Literal[
    "out of service",
    "busy",
    "applies and breaks off",
    "never answers",
    "says no in a good answer",
    "answers nonsense",
    "repeats what it was sent",
]
EVERY_MISBEHAVIOUR: tuple[Misbehaviour, ...] = (
    "out of service",
    "busy",
    "applies and breaks off",
    "never answers",
    "says no in a good answer",
    "answers nonsense",
    "repeats what it was sent",
)
VERDICTS = (Delivered, RetryLater, Unavailable, Rejected, Ambiguous, Deferred)


class Bench(Protocol):
    """A sink and the destination behind it."""

    @property
    def sink(self) -> Sink: ...

    @property
    def secrets(self) -> Sequence[str]:
        """Texts that may stand in no reason and no repr."""
        ...

    def delivery(self, number: int, op: Op = "upsert") -> Delivery:
        """A delivery that the destination takes; another number is another record."""
        ...

    def refused(self, number: int) -> Delivery:
        """A delivery that the destination refuses, for good and by itself alone."""
        ...

    def effects(self, delivery: Delivery) -> int:
        """How often the delivery took effect, by the destination's own count."""
        ...

    def misbehave(self, how: Misbehaviour) -> None:
        """For every request from now on."""
        ...

    def heal(self) -> None: ...

    async def stop(self) -> None:
        """Nobody listens there any more."""
        ...


def message(type: str, subject: str, data: dict[str, Any], op: Op = "upsert") -> Message:
    """An accepted message as the engine would give it."""
    return Message(
        id=f"m-{subject}",
        source="/systems/e-budgeting",
        type=type,
        subject=subject,
        time=datetime(2026, 1, 5, 8, 30, tzinfo=UTC),
        op=op,
        data=data,
    )


class SinkContract:
    """Inherit it as ``Test…`` and give the fixture ``bench``."""

    @pytest.fixture
    async def bench(self) -> Bench:
        raise NotImplementedError

    async def test_it_is_a_sink_that_declares_how_it_may_be_used(self, bench: Bench) -> None:
        assert isinstance(bench.sink, Sink)
        assert bench.sink.kind in {"keyed", "queryable", "blind"}
        assert bench.sink.batch >= 1
        assert bench.sink.concurrency >= 1

    async def test_a_sent_delivery_arrives_once(self, bench: Bench) -> None:
        delivery = bench.delivery(1)
        assert isinstance(await only(bench, delivery), Delivered)
        assert bench.effects(delivery) == 1

    async def test_a_deletion_arrives_once(self, bench: Bench) -> None:
        await only(bench, bench.delivery(1))
        deletion = bench.delivery(1, "delete")
        assert isinstance(await only(bench, deletion), Delivered)
        assert bench.effects(deletion) == 1

    async def test_a_deletion_of_what_is_not_there_is_done(self, bench: Bench) -> None:
        assert isinstance(await only(bench, bench.delivery(1, "delete")), Delivered)

    async def test_one_verdict_for_each_delivery_in_their_order(self, bench: Bench) -> None:
        deliveries = [bench.delivery(number) for number in range(bench.sink.batch)]
        verdicts = await bench.sink.send(deliveries)
        assert [type(verdict) for verdict in verdicts] == [Delivered] * bench.sink.batch
        assert [bench.effects(delivery) for delivery in deliveries] == [1] * bench.sink.batch

    async def test_one_refused_delivery_leaves_its_neighbours_alone(self, bench: Bench) -> None:
        deliveries = [bench.delivery(1), bench.refused(2), bench.delivery(3)]
        verdicts: list[Verdict] = []
        for start in range(0, 3, bench.sink.batch):
            verdicts += await bench.sink.send(deliveries[start : start + bench.sink.batch])
        assert [type(verdict) for verdict in verdicts] == [Delivered, Rejected, Delivered]
        assert [bench.effects(delivery) for delivery in deliveries] == [1, 0, 1]

    async def test_a_repeat_with_the_same_key_has_no_second_effect(self, bench: Bench) -> None:
        if bench.sink.kind == "blind":
            pytest.skip("a blind sink promises no such thing; the engine never repeats it by itself")
        delivery = bench.delivery(1)
        await only(bench, delivery)
        assert isinstance(await only(bench, replace(delivery, attempt=2)), Delivered)
        assert bench.effects(delivery) == 1

    async def test_a_later_version_of_the_same_record_takes_effect(self, bench: Bench) -> None:
        first = bench.delivery(1)
        second = replace(first, key=first.key + "-2", sequence=first.sequence + 1)
        await only(bench, first)
        assert isinstance(await only(bench, second), Delivered)
        assert bench.effects(second) == 1

    async def test_nobody_there_is_unavailable(self, bench: Bench) -> None:
        await bench.stop()
        assert isinstance(await only(bench, bench.delivery(1)), Unavailable)

    async def test_out_of_service_is_unavailable(self, bench: Bench) -> None:
        bench.misbehave("out of service")
        delivery = bench.delivery(1)
        assert isinstance(await only(bench, delivery), Unavailable)
        assert bench.effects(delivery) == 0

    async def test_busy_is_retry_later(self, bench: Bench) -> None:
        bench.misbehave("busy")
        assert isinstance(await only(bench, bench.delivery(1)), RetryLater)

    async def test_refused_is_rejected_with_a_reason(self, bench: Bench) -> None:
        verdict = await only(bench, bench.refused(1))
        assert isinstance(verdict, Rejected)
        assert verdict.reason

    async def test_no_answer_after_sending_is_ambiguous_and_mends_without_a_second_effect(self, bench: Bench) -> None:
        delivery = bench.delivery(1)
        bench.misbehave("applies and breaks off")
        assert isinstance(await only(bench, delivery), Ambiguous)
        assert bench.effects(delivery) == 1
        bench.heal()
        if bench.sink.kind == "keyed":
            assert isinstance(await only(bench, delivery), Delivered)
        elif bench.sink.kind == "queryable":
            assert isinstance(await bench.sink.ask(delivery), Delivered)
        assert bench.effects(delivery) == 1

    async def test_it_answers_within_the_deadline(self, bench: Bench) -> None:
        bench.misbehave("never answers")
        begun = time.monotonic()
        verdict = await only(bench, replace(bench.delivery(1), deadline=0.3))
        assert isinstance(verdict, Ambiguous)
        assert time.monotonic() - begun < 2.0, "the lease would have run out"

    async def test_success_is_what_the_destination_says(self, bench: Bench) -> None:
        bench.misbehave("says no in a good answer")
        delivery = bench.delivery(1)
        assert not isinstance(await only(bench, delivery), Delivered)
        assert bench.effects(delivery) == 0

    @pytest.mark.parametrize("how", EVERY_MISBEHAVIOUR)
    async def test_it_raises_nothing_and_tells_no_secret(self, bench: Bench, how: Misbehaviour) -> None:
        bench.misbehave(how)
        verdict = await only(bench, replace(bench.delivery(1), deadline=0.5))
        assert isinstance(verdict, VERDICTS)
        for secret in bench.secrets:
            assert secret not in repr(verdict)
            assert secret not in repr(bench.sink)

    async def test_recovery_needs_nobody(self, bench: Bench) -> None:
        bench.misbehave("out of service")
        await only(bench, bench.delivery(1))
        bench.heal()
        assert isinstance(await only(bench, bench.delivery(1)), Delivered)

    async def test_a_cancelled_send_ends(self, bench: Bench) -> None:
        bench.misbehave("never answers")
        task = asyncio.create_task(bench.sink.send([bench.delivery(1)]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)

    async def test_asked_before_and_after_it_tells_what_the_destination_has(self, bench: Bench) -> None:
        if bench.sink.kind != "queryable":
            pytest.skip("only queryable sinks are asked")
        delivery = bench.delivery(1)
        assert await bench.sink.ask(delivery) is None
        await only(bench, delivery)
        assert isinstance(await bench.sink.ask(delivery), Delivered)

    async def test_asked_while_nobody_is_there_is_unavailable(self, bench: Bench) -> None:
        if bench.sink.kind != "queryable":
            pytest.skip("only queryable sinks are asked")
        for how in ("out of service", "answers nonsense"):
            bench.misbehave(how)
            assert isinstance(await bench.sink.ask(bench.delivery(1)), Unavailable)
        await bench.stop()
        assert isinstance(await bench.sink.ask(bench.delivery(1)), Unavailable)

    async def test_closing_twice_is_harmless(self, bench: Bench) -> None:
        await only(bench, bench.delivery(1))
        await bench.sink.close()
        await bench.sink.close()


async def only(bench: Bench, delivery: Delivery) -> Verdict:
    """The verdict of a send of one."""
    verdicts = await bench.sink.send([delivery])
    assert len(verdicts) == 1
    return verdicts[0]
