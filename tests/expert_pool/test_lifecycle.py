"""The life cycle: the table, the run over a pool, the replay of one expert, and the sentences both stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert_pool.lifecycle import (
    GRAVITY,
    START,
    STEPS,
    TRANSITIONS,
    Decision,
    Event,
    Events,
    State,
    holds,
    membership_events,
    replay,
    run,
    sanction_events,
    sitting_events,
    state_of,
    step,
)
from expert_pool.registry import Sanction, Step
from solver.facts import MISSING

CAUSES = [Sanction.RESTRICTION, Sanction.RETRAINING, Sanction.SUSPENSION, Sanction.BAN]


@dataclass(frozen=True)
class Past:
    """The records of one expert: steps (day, step, until), sanctions (day, kind, until, day revoked), days of passed
    courses, sittings (day, in reserve)."""

    steps: tuple[tuple[int, Step, int | None], ...] = ()
    sanctions: tuple[tuple[int, Sanction, int | None, int | None], ...] = ()
    passed: tuple[int, ...] = ()
    sittings: tuple[tuple[int, bool], ...] = ()


def events_of(pasts: Sequence[Past], term_years: int | None = None) -> Events:
    """The events of several experts, as facts makes them."""
    steps = [(e, *s) for e, past in enumerate(pasts) for s in past.steps]
    table = np.array(
        [
            (e, n, d, MISSING if u is None else u, STEPS.index(s))
            for n, (e, d, s, u) in enumerate(steps, start=1)
        ],
        dtype=np.int64,
    ).reshape(-1, 5)
    rows = {name: table[:, i] for i, name in enumerate(("expert", "row", "day", "until", "step"))}
    decisions = []
    for e, past in enumerate(pasts):
        for start, kind, until, revoked in past.sanctions:
            decisions.append(Decision(len(decisions) + 1, e, kind, start, until, None))
            if revoked is not None:
                named = len(decisions)
                decisions.append(Decision(named + 1, e, Sanction.REVOCATION, revoked, None, named))
    passed = {e: [(d, 1) for d in sorted(past.passed)] for e, past in enumerate(pasts)}
    seats = [(e, d, reserve, "service", 1) for e, past in enumerate(pasts) for d, reserve in past.sittings]
    return Events.joined(
        [
            *membership_events(rows, term_years),
            sanction_events(holds(decisions, passed)),
            sitting_events(seats),  # type: ignore[arg-type]
        ]
    )


def state_on(past: Past, day: int, term_years: int | None = None) -> State:
    """The state by the table, one step after the other."""
    steps, places = replay(events_of([past], term_years), day)
    assert not steps or steps[-1].after == state_of(places)
    return state_of(places)


def told(past: Past, day: int) -> State:
    """The state by the sentences of the life cycle, day by day, without any table of events."""

    def in_force(kind: Sanction) -> bool:
        for start, sanction, until, revoked in past.sanctions:
            fulfilled = [d for d in past.passed if start < d <= day] if kind == Sanction.RETRAINING else []
            over = (until is not None and day > until) or (revoked is not None and day >= revoked)
            if sanction == kind and start <= day and not over and not fulfilled:
                return True
        return False

    if in_force(Sanction.BAN):
        return State.BANNED
    so_far = [(d, STEPS.index(s), n, u) for n, (d, s, u) in enumerate(past.steps) if d <= day]
    if not so_far:
        return State.OUTSIDE
    last_left = max((d for d, s, _, _ in so_far if STEPS[s] is Step.LEFT), default=None)
    admissions = [(d, n, u) for d, s, n, u in so_far if STEPS[s] is Step.ADMITTED]
    candidates = [d for d, s, _, _ in so_far if STEPS[s] is Step.CANDIDATE]
    if admissions:
        since, _, until = max(admissions)
        left = last_left is not None and last_left >= since
        if not left and (until is None or day <= max(until, since)):
            return _as_member(past, day, in_force)
        gone = min(
            [d for d in [last_left] if left and d is not None]
            + ([max(until, since) + 1] if until is not None else [])
        )
        anew = [d for d in candidates if d > since and d >= gone and (last_left is None or d > last_left)]
        return State.CANDIDATE if anew else State.EXITED
    if candidates and (last_left is None or max(candidates) > last_left):
        return State.CANDIDATE
    return State.EXITED


def _as_member(past: Past, day: int, in_force: object) -> State:
    for kind, state in ((Sanction.SUSPENSION, State.SUSPENDED), (Sanction.RETRAINING, State.RETRAIN)):
        if in_force(kind):  # type: ignore[operator]
            return state
    today = [reserve for d, reserve in past.sittings if d == day]
    if today:
        return State.RESERVE if all(today) else State.SEATED
    return State.RESTRICTED if in_force(Sanction.RESTRICTION) else State.ACTIVE  # type: ignore[operator]


DAY = st.integers(0, 12)
PAST = st.builds(
    Past,
    steps=st.lists(st.tuples(DAY, st.sampled_from(STEPS), st.none() | DAY), max_size=5).map(tuple),
    sanctions=st.lists(
        st.tuples(DAY, st.sampled_from(CAUSES), st.none() | DAY, st.none() | DAY), max_size=4
    ).map(tuple),
    passed=st.lists(DAY, max_size=3).map(tuple),
    sittings=st.lists(st.tuples(DAY, st.booleans()), max_size=2).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PAST, min_size=1, max_size=6), st.integers(-1, 14))
def test_pool_and_single_expert_agree_and_do_what_the_sentences_say(pasts: list[Past], day: int) -> None:
    """On any history and any day the run over the pool, the replay of each, and the plain telling are one."""
    situations = run(events_of(pasts), len(pasts), day)
    at_once = [list(State)[place] for place in situations.state.tolist()]
    assert at_once == [state_on(past, day) for past in pasts]
    assert at_once == [told(past, day) for past in pasts]
    in_pool = [s not in (State.OUTSIDE, State.CANDIDATE, State.EXITED, State.BANNED) for s in at_once]
    banned = [s == State.BANNED for s in at_once]
    members = situations.member.tolist()
    assert all(m == i or b for m, i, b in zip(members, in_pool, banned, strict=True))


def test_every_place_of_every_region_has_a_name_or_lets_another_speak() -> None:
    """Each place that a transition leads to is named by GRAVITY, or is the neutral start of its region."""
    named = {(region, place) for region, place, _ in GRAVITY}
    for transition in TRANSITIONS:
        place = (transition.region, transition.target)
        assert place in named or transition.target == START[transition.region] == "free"
    assert {state for _, _, state in GRAVITY} == set(State)


def test_every_event_moves_some_region() -> None:
    assert {transition.event for transition in TRANSITIONS} == set(Event)


def test_an_event_that_a_place_does_not_list_changes_nothing() -> None:
    assert step(START, Event.TERM_OVER) == dict(START)


@pytest.mark.parametrize(
    ("past", "day", "state"),
    [
        (Past(), 5, State.OUTSIDE),
        (Past(steps=((3, Step.CANDIDATE, None),)), 3, State.CANDIDATE),
        (Past(steps=((3, Step.CANDIDATE, None), (5, Step.ADMITTED, 9))), 9, State.ACTIVE),
        (Past(steps=((5, Step.ADMITTED, 9),)), 10, State.EXITED),
        (Past(steps=((5, Step.ADMITTED, 9), (8, Step.ADMITTED, 15))), 12, State.ACTIVE),
        (Past(steps=((5, Step.ADMITTED, 20), (8, Step.ADMITTED, 9))), 12, State.EXITED),
        (Past(steps=((5, Step.ADMITTED, None), (5, Step.LEFT, None))), 5, State.EXITED),
        (
            Past(steps=((5, Step.ADMITTED, None), (7, Step.LEFT, None), (9, Step.CANDIDATE, None))),
            9,
            State.CANDIDATE,
        ),
        (Past(steps=((5, Step.ADMITTED, None), (6, Step.CANDIDATE, None))), 9, State.ACTIVE),
        (Past(steps=((7, Step.LEFT, None),)), 9, State.EXITED),
        (Past(steps=((5, Step.ADMITTED, 2), (5, Step.ADMITTED, None))), 9, State.ACTIVE),
        (Past(steps=((5, Step.ADMITTED, 2),)), 5, State.ACTIVE),
    ],
)
def test_membership(past: Past, day: int, state: State) -> None:
    """Nomination, admission, renewal, a shorter renewal, leaving on the day of admission, coming back."""
    assert state_on(past, day) == state


MEMBER = ((1, Step.ADMITTED, None),)


@pytest.mark.parametrize(
    ("sanctions", "passed", "day", "state"),
    [
        (((5, Sanction.SUSPENSION, 9, None),), (), 9, State.SUSPENDED),
        (((5, Sanction.SUSPENSION, 9, None),), (), 10, State.ACTIVE),
        (((5, Sanction.SUSPENSION, 9, None), (7, Sanction.SUSPENSION, 20, None)), (), 12, State.SUSPENDED),
        (((5, Sanction.SUSPENSION, 20, None), (7, Sanction.SUSPENSION, 9, None)), (), 12, State.SUSPENDED),
        (((5, Sanction.SUSPENSION, 9, None), (9, Sanction.RESTRICTION, 20, None)), (), 9, State.SUSPENDED),
        (((5, Sanction.SUSPENSION, 9, None), (6, Sanction.RESTRICTION, 20, None)), (), 10, State.RESTRICTED),
        (((5, Sanction.BAN, 9, None), (6, Sanction.SUSPENSION, 20, None)), (), 8, State.BANNED),
        (((5, Sanction.RETRAINING, None, None),), (5,), 9, State.RETRAIN),
        (((5, Sanction.RETRAINING, None, None),), (6,), 6, State.ACTIVE),
        (((5, Sanction.RETRAINING, 8, None),), (), 9, State.ACTIVE),
        (
            ((5, Sanction.RETRAINING, None, None), (6, Sanction.RESTRICTION, 20, None)),
            (8,),
            9,
            State.RESTRICTED,
        ),
        (((5, Sanction.WARNING, None, None),), (), 6, State.ACTIVE),
        (((5, Sanction.SUSPENSION, None, 7),), (), 7, State.ACTIVE),
        (((5, Sanction.BAN, None, 3),), (), 9, State.ACTIVE),
    ],
)
def test_sanctions(
    sanctions: tuple[tuple[int, Sanction, int | None, int | None], ...],
    passed: tuple[int, ...],
    day: int,
    state: State,
) -> None:
    """Sanctions end on the day after their last, together with others of their kind; the gravest names the state."""
    assert state_on(Past(MEMBER, sanctions, passed), day) == state


@settings(deadline=None)
@given(PAST, st.integers(13, 10_000))
def test_a_ban_for_life_ends_only_by_a_revocation(past: Past, day: int) -> None:
    """Whatever else is on record, and however long one waits."""
    life = (4, Sanction.BAN, None, None)
    banned = Past(past.steps, (*past.sanctions, life), past.passed, past.sittings)
    assert state_on(banned, day) == State.BANNED
    freed = Past(MEMBER, ((4, Sanction.BAN, None, 9),))
    assert state_on(freed, 8) == State.BANNED
    assert state_on(freed, 9) == State.ACTIVE


def test_a_revocation_of_somebody_elses_ban_frees_nobody() -> None:
    ban = Decision(1, 0, Sanction.BAN, 4, None, None)
    astray = Decision(2, 1, Sanction.REVOCATION, 6, None, 1)
    assert [hold.end for hold in holds([ban, astray], {})] == [None]


def test_a_ban_outweighs_everything_even_for_an_outsider() -> None:
    assert state_on(Past((), ((5, Sanction.BAN, None, None),)), 6) == State.BANNED


def test_a_suspended_candidate_is_suspended_once_admitted() -> None:
    """The sanction does not show before the admission, and is not forgotten by it."""
    past = Past(((1, Step.CANDIDATE, None), (8, Step.ADMITTED, None)), ((3, Sanction.SUSPENSION, 20, None),))
    assert [state_on(past, day) for day in (5, 8, 21)] == [State.CANDIDATE, State.SUSPENDED, State.ACTIVE]


def test_a_seat_shows_on_the_day_of_the_sitting_only() -> None:
    past = Past(MEMBER, sittings=((5, True), (7, False), (7, True)))
    states = [state_on(past, day) for day in (4, 5, 6, 7, 8)]
    assert states == [State.ACTIVE, State.RESERVE, State.ACTIVE, State.SEATED, State.ACTIVE]


def test_the_policys_years_end_a_term_that_is_longer_or_open() -> None:
    """Three years from 1 March 2021 are over on 29 February 2024."""
    start, last = 18687, 19782
    for until in (None, start + 5000):
        past = Past(((start, Step.ADMITTED, until),))
        assert [state_on(past, day, 3) for day in (last, last + 1)] == [State.ACTIVE, State.EXITED]


def test_replay_names_the_row_behind_each_step() -> None:
    """A ban and its revocation: each step by its own record."""
    steps, _ = replay(events_of([Past(MEMBER, ((5, Sanction.BAN, None, 9),))]), 20)
    said = [(s.day, s.event, s.source, s.row, s.before, s.after) for s in steps]
    assert said == [
        (1, Event.ADMITTED, "membership", 1, State.OUTSIDE, State.ACTIVE),
        (5, Event.BANNED, "discipline", 1, State.ACTIVE, State.BANNED),
        (9, Event.BAN_REVOKED, "discipline", 2, State.BANNED, State.ACTIVE),
    ]


def test_nobody_and_nothing() -> None:
    assert run(events_of([]), 0, 5).state.tolist() == []
