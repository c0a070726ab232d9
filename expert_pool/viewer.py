"""Who is looking, and what their statements may read. Access is in the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, inspect, or_, select, true

from expert_pool import clock
from expert_pool.registry import (
    Agenda,
    Attestation,
    Case,
    Committee,
    EmployerLink,
    EmployerName,
    EmployerSector,
    Filing,
    FilingKind,
    LedgerEntry,
    Meeting,
    Organiser,
    PanelRecord,
    Pool,
    ScenarioRecord,
    Seat,
    SimulationRecord,
)
from solver.errors import Fault

INSTALLATION = "@installation"
"""The code of the organiser that stands for the installation itself; `expert_pool.accounts.home` makes it."""

_PUBLIC = (EmployerName, EmployerSector, EmployerLink)
"""Owned (only the owner may correct them), but knowledge about employers that everyone may read."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Someone who reads and writes.

    `actor` names them in the ledger and in `recorded_by`: an account or an office, not personal data.
    `organisers` are the ids of the organisers whose rows they may see and write; None means all. `committees` are
    committees of other organisers delegated to them one by one: with their filings, agendas and panels.
    `opens_seals` lets them read who sits in a panel before the day it opens; whoever uses that right writes a
    ledger entry for each look.
    """

    actor: str
    organisers: frozenset[int] | None
    opens_seals: bool = False
    committees: frozenset[int] = frozenset()

    @classmethod
    def system(cls, actor: str) -> Viewer:
        """The office of the installation itself: sees all organisers, opens no seals."""
        return cls(actor, None)

    def owns(self, organiser_id: int) -> bool:
        """Whether rows of this organiser may be seen and written."""
        return self.organisers is None or organiser_id in self.organisers

    def require(self, organiser_id: int, committee_id: int | None = None) -> None:
        """Raise Fault `viewer.not_yours` unless rows of this organiser (there: of this committee) may be seen and
        written."""
        if not self.owns(organiser_id) and committee_id not in self.committees:
            raise Fault("viewer.not_yours", organiser=organiser_id, actor=self.actor)


def visible(viewer: Viewer, *tables: Any) -> list[ColumnElement[bool]]:
    """Conditions for `where(...)` under which rows of `tables` (classes or aliases) may be shown.

    - Rows of the whole installation (experts, employers, applicants, specialties) and what is known about
      employers (names, sectors, links): no condition.
    - Owned rows (records, pools, committees, panels, ledger entries) and what hangs below them (agendas,
      meetings, cases, seats, attestations): only those of the viewer's organisers.
    - Seats besides: only from the day they open, unless the viewer opens seals.
    - Organisers: never the stand-in in whose chain the ledger tells what concerns the whole installation.
    """
    conditions: list[ColumnElement[bool]] = []
    for table in tables:
        if viewer.organisers is not None and (owned := _owned_by(table, viewer.organisers)) is not None:
            if viewer.committees and (more := _delegated(table, viewer.committees)) is not None:
                owned = or_(owned, more)
            conditions.append(owned)
        if _class(table) is Organiser:
            conditions.append(table.code != INSTALLATION)
        if _class(table) is Seat and not viewer.opens_seals:
            conditions.append(table.open_on <= clock.today())
    return conditions


def counted(viewer: Viewer, *tables: Any) -> list[ColumnElement[bool]]:
    """Conditions under which rows count for a verdict (a fact, a gate, a conflict) the viewer is given.

    Bans, load and conflicts count everywhere, so everything said about experts counts, whoever recorded it;
    also the seats, panels, agendas, meetings and cases it hangs on. What the viewer is given must then be the
    verdict alone: show a record behind it only if `viewer.owns(record.organiser_id)`. Filings, organisers,
    pools and the ledger bear on their owner only and stay as in `visible`.
    """
    everywhere = (Seat, PanelRecord, Committee, Agenda, Meeting, Case)
    conditions: list[ColumnElement[bool]] = []
    for table in tables:
        cls = _class(table)
        if cls not in everywhere and not hasattr(cls, "expert_id"):
            conditions.extend(visible(viewer, table))
    return conditions


def _class(table: Any) -> type[Any]:
    cls: type[Any] = inspect(table).mapper.class_
    return cls


def _owned_by(table: Any, organisers: frozenset[int]) -> ColumnElement[bool] | None:
    """The condition that a row belongs to one of the organisers; None for a row of the whole installation."""
    cls = _class(table)
    if cls in _PUBLIC:
        return None
    if cls is Organiser:
        return _column(table.id.in_(organisers))
    if hasattr(cls, "organiser_id"):
        return _column(table.organiser_id.in_(organisers))
    committees = select(Committee.id).where(Committee.organiser_id.in_(organisers))
    agendas = select(Agenda.id).where(Agenda.committee_id.in_(committees))
    above: dict[type[Any], tuple[str, Select[int]]] = {
        Agenda: ("committee_id", committees),
        Meeting: ("agenda_id", agendas),
        Case: ("agenda_id", agendas),
        Seat: ("panel_id", select(PanelRecord.id).where(PanelRecord.organiser_id.in_(organisers))),
        Attestation: ("entry_id", select(LedgerEntry.id).where(LedgerEntry.organiser_id.in_(organisers))),
    }
    if cls not in above:
        return None
    column, owners = above[cls]
    return _column(getattr(table, column).in_(owners))


def _delegated(table: Any, committees: frozenset[int]) -> ColumnElement[bool] | None:
    """The condition that a row belongs to one of the committees, or is what they stand in; None: none ever does."""
    cls = _class(table)
    agendas = select(Agenda.id).where(Agenda.committee_id.in_(committees))
    meetings = select(Meeting.id).where(Meeting.agenda_id.in_(agendas))
    panels = select(PanelRecord.id).where(PanelRecord.meeting_id.in_(meetings))
    of: dict[type[Any], tuple[str, Any]] = {
        Committee: ("id", committees),
        Agenda: ("committee_id", committees),
        Meeting: ("agenda_id", agendas),
        Case: ("agenda_id", agendas),
        PanelRecord: ("meeting_id", meetings),
        ScenarioRecord: ("committee_id", committees),
        SimulationRecord: ("committee_id", committees),
        Seat: ("panel_id", panels),
        Organiser: ("id", select(Committee.organiser_id).where(Committee.id.in_(committees))),
        Pool: ("id", select(Committee.pool_id).where(Committee.id.in_(committees))),
    }
    if cls is Filing:  # of the pool one filing counts for every committee that draws on it
        pools = select(Committee.pool_id).where(Committee.id.in_(committees))
        beside = select(Committee.id).where(Committee.pool_id.in_(pools))
        of_pool = and_(table.kind == FilingKind.POOL, table.committee_id.in_(beside))
        return or_(table.committee_id.in_(committees), of_pool)
    if cls not in of:
        return None
    column, owners = of[cls]
    return _column(getattr(table, column).in_(owners))


def _column(condition: Any) -> ColumnElement[bool]:
    return condition if condition is not None else true()
