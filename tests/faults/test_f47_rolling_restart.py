"""F47: every process is restarted in turn under load: nothing is refused, lost, doubled or out of order."""

from .proven import DISTRIBUTED_FULL, EMBEDDED_FULL, proven


@proven(EMBEDDED_FULL, DISTRIBUTED_FULL)
def test_no_message_is_refused(proven):
    for strike in proven.strikes("F47 rolling restart"):
        assert [end for end in proven.during(strike, proven.history.ended) if end.event == "fail"] == []
