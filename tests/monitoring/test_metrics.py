"""Metrics: declared even when empty, labels from closed lists, and Prometheus itself finds nothing to complain of."""

import json
import subprocess

from prometheus_client.parser import text_string_to_metric_families

from bus.contract.events import (
    AttemptEnded,
    DeliverySettled,
    FaultSeen,
    FeedRead,
    InputRejected,
    MessageAccepted,
)
from monitoring.exposition import Readings, render
from monitoring.metrics import FAMILIES, tally
from tests.services.programs import program

EVENTS = [
    MessageAccepted("e-budgeting", "budget.line"),
    MessageAccepted("e-budgeting", "budget.line"),
    InputRejected("e-budgeting", "bad-row"),
    AttemptEnded("e-project", "budget.line", "delivered", 0.02),
    AttemptEnded("e-project", "budget.line", "delivered", 0.005),
    AttemptEnded("sub:0123456789abcdef", "budget.line", "unavailable", 100.0),
    DeliverySettled("e-project", "budget.line", "delivered", 3.0),
    DeliverySettled("sub:0123456789abcdef", "budget.line", "dead"),
    FaultSeen("e-project", "network"),
    FeedRead("e-budgeting", "rka", 1_700_000_000.0),
]

GAUGES = {
    "pending": [({"destination": "sub:a", "state": "pending"}, 2), ({"destination": "sub:b", "state": "pending"}, 3)],
    "oldest_pending_seconds": [({"destination": "sub:a"}, 7.5), ({"destination": "sub:b"}, 2.5)],
    "dead": [({"destination": "e-project"}, 4)],
    "parked": [({"reason": "parent"}, 5)],
    "feed_last_success_timestamp_seconds": [({"system": "e-budgeting", "feed": "rka"}, 1.7e9)],
    "circuit_open": [({"destination": "sub:a"}, 1), ({"destination": "sub:b"}, 0)],
}


def stored(events) -> list[tuple[str, str, float]]:
    totals: dict[tuple[str, str], float] = {}
    for name, labels, amount in tally(events):
        totals[name, labels] = totals.get((name, labels), 0.0) + amount
    return [(name, labels, value) for (name, labels), value in totals.items()]


def samples(text: bytes) -> dict[str, float]:
    return {
        sample.name + json.dumps(dict(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def full() -> bytes:
    return render(lambda: Readings(stored(EVENTS), GAUGES))


def test_every_family_is_declared_without_any_value() -> None:
    text = render(Readings).decode()
    for family in FAMILIES.values():
        assert f"# TYPE {family.full_name} {family.kind}\n" in text
        assert f"# HELP {family.full_name} {family.help}\n" in text


def test_what_the_design_names_is_there() -> None:
    expected = {
        "messages_accepted_total": ("system", "type"),
        "messages_rejected_total": ("system", "reason"),
        "deliveries_total": ("destination", "type", "outcome"),
        "delivery_attempt_seconds": ("destination",),
        "end_to_end_seconds": ("destination",),
        "pending": ("destination", "state"),
        "oldest_pending_seconds": ("destination",),
        "dead": ("destination",),
        "parked": ("reason",),
        "feed_last_success_timestamp_seconds": ("system", "feed"),
        "circuit_open": ("destination",),
        "fault_total": ("destination", "at"),
    }
    assert {name: family.labels for name, family in FAMILIES.items()} == expected


def test_values() -> None:
    found = samples(full())
    assert found['arus_messages_accepted_total{"system": "e-budgeting", "type": "budget.line"}'] == 2
    assert found['arus_messages_rejected_total{"reason": "bad-row", "system": "e-budgeting"}'] == 1
    settled = 'arus_deliveries_total{"destination": "%s", "outcome": "%s", "type": "budget.line"}'
    assert found[settled % ("e-project", "delivered")] == 1
    assert found[settled % ("subscription", "dead")] == 1
    assert found['arus_fault_total{"at": "network", "destination": "e-project"}'] == 1
    assert found['arus_pending{"destination": "subscription", "state": "pending"}'] == 5
    assert found['arus_oldest_pending_seconds{"destination": "subscription"}'] == 7.5
    assert found['arus_circuit_open{"destination": "subscription"}'] == 1
    assert found['arus_feed_last_success_timestamp_seconds{"feed": "rka", "system": "e-budgeting"}'] == 1.7e9


def test_histograms_are_cumulated() -> None:
    found = samples(full())

    def bucket(bound: str, destination: str = "e-project") -> float:
        labels = json.dumps({"destination": destination, "le": bound})
        return found["arus_delivery_attempt_seconds_bucket" + labels]

    assert [bucket(bound) for bound in ("0.005", "0.01", "0.025", "30.0", "+Inf")] == [1, 1, 2, 2, 2]
    assert [bucket(bound, "subscription") for bound in ("30.0", "+Inf")] == [0, 1]
    assert found['arus_delivery_attempt_seconds_count{"destination": "e-project"}'] == 2
    assert found['arus_delivery_attempt_seconds_sum{"destination": "e-project"}'] == 0.025
    assert found['arus_end_to_end_seconds_bucket{"destination": "e-project", "le": "5.0"}'] == 1
    assert found['arus_end_to_end_seconds_bucket{"destination": "e-project", "le": "2.5"}'] == 0


def test_no_id_becomes_a_label() -> None:
    assert b"0123456789abcdef" not in full()


def test_prometheus_itself_finds_nothing_wrong() -> None:
    promtool = program("promtool", package="prometheus")
    for text in (full(), render(Readings)):
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
