"""Invitation rounds before the meeting: who accepts stays, who declines is replaced, until every place is accepted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field, ValidationError

from solver.answer import Answer, Part
from solver.check import panel_of
from solver.errors import Fault, misfit
from solver.events import BASIS, Decision, Events
from solver.problem import Problem
from solver.progress import Reporter, silent
from solver.replace import Replaced, replace_members
from solver.rules.stays import Stays

DAYS = 5
"""How long an answer is waited for unless asked otherwise."""

State = Literal["invited", "accepted", "declined", "no_answer", "released"]


class Reply(Part):
    """What became of an invitation on a day. `no_answer`: the deadline passed; `released`: no longer needed."""

    answer: Literal["accepted", "declined", "no_answer", "released"]
    on: date
    by: str
    why: str = ""


class Invited(Part):
    """One invitation, sent in `round` on a day, an answer asked `until` another. Replies are added, never changed; the
    last one counts. `group` and `waits` (as an alternate) say where the person stands by now."""

    expert: str
    group: str
    waits: bool
    round: int
    on: date
    until: date
    replies: list[Reply] = Field(default_factory=list)

    @property
    def state(self) -> State:
        return self.replies[-1].answer if self.replies else "invited"

    def replied(self, reply: Reply) -> Invited:
        return self.model_copy(update={"replies": [*self.replies, reply]})


class Invitations(Part):
    """`invitations/1`: every invitation to the panel of one meeting, oldest first; `round` the last one sent. `seated`:
    all who sit or wait have accepted."""

    format: Literal["invitations/1"] = "invitations/1"
    committee: str
    meeting: str
    round: int
    seated: bool
    people: list[Invited]

    def who(self, *states: State) -> frozenset[str]:
        """The people whose latest invitation is in one of these states."""
        latest = {invited.expert: invited.state for invited in self.people}
        return frozenset(expert for expert, state in latest.items() if state in states)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer that came in."""

    expert: str
    accepted: bool
    why: str = ""


@dataclass(frozen=True)
class Round:
    """The panel to invite, how the invitations stand, and the replacement that led to it (None: nobody had to be
    replaced). Where nobody could be, `answer` has no members and says why."""

    answer: Answer
    state: Invitations
    replaced: Replaced | None


def read_invitations(text: bytes, where: str = "-") -> Invitations:
    """The invitations in the bytes of an `invitations/1` file; raises Fault where it is none."""
    try:
        return Invitations.model_validate_json(text)
    except ValidationError as error:
        place, reason = misfit(error)
        raise Fault("invitations.schema", f"{where}: {place}".rstrip(": "), reason=reason) from None


