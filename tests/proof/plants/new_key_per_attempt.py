"""Planted bug: every attempt carries an idempotency key of its own."""

import dataclasses
import uuid

TARGET = "bus.engine.attempt"


def plant(attempt):
    honest = attempt.encode

    def encode(routing, claimed, deadline):
        encoded = honest(routing, claimed, deadline)
        if isinstance(encoded, attempt.Delivery):
            return dataclasses.replace(encoded, key=uuid.uuid4().hex)
        return encoded

    attempt.encode = encode
