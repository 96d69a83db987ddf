"""Figures of several rounds: median and spread, and the ratio to a rival's figure of the same round."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

Round = Mapping[str, Mapping[str, float]]
"""What each side did in one round, by name of side and figure."""

UNITS = {
    "accepted": "accepted/s",
    "delivered": "delivered/s",
    "p50_ms": "accept p50, ms",
    "p95_ms": "accept p95, ms",
    "bulk_accepted": "NDJSON accepted/s",
    "bulk_delivered": "NDJSON delivered/s",
    "bulk_p50_ms": "NDJSON of 500 p50, ms",
    "bulk_p95_ms": "NDJSON of 500 p95, ms",
    "drained": "drained/s",
    "messages_ms": "page of messages, ms",
    "failures_ms": "page of failures, ms",
    "parked_ms": "page of parked, ms",
    "metrics_ms": "metrics, ms",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """Of all rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        return cls(*(round(value, 3) for value in (median(values), min(values), max(values))))


def figures(rounds: Sequence[Round]) -> dict[str, dict[str, Figure]]:
    """By side and name."""
    return {
        side: {name: Figure.of([one[side][name] for one in rounds]) for name in found}
        for side, found in rounds[0].items()
    }


def ratios(rounds: Sequence[Round], base: str) -> dict[str, dict[str, Figure]]:
    """What the others' figures are of ``base``'s in the same round.

    What ``base`` does not do in bulk, or does not deliver, is held against what it does: its single messages, its
    acceptance.
    """
    return {
        side: {
            name: Figure.of([one[side][name] / one[base][_rival(one[base], name)] for one in rounds])
            for name in found
            if name in rounds[0][base] or not name.endswith("_ms")
        }
        for side, found in rounds[0].items()
        if side != base
    }


def _rival(base: Mapping[str, float], name: str) -> str:
    return next(one for one in (name, name.removeprefix("bulk_"), "accepted") if one in base)


def document(value: Any) -> None:
    """The one JSON document of ``--json``."""
    sys.stdout.write(json.dumps(value, default=asdict, indent=2) + "\n")


def table(found: Mapping[str, Mapping[str, Figure]], of: Mapping[str, Mapping[str, Mapping[str, Figure]]]) -> None:
    """A line for each figure; ``of`` holds ratios by what they are of."""
    sys.stdout.write(f"{'':14}{'':24}{'median':>12}{'least':>12}{'most':>12}" + _heads(of) + "\n")
    for side, own in found.items():
        for name, figure in own.items():
            values = "".join(f"{value:12.2f}" for value in (figure.median, figure.least, figure.most))
            shares = "".join(_share(ratio.get(side, {}).get(name)) for ratio in of.values())
            sys.stdout.write(f"{side:14}{UNITS[name]:24}{values}{shares}".rstrip() + "\n")


def _heads(of: Mapping[str, Any]) -> str:
    return "".join(f"{'of ' + name:>12}" for name in of)


def _share(figure: Figure | None) -> str:
    return f"{figure.median:12.2f}" if figure else " " * 12
