"""What must hold after every step, before every send, and at the end."""

from collections import Counter, defaultdict

FINAL = {"delivered", "superseded", "discarded"}
STATES = {"pending", "delivering", "retrying", "deferred", "parked", "dead", *FINAL}


def before_call(world, worker, call):
    """No attempt starts at a paused destination, after the lease, or past a delivery that holds the lane."""
    assert call.place not in world.paused, "an attempt started at a paused destination"
    rows = world.deliveries()
    for delivery in call.deliveries:
        claim = worker.claims.get(delivery.key)
        assert claim, "an attempt went out under a key that its delivery does not have"
        assert world.clock() <= claim.until, "an attempt started after its lease"
        for row in rows:
            if row.destination == call.place and row.lane == claim.lane and row.sequence < delivery.sequence:
                known = worker.claims.get(row.id)
                passed = known is not None and row.id in known.passed
                assert not row.holds or passed, f"{delivery.key} passed {row.id}, which holds the lane ({row.state})"


def after_step(world):
    if world.checked_at != world.driver.total_changes:
        world.checked_at = world.driver.total_changes
        rows = world.deliveries()
        _accounts_close(world, rows)
        _nothing_final_changes(world, rows)
        _lanes_are_awake(world, rows)
    for place in world.places.values():
        _one_effect(place)
        _in_order(place, per_record=world.on_dead == "continue")


def _accounts_close(world, rows):
    ids = dict(world.read("SELECT seq, id FROM messages"))
    assert sorted(ids.values()) == sorted(item.id for item in world.posted), "accepted messages are stored"
    held = Counter((ids[row.message], row.destination) for row in rows)
    assert held == +world.owed, "a delivery for each accepted message and destination, and no other"
    for row in rows:
        assert row.state in STATES
        if row.state in {"parked", "dead"}:
            assert row.reason or row.parked == "parent", "what waits for a person says why"
        if row.state == "discarded":
            assert row.id in world.discards, "only a person discards"
        if row.state == "superseded" and ids[row.message] not in world.stale:
            assert any(
                other.destination == row.destination
                and (other.type, other.subject) == (row.type, row.subject)
                and other.state == "delivered"
                and other.message > row.message
                for other in rows
            ), "superseded, and no later version was delivered"


def _nothing_final_changes(world, rows):
    for row in rows:
        before = world.seen.get(row.id)
        if before in FINAL:
            assert row.state == before, f"{before} became {row.state}"
        if before == "dead" and row.id not in world.acted:
            assert row.state in {"dead", "superseded"}, f"dead became {row.state} without a person"
        world.seen[row.id] = row.state
    world.acted.clear()


def _lanes_are_awake(world, rows):
    heads = {}
    for row in sorted(rows, key=lambda row: row.sequence, reverse=True):
        heads.setdefault((row.destination, row.lane), None)
        if row.holds:
            heads[row.destination, row.lane] = row
    lanes = {(row.destination, row.lane): row for row in world.read("SELECT * FROM lanes")}
    for key, head in heads.items():
        lane = lanes.get(key)
        if head is None:
            assert lane is None or lane.owner or lane.due_at is not None or not lane.held, "an empty lane is held"
        elif head.state in {"parked", "dead"}:
            assert lane.owner or (lane.held and lane.due_at is None), "a lane runs past its held head"
        else:
            awake = lane.due_at is not None and not lane.held
            assert awake, f"a lane sleeps though its head is {head.state}"


def _one_effect(place):
    """One key per delivery; a destination that does not know keys is never sent what it may have applied."""
    if place.kind != "keyed":
        twice = [key for key, count in Counter(effect.key for effect in place.effects).items() if count > 1]
        assert not twice, f"{place.name} applied {twice} twice"


def _in_order(place, *, per_record):
    """First effects of a lane come in its order. A route that goes on past dead ones gives up order between records."""
    last = {}
    known = set()
    for effect in place.effects:
        if effect.key in known:
            continue
        known.add(effect.key)
        line = (effect.lane, effect.subject if per_record else None)
        assert effect.sequence > last.get(line, 0), f"{place.name}: lane {effect.lane} was reordered"
        last[line] = effect.sequence


def at_the_end(world):
    """Everything ended, or stands parked or dead with a reason; the destinations hold what the hub says."""
    after_step(world)
    rows = world.deliveries()
    open_ones = [(row.id, row.state) for row in rows if row.state not in FINAL | {"parked", "dead"}]
    assert not open_ones, f"not ended: {open_ones}"
    _nobody_waits_for_what_is_there(world, rows)
    ids = {row.id for row in rows}
    for place in world.places.values():
        mine = [row for row in rows if row.destination == place.name]
        lost = [row.id for row in mine if row.state == "delivered" and row.id not in place.applied]
        assert not lost, f"called delivered, but never applied: {lost}"
        assert place.applied <= ids, "applied under a key that no delivery has"
        unsaid = [row.id for row in mine if row.state in {"superseded", "discarded"} and row.id in place.applied]
        assert not unsaid, f"applied, but called something else: {unsaid}"
        _replicas_agree(world, place)


def _nobody_waits_for_what_is_there(world, rows):
    there = {f"{row.type}:{row.key}": row.destination for row in world.read("SELECT * FROM replicas WHERE deleted = 0")}
    here = {f"{row.type}:{row.key}" for row in world.read("SELECT * FROM records WHERE deleted = 0")}
    for row in rows:
        if row.waits:
            arrived = row.waits in here if row.waits_at is None else there.get(row.waits) == row.waits_at
            assert not arrived, "a child waits for a parent that is there"


def _replicas_agree(world, place):
    statement = "SELECT r.*, m.id FROM replicas r JOIN messages m ON m.seq = r.message WHERE destination = ?"
    held = world.read(statement, place.name)
    told = {(row.type, row.key): None if row.deleted else row.id for row in held}
    truth = defaultdict(lambda: None, place.state)
    assert {key: truth[key] for key in {*told, *truth}} == {key: told.get(key) for key in {*told, *truth}}
