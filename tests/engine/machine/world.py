"""The world of one schedule: a store in memory, two workers, destinations, a clock, and an account of what is due."""

import asyncio
from collections import Counter, namedtuple
from dataclasses import dataclass

from bus.contract.errors import Refused
from bus.contract.route import Parent, Retry, Route
from bus.contract.verdict import Delivered
from bus.engine import acts, parents, registers, tables  # noqa: F401 - these fill METADATA
from bus.engine.accept import Acceptor
from bus.engine.claim import reclaim
from bus.engine.database import open_database
from bus.engine.routing import Routing
from bus.engine.schema import METADATA
from tests.engine.hub import HandClock, incoming
from tests.engine.machine import invariants
from tests.engine.machine.destination import FakeDestination
from tests.engine.machine.worker import FakeWorker, idle

LINE, PACKAGE = "budget.line", "project.package"
WIPED = ("messages", "records", "lane_keys", "lanes", "deliveries", "attempts", "starts", "replicas", "audit")

_shared = {}
_shapes = {}


def _engine():
    """One store in memory for all schedules of this process, emptied for each."""
    if "engine" not in _shared:
        engine = open_database("sqlite://").writes
        METADATA.create_all(engine)
        _shared["engine"], _shared["loop"] = engine, asyncio.new_event_loop()
    with _shared["engine"].begin() as connection:
        for name in WIPED:
            connection.execute(METADATA.tables[name].delete())
    return _shared["engine"], _shared["loop"]


@dataclass(frozen=True)
class Plan:
    """What one schedule is about: destinations (kind, batch), and what a dead one does to its partition."""

    places: tuple[tuple[str, int], ...]
    on_dead: str = "hold"
    parent_routed: bool = True


class World:
    def __init__(self, plan):
        self.engine, self.loop = _engine()
        with self.engine.connect() as connection:
            self.driver = connection.connection.driver_connection
        self._read_at, self._rows = -1, []
        self.checked_at = -1
        self.clock = HandClock()
        self.on_dead = plan.on_dead
        self.places = {
            f"{kind}-{number}": FakeDestination(f"{kind}-{number}", kind, batch)
            for number, (kind, batch) in enumerate(plan.places)
        }
        self.routing = Routing(self._routes(plan))
        self.acceptor = Acceptor(self.routing, self.clock)
        self.paused: set[str] = set()
        self.posted: list = []
        self.stale: set[str] = set()
        self.owed: Counter[tuple[str, str]] = Counter()
        self.versions: Counter[str] = Counter()
        self.discards: set[str] = set()
        self.resolved: set[str] = set()
        self.problems: list[BaseException] = []
        self.seen: dict[str, str] = {}
        self.acted: set[str] = set()
        self.workers = {name: FakeWorker(self, name) for name in "AB"}

    def _routes(self, plan):
        retry = Retry(attempts=4, first=1.0, longest=8.0)
        for index, name in enumerate(self.places):
            if index == 0 or plan.parent_routed:
                yield Route(f"line-{name}", LINE, name, encode=dict, retry=retry, on_dead=plan.on_dead)
            if index == len(self.places) - 1:
                wanted = (Parent(LINE, lambda data: data.get("needs")),)
                yield Route(f"package-{name}", PACKAGE, name, encode=dict, retry=retry, parents=wanted)

    # What happens outside the hub

    def post(self, type, subject, *, op="upsert", partition=None, sequence=None, needs=None):
        data = {"key": subject} if needs is None else {"key": subject, "needs": needs}
        item = incoming(subject, type=type, op=op, partition=partition, sequence=sequence, data=data)
        (outcome,) = self.write(self.acceptor.accept, [item])
        assert outcome.status == "accepted"
        self.posted.append(item)
        if outcome.stale:
            self.stale.add(item.id)
        for target in self.routing.targets(item, ()):
            self.owed[item.id, target.destination] += 1

    def post_again(self, item):
        (outcome,) = self.write(self.acceptor.accept, [item])
        assert outcome.status == "duplicate"

    def write(self, job, *args, **more):
        with self.engine.begin() as connection:
            return job(connection, *args, **more)

    def turn(self):
        """Let every task run until it waits for the schedule."""
        self.loop.run_until_complete(idle())
        if self.problems:
            raise self.problems[0]

    # What people do; they know the truth

    def replay(self, row, *, overwrite):
        if row.state == "parked" and row.parked == "ambiguous" and self.has_effect(row):
            return
        try:
            sent = self.write(acts.replay, row.id, actor="person", now=self.clock(), overwrite=overwrite)
        except Refused:
            return
        self.acted.add(row.id)
        if sent != row.id:
            (item,) = [item for item in self.posted if item.id == self.message_id(row)]
            self.owed[item.id, row.destination] += 1

    def resolve(self, row, verdict):
        applied = self.has_effect(row)
        if (verdict == "delivered") != applied:
            return
        try:
            self.write(acts.resolve, self.routing, row.id, verdict, actor="p", now=self.clock(), reason="so be it")
        except Refused:
            return
        self.acted.add(row.id)
        (self.discards if verdict == "discard" else self.resolved).add(row.id)

    def restart(self, *, died):
        """The engine process ends and starts again."""
        self.kill("A")
        self.kill("B")
        kinds = {place.name: place.kind for place in self.places.values()}
        self.write(reclaim, self.clock(), died=died, kinds=kinds, routing=self.routing)

    def kill(self, name):
        self.workers[name].die()
        self.workers[name] = FakeWorker(self, name)

    def sweep(self):
        self.write(parents.sweep, self.routing, self.clock())

    # What the schedule needs to know

    def has_effect(self, row):
        return row.id in self.places[row.destination].applied

    def message_id(self, row):
        return self.read("SELECT id FROM messages WHERE seq = ?", row.message)[0].id

    def read(self, statement, *values):
        """Rows, straight from the driver: a schedule reads far more often than it writes."""
        cursor = self.driver.execute(statement, values)
        if statement not in _shapes:
            _shapes[statement] = namedtuple("Row", [column[0] for column in cursor.description])  # noqa: PYI024
        return [_shapes[statement]._make(row) for row in cursor.fetchall()]

    def deliveries(self):
        if self.driver.total_changes != self._read_at:
            self._read_at = self.driver.total_changes
            self._rows = self.read("SELECT * FROM deliveries ORDER BY seq")
        return self._rows

    def waiting_for_a_person(self):
        return [row for row in self.deliveries() if row.state in {"parked", "dead", "delivered"}]

    def passing(self, verdict):
        """Does this verdict let later deliveries of the lane go on at once?"""
        return isinstance(verdict, Delivered)  # a refusal is settled first

    def takes_late(self, place, delivery):
        """What a paused worker sends late: keyed destinations know the key, and the sequence of the lane."""
        (row,) = [row for row in self.deliveries() if row.id == delivery.key]
        later = any(e.lane == row.lane and e.sequence > delivery.sequence for e in place.effects)
        return place.kind == "keyed" and row.state not in {"dead", "superseded", "discarded", "parked"} and not later

    def check_call(self, worker, call):
        try:
            invariants.before_call(self, worker, call)
        except AssertionError as problem:  # the engine guards itself against sinks that raise
            self.problems.append(problem)

    def check(self):
        invariants.after_step(self)
