"""A recorded panel as its pages show it: seats, margins as bars, coverage of the cases; masked under a drawn procedure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from api.page.names import employers_told
from expert_pool.documents import contents
from expert_pool.documents.charts import SECTORS, UNKNOWN_SECTOR
from expert_pool.documents.contents import MemberRow, RuleRow
from expert_pool.documents.people import Person
from expert_pool.documents.view import View
from expert_pool.opened import Opened, require_open
from expert_pool.panels import Shown, show
from expert_pool.policies.policy import Override
from expert_pool.recorded import codes_behind, find_panel, policy_of, problem_of
from expert_pool.registry import Agenda, Committee, LedgerEntry, Meeting
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.answer import Answer, CaseResult, RuleResult
from solver.errors import Fault
from solver.invitations import read_invitations
from solver.problem import Problem

DECIDING = ("panel.requested", "panel.replaced", "panel.invited", "panel.answered", "panel.approved")
"""What the ledger calls a decision about a panel."""


@dataclass(frozen=True, slots=True)
class Margin:
    """A rule's measure as a bar, in percent of its width: what is there, and what is asked at least and at most."""

    row: RuleRow
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Heat:
    """Who covers which case of a group: people as columns, and for each case a letter for each of them: `close`, `broad`,
    `recused` or nothing."""

    group: str
    people: tuple[str, ...]
    cases: tuple[tuple[CaseResult, str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Sitting:
    """The meeting a panel is for."""

    committee: str
    committee_name: str
    meeting: str
    on: date


@dataclass(frozen=True)
class PanelSeen:
    """One panel for one reader; `problem` None while it is sealed. `codes`: the registry's codes, by pseudonym (empty where
    people are masked)."""

    panel: Shown
    view: View
    problem: Problem | None
    codes: Mapping[str, str]
    sitting: Sitting
    overrides: tuple[Override, ...]
    masked: bool
    organiser_id: int
    invitations: str | None

    def opened(self) -> Opened:
        """The panel as whoever tries something on it takes it, read no second time. Raises Fault `panels.seals_closed`."""
        if self.problem is None:
            raise Fault("panels.seals_closed", self.panel.panel_code, on=self.panel.open_on)
        found, sent = self.panel, self.invitations
        return Opened(
            code=found.panel_code,
            organiser_id=self.organiser_id,
            open_on=found.open_on,
            problem=self.problem,
            answer=found.answer,
            invitations=read_invitations(sent.encode(), found.panel_code) if sent else None,
        )

    @property
    def meeting(self) -> str:
        return self.sitting.meeting

    @property
    def parts(self) -> dict[str, Any]:
        """What every page of a panel shows."""
        view = self.view
        return {
            "panel": self.panel,
            "view": view,
            "sitting": self.sitting,
            "overrides": self.overrides,
            "masked": self.masked,
            "codes": self.codes,
            "banners": contents.banners(view),
            "groups": by_group(view),
            "margins": margins(view),
            "heats": heats(view),
            "colours": SECTORS,
            "unknown_sector": UNKNOWN_SECTOR,
        }


def shown_panel(store: Store, viewer: Viewer, code: str, lang: str) -> PanelSeen:
    """A recorded panel as far as the viewer may know it. Raises Fault `panels.panel_unknown`."""
    shown = show(store, viewer, code)
    with store.reading() as session:
        record = find_panel(session, viewer, code)
        row = session.execute(
            select(Committee.code, Committee.name, Meeting.code, Meeting.on)
            .join(Agenda, Agenda.committee_id == Committee.id)
            .join(Meeting, Meeting.agenda_id == Agenda.id)
            .where(Meeting.id == record.meeting_id, *visible(viewer, Meeting))
        ).one()
        try:
            overrides = policy_of(record).overrides
        except Fault:  # made under a policy from a file: what it says stands in that file
            overrides = ()
        masked = shown.answer.problem.procedure == "draw"
        problem, people, codes = None, shown.names, {}
        if not shown.sealed:
            require_open(session, viewer, record)
            problem = shown.problem or problem_of(session, viewer, code)
            if masked:
                people = {who: mask(who, person) for who, person in people.items()}
            else:
                codes = codes_behind(session, people)
        answer = shown.answer
        sayings = [one.says for one in answer.rules] + [one.says for one in answer.findings]
        sayings += answer.why_not
        employers = {} if masked else employers_told(session, viewer, sayings, row.on)
        sent, organiser = record.invitations, record.organiser_id
    view = View(answer, people, lang, problem, employers)
    return PanelSeen(shown, view, problem, codes, Sitting(*row), overrides, masked, organiser, sent)


def mask(pseudonym: str, person: Person) -> Person:
    """Somebody as a list of a drawn procedure shows them: who it is and where they work is told nobody."""
    return replace(person, name=pseudonym, employer="", region="")


def by_group(view: View) -> list[dict[str, Any]]:
    """Who sits and who waits in each group, in the order of the answer."""
    members, alternates = contents.member_rows(view), contents.alternate_rows(view)
    names = dict.fromkeys(row.group for row in (*members, *alternates))

    def own(rows: Sequence[MemberRow], name: str) -> list[MemberRow]:
        return [row for row in rows if row.group == name]

    return [
        {"name": name, "members": own(members, name), "alternates": own(alternates, name)} for name in names
    ]


def margins(view: View) -> list[Margin]:
    """Every rule with its bar, in the order of the rows."""
    results = {result.id: result for result in view.answer.rules}
    return [_margin(row, results[row.id]) for row in contents.rule_rows(view)]


def _margin(row: RuleRow, result: RuleResult) -> Margin:
    known = [n for n in (result.value, result.low, result.high) if n is not None]
    if result.value is None or (result.low is None and result.high is None):
        return Margin(row, None, None, None)
    least, most = min(0, *known, 0), max(*known, 1)
    most += max(1, (most - least) // 4)

    def at(value: int | None) -> float | None:
        return None if value is None else round(100 * (value - least) / (most - least), 1)

    return Margin(row, at(result.value), at(result.low), at(result.high))


def heats(view: View) -> list[Heat]:
    """The coverage of the cases, group by group."""
    answer: Answer = view.answer
    found = []
    for group in dict.fromkeys(case.group for case in answer.cases):
        members = [m.expert for m in answer.members if m.group == group]
        own = [case for case in answer.cases if case.group == group]
        found.append(
            Heat(
                view.group(group),
                tuple(view.person(who).name for who in members),
                tuple(
                    (case, view.specialty(case.specialty), tuple(_grade(case, who) for who in members))
                    for case in own
                ),
            )
        )
    return found


def _grade(case: CaseResult, who: str) -> str:
    if who in case.recused:
        return "recused"
    return "close" if who in case.close else "broad" if who in case.broad else ""


def told_of(store: Store, viewer: Viewer, code: str) -> list[tuple[datetime, str, str]]:
    """When what was decided about a panel, and by whom, as the ledger has it."""
    with store.reading() as session:
        rows = session.execute(
            select(LedgerEntry.at, LedgerEntry.action, LedgerEntry.actor)
            .where(
                LedgerEntry.subject == code, LedgerEntry.action.in_(DECIDING), *visible(viewer, LedgerEntry)
            )
            .order_by(LedgerEntry.sequence)
        ).all()
    return [(row.at, row.action, row.actor) for row in rows]
