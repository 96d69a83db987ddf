"""F13: messages in the queue that no hub wrote, a pickle among them: refused unopened, and the queue moves on."""

from .proven import DISTRIBUTED_FULL, proven


@proven(DISTRIBUTED_FULL)
def test_poison_is_passed_over(proven):
    for strike in proven.strikes("F13 poison in the queue"):
        assert any(one.at > strike["at"] for one in proven.history.effects)
    assert not (proven.folder / "hub" / "pickled").exists()
