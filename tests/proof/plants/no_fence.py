"""Planted bug: the report of a worker whose lane was given to another counts like any other."""

TARGET = "bus.engine.settle"


class _Whatever:
    def __eq__(self, _other):
        return True

    __hash__ = None


def plant(settle):
    honest = settle.Settler.settle

    def settling(self, connection, items):
        real = settle.lanes.lock
        settle.lanes.lock = lambda connection, which: dict.fromkeys(real(connection, which), _Whatever())
        try:
            return honest(self, connection, items)
        finally:
            settle.lanes.lock = real

    settle.Settler.settle = settling
