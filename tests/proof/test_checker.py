"""The checker: a good history passes, and each way of spoiling it breaks the rule that is there for it."""

import orjson
import pytest

from proof import checker
from tests.proof.handmade import EACH, KEYS, LEAST, Handmade

TOTAL = EACH * len(KEYS)


@pytest.fixture
def run():
    return Handmade()


def broken(run, folder):
    """The rules that the spoiled run breaks."""
    return {violation.rule for violation in run.verdict(folder).violations}


def test_a_good_history_passes_with_its_counts(run, tmp_path):
    verdict = run.verdict(tmp_path)
    assert verdict.violations == ()
    assert (verdict.posts, verdict.acknowledged, verdict.attempts) == (TOTAL + 1, TOTAL, TOTAL + 1)
    assert (verdict.delivered, verdict.repeated, verdict.faults, verdict.recovered) == (TOTAL, 1, 2, 2)
    assert (verdict.lost, verdict.duplicated, verdict.reordered, verdict.standing) == (0, 0, 0, 0)


def test_n1_an_acknowledged_message_that_is_nowhere_is_lost(run, tmp_path):
    run.drop("a-7")
    verdict = run.verdict(tmp_path)
    assert verdict.broke("N1")
    assert verdict.lost == 1


def test_n1_a_message_that_stands_dead_with_a_reason_is_not_lost(run, tmp_path):
    run.drop("a-7")
    run.final["states"] = {"delivered": TOTAL - 1, "dead": 1}
    run.final["standing"] = {"a-7": {"state": "dead", "reason": "HTTP 422", "parked": None}}
    verdict = run.verdict(tmp_path)
    assert verdict.violations == ()
    assert (verdict.lost, verdict.standing) == (0, 1)


def test_n1_standing_without_a_reason_breaks_it(run, tmp_path):
    run.drop("a-7")
    run.final["states"] = {"delivered": TOTAL - 1, "parked": 1}
    run.final["standing"] = {"a-7": {"state": "parked", "reason": None, "parked": "ambiguous"}}
    assert broken(run, tmp_path) == {"N1"}
    assert run.verdict(tmp_path).ambiguous_parked == 1


def test_n2_what_nobody_posted_is_a_phantom(run, tmp_path):
    run.dest.append({**run.dest[-1], "id": "z-1", "key": "z", "idempotency_key": "key-z", "effect": "applied"})
    assert "N2" in broken(run, tmp_path)


@pytest.mark.parametrize(("field", "value"), [("sha", "other"), ("key", "b"), ("n", 8)])
def test_n2_what_arrives_changed_breaks_it(run, tmp_path, field, value):
    run.arrival("a-7")[field] = value
    assert "N2" in broken(run, tmp_path)


def test_n2_a_malformed_delivery_breaks_it(run, tmp_path):
    run.dest.append({"malformed": "ValueError", "at": 300.0})
    assert broken(run, tmp_path) == {"N2"}


def _refuse(run, id):
    for line in run.client:
        if line["id"] == id and line["event"] == "ok":
            line.update(event="fail", answer="422")


def test_n3_a_refused_message_must_not_be_applied(run, tmp_path):
    _refuse(run, "a-7")
    assert "N3" in broken(run, tmp_path)


def test_n3_refused_and_not_applied_breaks_the_load_alone(run, tmp_path):
    _refuse(run, "a-7")
    run.drop("a-7")
    run.final.update(accepted=TOTAL - 1, states={"delivered": TOTAL - 1})
    assert broken(run, tmp_path) == {"load"}


def test_n3_refused_first_and_accepted_later_is_accepted(run, tmp_path):
    run.client.insert(3, {"event": "fail", "id": "b-1", "answer": "503", "at": 1.0})
    assert broken(run, tmp_path) == set()


