"""A hub driven by hand: one call, one transaction; its clock moves only when told."""

import itertools
import random

from sqlalchemy import func, select

from bus.contract.clock import MICROSECONDS
from bus.contract.message import Incoming
from bus.contract.route import Parent, Retry, Route
from bus.contract.verdict import Delivered
from bus.engine import acts, registers, tables
from bus.engine.accept import Acceptor
from bus.engine.claim import claim
from bus.engine.outcome import Circumstances, decide
from bus.engine.routing import Routing
from bus.engine.settle import LaneResult, Result, Settler

RETRY = Retry(attempts=3, first=1.0, longest=8.0)
LINE = Route("line", "budget.line", "e-project", encode=dict, retry=RETRY)
PACKAGE = Route("package", "project.package", "e-procurement", encode=dict, retry=RETRY)
ROUTES = (LINE, PACKAGE)


def child_route(destination="e-project", *parents, **more):
    """Give a route of packages whose data names the parents: ``{"needs": {"budget.line": "k"}}``."""
    wanted = tuple(Parent(kind, lambda data, kind=kind: data.get("needs", {}).get(kind)) for kind in parents)
    return Route("child", "project.package", destination, encode=dict, retry=RETRY, parents=wanted, **more)


class HandClock:
    """Microseconds since the epoch, moved by hand."""

    def __init__(self, now=1_700_000_000 * MICROSECONDS):
        self.now = now

    def __call__(self):
        return self.now

    def forward(self, seconds):
        self.now += int(seconds * MICROSECONDS)


_ids = itertools.count(1)


def incoming(subject="k", *, id=None, system="e-budgeting", type="budget.line", data=None, content=None, **more):
    """Make a checked input; its content hash follows from its data unless given."""
    data = {"key": subject} if data is None else data
    return Incoming(
        id=id or f"m{next(_ids)}",
        system=system,
        type=type,
        subject=subject,
        data=data,
        content=content or f"hash of {data}",
        raw=more.pop("raw", b"{}"),
        **more,
    )


class Hub:
    """The engine's functions over one store, without loops and threads."""

    def __init__(self, database, routes=ROUTES):
        self.database = database
        self.clock = HandClock()
        self.use(routes)

    def use(self, routes):
        """Replace the route table."""
        self.routing = Routing(routes)
        self.acceptor = Acceptor(self.routing, self.clock)
        self.settler = Settler(self.routing, self.clock)

    def do(self, job, *args, **more):
        """Run ``job(connection, …)`` in one transaction."""
        with self.database.writes.begin() as connection:
            return job(connection, *args, **more)

    def accept(self, *items):
        return self.do(self.acceptor.accept, items)

    def post(self, subject="k", **more):
        """Accept one input; gives its outcome."""
        return self.accept(incoming(subject, **more))[0]

    def claim(self, destination="e-project", *, owner="worker", width=64, depth=16, lease=60.0):
        return self.do(claim, destination, self.clock(), owner=owner, width=width, depth=depth, lease=lease)

    def report(self, lane, *verdicts, kind="keyed", owner="worker"):
        """Settle the lane's first deliveries with these verdicts and give the others back. Did it count?"""
        result = LaneResult(lane.destination, lane.lane, lane.fence, owner)
        for one, verdict in zip(lane.deliveries, verdicts, strict=False):
            route = self.routing.routes.get(one.route)
            case = Circumstances(
                now=self.clock(),
                tries=one.attempt,
                retries=one.retries,
                kind=kind,
                retry=self.routing.retry(one.route),
                partitioned=one.message.partition is not None,
                on_dead_holds=route is None or route.on_dead == "hold",
            )
            outcome = decide(verdict, case, random.Random(0))
            result.results.append(Result(one, verdict, outcome, self.clock(), self.clock()))
        result.returned = list(lane.deliveries[len(verdicts) :])
        return self.do(self.settler.settle, [result])[0]

    def carry(self, *verdicts, destination="e-project", kind="keyed"):
        """Claim the only due lane, and report."""
        (lane,) = self.claim(destination)
        assert self.report(lane, *verdicts, kind=kind)
        return lane

    def deliver_all(self, destination="e-project"):
        """Deliver whatever is due until nothing is; gives the subjects in their order."""
        order = []
        while claimed := self.claim(destination):
            for lane in claimed:
                assert self.report(lane, *[Delivered()] * len(lane.deliveries))
                order.extend(one.message.subject for one in lane.deliveries)
        return order

    def rows(self, table, *where):
        with self.database.reads.connect() as connection:
            order = list(table.primary_key.columns)
            return connection.execute(select(table).where(*where).order_by(*order)).all()

    def deliveries(self, subject=None, destination=None):
        columns = tables.deliveries.c
        where = [columns.subject == subject] if subject is not None else []
        where += [columns.destination == destination] if destination is not None else []
        return self.rows(tables.deliveries, *where)

    def states(self, subject=None, destination=None):
        return [row.state for row in self.deliveries(subject, destination)]

    def the(self, subject, destination=None):
        """Give the only delivery of this subject."""
        (row,) = self.deliveries(subject, destination)
        return row

    def lane(self, subject="k", destination="e-project", type="budget.line"):
        columns = tables.lanes.c
        (row,) = self.rows(tables.lanes, columns.lane == f"r:{type}:{subject}", columns.destination == destination)
        return row

    def replay(self, id, **more):
        return self.do(acts.replay, id, actor="person", now=self.clock(), **more)

    def resolve(self, id, verdict, **more):
        return self.do(
            acts.resolve, self.routing, id, verdict, actor="person", now=self.clock(), reason="a person said so", **more
        )

    def audited(self, action):
        return self.rows(registers.audit, registers.audit.c.action == action)

    def count(self, table):
        with self.database.reads.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()
