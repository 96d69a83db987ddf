"""Planted bug: the poster hears "accepted" when its message is queued, not when it is on disk."""

import asyncio

TARGET = "bus.engine.writer"


def plant(writer):
    honest = writer.Writer.add

    def add(self, batch, item):
        stored = honest(self, batch, item)
        if type(item).__name__ != "Incoming":
            return stored
        from bus.engine.accept import Accepted

        stored.add_done_callback(lambda future: None if future.cancelled() else future.exception())
        answered = asyncio.get_running_loop().create_future()
        answered.set_result(Accepted("accepted"))
        return answered

    writer.Writer.add = add
