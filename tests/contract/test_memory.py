"""The memory reference keeps what it asks of the others."""

import pytest

from .memory_sink import MemoryBench, MemorySourceBench
from .sink_contract import Bench, SinkContract
from .source_contract import SourceBench, SourceContract


class TestMemorySink(SinkContract):
    @pytest.fixture(params=["keyed", "queryable", "blind"])
    async def bench(self, request: pytest.FixtureRequest) -> Bench:
        return MemoryBench(request.param)


class TestMemorySource(SourceContract):
    @pytest.fixture
    async def bench(self) -> SourceBench:
        return MemorySourceBench()
