"""An open panel changed by hand, on trial: who could sit instead of somebody, and what the checker says of some swaps.

Nothing is kept: the change itself is asked for as a replacement. Under a drawn procedure people are told by pseudonym only,
and swaps are refused: the lists of the second best are for looking at.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from api.http.accepting import Model
from api.http.access import allowed
from api.http.panel_shapes import PersonKnown, known
from api.http.routes.panels import PanelCode
from api.http.service import Served
from api.jobs.work.asks import Ask, Code
from expert_pool.accounts.rights import Principal, Right
from expert_pool.opened import Opened, open_panel, people_of
from solver import by_hand
from solver.answer import FindingResult, RuleResult
from solver.by_hand import Candidates, Judged, Swap
from solver.check import panel_of
from solver.errors import Fault
from solver.explanation.standing import rungs

router = APIRouter(prefix="/panels", tags=["panels"])

Office = Annotated[Principal, Depends(allowed(Right.PANELS_REQUEST))]


class SwapAsk(Ask):
    """`into` takes the place of `out`, both by pseudonym; who is in the panel already changes places with them."""

    out: Code
    into: Code


class TrialAsk(Ask):
    """Swaps to try, one after the other."""

    swaps: list[SwapAsk] = Field(min_length=1, max_length=50)


class CandidatesAsk(Ask):
    """The seat (by the pseudonym of who sits there) that somebody else might take."""

    seat: Code
    most: int = Field(default=12, ge=1, le=50)


class CostChange(Model):
    """A level of the goals before and after."""

    id: str
    level: int
    was: int
    now: int


class Tried(Model):
    """A panel after some swaps. `lawful`: no hard rule is broken. `changed` are the rules that hold otherwise, or by another
    margin, as they stand now."""

    lawful: bool
    goals: list[CostChange]
    findings: list[FindingResult]
    changed: list[RuleResult]
    people: dict[str, PersonKnown]


class CandidateTold(Model):
    """Somebody who could sit there, by pseudonym: what the panel then costs at each level; the hard rules it would break."""

    expert: str
    waits: bool
    lawful: bool
    goals: list[CostChange]
    breaks: list[str]


class CandidatesTold(Model):
    """Who could sit in one seat, the lawful first and of these the best. `open`: how many the gates let sit there.
    `people` is empty under a drawn procedure."""

    seat: str
    group: str
    open: int
    items: list[CandidateTold]
    people: dict[str, PersonKnown]


@router.post("/{panel}/candidates", response_model=CandidatesTold)
def list_candidates(panel: PanelCode, sent: CandidatesAsk, asks: Office, service: Served) -> CandidatesTold:
    """Who else could sit in one seat of an open panel."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    opened = open_panel(service.store, viewer, panel)
    found = look(opened, sent.seat, sent.most)
    problem = opened.problem
    ladder = rungs(problem)
    items = [
        CandidateTold(
            expert=problem.experts[one.expert],
            waits=one.waits,
            lawful=not one.breaks,
            goals=[
                CostChange(id=rung.id, level=rung.level, was=was, now=now)
                for rung, was, now in zip(ladder, found.costs, one.costs, strict=True)
            ],
            breaks=list(one.breaks),
        )
        for one in found.found
    ]
    shown = {}
    if problem.procedure == "compose":
        shown = known(people_of(service.store, viewer, opened, [one.expert for one in items]))
    return CandidatesTold(
        seat=sent.seat, group=problem.groups[found.group].id, open=found.open, items=items, people=shown
    )


@router.post("/{panel}/trials", response_model=Tried)
def try_swaps(panel: PanelCode, sent: TrialAsk, asks: Office, service: Served) -> Tried:
    """What the checker says of an open panel after some swaps. Nothing is kept."""
    viewer = asks.viewer(Right.PANELS_REQUEST)
    opened = open_panel(service.store, viewer, panel)
    before, after = tried(opened, [(one.out, one.into) for one in sent.swaps])
    was = {rule.id: rule for rule in before.rules}
    who = sorted({code for one in sent.swaps for code in (one.out, one.into)})
    return Tried(
        lawful=after.lawful,
        goals=[
            CostChange(id=rung.id, level=rung.level, was=one, now=other)
            for rung, one, other in zip(after.rungs, before.costs, after.costs, strict=True)
        ],
        findings=after.findings,
        changed=[rule for rule in after.rules if was.get(rule.id) != rule],
        people=known(people_of(service.store, viewer, opened, who)),
    )


def look(opened: Opened, seat: str, most: int) -> Candidates:
    """Candidates for a seat of an open panel. Raises Fault `panels.pseudonym_unknown`, `hand.not_seated`, `hand.no_panel`."""
    given = panel_of(opened.problem, _seated(opened).answer)
    return by_hand.candidates(given, _index(opened, seat), most=most)


def tried(opened: Opened, swaps: list[tuple[str, str]]) -> tuple[Judged, Judged]:
    """An open panel before and after some swaps. Raises Fault `hand.drawn` under a drawn procedure, and as `look` does."""
    given = panel_of(opened.problem, _seated(opened).answer)
    if opened.problem.procedure == "draw":
        raise Fault("hand.drawn", opened.code)
    asked = [Swap(_index(opened, out), _index(opened, into)) for out, into in swaps]
    return by_hand.judged(given), by_hand.judged(given, asked)


def _seated(opened: Opened) -> Opened:
    if not opened.answer.members:
        raise Fault("hand.no_panel", opened.code)
    return opened


def _index(opened: Opened, pseudonym: str) -> int:
    try:
        return opened.problem.experts.index(pseudonym)
    except ValueError:
        raise Fault("panels.pseudonym_unknown", pseudonym, panel=opened.code) from None
