"""Invitation rounds and the day of the meeting."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refused import refused
from tiny_problems import every_panel, lawful, problems, rule

from solver.answer import Answer
from solver.assemble import assemble
from solver.attendance import on_the_day
from solver.check import check
from solver.events import Decision, Events
from solver.invitations import Heard, Invitations, Round, commitments, next_round, read_invitations
from solver.model import build, funnel, layout
from solver.problem import Lock, Problem
from solver.replace import replace_members

TODAY = date(2026, 4, 1)


@pytest.fixture(scope="module")
def answer(complete: Problem) -> Answer:
    return assemble(complete)[0]


def step(problem: Problem, last: Answer, state: Invitations | None, *heard: Heard, on: date = TODAY) -> Round:
    return next_round(problem, last, state, heard, on=on, by="office")


def people(answer: Answer) -> set[str]:
    return {m.expert for m in answer.members} | {a.expert for a in answer.alternates}


def plain_member(answer: Answer) -> str:
    return next(m.expert for m in answer.members if m.role == "member" and m.expert != "P04")


def test_the_first_round_invites_everybody(complete: Problem, answer: Answer) -> None:
    """Members and alternates, the panel as it is; the deadline lies before the meeting."""
    first = step(complete, answer, None)
    assert first.answer is answer
    assert first.replaced is None
    assert (first.state.round, first.state.seated) == (1, False)
    assert first.state.who("invited") == people(answer)
    assert {invited.until for invited in first.state.people} == {TODAY + timedelta(days=5)}
    late = step(complete, answer, None, on=complete.on - timedelta(days=2))
    assert {invited.until for invited in late.state.people} == {complete.on - timedelta(days=1)}


def test_who_accepts_keeps_the_place_and_who_declines_is_replaced(complete: Problem, answer: Answer) -> None:
    """Round by round, until all have accepted; only new people are invited."""
    gone = plain_member(answer)
    rest = [Heard(e, True) for e in sorted(people(answer) - {gone})]
    second = step(complete, answer, None, *rest, Heard(gone, False, "ill"))
    assert second.replaced is not None
    assert second.state.round == 2
    assert second.state.who("declined") == {gone}
    assert people(answer) - {gone} <= people(second.answer)
    was = {m.expert: m.group for m in answer.members}
    now = {m.expert: m.group for m in second.answer.members}
    assert all(now[e] == g for e, g in was.items() if e != gone)
    new = people(second.answer) - people(answer)
    assert second.state.who("invited") == new
    assert {invited.round for invited in second.state.people if invited.expert in new} == {2}
    assert not [f for f in check(second.replaced.problem, second.answer) if f.hard]
    done = step(complete, second.answer, second.state, *(Heard(e, True) for e in new))
    assert done.state.seated
    assert done.replaced is None
    assert done.answer is second.answer
    assert read_invitations(done.state.model_dump_json().encode()) == done.state


def test_an_accepted_alternate_waits_on_or_takes_a_seat_of_the_group(
    complete: Problem, answer: Answer
) -> None:
    """And is not asked again."""
    waiting = {a.expert: a.group for a in answer.alternates}
    gone = plain_member(answer)
    second = step(complete, answer, None, *(Heard(e, True) for e in waiting), Heard(gone, False))
    places = {m.expert: m.group for m in second.answer.members}
    places.update({a.expert: a.group for a in second.answer.alternates})
    assert {e: places[e] for e in waiting} == waiting
    assert second.state.who("accepted") == set(waiting)


def test_no_answer_by_the_deadline_is_a_refusal(complete: Problem, answer: Answer) -> None:
    """Not on the last day, but after it; an answer given with it still counts."""
    first = step(complete, answer, None)
    quiet = plain_member(answer)
    others = [Heard(e, True) for e in people(answer) - {quiet}]
    same = step(complete, answer, first.state, *others, on=TODAY + timedelta(days=5))
    assert same.state.who("invited") == {quiet}
    later = step(complete, answer, same.state, on=TODAY + timedelta(days=6))
    assert later.state.who("no_answer") == {quiet}
    assert quiet not in people(later.answer)
    in_time = step(complete, answer, same.state, Heard(quiet, True), on=TODAY + timedelta(days=6))
    assert in_time.state.seated


def test_whoever_accepted_may_still_decline(complete: Problem, answer: Answer) -> None:
    """Both replies stay on the record."""
    member = plain_member(answer)
    first = step(complete, answer, None, Heard(member, True))
    second = step(complete, answer, first.state, Heard(member, False, "ill"))
    record = next(invited for invited in second.state.people if invited.expert == member)
    assert [reply.answer for reply in record.replies] == ["accepted", "declined"]
    assert member not in people(second.answer)
    with refused("invitations.replaced_already"):
        step(complete, second.answer, second.state, Heard(member, True))


def test_somebody_locked_in_may_decline(complete: Problem, answer: Answer) -> None:
    """The decision that they must sit no longer holds, and the replacement says so."""
    second = step(complete, answer, None, Heard("P04", False, "ill"))
    assert second.replaced is not None
    assert [d.kind for d in second.replaced.document.decisions] == ["free", "out"]
    assert "P04" not in people(second.answer)


def test_a_stale_panel_is_brought_up_to_date(complete: Problem, answer: Answer) -> None:
    """Whoever passes the first panel again gets one that keeps all answers."""
    gone = plain_member(answer)
    second = step(complete, answer, None, Heard(gone, False))
    new = second.state.who("invited") - people(answer)
    third = step(complete, second.answer, second.state, *(Heard(e, True) for e in new))
    again = step(complete, answer, third.state)
    assert gone not in people(again.answer)
    assert new <= people(again.answer)


def test_the_replaced_problem_serves_as_well_as_the_first(complete: Problem, answer: Answer) -> None:
    """Rounds may go on from the problem that the last one wrote."""
    waiting = answer.alternates[0].expert
    gone = plain_member(answer)
    second = step(complete, answer, None, Heard(gone, False), Heard(waiting, True))
    assert second.replaced is not None
    third = step(second.replaced.problem, second.answer, second.state, Heard(waiting, False))
    assert waiting not in people(third.answer)


def test_when_nobody_can_replace_the_answers_are_kept(complete: Problem, answer: Answer) -> None:
    """No panel, the reason, and the round is not over."""
    out = [Heard(e, False) for e in people(answer)]
    bare = replace(complete, experts=complete.experts)
    everybody_else = tuple(
        replace(complete.exclusions[0], expert=e)
        for e, id_ in enumerate(complete.experts)
        if id_ not in people(answer)
    )
    stuck = step(replace(bare, exclusions=everybody_else), answer, None, *out)
    assert stuck.answer.status == "infeasible"
    assert stuck.answer.why_not
    assert (stuck.state.round, stuck.state.seated) == (1, False)
    assert stuck.state.who("declined") == people(answer)


def test_a_replacement_between_rounds_is_taken_up(complete: Problem, answer: Answer) -> None:
    """Somebody who accepted falls ill: replaced apart from the rounds, released in the record, the new one invited."""
    ill = plain_member(answer)
    first = step(complete, answer, None, *(Heard(e, True) for e in people(answer)))
    assert first.state.seated
    decisions, stays = commitments(complete, first.state, {ill})
    gone = Decision(kind="out", expert=ill, by="office", on=TODAY, why="ill")
    done = replace_members(complete, answer, Events((*decisions, gone)), rules=stays, substitutes=0)
    now = done.document.answer
    assert people(answer) - {ill} <= people(now)
    next_ = step(done.problem, now, first.state)
    assert next_.replaced is None
    assert next_.state.who("released") == {ill}
    assert next_.state.who("invited") == people(now) - people(answer)
    assert not next_.state.seated
    again = step(done.problem, answer, first.state)
    assert ill not in people(again.answer)


def test_under_a_draw_there_are_no_rounds(complete: Problem, answer: Answer) -> None:
    """The residual draw comes with the lawful draw."""
    with refused("invitations.draw"):
        step(replace(complete, procedure="draw"), answer, None)


def test_answers_that_make_no_sense_are_refused(complete: Problem, answer: Answer) -> None:
    """Strangers, both at once, another meeting, too late, no days."""
    first = step(complete, answer, None)
    stranger = next(e for e in complete.experts if e not in people(answer))
    member = plain_member(answer)
    with refused("invitations.not_invited"):
        step(complete, answer, first.state, Heard(stranger, True))
    with refused("invitations.both"):
        step(complete, answer, first.state, Heard(member, True), Heard(member, False))
    with refused("invitations.other_meeting"):
        step(replace(complete, meeting="M2"), answer, first.state)
    with refused("invitations.too_late"):
        step(complete, answer, first.state, on=complete.on)
    with refused("invitations.days"):
        next_round(complete, answer, None, (), on=TODAY, by="office", days=0)
    with refused("panel.empty"):
        step(complete, answer.model_copy(update={"members": []}), None)
    for text in (b"{", b'{"format": "panel/1"}'):
        with refused("invitations.schema"):
            read_invitations(text)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(experts=(4, 6), alternates=True, rules=(rule("alternates", no_shows=False),)), st.data())
def test_the_rule_that_people_stay_means_what_it_says(problem: Problem, data: st.DataObject) -> None:
    """What its rows allow is what its findings allow, alternates included."""
    chosen = data.draw(st.sets(st.sampled_from(problem.experts), min_size=1, max_size=2))
    stays = rule("stays", people=dict.fromkeys(chosen, "G0"))
    asked = replace(problem, rules=(*problem.rules, stays))
    seats = layout(asked, funnel(asked).passes)
    model = build(asked, seats)
    for panel in list(every_panel(asked))[:300]:
        values = np.zeros(model.width, dtype=np.int64)
        values[: seats.width] = seats.encode(panel)
        assert (not len(model.broken_rows(values))) == lawful(panel)


def test_on_the_day_alternates_are_called_in_order(complete: Problem, answer: Answer) -> None:
    """The first alternate takes the seat, the first deputy presides, and every hard rule holds."""
    chair = next(m for m in answer.members if m.role == "chair")
    meets = on_the_day(complete, answer, [chair.expert])
    first = next(a for a in answer.alternates if a.group == chair.group and a.order == 1)
    assert [(c.expert, c.at.group) for c in meets.called] == [(first.expert, chair.group)]
    assert meets.presides in {m.expert for m in answer.members if m.role == "deputy"}
    assert len(meets.members) == len(answer.members)
    assert (meets.empty, meets.holds) == ({}, True)


def test_on_the_day_too_many_absent_leave_seats_empty(complete: Problem, answer: Answer) -> None:
    """Said as it is: how many, and which rules break."""
    group = answer.members[0].group
    absent = [m.expert for m in answer.members if m.group == group]
    absent += [a.expert for a in answer.alternates if a.group == group]
    meets = on_the_day(complete, answer, absent)
    assert meets.empty == {group: len([m for m in answer.members if m.group == group])}
    assert not meets.holds
    assert "group_size" in {finding.rule for finding in meets.findings}
    with refused("attendance.not_in_panel"):
        on_the_day(complete, answer, ["P99"])


def test_a_lock_in_another_group_gives_way_to_none(complete: Problem, answer: Answer) -> None:
    """Accepting fixes the group even where the office had left it open, and keeps the office's lock where it named it."""
    own = next(m for m in answer.members if m.expert == "P04")
    gone = plain_member(answer)
    heard = (Heard("P04", True), Heard(gone, False))
    open_lock = step(complete, answer, None, *heard)
    assert open_lock.replaced is not None
    assert [lock.why for lock in open_lock.replaced.problem.locks] == [f"{TODAY.isoformat()} accepted"]
    named = replace(
        complete, locks=(Lock(4, [g.id for g in complete.groups].index(own.group), "me", "test"),)
    )
    kept = step(named, answer, None, *heard)
    assert kept.replaced is not None
    assert [lock.why for lock in kept.replaced.problem.locks] == ["test"]
