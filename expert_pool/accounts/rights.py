"""Roles, the rights each carries, and the person or program that asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

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
    CYCLES_PREPARE = "cycles.prepare"
    """Re-evaluation: open, compute, amend, give notice, carry out what two people decided, close."""
    CYCLES_DECIDE = "cycles.decide"
    """Re-evaluation: decide on experts and on appeals, as the first or the second person."""
    APPLICATIONS_WRITE = "applications.write"
    """Agendas, applicants and cases (a submitting unit: its own employer's cases only)."""
    APPLICATIONS_READ = "applications.read"
    """Applications and how far they are (a submitting unit: its own employer's only); nothing of who reviews them."""
    PANELS_READ = "panels.read"
    PANELS_REQUEST = "panels.request"
    PANELS_APPROVE = "panels.approve"
    PANELS_UNSEAL = "panels.unseal"
    """Who sits before the seal opens; every look is on the ledger."""
    PROBLEMS_SOLVE = "problems.solve"
    """Problems and panels from files: assemble, check, diagnose, explain, audit. No registry row is read."""
    SIMULATIONS_RUN = "simulations.run"
    """What-if: scenarios over meetings of the own organisers or committees, and what comes of them, in pseudonyms."""
    POLICIES_READ = "policies.read"
    POLICIES_WRITE = "policies.write"
    LEDGER_READ = "ledger.read"
    RUNS_READ = "runs.read"
    """The own runs (background work)."""
    OWN_RECORD = "own.record"
    """An expert's own record: read, answer, declare."""
    OWN_ACCOUNT = "own.account"
    """The own password, second factor, sessions and tokens: every account, never through a token."""


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
        Right.CYCLES_PREPARE,
        Right.CYCLES_DECIDE,
        Right.SIMULATIONS_RUN,
    },
    Role.COMMITTEE_OFFICE: _EVERYBODY
    | {
        Right.ORGANISERS_READ,
        Right.APPLICATIONS_WRITE,
        Right.APPLICATIONS_READ,
        Right.PANELS_READ,
        Right.PANELS_REQUEST,
        Right.PANELS_APPROVE,
        Right.PROBLEMS_SOLVE,
        Right.SIMULATIONS_RUN,
    },
    Role.DRAW_SUPERVISOR: _EVERYBODY
    | {
        Right.ORGANISERS_READ,
        Right.PANELS_READ,
        Right.PANELS_UNSEAL,
        Right.PROBLEMS_SOLVE,
        Right.LEDGER_READ,
    },
    Role.AUDITOR: _EVERYBODY
    | {
        Right.ORGANISERS_READ,
        Right.EXPERTS_READ,
        Right.PANELS_READ,
        Right.PROBLEMS_SOLVE,
        Right.LEDGER_READ,
    },
    Role.POLICY_EDITOR: _EVERYBODY
    | {Right.ORGANISERS_READ, Right.POLICIES_WRITE, Right.PROBLEMS_SOLVE, Right.SIMULATIONS_RUN},
    Role.EXPERT: frozenset({Right.OWN_RECORD}),
    Role.SUBMITTING_UNIT: frozenset({Right.APPLICATIONS_WRITE, Right.APPLICATIONS_READ}),
}
"""No role both manages the pool and uses it, or uses it and draws (管用分离, 用抽分离).

Nobody who looks after accounts or the machine sees an expert, a panel or the ledger. A draw supervisor may recompute
a draw (`problems.solve` reads no row of the registry).
"""

INSTALLATION_WIDE = frozenset({Right.SERVICE_OPERATE})
"""Rights over what all tenants share: only a grant for the whole installation carries them."""

DELEGABLE = frozenset({Role.COMMITTEE_OFFICE, Role.DRAW_SUPERVISOR})
"""Roles that may be held for one committee by delegation, while a filing of the committee is in force."""

TIED = {Role.EXPERT: "expert_id", Role.SUBMITTING_UNIT: "employer_id"}
"""Roles of an account that stands for an expert or an employer."""


