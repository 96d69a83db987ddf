"""The invariants, one function each: a history in, violations out. Names N1 … N10 are used in docs/promises.md."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .histories import OPEN_STATES, STANDING_STATES, History

REFUSALS = frozenset({"409", "0"})
"""Answers to another content under a known id: a conflict, or none, where a fault came between."""

WAITED_SECONDS = 10.0
"""A message that took so long from its first post to its effect was delayed."""

OLD_SECONDS = 5.0
"""A delivery that waits so long is a sign that something is wrong."""

SEEN_SECONDS = 60.0
"""How soon after its end a delay must have shown."""

LEAST = 200
"""Messages that must be acknowledged before, between and after the faults, or the run shows nothing."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule. ``ids`` are the messages that show it."""

    rule: str
    what: str
    ids: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        shown = ", ".join(self.ids[:10]) + (" …" if len(self.ids) > 10 else "")
        return f"{self.rule}: {self.what}" + (f" ({len(self.ids)}): {shown}" if self.ids else "")


def _if_any(rule: str, what: str, ids: Iterable[str]) -> Iterator[Violation]:
    found = tuple(dict.fromkeys(ids))
    if found:
        yield Violation(rule, what, found)


def well_posed(history: History) -> Iterator[Violation]:
    """The poster kept its own rules; without them order and sameness could not be judged."""
    yield from _if_any("history", "posted again with other content", history.changed)
    ended = {end.id: end for end in history.ended}
    yield from _if_any(
        "history",
        "without a final answer",
        history.invoked.keys() - history.acknowledged.keys() - history.refused,
    )
    last_of: dict[str, str] = {}
    hasty: list[str] = []
    for one in history.invoked.values():
        before = last_of.get(one.key)
        if before is not None:
            end = ended.get(before)
            if end is None or end.at > one.at or history.invoked[before].n >= one.n:
                hasty.append(one.id)
        last_of[one.key] = one.id
    yield from _if_any("history", "posted before the answer to the one before, or out of turn", hasty)


def nothing_lost(history: History) -> Iterator[Violation]:
    """N1: what was acknowledged is applied, or stands dead or parked with a reason."""
    yield from _if_any("N1", "acknowledged, neither applied nor standing with a reason", lost(history))
    standing = history.final.standing
    yield from _if_any("N1", "standing without a reason", (id for id, how in standing.items() if not how.get("reason")))


def lost(history: History) -> list[str]:
    """The acknowledged ids of which nothing is left."""
    standing = {id for id, how in history.final.standing.items() if how.get("state") in STANDING_STATES}
    return [id for id in history.acknowledged if id not in history.applied and id not in standing]


def nothing_invented(history: History) -> Iterator[Violation]:
    """N2: what arrives was posted, with this content, under this key."""
    if history.malformed:
        yield Violation("N2", f"{len(history.malformed)} malformed deliveries, the first: {history.malformed[0]}")
    known = history.invoked
    yield from _if_any("N2", "arrived and never posted", (one.id for one in history.arrived if one.id not in known))
    yield from _if_any(
        "N2",
        "arrived with another content or key than posted",
        (
            one.id
            for one in history.arrived
            if one.id in known and (one.sha, one.key, one.n) != (known[one.id].sha, known[one.id].key, known[one.id].n)
        ),
    )


def refused_stays_refused(history: History) -> Iterator[Violation]:
    """N3: what was refused is never applied; and a load of good messages is not refused."""
    yield from _if_any("N3", "refused and yet applied", (id for id in history.applied if id in history.refused))
    yield from _if_any("load", "refused, though well formed", history.refused)
    yield from _if_any(
        "N3",
        "another content under a known id was not refused",
        (one.id for one in history.others if one.answer not in REFUSALS),
    )