def next_round(
    problem: Problem,
    answer: Answer,
    state: Invitations | None,
    heard: Sequence[Heard],
    *,
    on: date,
    by: str,
    days: int = DAYS,
    seconds: float | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Round:
    """Takes in the answers of a day; whoever declined, or let the deadline pass, is replaced with the least change.

    `state` None begins with round 1. Those who accepted keep their place: members are locked in their group, alternates
    go on waiting there, or take a seat of it, for which they need not be asked again. In a new round only the new people
    are invited. Accepting may be taken back by declining later. Whoever the problem excludes by now is released.

    Raises Fault: under procedure `draw` (the residual draw comes with the lawful draw), for invitations of another
    meeting, on or after the day of the meeting (then alternates are called: `solver.attendance.on_the_day`), for an
    answer of somebody who was not invited or who both accepts and declines, and as `replace_members` does.
    """
    if problem.procedure == "draw":
        raise Fault("invitations.draw", problem.meeting)
    if on >= problem.on:
        raise Fault("invitations.too_late", problem.meeting, on=on, meeting=problem.on)
    _check(heard, days)
    problem = uncommitted(problem)
    if state is None:
        nothing = Invitations(
            committee=problem.committee, meeting=problem.meeting, round=0, seated=False, people=[]
        )
        panel_of(problem, answer)
        state = _invite(problem, answer, nothing, on, by, days)
    elif (state.committee, state.meeting) != (problem.committee, problem.meeting):
        raise Fault(
            "invitations.other_meeting", state.meeting, committee=state.committee, asked=problem.meeting
        )
    state = _expired(_excused(_answered(state, heard, on, by), problem, on, by), on, by)
    there = {m.expert for m in answer.members} | {a.expert for a in answer.alternates}
    excluded = {problem.experts[exclusion.expert] for exclusion in problem.exclusions}
    if not there & (state.who("declined", "no_answer") | excluded) and state.who("accepted") <= there:
        if there <= state.who("invited", "accepted"):
            state = state.model_copy(update={"seated": there <= state.who("accepted")})
        else:
            state = _invite(problem, answer, state, on, by, days)
        return Round(answer, state, None)
    decisions, stays = commitments(problem, state)
    replaced = replace_members(
        problem,
        answer,
        Events(tuple(decisions)),
        rules=stays,
        substitutes=0,
        seconds=seconds,
        report=report,
        cancelled=cancelled,
    )
    found = replaced.document.answer
    if found.members:
        state = _invite(problem, found, state, on, by, days)
    return Round(found, state, replaced)


def _check(heard: Sequence[Heard], days: int) -> None:
    if days < 1:
        raise Fault("invitations.days", str(days))
    for i, one in enumerate(heard):
        if any(other.expert == one.expert and other.accepted != one.accepted for other in heard[:i]):
            raise Fault("invitations.both", one.expert)


def _answered(state: Invitations, heard: Sequence[Heard], on: date, by: str) -> Invitations:
    people = list(state.people)
    for one in heard:
        at = max((i for i, invited in enumerate(people) if invited.expert == one.expert), default=None)
        if at is None or people[at].state == "released":
            raise Fault("invitations.not_invited", one.expert)
        answer: Literal["accepted", "declined"] = "accepted" if one.accepted else "declined"
        if people[at].state in ("declined", "no_answer") and one.accepted:
            raise Fault("invitations.replaced_already", one.expert, state=people[at].state)
        if people[at].state != answer:
            people[at] = people[at].replied(Reply(answer=answer, on=on, by=by, why=one.why))
    return state.model_copy(update={"people": people})


def _expired(state: Invitations, on: date, by: str) -> Invitations:
    people = [
        invited.replied(Reply(answer="no_answer", on=on, by=by, why=f"until {invited.until.isoformat()}"))
        if invited.state == "invited" and invited.until < on
        else invited
        for invited in state.people
    ]
    return state.model_copy(update={"people": people})


def _excused(state: Invitations, problem: Problem, on: date, by: str) -> Invitations:
    """Whoever was excluded by a decision since is released."""
    out = {problem.experts[exclusion.expert]: exclusion.why for exclusion in problem.exclusions}
    held = state.who("invited", "accepted")
    people = [
        invited.replied(Reply(answer="released", on=on, by=by, why=out[invited.expert]))
        if invited.expert in held & out.keys() and invited.state in ("invited", "accepted")
        else invited
        for invited in state.people
    ]
    return state.model_copy(update={"people": people})


def uncommitted(problem: Problem) -> Problem:
    """The problem without the rule that an earlier round added."""
    return replace(problem, rules=tuple(rule for rule in problem.rules if not isinstance(rule, Stays)))


def keeping(
    problem: Problem, events: Events, state: Invitations | None
) -> tuple[Problem, Events, Sequence[Stays]]:
    """The same problem and events with the places kept of those who have accepted an invitation, and the rule that keeps
    the waiting ones waiting."""
    if state is None:
        return problem, events, ()
    free = uncommitted(problem)
    decided = {decision.expert for decision in events.decisions}
    kept, rules = commitments(free, state, decided)
    return free, replace(events, decisions=(*kept, *events.decisions)), rules


def commitments(
    problem: Problem, state: Invitations, without: Collection[str] = ()
) -> tuple[list[Decision], list[Stays]]:
    """The decisions and the rule that the answers so far come to. Of people in `without` it is only said that their
    acceptance holds them no longer."""
    locks = {problem.experts[lock.expert]: lock for lock in problem.locks}
    groups = [group.id for group in problem.groups]
    decisions: list[Decision] = []
    waiting: dict[str, str] = {}
    latest = {invited.expert: invited for invited in state.people}
    for expert, invited in latest.items():
        last = invited.replies[-1] if invited.replies else None
        if last is None or last.answer == "released":
            continue
        dated: dict[str, Any] = {"expert": expert, "by": last.by, "on": last.on}
        dated["why"] = f"{last.answer} {last.why}".strip()
        if expert in locks and (expert in without or invited.state != "accepted"):
            decisions.append(Decision(kind="free", **dated))
        if expert in without:
            continue
        if invited.state != "accepted":
            decisions.append(Decision(kind="out", **dated))
        elif invited.waits:
            waiting[expert] = invited.group
        else:
            lock = locks.get(expert)
            if lock is None or lock.group is None or groups[lock.group] != invited.group:
                decisions.append(Decision(kind="in", group=invited.group, **dated))
    return decisions, [Stays(id="stays", basis=BASIS, people=waiting)] if waiting else []


def _invite(
    problem: Problem, answer: Answer, state: Invitations, on: date, by: str, days: int
) -> Invitations:
    """Everybody in the panel who holds no open or accepted invitation is sent one; whoever is no longer in it is
    released."""
    places = {m.expert: (m.group, False) for m in answer.members}
    places.update({a.expert: (a.group, True) for a in answer.alternates})
    held = state.who("invited", "accepted")
    people: list[Invited] = []
    for i, invited in enumerate(state.people):
        latest = all(later.expert != invited.expert for later in state.people[i + 1 :])
        if latest and invited.expert in held and invited.expert in places:
            group, waits = places[invited.expert]
            people.append(invited.model_copy(update={"group": group, "waits": waits}))
        elif latest and invited.expert in held:
            people.append(invited.replied(Reply(answer="released", on=on, by=by)))
        else:
            people.append(invited)
    until = min(on + timedelta(days=days), problem.on - timedelta(days=1))
    people += [
        Invited(expert=e, group=group, waits=waits, round=state.round + 1, on=on, until=until)
        for e, (group, waits) in places.items()
        if e not in held
    ]
    found = state.model_copy(update={"round": state.round + 1, "people": people})
    return found.model_copy(update={"seated": places.keys() <= found.who("accepted")})
