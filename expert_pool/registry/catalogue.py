"""The specialty catalogue: series / specialty / sub-specialty, versioned, with the mapping from old to new codes."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Table


class Depth(StrEnum):
    SERIES = "series"
    SPECIALTY = "specialty"
    SUB_SPECIALTY = "sub_specialty"


class Specialty(Table):
    """One entry of one version of the catalogue, valid from `since` until `until`."""

    __tablename__ = "specialty"
    __table_args__ = (UniqueConstraint("version", "code"),)
    version: Mapped[str]
    code: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    depth: Mapped[Depth]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("specialty.id"))
    since: Mapped[date]
    until: Mapped[date | None]


class SpecialtyMapping(Table):
    """`old` is read as `new` from `since` on; one old code may split into several new ones."""

    __tablename__ = "specialty_mapping"
    __table_args__ = (UniqueConstraint("old_id", "new_id"),)
    old_id: Mapped[int] = mapped_column(ForeignKey("specialty.id"))
    new_id: Mapped[int] = mapped_column(ForeignKey("specialty.id"))
    since: Mapped[date]
