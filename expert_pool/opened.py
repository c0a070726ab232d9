"""Panels whose seal is open: who sits, why they and not others, what differs between two.

A panel opens on its day; before it only a viewer who opens seals reads on, and each look is an entry in the ledger. Of a
sealed panel not even the problem is told: whoever solves it again has the same panel, by pseudonym.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, load_only

from expert_pool import clock
from expert_pool.documents.people import Person
from expert_pool.recorded import codes_behind, find_panel, looked, opens_on, people_behind, seated_in
from expert_pool.registry import Agenda, Committee, Expert, HostSeal, Meeting, PanelRecord, PanelState, Seat
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.answer import Answer
from solver.diff import PanelDiff, diff
from solver.document import read_problem
from solver.errors import Fault
from solver.explanation.document import Explanation
from solver.invitations import Invitations, read_invitations
from solver.problem import Problem
from solver.progress import Reporter, silent

MOST_PEOPLE = 500
"""So many people are named at once."""


@dataclass(frozen=True)
class Opened:
    """A recorded panel with everything in it. `open_on` None: nobody sits, so nothing is sealed."""

    code: str
    organiser_id: int
    open_on: date | None
    problem: Problem
    answer: Answer
    invitations: Invitations | None

    @property
    def sealed(self) -> bool:
        """Whether a seal had to be opened to read it."""
        return self.open_on is not None and clock.today() < self.open_on


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody behind a pseudonym: the code in the registry, and what a document may say of them."""

    code: str
    person: Person


