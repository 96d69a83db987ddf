"""Writing the families in the text form that Prometheus scrapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from .metrics import FAMILIES, Delta, Family, destination_label

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Readings:
    """What the store says at one moment: its counters as stored, and the gauges by family name."""

    counters: Iterable[Delta] = ()
    gauges: Mapping[str, Iterable[Sample]] = field(default_factory=dict)


class StoreCollector(Collector):
    """Renders every family at each scrape, also those that have no value yet."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        self._read = read

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        readings = self._read()
        stored: dict[str, list[Sample]] = {}
        for name, text, value in readings.counters:
            stored.setdefault(name, []).append((json.loads(text), value))
        for family in FAMILIES.values():
            if family.kind == "gauge":
                yield _gauge(family, readings.gauges.get(family.name, ()))
            elif family.kind == "counter":
                yield _counter(family, stored.get(family.full_name, []))
            else:
                yield _histogram(family, stored)


def render(read: Callable[[], Readings]) -> bytes:
    """The whole exposition, text format 0.0.4."""
    registry = CollectorRegistry()
    registry.register(StoreCollector(read))
    return generate_latest(registry)


def _values(family: Family, names: Mapping[str, str]) -> list[str]:
    return [names.get(label, "") for label in family.labels]


def _counter(family: Family, samples: Iterable[Sample]) -> Metric:
    metric = CounterMetricFamily(family.full_name, family.help, labels=family.labels)
    for names, value in samples:
        metric.add_metric(_values(family, names), value)
    return metric


def _gauge(family: Family, samples: Iterable[Sample]) -> Metric:
    """Samples that become one label set (several subscriptions) are added up; ages keep the highest."""
    metric = GaugeMetricFamily(family.full_name, family.help, labels=family.labels)
    joined: dict[tuple[str, ...], float] = {}
    for names, value in samples:
        shown = {name: destination_label(text) if name == "destination" else text for name, text in names.items()}
        key = tuple(_values(family, shown))
        before = joined.get(key)
        together = max if family.name in {"oldest_pending_seconds", "circuit_open"} else float.__add__
        joined[key] = float(value) if before is None else together(before, float(value))
    for key, value in joined.items():
        metric.add_metric(list(key), value)
    return metric


def _histogram(family: Family, stored: Mapping[str, list[Sample]]) -> Metric:
    metric = HistogramMetricFamily(family.full_name, family.help, labels=family.labels)
    parts: dict[tuple[str, ...], dict[str, float]] = {}
    for names, value in stored.get(f"{family.full_name}_bucket", []):
        parts.setdefault(tuple(_values(family, names)), {})[names["le"]] = value
    sums = {tuple(_values(family, names)): value for names, value in stored.get(f"{family.full_name}_sum", [])}
    for key, counts in parts.items():
        total = 0.0
        buckets: list[tuple[str, float]] = []
        for bound in [*(repr(limit) for limit in family.buckets), "+Inf"]:
            total += counts.get(bound, 0.0)
            buckets.append((bound, total))
        metric.add_metric(list(key), buckets=buckets, sum_value=sums.get(key, 0.0))
    return metric
