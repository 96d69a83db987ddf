"""Planted bug: nobody rings for what is due; a lost doorbell is lost for good."""

TARGET = "bus.entrypoints.sweeper"


def plant(sweeper):
    sweeper.Sweeper._due = lambda self: set()
