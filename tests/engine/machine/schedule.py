"""What may happen next, drawn from a source of choices (a seed, or Hypothesis), and the end of every schedule."""

from tests.engine.machine import invariants
from tests.engine.machine.destination import ANSWERS, BEHAVIOURS
from tests.engine.machine.world import LINE, PACKAGE, Plan, World

KINDS = ("keyed", "keyed", "queryable", "blind")
WEIGHTS = {
    "post": 5,
    "post again": 1,
    "claim": 7,
    "work": 20,
    "kill": 2,
    "restart": 1,
    "forward": 4,
    "pause": 1,
    "resume": 2,
    "replay": 2,
    "resolve": 2,
    "sweep": 1,
    "mend": 1,
}
ACTIONS = tuple(name for name, weight in WEIGHTS.items() for _ in range(weight))


def plan(pick):
    count = pick((1, 1, 2))
    places = tuple((pick(KINDS), pick((1, 1, 3))) for _ in range(count))
    return Plan(places, on_dead=pick(("hold", "continue")), parent_routed=pick((True, False)))


class Schedule:
    """``pick(options)`` chooses one of a tuple."""

    def __init__(self, pick):
        self.pick = pick
        self.world = World(plan(pick))

    def run(self, steps):
        try:
            for _ in range(steps):
                self.do(self.pick(ACTIONS))
            self.finish()
        finally:
            self.close()

    def close(self):
        for worker in self.world.workers.values():
            worker.die()

    def do(self, action):
        getattr(self, action.replace(" ", "_"))()
        self.world.check()

    def post(self):
        subject = self.pick(("a", "a", "b", "p", "q"))
        if self.pick((True, True, True, False)):
            op = self.pick(("upsert", "upsert", "upsert", "delete"))
            self.world.versions[subject] += 1
            sequence = self.pick((None, self.world.versions[subject], self.world.versions[subject] - 2))
            self._post_line(subject, op=op, sequence=sequence)
        else:
            self.world.post(PACKAGE, f"child of {subject}", needs=subject)

    def _post_line(self, subject, **more):
        """The records p and q always come in one partition, the others in lanes of their own."""
        self.world.post(LINE, subject, partition="x" if subject in "pq" else None, **more)

    def post_again(self):
        if self.world.posted:
            self.world.post_again(self.pick(tuple(self.world.posted)))

    def claim(self):
        worker = self.world.workers[self.pick(("A", "B"))]
        worker.take(self.pick(tuple(self.world.places)), self.pick((1, 3)), self.pick((1, 4)))

    def work(self):
        busy = tuple(worker for worker in self.world.workers.values() if worker.busy)
        if not busy:
            self.claim()
            return
        worker = self.pick(busy)
        choices = (*((None,) if worker.writer.waiting else ()), *worker.calls)
        call = self.pick(choices)
        if call is None:
            worker.writer.commit()
            self.world.turn()
        elif call.verdicts is not None:
            worker.answer(call)
        else:
            options = ANSWERS if call.asks else ("apply", "apply", "apply", *BEHAVIOURS)
            worker.reach(call, [self.pick(options) for _ in call.deliveries])

    def kill(self):
        self.world.kill(self.pick(("A", "B")))

    def restart(self):
        self.world.restart(died=self.pick((True, False)))

    def forward(self):
        self.world.clock.forward(self.pick((1, 5, 9, 31, 61)))

    def pause(self):
        self.world.paused.add(self.pick(tuple(self.world.places)))

    def resume(self):
        self.world.paused.clear()

    def replay(self):
        if rows := tuple(self.world.waiting_for_a_person()):
            self.world.replay(self.pick(rows), overwrite=self.pick((False, False, True)))

    def resolve(self):
        if rows := tuple(row for row in self.world.waiting_for_a_person() if row.state != "delivered"):
            self.world.resolve(self.pick(rows), self.pick(("delivered", "retry", "discard")))

    def sweep(self):
        self.world.sweep()

    def mend(self):
        for place in self.world.places.values():
            place.refusing.now.clear()

    def finish(self):
        """Every fault ends; people decide what only they can; then everything has ended."""
        world = self.world
        world.paused.clear()
        for wanted in sorted({row.waits for row in world.deliveries() if row.waits}):
            self._post_line(wanted.removeprefix(f"{LINE}:"))
        for _ in range(60):
            if not self._drain():
                break
        else:
            raise AssertionError("the hub does not come to rest")
        invariants.at_the_end(world)

    def _drain(self):
        """One round of work without faults; did anything move?"""
        moved = False
        world = self.world
        for worker in world.workers.values():
            for name in world.places:
                worker.take(name, 64, 16)
            while worker.busy:
                moved = True
                if worker.writer.waiting:
                    worker.writer.commit()
                    world.turn()
                for call in list(worker.calls):
                    if call.verdicts is None:
                        worker.reach(call, ["true" if call.asks else "apply"] * len(call.deliveries))
                    worker.answer(call)
                world.check()
        return self._decide() or moved or self._wait()

    def _decide(self):
        """People act truthfully on what would hold for ever."""
        decided = False
        for row in self.world.deliveries():
            ambiguous = row.parked == "ambiguous"
            poison = row.state == "dead" and "poison" in (row.reason or "")
            if ambiguous or poison or (row.state == "dead" and row.holds):
                verdict = "delivered" if self.world.has_effect(row) else "discard"
                self.world.resolve(row, verdict)
                decided = True
        return decided

    def _wait(self):
        """Let the time come that something waits for."""
        waiting = [row for row in self.world.deliveries() if row.state not in invariants.FINAL | {"parked", "dead"}]
        if waiting:
            self.world.clock.forward(61)
        return bool(waiting)
