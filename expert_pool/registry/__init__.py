"""The registry: every table, one module per idea."""

from expert_pool.registry.base import Recorded, Table
from expert_pool.registry.catalogue import Depth, Specialty, SpecialtyMapping
from expert_pool.registry.employers import (
    Employer,
    EmployerLink,
    EmployerName,
    EmployerSector,
    LinkKind,
    NameKind,
    Sector,
)
from expert_pool.registry.entries import Attestation, LedgerEntry
from expert_pool.registry.experts import (
    Absence,
    Credit,
    Discipline,
    Employment,
    Expert,
    Gender,
    Membership,
    Outcome,
    Qualification,
    Rank,
    Relation,
    RelationKind,
    Role,
    Sanction,
    Service,
    Skill,
    Step,
    Training,
)
from expert_pool.registry.organisers import (
    Agenda,
    Applicant,
    Case,
    Committee,
    Filing,
    FilingKind,
    Form,
    Level,
    Meeting,
    Organiser,
    Pool,
)
from expert_pool.registry.panels import PanelRecord, PanelState, Seat
