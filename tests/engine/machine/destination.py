"""A destination that holds its own state and does what the schedule tells it."""

from dataclasses import dataclass

from bus.contract.sink import Delivery
from bus.contract.verdict import Ambiguous, Deferred, Delivered, Rejected, RetryLater, Unavailable

BEHAVIOURS = ("apply", "refuse", "unavailable", "retry later", "applied, no answer", "lost, no answer", "defer")
FAILURES = BEHAVIOURS[2:6]
ANSWERS = ("true", "unavailable", "no answer")


@dataclass(frozen=True)
class Effect:
    """One change of the destination's state."""

    key: str
    message: str
    subject: tuple[str, str]
    lane: str
    sequence: int


class Refusing:
    """Messages that it will not take; the same ones for ever, unless it is mended."""

    def __init__(self):
        self.now: set[str] = set()
        self.ever: set[str] = set()

    def add(self, message):
        self.now.add(message)
        self.ever.add(message)


class FakeDestination:
    """``kind`` as sinks declare it: a keyed one has no second effect of a key, a queryable one can be asked."""

    def __init__(self, name, kind, batch):
        self.name, self.kind, self.batch = name, kind, batch
        self.effects: list[Effect] = []
        self.applied: set[str] = set()
        self.state: dict[tuple[str, str], str] = {}
        self.refusing = Refusing()
        self.deferred: dict[str, tuple[Delivery, str]] = {}

    def send(self, delivery, lane, behaviour, *, late):
        """One delivery arrives; answers the verdict that its sink gives."""
        message = delivery.message.id
        if behaviour in {"unavailable", "retry later", "lost, no answer"}:
            return {"unavailable": Unavailable("closed"), "retry later": RetryLater("busy")}.get(
                behaviour, Ambiguous("no answer")
            )
        if self.kind == "keyed" and delivery.key in self.applied:
            return Ambiguous("no answer") if behaviour == "applied, no answer" else Delivered("duplicate")
        if message in self.refusing.now or (late and message in self.refusing.ever):
            return Rejected("it does not take this")
        if behaviour == "refuse" and delivery.key not in self.applied:
            self.refusing.add(message)
            return Rejected("it does not take this")
        if behaviour == "defer":
            self.deferred[delivery.key] = (delivery, lane)
            return Deferred(delivery.key, 5.0)
        self.apply(delivery, lane)
        return Ambiguous("no answer") if behaviour == "applied, no answer" else Delivered()

    def ask(self, delivery, lane, answer):
        """The question what became of a delivery; None: it does not have it."""
        if answer == "unavailable":
            return Unavailable("closed")
        if answer == "no answer":
            return Ambiguous("no answer to the question")
        if delivery.key in self.deferred:
            self.process(delivery.key)
        return Delivered() if delivery.key in self.applied else None

    def process(self, key):
        """What was taken for later is done now."""
        delivery, lane = self.deferred.pop(key)
        if key not in self.applied or self.kind != "keyed":
            self.apply(delivery, lane)

    def apply(self, delivery, lane):
        message = delivery.message
        subject = (message.type, message.subject)
        self.effects.append(Effect(delivery.key, message.id, subject, lane, delivery.sequence))
        self.applied.add(delivery.key)
        if message.op == "delete":
            self.state.pop(subject, None)
        else:
            self.state[subject] = message.id
