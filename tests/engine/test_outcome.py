"""What a verdict makes of a delivery, and when it is tried again: properties over all inputs."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.contract.clock import MICROSECONDS
from bus.contract.route import Retry
from bus.contract.verdict import Ambiguous, Deferred, Delivered, Rejected, RetryLater, Unavailable
from bus.engine.outcome import LONGEST_ASKED, Circumstances, decide
from bus.engine.retry import UNAVAILABLE_LONGEST, backoff, unavailable_backoff

NOW = 1_700_000_000 * MICROSECONDS
seconds = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
retries = st.builds(
    Retry,
    attempts=st.integers(1, 50),
    first=st.floats(0.01, 60),
    longest=st.floats(0.01, 86_400),
)
kinds = st.sampled_from(["keyed", "queryable", "blind"])
cases = st.builds(
    Circumstances,
    now=st.just(NOW),
    tries=st.integers(1, 10**6),
    retries=st.integers(0, 60),
    kind=kinds,
    retry=retries,
    partitioned=st.booleans(),
    on_dead_holds=st.booleans(),
    asked=st.just(False),
)
verdicts = st.one_of(
    st.just(Delivered()),
    st.just(Rejected("no")),
    st.just(Ambiguous("no answer")),
    st.builds(RetryLater, st.just("busy"), seconds),
    st.builds(Unavailable, st.just("closed"), seconds),
    st.builds(Deferred, st.just("ticket"), st.floats(allow_nan=True, allow_infinity=True)),
)
chances = st.integers(0, 2**32).map(random.Random)


@given(verdicts, cases, chances)
def test_a_wait_is_bounded_and_never_in_the_past(verdict, case, chance):
    outcome = decide(verdict, case, chance)
    wait = (outcome.due_at - NOW) / MICROSECONDS
    longest = max(LONGEST_ASKED, case.retry.longest, case.retry.first / 2)
    assert 0 <= wait <= longest


@given(verdicts, cases, chances)
def test_every_verdict_leads_to_a_state_with_its_reason(verdict, case, chance):
    outcome = decide(verdict, case, chance)
    expected = {
        Delivered: {"delivered"},
        Rejected: {"dead"},
        RetryLater: {"retrying", "dead"},
        Unavailable: {"retrying"},
        Deferred: {"deferred"},
        Ambiguous: {"parked"} if case.kind == "blind" else {"retrying"},
    }[type(verdict)]
    assert outcome.state in expected
    assert outcome.reason or outcome.state == "delivered"
    assert (outcome.token == "ticket") == (outcome.state == "deferred")
    assert (outcome.parked == "ambiguous") == (outcome.state == "parked")


@given(verdicts, cases, chances)
def test_only_delivered_and_dead_let_the_lane_go_on(verdict, case, chance):
    outcome = decide(verdict, case, chance)
    if outcome.state == "dead":
        assert outcome.holds == (case.partitioned and case.on_dead_holds)
    else:
        assert outcome.holds == (outcome.state != "delivered")
    assert outcome.passes == (not outcome.holds)


@given(cases, seconds, chances)
def test_unavailable_never_makes_dead_nor_uses_up_retries(case, after, chance):
    outcome = decide(Unavailable("closed", after), case, chance)
    assert (outcome.state, outcome.retries) == ("retrying", case.retries)
    assert outcome.due_at > NOW or case.retry.longest < 1e-5


@given(cases, seconds, chances)
def test_retry_later_uses_up_one_and_makes_dead_exactly_at_the_last(case, after, chance):
    outcome = decide(RetryLater("busy", after), case, chance)
    assert outcome.retries == case.retries + 1
    assert (outcome.state == "dead") == (case.retries + 1 >= case.retry.attempts)


@given(cases, st.one_of(st.floats(max_value=0), st.just(math.nan)), chances)
def test_a_wish_for_no_wait_still_waits(case, after, chance):
    outcome = decide(RetryLater("busy", after), case, chance)
    if outcome.state == "retrying":
        assert outcome.due_at - NOW >= int(case.retry.first / 2 * MICROSECONDS)


@given(cases, st.floats(1, LONGEST_ASKED), chances)
def test_the_wait_that_a_destination_asks_for_is_kept(case, after, chance):
    for verdict in (RetryLater("busy", after), Unavailable("closed", after)):
        outcome = decide(verdict, case, chance)
        if outcome.state == "retrying":
            assert outcome.due_at - NOW >= int(after * MICROSECONDS)


@given(cases, chances)
def test_only_a_queryable_destination_is_asked_about_an_ambiguous_attempt(case, chance):
    assert decide(Ambiguous("no answer"), case, chance).keep_start == (case.kind == "queryable")


@given(
    cases,
    st.sampled_from([Unavailable("closed"), RetryLater("busy"), Ambiguous("no answer")]),
    st.sampled_from([None, "ticket"]),
    chances,
)
def test_a_question_without_an_answer_leaves_the_doubt_as_it_was(case, verdict, token, chance):
    asked = Circumstances(
        now=NOW,
        tries=case.tries,
        retries=case.retries,
        kind=case.kind,
        retry=case.retry,
        partitioned=case.partitioned,
        on_dead_holds=case.on_dead_holds,
        asked=True,
        token=token,
    )
    outcome = decide(verdict, asked, chance)
    assert (outcome.holds, outcome.retries, outcome.token) == (True, case.retries, token)
    assert outcome.keep_start == (token is None)
    assert outcome.state == ("retrying" if token is None else "deferred")


@given(retries, st.integers(-5, 10**9), chances)
def test_backoff_is_between_half_and_the_whole_of_its_step(retry, tries, chance):
    whole = min(retry.longest, retry.first * 2.0 ** min(max(tries - 1, 0), 40))
    assert whole / 2 <= backoff(retry, tries, chance) <= whole
    assert unavailable_backoff(retry, tries, chance) <= UNAVAILABLE_LONGEST


def test_backoff_doubles_and_is_spread_by_chance():
    retry = Retry(attempts=9, first=1.0, longest=100.0)
    chance = random.Random(7)
    means = [sum(backoff(retry, tries, chance) for _ in range(2000)) / 2000 for tries in range(1, 10)]
    assert means[:7] == pytest.approx([0.75 * 2**step for step in range(7)], rel=0.03)
    assert means[7:] == pytest.approx([75, 75], rel=0.03)
    assert len({backoff(retry, 3, chance) for _ in range(100)}) == 100