class Duty(StrEnum):
    """What a role does to a pool and its committees (管理, 使用, 抽取监督, 审计)."""

    MANAGING = "managing"
    USING = "using"
    DRAWING = "drawing"
    AUDITING = "auditing"


DUTIES: Mapping[Role, Duty] = {
    Role.POOL_MANAGER: Duty.MANAGING,
    Role.COMMITTEE_OFFICE: Duty.USING,
    Role.DRAW_SUPERVISOR: Duty.DRAWING,
    Role.AUDITOR: Duty.AUDITING,
}

APART: frozenset[frozenset[Duty]] = frozenset(
    frozenset(pair)
    for pair in (
        (Duty.MANAGING, Duty.USING),
        (Duty.MANAGING, Duty.DRAWING),
        (Duty.USING, Duty.DRAWING),
        (Duty.MANAGING, Duty.AUDITING),
        (Duty.USING, Duty.AUDITING),
    )
)
"""Duties that one account never holds where both touch one committee or one organiser.

The first three are the separation of managing, using and drawing (管用抽分离: 福建省科技专家库, art. 4; 财库〔2016〕198号,
art. 3). The last two are ours: nobody audits the own work. Supervising draws and auditing may be one person's office
(监督).
"""

ALONE = frozenset({Role.ADMINISTRATOR, Role.EXPERT, Role.SUBMITTING_UNIT})
"""Roles that an account holds beside no other role: who hands out rights has none to use, and who is in the registry
does not look after it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held for an organiser and those below it; `organiser_id` None: for the whole installation.

    `organisers` are the ids it reaches at this moment (None: all); `committees` those it reaches one by one, by
    delegation (`organisers` is empty then).
    """

    role: Role
    organiser_id: int | None
    organisers: frozenset[int] | None
    committees: frozenset[int] = frozenset()

    def carries(self, right: Right) -> bool:
        """Whether this grant gives the right somewhere."""
        return right in RIGHTS[self.role] and (right not in INSTALLATION_WIDE or self.organisers is None)


Due = Literal["password", "second_factor"]
"""What an account must see to before it may do anything else."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an account, through a session or a token.

    `scopes` narrow a token to some rights; None: all that the grants give. `expert_id` ties an expert's account to
    the own record, `employer_id` a submitting unit to its own cases. While something is `due`, only `own.account` is
    given. `organiser_id` is the account's own tenant.
    """

    account_id: int
    actor: str
    grants: tuple[Grant, ...]
    scopes: frozenset[Right] | None = None
    expert_id: int | None = None
    employer_id: int | None = None
    language: str = field(default="zh")
    due: Due | None = None
    organiser_id: int | None = None

    def may(self, right: Right) -> bool:
        """Whether any grant carries the right, and the token (if it is one) lets it through."""
        if self.scopes is not None and right not in self.scopes:
            return False
        if right is Right.OWN_ACCOUNT:
            return True
        return self.due is None and any(grant.carries(right) for grant in self.grants)

    def require(self, right: Right) -> None:
        """Raise Fault `access.password_due`, `access.second_factor_due` or `access.denied` unless it may."""
        if self.may(right):
            return
        self.require_nothing_due()
        raise Fault("access.denied", str(right), right=str(right), actor=self.actor)

    def require_nothing_due(self) -> None:
        """Raise Fault `access.password_due` or `access.second_factor_due` while one is."""
        if self.due == "password":
            raise Fault("access.password_due")
        if self.due == "second_factor":
            raise Fault("access.second_factor_due")

    def viewer(self, right: Right) -> Viewer:
        """The viewer this principal is for something that asks for `right`: of the organisers and committees whose
        grants carry it.

        Raises Fault as `require`.
        """
        self.require(right)
        carrying = [grant for grant in self.grants if grant.carries(right)]
        opens = right is Right.PANELS_UNSEAL
        if any(grant.organisers is None for grant in carrying):
            return Viewer(self.actor, None, opens_seals=opens)
        reached = frozenset[int]().union(*(grant.organisers or () for grant in carrying))
        delegated = frozenset[int]().union(*(grant.committees for grant in carrying))
        return Viewer(self.actor, reached, opens_seals=opens, committees=delegated)
