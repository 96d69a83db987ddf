"""Planted bug: messages are answered from memory and stored half a second later."""

import asyncio

TARGET = "bus.engine.writer"
LATER = 0.5


def plant(writer):
    honest = writer.Writer.add

    def add(self, batch, item):
        if type(item).__name__ != "Incoming":
            return honest(self, batch, item)
        from bus.engine.accept import Accepted

        loop = asyncio.get_running_loop()
        loop.call_later(LATER, lambda: honest(self, batch, item).add_done_callback(_ignore))
        answered = loop.create_future()
        answered.set_result(Accepted("accepted"))
        return answered

    writer.Writer.add = add


def _ignore(future):
    return None if future.cancelled() else future.exception()
