"""The load of a proof: budget lines (RKA) of many keys, each carrying its place in its key's order."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import orjson

SYSTEM = "e-budgeting"
TYPE = "budget.line"
FULL_TYPE = "id.go.surabaya.budget.line.v1"

_ACCOUNTS = 10_000


@dataclass(frozen=True, slots=True)
class Posting:
    """One message to post. ``n`` counts from 1 within ``key``, the subject that the hub must give the record."""

    id: str
    key: str
    n: int
    sha: str
    body: bytes


def fingerprint(data: Mapping[str, Any]) -> str:
    """SHA-256 over the data's members in sorted order: the same content has one fingerprint, however it is written."""
    return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()


def place_in_order(data: Mapping[str, Any]) -> int | None:
    """The ``n`` that a load put into the data; None where the data carries none."""
    try:
        amount = Decimal(data["amount"])
    except (KeyError, TypeError, InvalidOperation):
        return None
    return int(amount) if amount.is_finite() and amount == amount.to_integral_value() else None


class Load:
    """``messages`` messages spread evenly over ``keys`` keys; a seed gives the same load again.

    ``example`` is a valid budget line and ``key_fields`` its key in order, both from the hub's published schema.
    Raises ValueError where the key lacks the fields that the load varies.
    """

    def __init__(
        self, example: Mapping[str, Any], key_fields: Sequence[str], *, messages: int, keys: int, seed: int
    ) -> None:
        if not {"activity", "account"} <= set(key_fields):
            raise ValueError(f"the load varies activity and account, and the key of {TYPE} is {', '.join(key_fields)}")
        if not 0 < keys <= messages:
            raise ValueError("a load has at least one message per key")
        self._example = dict(example)
        self._fields = tuple(key_fields)
        self._seed = seed
        self.messages = messages
        self.keys = keys

    def length(self, key: int) -> int:
        """How many messages the ``key``-th key has."""
        return self.messages // self.keys + (key < self.messages % self.keys)

    def order(self) -> list[int]:
        """The keys in the order in which their first messages are posted."""
        keys = list(range(self.keys))
        random.Random(self._seed).shuffle(keys)  # noqa: S311 - a reproducible order, not a secret
        return keys

    def posting(self, key: int, n: int) -> Posting:
        """The ``n``-th message of the ``key``-th key; the same arguments give the same bytes."""
        activity, account = self._example["activity"], self._example["account"]
        data = {
            **self._example,
            "activity": f"{activity.rpartition('.')[0]}.{1 + key // _ACCOUNTS:04d}",
            "account": f"{account.rpartition('.')[0]}.{key % _ACCOUNTS:04d}",
            "amount": f"{n}.00",
            "description": f"Uji arus {self._seed}: baris {key}, versi {n}",
        }
        subject = ":".join(quote(str(data[name]), safe="") for name in self._fields)
        event = {
            "specversion": "1.0",
            "id": f"{self._seed}-{key}-{n}",
            "source": f"/systems/{SYSTEM}",
            "type": FULL_TYPE,
            "datacontenttype": "application/json",
            "data": data,
        }
        if n % 2 == 0:
            # The hub derives a subject that is absent, and checks one that is present: both ways carry the load.
            event["subject"] = subject
        return Posting(str(event["id"]), subject, n, fingerprint(data), orjson.dumps(event))
