"""Planted bug: one row in fifty of a bulk is answered for and never stored."""

import zlib

TARGET = "bus.engine.accept"


def plant(accept):
    honest = accept.Acceptor.accept

    def swallowing(self, connection, items):
        kept = [item for item in items if zlib.crc32(item.id.encode()) % 50 or len(items) == 1]
        outcomes = iter(honest(self, connection, kept))
        return [next(outcomes) if item in kept else accept.Accepted("accepted") for item in items]

    accept.Acceptor.accept = swallowing
