"""How a front leaves: first it says so, and takes what still comes; then it closes its door; then it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

_LAST_ANSWER = (b"connection", b"close")


class LeavingServer(uvicorn.Server):
    """On SIGTERM it calls ``leave`` and serves for ``seconds`` more: a proxy is to see it go. SIGINT ends it at once.

    Each answer of that time is the last of its connection. A kept connection that is closed while it is idle may
    already carry the next request, which nobody would answer.
    """

    def __init__(self, config: uvicorn.Config, seconds: float, leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._seconds = seconds
        self._leave = leave
        self._ends_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGTERM or self._seconds <= 0:
            super().handle_exit(sig, frame)
            return
        if self._ends_at is not None:  # whoever ends a whole group tells us beside our parent
            return
        self._ends_at = time.monotonic() + self._seconds
        self._leave()
        # The first for good, the second at once: uvicorn makes it from the first, once a second.
        self.config.encoded_headers.append(_LAST_ANSWER)
        self.server_state.default_headers = [*self.server_state.default_headers, _LAST_ANSWER]

    async def on_tick(self, counter: int) -> bool:
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)
