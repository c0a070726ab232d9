"""Roles, the rights each carries, and the person or program that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from expert_pool.viewer import Viewer
from solver.errors import Fault


class Role(StrEnum):
    """What an account is for (管理员, 专家库管理, 评委会办事机构, 抽取监督, 审计, 政策编辑, 专家, 申报单位)."""

    ADMINISTRATOR = "administrator"
    POOL_MANAGER = "pool_manager"
    COMMITTEE_OFFICE = "committee_office"
    DRAW_SUPERVISOR = "draw_supervisor"
    AUDITOR = "auditor"
    POLICY_EDITOR = "policy_editor"
    EXPERT = "expert"
    SUBMITTING_UNIT = "submitting_unit"


class Right(StrEnum):
    """What may be done; every route of the service asks for exactly one of them."""

    ACCOUNTS_MANAGE = "accounts.manage"
    SERVICE_OPERATE = "service.operate"
    """Schedules, workers, other people's runs, backup, notices' channels."""
    ORGANISERS_READ = "organisers.read"
    """Organisers, pools, committees, filings, agendas, meetings, cases, catalogue, employers."""
    ORGANISERS_WRITE = "organisers.write"
    EXPERTS_READ = "experts.read"
    """Experts with personal fields masked, their records and standing."""
    EXPERTS_WRITE = "experts.write"
    EXPERTS_UNMASK = "experts.unmask"
    """National ID and phone in clear, one by one, each look with its purpose on the ledger."""
    EXPERTS_EXPORT = "experts.export"
    APPLICATIONS_WRITE = "applications.write"
    """Agendas, applicants and cases (a submitting unit: its own employer's cases only)."""
    PANELS_READ = "panels.read"
    PANELS_REQUEST = "panels.request"
    PANELS_APPROVE = "panels.approve"
    PANELS_UNSEAL = "panels.unseal"
    """Who sits before the seal opens; every look is on the ledger."""
    PROBLEMS_SOLVE = "problems.solve"
    """Problems and panels from files: assemble, check, diagnose, explain, audit. No registry row is read."""
    POLICIES_READ = "policies.read"
    POLICIES_WRITE = "policies.write"
    LEDGER_READ = "ledger.read"
    RUNS_READ = "runs.read"
    """The own runs (background work)."""
    OWN_RECORD = "own.record"
    """An expert's own record: read, answer, declare."""


_EVERYBODY = frozenset({Right.RUNS_READ, Right.POLICIES_READ})

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMINISTRATOR: _EVERYBODY | {Right.ACCOUNTS_MANAGE, Right.SERVICE_OPERATE, Right.ORGANISERS_READ},
    Role.POOL_MANAGER: _EVERYBODY
    | {
        Right.ORGANISERS_READ,
        Right.ORGANISERS_WRITE,
        Right.EXPERTS_READ,
        Right.EXPERTS_WRITE,
        Right.EXPERTS_UNMASK,
        Right.EXPERTS_EXPORT,
    },
    Role.COMMITTEE_OFFICE: _EVERYBODY
    | {
        Right.ORGANISERS_READ,
        Right.APPLICATIONS_WRITE,
        Right.PANELS_READ,
        Right.PANELS_REQUEST,
        Right.PANELS_APPROVE,
        Right.PROBLEMS_SOLVE,
    },
    Role.DRAW_SUPERVISOR: _EVERYBODY
    | {Right.ORGANISERS_READ, Right.PANELS_READ, Right.PANELS_UNSEAL, Right.LEDGER_READ},
    Role.AUDITOR: _EVERYBODY
    | {
        Right.ORGANISERS_READ,
        Right.EXPERTS_READ,
        Right.PANELS_READ,
        Right.PROBLEMS_SOLVE,
        Right.LEDGER_READ,
    },
    Role.POLICY_EDITOR: _EVERYBODY | {Right.POLICIES_WRITE, Right.PROBLEMS_SOLVE},
    Role.EXPERT: frozenset({Right.OWN_RECORD}),
    Role.SUBMITTING_UNIT: frozenset({Right.APPLICATIONS_WRITE}),
}
"""No role both manages the pool and uses it, or uses it and draws (管用分离, 用抽分离)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held for an organiser and those below it; `organiser_id` None: for the whole installation.

    `organisers` are the ids it reaches, worked out when the account signed in (None: all).
    """

    role: Role
    organiser_id: int | None
    organisers: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an account, through a session or a token.

    `scopes` narrow a token to some rights; None: all that the grants give. `expert_id` ties an expert's account to
    the own record, `employer_id` a submitting unit to its own cases.
    """

    account_id: int
    actor: str
    grants: tuple[Grant, ...]
    scopes: frozenset[Right] | None = None
    expert_id: int | None = None
    employer_id: int | None = None
    language: str = field(default="zh")

    def may(self, right: Right) -> bool:
        """Whether any grant carries the right, and the token (if it is one) lets it through."""
        if self.scopes is not None and right not in self.scopes:
            return False
        return any(right in RIGHTS[grant.role] for grant in self.grants)

    def viewer(self, right: Right) -> Viewer:
        """The viewer this principal is for something that asks for `right`: of the organisers whose grants carry it.

        Raises Fault `access.denied` where none does.
        """
        if not self.may(right):
            raise Fault("access.denied", str(right), right=str(right), actor=self.actor)
        carrying = [grant for grant in self.grants if right in RIGHTS[grant.role]]
        opens = right is Right.PANELS_UNSEAL
        if any(grant.organisers is None for grant in carrying):
            return Viewer(self.actor, None, opens_seals=opens)
        reached = frozenset().union(*(grant.organisers or frozenset() for grant in carrying))
        return Viewer(self.actor, reached, opens_seals=opens)