def one_effect(history: History) -> Iterator[Violation]:
    """N4: one idempotency key per message through all attempts, no key of two messages, one effect."""
    keys_of, ids_of = defaultdict(set), defaultdict(set)
    for one in history.arrived:
        keys_of[one.id].add(one.idempotency_key)
        ids_of[one.idempotency_key].add(one.id)
    yield from _if_any("N4", "more than one idempotency key", (id for id, keys in keys_of.items() if len(keys) > 1))
    yield from _if_any("N4", "share an idempotency key", (id for ids in ids_of.values() if len(ids) > 1 for id in ids))
    yield from _if_any("N4", "more than one effect", duplicated(history))


def duplicated(history: History) -> list[str]:
    """The ids that had more than one effect."""
    return [id for id, effects in history.applied.items() if len(effects) > 1]


def in_order(history: History) -> Iterator[Violation]:
    """N5: per key the effects follow the order of acceptance, and the hub's sequence rises with them."""
    yield from _if_any("N5", "took effect out of order", reordered(history))
    highest: dict[str, int] = {}
    fallen: list[str] = []
    for one in history.effects:
        if one.sequence <= highest.get(one.key, -1):
            fallen.append(one.id)
        highest[one.key] = max(one.sequence, highest.get(one.key, -1))
    yield from _if_any("N5", "carry a sequence that does not rise", fallen)


def reordered(history: History) -> list[str]:
    """The ids whose first effect came after that of a later message of their key.

    The poster sends the next message of a key only after the answer to the one before (``well_posed`` checks it), so
    the order in which it posted is the order of acceptance.
    """
    highest: dict[str, int] = {}
    seen: set[str] = set()
    found: list[str] = []
    for one in history.effects:
        posted = history.invoked.get(one.id)
        if posted is None or one.id in seen:
            continue
        seen.add(one.id)
        if posted.n < highest.get(posted.key, 0):
            found.append(one.id)
        highest[posted.key] = max(posted.n, highest.get(posted.key, 0))
    return found


def accounts_close(history: History) -> Iterator[Violation]:
    """N6: what the hub says of itself agrees with itself and with both logs."""
    final, states = history.final, history.final.states
    if final.accepted != sum(states.values()):
        yield Violation("N6", f"the hub accepted {final.accepted} and has deliveries {states}")
    if final.accepted != len(history.acknowledged):
        yield Violation("N6", f"the hub accepted {final.accepted}, the poster heard of {len(history.acknowledged)}")
    if states.get("delivered", 0) != len(history.applied):
        said = states.get("delivered", 0)
        yield Violation("N6", f"the hub delivered {said}, the destination applied {len(history.applied)}")
    counted = Counter(how.get("state") for how in final.standing.values())
    if any(counted[state] != states.get(state, 0) for state in STANDING_STATES):
        yield Violation("N6", f"standing by id {dict(counted)}, by count {states}")


def one_owner(history: History) -> Iterator[Violation]:
    """N6: what the hub wrote down of a delivery's attempts is in their order, and nothing comes after its delivery.

    A worker whose lane was given to another must not be heard any more, even where a destination passes over its
    repetitions and so nothing shows outside.
    """
    stories = history.final.stories
    untold = (id for id, tries in stories.items() if not tries)
    yield from _if_any("N6", "came more than once, and the hub tells of no attempt", untold)
    backwards = (id for id, tries in stories.items() if any(a[0] >= b[0] for a, b in itertools.pairwise(tries)))
    yield from _if_any("N6", "have attempts on record that do not follow each other", backwards)
    after = (id for id, tries in stories.items() if any(outcome == "delivered" for _, outcome in tries[:-1]))
    yield from _if_any("N6", "have attempts on record after their delivery", after)


def seen(history: History) -> Iterator[Violation]:
    """N7: each delay shows in readiness or metrics, to somebody who looks once a second, within a minute of its end."""
    if not history.signs:
        yield Violation("N7", "cannot be judged: nobody looked at the hub")
        return
    odd = sorted(one.at for one in history.signs if not one.ready or one.oldest is None or one.oldest >= OLD_SECONDS)
    waits = ((id, history.invoked[id].at, came[0].at) for id, came in history.applied.items() if id in history.invoked)
    unseen = (
        id
        for id, begin, end in waits
        if end - begin > WAITED_SECONDS and bisect_left(odd, begin) == bisect_right(odd, end + SEEN_SECONDS)
    )
    yield from _if_any("N7", f"took more than {WAITED_SECONDS:g} s, and nothing showed it", unseen)


