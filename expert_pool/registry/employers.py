"""Employers as a dated tree: the legal person matters, units hang below it, names and sectors change, units merge."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Recorded, Table


class Sector(StrEnum):
    """Ownership and level (中直, 省直, 市直, 基层; 国有, 民营, 外资, 社会组织)."""

    CENTRAL = "central"
    PROVINCIAL = "provincial"
    MUNICIPAL = "municipal"
    GRASSROOTS = "grassroots"
    STATE_OWNED = "state_owned"
    PRIVATE = "private"
    FOREIGN = "foreign"
    SOCIAL = "social"
    STATE_ORGAN = "state_organ"


class LinkKind(StrEnum):
    PART_OF = "part_of"
    MERGED_INTO = "merged_into"


class NameKind(StrEnum):
    OFFICIAL = "official"
    ALIAS = "alias"


class Employer(Table):
    """An employing unit. `legal_person` is False for a department, which then hangs below one."""

    __tablename__ = "employer"
    code: Mapped[str] = mapped_column(unique=True)
    legal_person: Mapped[bool]
    region: Mapped[str]


class EmployerName(Recorded, Table):
    """A name from `holds_on` until `until`; a rename is a new official name."""

    __tablename__ = "employer_name"
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), index=True)
    kind: Mapped[NameKind]
    name: Mapped[str] = mapped_column(index=True)
    until: Mapped[date | None]


class EmployerSector(Recorded, Table):
    """The sector from `holds_on` on (a conversion, 改制, is a new row)."""

    __tablename__ = "employer_sector"
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), index=True)
    sector: Mapped[Sector]


class EmployerLink(Recorded, Table):
    """`employer` is a part of `other`, or was merged into it, from `holds_on` until `until`."""

    __tablename__ = "employer_link"
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), index=True)
    kind: Mapped[LinkKind]
    until: Mapped[date | None]
