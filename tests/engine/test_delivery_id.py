"""Ids of deliveries: rising with time, and never the same."""

from bus.engine.delivery_id import new_delivery_id

NOON = 1_767_243_600_000_000


def test_ids_rise_with_time_and_differ_within_a_moment():
    ids = [new_delivery_id(NOON + 1_000 * (number // 100)) for number in range(1_000)]
    assert len(set(ids)) == 1_000
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)
    assert {len(one) for one in ids} == {32}
    assert all(one == one.lower() and int(one, 16) for one in ids)


def test_a_clock_before_the_epoch_makes_an_id_all_the_same():
    assert len(new_delivery_id(-1)) == 32