def audited(history: History) -> Iterator[Violation]:
    """N8: the audit chain verifies, all of it sealed, and has as many rows as the poster's log makes necessary."""
    audit = history.final.audit
    if audit is None:
        yield Violation("N8", "cannot be judged: the audit chain was not verified (no audit in final.json)")
        return
    if not audit["ok"]:
        yield Violation("N8", f"the audit chain does not verify: {audit['wrong']} wrong, {audit['findings'][:3]}")
    if audit["unsealed"]:
        yield Violation("N8", f"{audit['unsealed']} audit rows were never sealed")
    rows, needed = audit["sealed"] + audit["unsealed"], fewest_rows(history)
    if not audit["sealed"] or rows < needed:
        yield Violation("N8", f"{audit['sealed']} audit rows sealed, at least {needed} must be there")


def fewest_rows(history: History) -> int:
    """The least number of audit rows: one for each transaction that accepted, and one that settled.

    Transactions are counted from outside: each commits between the first try of its messages and their answer, so
    messages of which one was answered before the other was sent were accepted in two.
    """
    spans = sorted((end, history.invoked[id].at) for id, end in history.acknowledged.items() if id in history.invoked)
    count, latest = 0, float("-inf")
    for end, begin in spans:
        if begin > latest:
            count, latest = count + 1, end
    return count + bool(history.applied)


def recovers(history: History) -> Iterator[Violation]:
    """N9: after the last fault everything comes to rest, and every fault is followed by new work in both directions."""
    moving = {state: count for state, count in history.final.states.items() if state in OPEN_STATES and count}
    if moving:
        yield Violation("N9", f"still moving at the end: {moving}")
    for number, fault in enumerate(history.faults, 1):
        if not recovered(history, fault.at):
            yield Violation("N9", f"nothing was acknowledged or applied after fault {number} ({fault.name})")
    for number, fault in enumerate(history.faults, 1):
        if fault.back_at is None:
            yield Violation("N9", f"the hub was never ready again after fault {number} ({fault.name})")


def recovered(history: History, at: float) -> bool:
    """Something was posted and acknowledged, and something applied, after ``at``."""
    posted_after = any(one.at > at and one.id in history.acknowledged for one in reversed(history.invoked.values()))
    return posted_after and any(one.at > at for one in reversed(history.effects))


def not_vacuous(history: History, least: int = LEAST) -> Iterator[Violation]:
    """N10: faults really hit, work was under way when they did, and enough went on before, between and after."""
    if not history.faults:
        yield Violation("N10", "no fault was injected")
        return
    for number, fault in enumerate(history.faults, 1):
        if not fault.hit:
            yield Violation("N10", f"fault {number} ({fault.name}) hit nothing")
    felt = any(end.event == "info" for end in history.ended) or any(one.attempt > 1 for one in history.arrived)
    if not felt and not all(fault.quiet for fault in history.faults):
        yield Violation("N10", "no fault was felt: no answer missed, no attempt repeated")
    first, last = history.faults[0].at, history.faults[-1]
    end = last.back_at or last.at
    flows: dict[str, list[float]] = {
        "acknowledged": list(history.acknowledged.values()),
        "applied": [one.at for one in history.effects],
    }
    for name, times in flows.items():
        counts = {
            "before the first fault": sum(at < first for at in times),
            "after the last fault": sum(at > end for at in times),
        }
        if len(history.faults) > 1:
            counts["between the faults"] = sum(first < at < last.at for at in times)
        for when, count in counts.items():
            if count < least:
                yield Violation("N10", f"only {count} {name} {when}, at least {least} are needed")


RULES: tuple[Callable[[History], Iterator[Violation]], ...] = (
    well_posed,
    nothing_lost,
    nothing_invented,
    refused_stays_refused,
    one_effect,
    in_order,
    accounts_close,
    one_owner,
    seen,
    audited,
    recovers,
)
"""All but ``not_vacuous``, which takes a measure of its own."""
