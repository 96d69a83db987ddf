"""F02: SIGKILL between the commit and the answer. The retry is told that it is a duplicate, and there is one row."""

from .proven import DISTRIBUTED_FULL, EMBEDDED, proven


@proven(EMBEDDED, DISTRIBUTED_FULL)
def test_the_retry_of_a_committed_message_is_a_duplicate(proven):
    for strike in proven.strikes("F02 kill -9 between commit and answer"):
        answers = proven.final_answers(proven.in_doubt(strike))
        stored = [id for id, answer in answers.items() if answer == "duplicate"]
        assert stored
        assert all(len(proven.history.applied[id]) == 1 for id in stored)
