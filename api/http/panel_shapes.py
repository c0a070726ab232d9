"""How panels are told over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.http.accepting import Model
from expert_pool import clock
from expert_pool.documents.people import Person
from expert_pool.opened import Known, Opened
from expert_pool.panels import Shown
from expert_pool.registry import PanelState
from solver.answer import Answer, GoalResult, RunLog, Saying
from solver.diagnosis.document import Diagnosis
from solver.explanation.document import Explanation
from solver.forecast import Forecast
from solver.invitations import Invitations
from solver.replace import Replacement

EXAMPLE: Any = {
    "code": "M1-P1",
    "committee": "C1",
    "meeting": "M1",
    "on": "2026-09-20",
    "season": 2026,
    "state": "proposed",
    "policy": "cn-title-jilin-2013",
    "problem_sha256": "9f2c…",
    "fileable": True,
    "sealed": True,
    "open_on": "2026-09-20",
    "requested_at": "2026-09-01T04:00:00Z",
    "requested_by": "office.li",
    "approved_at": None,
    "approved_by": None,
}


class PanelLine(Model):
    """A recorded panel in a list. `open_on`: when its seal opens; null where nobody sits."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    code: str
    committee: str
    meeting: str
    on: date
    season: int
    state: PanelState
    policy: str
    problem_sha256: str
    fileable: bool
    sealed: bool
    open_on: date | None
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None
    approved_by: str | None


class PersonShown(Model):
    """Somebody behind a pseudonym, as a document names them; empty where unknown."""

    name: str
    employer: str
    sector: str
    rank: str
    region: str
    specialties: list[str]


class PersonKnown(PersonShown):
    """The same with the code in the registry."""

    expert: str


class PanelShown(Model):
    """A recorded panel. While it is sealed for the caller, `answer` says nothing of who sits and `people` is empty."""

    code: str
    state: PanelState
    fileable: bool
    sealed: bool
    open_on: date | None
    problem_sha256: str
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None
    approved_by: str | None
    answer: Answer
    people: dict[str, PersonShown] = Field(description="By pseudonym.")


class PanelPeople(Model):
    """The people behind pseudonyms."""

    panel: str
    people: dict[str, PersonKnown]


class InvitationsShown(Model):
    """How the invitations of a panel stand; null before they began."""

    panel: str
    invitations: Invitations | None
    people: dict[str, PersonKnown]


class PanelOpened(PanelShown):
    """A panel whose seal was opened for this look, with the invitations."""

    people: dict[str, PersonKnown]  # type: ignore[assignment]
    invitations: Invitations | None


class PanelDecided(Model):
    """What a request came to. Who sits stands at the panel, as far as its seal allows."""

    panel: str
    status: Literal["optimal", "feasible", "infeasible", "unknown"]
    stopped_by: str | None
    fileable: bool
    seats: int
    goals: list[GoalResult]
    notes: list[Saying]
    why_not: list[Saying]
    run_log: RunLog | None


class Named(Model):
    """The code and name behind a pseudonym."""

    expert: str
    name: str


class PanelRenewed(PanelDecided):
    """What a change came to. `panel` counts now; `replaces`: the one before, null where nobody had to be replaced. While
    the panel is sealed everything about people is empty."""

    replaces: str | None
    sealed: bool
    replacement: Replacement | None
    invitations: Invitations | None
    forecast: Forecast | None
    people: dict[str, Named]


class PanelExplained(Model):
    explanation: Explanation
    people: dict[str, Named]


class PanelDiagnosed(Model):
    diagnosis: Diagnosis


class PanelPapers(Model):
    """The papers of a panel, each at `/panels/{panel}/documents/{name}`."""

    items: list[str]


class PapersMade(Model):
    """The papers that were made, as files of the run."""

    panel: str
    sealed: bool
    serial: str = Field(description="The number in the watermark, and of the export on the ledger.")
    files: list[str]


def shown(panel: Shown) -> PanelShown:
    """A recorded panel as it is told."""
    return PanelShown(
        code=panel.panel_code,
        state=panel.state,
        fileable=panel.fileable,
        sealed=panel.sealed,
        open_on=panel.open_on,
        problem_sha256=panel.problem_sha256,
        requested_at=panel.requested_at,
        requested_by=panel.requested_by,
        approved_at=panel.approved_at,
        approved_by=panel.approved_by,
        answer=panel.answer,
        people={pseudonym: PersonShown(**_person(person)) for pseudonym, person in panel.names.items()},
    )


def known(people: dict[str, Known]) -> dict[str, PersonKnown]:
    """People with their codes as they are told."""
    return {who: PersonKnown(expert=one.code, **_person(one.person)) for who, one in people.items()}


def opened(panel: Shown, found: Opened, people: dict[str, Known]) -> PanelOpened:
    """A panel with everything in it as it is told."""
    plain = shown(panel).model_dump() | {"people": known(people), "answer": found.answer}
    return PanelOpened(**plain, invitations=found.invitations)


def line(row: Any) -> PanelLine:
    """A row of `panels_listed`."""
    panel, committee, meeting, on, season, open_on, closed = row
    return PanelLine(
        code=panel.code,
        committee=committee,
        meeting=meeting,
        on=on,
        season=season,
        state=panel.state,
        policy=panel.policy,
        problem_sha256=panel.problem_sha256,
        fileable=panel.fileable,
        sealed=closed or (open_on is not None and clock.today() < open_on),
        open_on=open_on,
        requested_at=panel.requested_at,
        requested_by=panel.requested_by,
        approved_at=panel.approved_at,
        approved_by=panel.approved_by,
    )


def _person(person: Person) -> dict[str, Any]:
    return asdict(person) | {"specialties": list(person.specialties)}
