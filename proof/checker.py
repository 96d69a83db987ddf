"""The verdict on a run, from the logs alone: ``python -m proof.checker FOLDER [--least N] [--json]``.

Exit code 0: every rule holds; 1: one is broken, or the run was vacuous; 2: the logs cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from . import histories, rules
from .histories import History, HistoryError
from .rules import LEAST, Violation


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of messages, except ``attempts`` (at the destination), ``posts`` (single tries) and ``faults``.

    ``repeated`` are attempts that the destination had applied already; ``recovered`` faults after which new work
    went through; ``standing`` what waits for a person, of it ``ambiguous_parked`` because its outcome is unknown.
    """

    posts: int
    acknowledged: int
    attempts: int
    delivered: int
    repeated: int
    lost: int
    duplicated: int
    reordered: int
    faults: int
    recovered: int
    standing: int
    ambiguous_parked: int
    violations: tuple[Violation, ...]

    @property
    def passed(self) -> bool:
        return not self.violations

    def broke(self, rule: str) -> bool:
        """Whether this rule (``N1`` …) is among the violations."""
        return any(violation.rule == rule for violation in self.violations)

    def __str__(self) -> str:
        counts = [f"{name} {value}" for name, value in asdict(self).items() if name != "violations"]
        return "\n".join([", ".join(counts), *map(str, self.violations)])


def check(history: History, least: int = LEAST) -> Verdict:
    """Judge ``history``; ``least`` is the measure of N10."""
    violations = [violation for rule in rules.RULES for violation in rule(history)]
    violations.extend(rules.not_vacuous(history, least))
    standing = history.final.standing.values()
    return Verdict(
        posts=len(history.tries),
        acknowledged=len(history.acknowledged),
        attempts=len(history.arrived),
        delivered=len(history.applied),
        repeated=sum(one.effect == "duplicate" for one in history.arrived),
        lost=len(rules.lost(history)),
        duplicated=len(rules.duplicated(history)),
        reordered=len(rules.reordered(history)),
        faults=len(history.faults),
        recovered=sum(fault.back_at is not None and rules.recovered(history, fault.at) for fault in history.faults),
        standing=len(standing),
        ambiguous_parked=sum(how.get("parked") == "ambiguous" for how in standing),
        violations=tuple(violations),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proof.checker", description="Judge the logs of a proof run.")
    parser.add_argument("folder", type=Path, help="holds the four .jsonl logs of a run and final.json")
    parser.add_argument("--least", type=int, default=LEAST, help="messages needed before, between and after the faults")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    try:
        verdict = check(histories.read(options.folder), options.least)
    except HistoryError as error:
        sys.stderr.write(f"cannot judge: {error}\n")
        return 2
    words = orjson.dumps(asdict(verdict)).decode() if options.json else str(verdict)
    sys.stdout.write(words + "\n")
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
