"""Planted bug: a delivery that the destination asked to retry five times is called delivered and forgotten."""

import dataclasses

TARGET = "bus.engine.outcome"


def plant(outcome):
    honest = outcome.decide

    def decide(verdict, case, chance):
        decided = honest(verdict, case, chance)
        if decided.state == "retrying" and decided.retries > 5:
            return dataclasses.replace(decided, state="delivered", holds=False)
        return decided

    outcome.decide = decide
