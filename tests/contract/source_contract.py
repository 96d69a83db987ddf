"""The promises of :class:`bus.contract.feed.Source`, each as one test."""

import asyncio
import time
from collections.abc import Sequence
from typing import Literal, Protocol

import pytest

from bus.contract.feed import Page, Source, SourceUnavailable

SourceFault = Literal["out of service", "never answers", "answers nonsense"]


class SourceBench(Protocol):
    """A source and the system behind it. ``page`` is how many rows the source asks for at once."""

    @property
    def source(self) -> Source: ...

    @property
    def secrets(self) -> Sequence[str]: ...

    @property
    def page(self) -> int: ...

    @property
    def slowest(self) -> float:
        """Seconds within which a fetch that gets no answer gives up."""
        ...

    async def put(self, number: int, version: int) -> None:
        """The system now holds this version of record ``number``."""
        ...

    def seen(self, page: Page) -> list[tuple[int, int]]:
        """(number, version) of each row, in order."""
        ...

    def misbehave(self, how: SourceFault) -> None: ...

    def heal(self) -> None: ...

    async def stop(self) -> None: ...


class SourceContract:
    """Inherit it as ``Test…`` and give the fixture ``bench``."""

    @pytest.fixture
    async def bench(self) -> SourceBench:
        raise NotImplementedError

    async def test_an_empty_system_gives_no_rows(self, bench: SourceBench) -> None:
        page = await bench.source.fetch(None)
        assert list(page.rows) == []
        assert not page.more

    async def test_it_starts_from_the_beginning(self, bench: SourceBench) -> None:
        await bench.put(1, 1)
        await bench.put(2, 1)
        assert bench.seen(await bench.source.fetch(None)) == [(1, 1), (2, 1)]

    async def test_a_cursor_gives_only_what_changed_after_it(self, bench: SourceBench) -> None:
        await bench.put(1, 1)
        cursor = (await bench.source.fetch(None)).cursor
        assert bench.seen(await bench.source.fetch(cursor)) == []
        await bench.put(1, 2)
        assert bench.seen(await bench.source.fetch(cursor)) == [(1, 2)]

    async def test_the_same_cursor_gives_the_same_rows_again(self, bench: SourceBench) -> None:
        await bench.put(1, 1)
        cursor = (await bench.source.fetch(None)).cursor
        await bench.put(2, 1)
        first, again = await bench.source.fetch(cursor), await bench.source.fetch(cursor)
        assert first == again
        assert bench.seen(first) == [(2, 1)]

    async def test_all_pages_together_are_everything_once(self, bench: SourceBench) -> None:
        count = 2 * bench.page + 1
        for number in range(count):
            await bench.put(number, 1)
        rows, pages = await everything(bench)
        assert rows == [(number, 1) for number in range(count)]
        assert pages == 3

    async def test_nothing_is_skipped_when_pages_shift_while_being_read(self, bench: SourceBench) -> None:
        count = 2 * bench.page
        for number in range(count):
            await bench.put(number, 1)
        first = await bench.source.fetch(None)
        await bench.put(0, 2)
        await bench.put(count - 1, 2)
        await bench.put(count, 1)
        rest, _ = await everything(bench, first.cursor)
        latest = dict(bench.seen(first) + rest)
        assert latest == {**dict.fromkeys(range(count), 1), 0: 2, count - 1: 2, count: 1}

    async def test_rows_are_numbered_and_carry_what_was_received(self, bench: SourceBench) -> None:
        await bench.put(1, 1)
        await bench.put(2, 1)
        rows = (await bench.source.fetch(None)).rows
        assert [row.number for row in rows] == [1, 2]
        assert all(row.raw and row.values and not row.problems for row in rows)

    async def test_nobody_there_is_unavailable(self, bench: SourceBench) -> None:
        await bench.stop()
        with pytest.raises(SourceUnavailable):
            await bench.source.fetch(None)

    @pytest.mark.parametrize("how", ["out of service", "never answers", "answers nonsense"])
    async def test_a_fault_is_unavailable_in_time_and_tells_no_secret(
        self, bench: SourceBench, how: SourceFault
    ) -> None:
        bench.misbehave(how)
        begun = time.monotonic()
        with pytest.raises(SourceUnavailable) as caught:
            await asyncio.wait_for(bench.source.fetch(None), bench.slowest + 5)
        assert time.monotonic() - begun < bench.slowest + 1.5
        for secret in bench.secrets:
            assert secret not in str(caught.value) + repr(bench.source)

    async def test_recovery_needs_nobody(self, bench: SourceBench) -> None:
        await bench.put(1, 1)
        bench.misbehave("out of service")
        with pytest.raises(SourceUnavailable):
            await bench.source.fetch(None)
        bench.heal()
        assert bench.seen(await bench.source.fetch(None)) == [(1, 1)]

    async def test_closing_twice_is_harmless(self, bench: SourceBench) -> None:
        await bench.source.fetch(None)
        await bench.source.close()
        await bench.source.close()


async def everything(bench: SourceBench, cursor: str | None = None) -> tuple[list[tuple[int, int]], int]:
    """All rows after ``cursor``, and how many pages they took."""
    rows: list[tuple[int, int]] = []
    for pages in range(1, 1000):
        page = await bench.source.fetch(cursor)
        rows += bench.seen(page)
        cursor = page.cursor
        if not page.more:
            return rows, pages
    raise AssertionError("the source never ends")