def test_n3_another_content_under_a_known_id_must_be_a_conflict(run, tmp_path):
    run.client.append({"event": "other", "id": "a-7", "answer": "409", "at": 300.0})
    assert broken(run, tmp_path) == set()
    run.client.append({"event": "other", "id": "a-7", "answer": "accepted", "at": 300.0})
    assert broken(run, tmp_path) == {"N3"}


def test_n4_a_new_idempotency_key_for_an_attempt_breaks_it(run, tmp_path):
    run.dest[-1]["idempotency_key"] = "another"
    assert broken(run, tmp_path) == {"N4"}


def test_n4_two_messages_under_one_idempotency_key_break_it(run, tmp_path):
    run.arrival("a-7")["idempotency_key"] = run.arrival("a-8")["idempotency_key"]
    assert broken(run, tmp_path) == {"N4"}


def test_n4_a_second_effect_breaks_it(run, tmp_path):
    run.dest[-1].update(effect="applied", sequence=EACH + 1)
    verdict = run.verdict(tmp_path)
    assert {violation.rule for violation in verdict.violations} == {"N4"}
    assert verdict.duplicated == 1


def _swap(run, one, other):
    first, second = run.dest.index(run.arrival(one)), run.dest.index(run.arrival(other))
    run.dest[first], run.dest[second] = run.dest[second], run.dest[first]


def test_n5_a_later_message_that_takes_effect_first_breaks_it(run, tmp_path):
    _swap(run, "a-7", "a-8")
    verdict = run.verdict(tmp_path)
    assert {violation.rule for violation in verdict.violations} == {"N5"}
    assert verdict.reordered == 1


def test_n5_is_broken_by_order_even_where_the_hub_numbers_it_as_if_it_were_right(run, tmp_path):
    _swap(run, "a-7", "a-8")
    run.arrival("a-7")["sequence"], run.arrival("a-8")["sequence"] = 8, 7
    assert broken(run, tmp_path) == {"N5"}


def test_n5_a_sequence_that_does_not_rise_breaks_it(run, tmp_path):
    run.arrival("a-8")["sequence"] = run.arrival("a-7")["sequence"]
    assert broken(run, tmp_path) == {"N5"}


def test_n5_keys_may_pass_each_other(run, tmp_path):
    _swap(run, "a-7", "b-7")
    assert broken(run, tmp_path) == set()


def test_n5_a_late_repetition_is_no_second_place_in_the_order(run, tmp_path):
    run.dest.append({**run.arrival("a-1"), "effect": "duplicate", "attempt": 2, "at": 290.0})
    assert broken(run, tmp_path) == set()


@pytest.mark.parametrize(
    "final",
    [
        {"accepted": TOTAL + 1},
        {"accepted": TOTAL - 1, "states": {"delivered": TOTAL - 1}},
        {"states": {"delivered": TOTAL - 1, "superseded": 1}},
        {"states": {"delivered": TOTAL - 1, "dead": 1}},
    ],
)
def test_n6_accounts_that_do_not_close_break_it(run, tmp_path, final):
    run.final.update(final)
    assert broken(run, tmp_path) == {"N6"}


@pytest.mark.parametrize(
    "tries", [[[2, "delivered"], [1, "ambiguous"]], [[1, "delivered"], [2, "delivered"]], [[1, "ambiguous"]] * 2]
)
def test_n6_a_worker_that_lost_its_lane_must_not_be_heard(run, tmp_path, tries):
    run.final["stories"] = {"a-7": [[1, "ambiguous"], [3, "delivered"]]}
    assert broken(run, tmp_path) == set()
    run.final["stories"]["a-8"] = tries
    assert broken(run, tmp_path) == {"N6"}


def test_n6_what_came_more_than_once_must_have_a_story(run, tmp_path):
    run.final["stories"] = {"a-7": []}
    assert broken(run, tmp_path) == {"N6"}


def test_n9_what_still_moves_at_the_end_breaks_it(run, tmp_path):
    run.final["states"] = {"delivered": TOTAL - 1, "retrying": 1}
    assert "N9" in broken(run, tmp_path)