def panels_listed(
    viewer: Viewer,
    *,
    committee: str | None = None,
    meeting: str | None = None,
    season: int | None = None,
    state: PanelState | None = None,
) -> Select[Any, *tuple[Any, ...]]:
    """The recorded panels a viewer may see, each with its committee, meeting, day, season, the day its seal opens, and
    whether it is closed under supervisors' keys; unordered, and without their documents."""
    columns = (
        PanelRecord.id,
        PanelRecord.code,
        PanelRecord.state,
        PanelRecord.policy,
        PanelRecord.problem_sha256,
        PanelRecord.fileable,
        PanelRecord.requested_at,
        PanelRecord.requested_by,
        PanelRecord.approved_at,
        PanelRecord.approved_by,
    )
    closed = _closed(PanelRecord.id).label("closed")
    opens = select(func.max(Seat.open_on)).where(Seat.panel_id == PanelRecord.id).scalar_subquery()
    statement: Select[Any, *tuple[Any, ...]] = (
        select(
            PanelRecord,
            Committee.code,
            Meeting.code,
            Meeting.on,
            Agenda.season,
            opens.label("open_on"),
            closed,
        )
        .options(load_only(*columns, raiseload=True))
        .join(Meeting, Meeting.id == PanelRecord.meeting_id)
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .join(Committee, Committee.id == Agenda.committee_id)
        .where(*visible(viewer, PanelRecord))
    )
    for column, value in (
        (Committee.code, committee),
        (Meeting.code, meeting),
        (Agenda.season, season),
        (PanelRecord.state, state),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return statement


def require_open(session: Session, viewer: Viewer, panel: PanelRecord) -> None:
    """Raise Fault `panels.seals_closed` while a panel is sealed for the viewer, and as `require_readable`."""
    require_readable(session, panel)
    on = opens_on(session, panel)
    if not viewer.opens_seals and on is not None and clock.today() < on:
        raise Fault("panels.seals_closed", panel.code, on=on)


def require_readable(session: Session, panel: PanelRecord) -> None:
    """Raise Fault `panels.shares_closed` while a panel is closed under its supervisors' keys, against this host too."""
    if session.scalar(select(_closed(panel.id))):
        raise Fault("panels.shares_closed", panel.code)


def _closed(panel_id: Any) -> Any:
    return exists().where(HostSeal.panel_id == panel_id, HostSeal.opened_at.is_(None))


def open_panel(store: Store, viewer: Viewer, code: str) -> Opened:
    """A recorded panel, once its seal is open; where the viewer opens it, the look goes into the ledger first.

    Raises Fault `panels.panel_unknown`, `panels.seals_closed`.
    """
    with store.reading() as session:
        panel = find_panel(session, viewer, code)
        require_open(session, viewer, panel)
        opened = Opened(
            code=panel.code,
            organiser_id=panel.organiser_id,
            open_on=opens_on(session, panel),
            problem=read_problem(zlib.decompress(panel.problem)),
            answer=Answer.model_validate_json(panel.answer),
            invitations=read_invitations(panel.invitations.encode(), code) if panel.invitations else None,
        )
    if opened.sealed:
        with store.session() as session:
            looked(session, viewer, opened.organiser_id, code, opened.open_on or clock.today())
    return opened


def people_of(
    store: Store, viewer: Viewer, opened: Opened, pseudonyms: Collection[str] | None = None
) -> dict[str, Known]:
    """The people behind pseudonyms of an opened panel's problem; None: those who sit or wait.

    Raises Fault `panels.pseudonym_unknown` for one that the problem does not have, `panels.many_people`.
    """
    asked = list(dict.fromkeys(seated_in(opened.answer) if pseudonyms is None else pseudonyms))
    if len(asked) > MOST_PEOPLE:
        raise Fault("panels.many_people", opened.code, asked=len(asked), most=MOST_PEOPLE)
    there = set(opened.problem.experts)
    for pseudonym in asked:
        if pseudonym not in there:
            raise Fault("panels.pseudonym_unknown", pseudonym, panel=opened.code)
    with store.reading() as session:
        people = people_behind(session, viewer, opened.problem, asked)
        codes = codes_behind(session, asked)
    return {who: Known(codes.get(who, who), people[who]) for who in asked if who in people}


def explain_panel(
    store: Store,
    viewer: Viewer,
    code: str,
    *,
    experts: Sequence[str] | None = None,
    rules: Collection[str] | None = (),
    exact: bool = False,
    seconds: float = 60.0,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Explanation:
    """Why a recorded panel is as it is. `experts` by code, seated or not (None: everybody who sits or waits); the rest as
    `solver.explain.explain`.

    Raises Fault as `open_panel` does, `standing.expert_unknown`, `panels.not_considered` for somebody who is not in the
    panel's problem, and as `explain` does.
    """
    from solver.explain import explain

    opened = open_panel(store, viewer, code)
    asked = None if experts is None else _pseudonyms(store, opened, experts)
    return explain(
        opened.problem,
        opened.answer,
        experts=asked,
        rules=rules,
        exact=exact,
        seconds=seconds,
        report=report,
        cancelled=cancelled,
    )


def compare_panels(store: Store, viewer: Viewer, was: str, now: str) -> PanelDiff:
    """What differs between two recorded panels, both measured under the problem of the second where it knows everybody
    of the first. Raises Fault as `open_panel` and `solver.diff.diff` do."""
    one, other = open_panel(store, viewer, was), open_panel(store, viewer, now)
    fits = set(seated_in(one.answer)) <= set(other.problem.experts)
    groups = {group.id for group in other.problem.groups}
    fits = fits and {m.group for m in one.answer.members} <= groups
    return diff(other.problem if fits else None, one.answer, other.answer)


def _pseudonyms(store: Store, opened: Opened, codes: Sequence[str]) -> list[str]:
    with store.reading() as session:
        known = _known(session, codes)
    there = set(opened.problem.experts)
    for code in codes:
        if code not in known:
            raise Fault("standing.expert_unknown", code)
        if known[code] not in there:
            raise Fault("panels.not_considered", code, panel=opened.code)
    return [known[code] for code in codes]


def _known(session: Session, codes: Sequence[str]) -> Mapping[str, str]:
    return dict(session.execute(select(Expert.code, Expert.pseudonym).where(Expert.code.in_(codes))).all())