def test_n9_a_hub_that_never_came_back_breaks_it(run, tmp_path):
    run.faults.pop()
    verdict = run.verdict(tmp_path)
    assert verdict.broke("N9")
    assert verdict.recovered == 1


def test_n9_nothing_new_after_the_fault_breaks_it(run, tmp_path):
    run.faults[-2]["at"] = 400.0
    verdict = run.verdict(tmp_path)
    assert verdict.broke("N9")
    assert verdict.recovered == 1


def test_n10_a_run_without_faults_is_vacuous(run, tmp_path):
    run.faults.clear()
    assert broken(run, tmp_path) == {"N10"}


def test_n10_a_fault_that_hit_nothing_is_vacuous(run, tmp_path):
    run.faults[0]["hit"] = False
    assert broken(run, tmp_path) == {"N10"}


def test_n10_faults_that_nobody_felt_are_vacuous(run, tmp_path):
    del run.client[1:3]
    run.dest.pop()
    assert broken(run, tmp_path) == {"N10"}


@pytest.mark.parametrize(("first", "last"), [(1.5, 200.5), (100.5, 100.6), (100.5, 219.5)])
def test_n10_too_little_before_between_or_after_is_vacuous(run, tmp_path, first, last):
    for line, at in zip(run.faults, (first, first + 0.01, last, last + 0.01), strict=True):
        line["at"] = at
    assert "N10" in broken(run, tmp_path)


def test_a_poster_that_changes_a_message_is_no_witness(run, tmp_path):
    run.client[2]["sha"] = "other"
    assert "history" in broken(run, tmp_path)


def test_a_poster_that_does_not_wait_for_the_answer_is_no_witness(run, tmp_path):
    next(line for line in run.client if line["id"] == "a-8" and line["event"] == "invoke")["at"] -= 1.0
    assert broken(run, tmp_path) == {"history"}


def test_a_poster_that_gives_up_in_doubt_is_no_witness(run, tmp_path):
    for line in run.client:
        if line["id"] == "a-20" and line["event"] == "ok":
            line["event"] = "info"
    assert "history" in broken(run, tmp_path)


def test_the_command_exits_0_1_or_2(run, tmp_path, capsys):
    arguments = [str(run.write(tmp_path)), "--least", str(LEAST)]
    assert checker.main(arguments) == 0
    run.drop("a-7")
    run.write(tmp_path)
    assert checker.main(arguments) == 1
    assert "N1: acknowledged, neither applied nor standing with a reason (1): a-7" in capsys.readouterr().out
    assert checker.main([*arguments, "--json"]) == 1
    document = orjson.loads(capsys.readouterr().out)
    assert (document["lost"], document["violations"][0]["rule"]) == (1, "N1")
    (tmp_path / "dest.jsonl").unlink()
    assert checker.main(arguments) == 2
    assert "cannot judge: dest.jsonl" in capsys.readouterr().err


def test_by_itself_the_command_asks_for_200_messages_around_the_faults(run, tmp_path, capsys):
    assert checker.main([str(run.write(tmp_path))]) == 1
    assert "at least 200 are needed" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["client.jsonl", "dest.jsonl", "faults.jsonl", "signs.jsonl", "final.json"])
def test_a_torn_log_is_not_judged(run, tmp_path, name):
    path = run.write(tmp_path) / name
    path.write_bytes(path.read_bytes()[:-5])
    assert checker.main([str(tmp_path)]) == 2


def test_a_log_of_another_kind_is_not_judged(run, tmp_path, capsys):
    del run.dest[0]["sequence"]
    assert checker.main([str(run.write(tmp_path))]) == 2
    assert "lacks" in capsys.readouterr().err


def test_n10_faults_that_nobody_should_feel_are_not_vacuous(run, tmp_path):
    del run.client[1:3]
    run.dest.pop()
    for line in run.faults:
        line["quiet"] = True
    assert broken(run, tmp_path) == set()
