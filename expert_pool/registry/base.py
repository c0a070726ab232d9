"""What all tables share: naming, the two times of a record, the owner."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, ForeignKey, MetaData, String, TypeDecorator
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, on every database: naive moments are refused, aware ones come back."""

    impl = DateTime
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def _values(members: type[Enum]) -> list[str]:
    return [str(member.value) for member in members]


UNATTESTED = "expert_pool_unattested"
"""In a column's `info`: it changes without a decision, and the ledger does not speak for it."""


class Table(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[Any] = {
        datetime: Moment,
        str: String(),
        Enum: EnumType(Enum, native_enum=False, length=32, values_callable=_values),
    }

    id: Mapped[int] = mapped_column(primary_key=True)


class Recorded:
    """A record: true from the day it `holds_on`, known since `recorded_at`, never overwritten.

    A correction is a new row whose `corrects_id` names the old one, which can be corrected once (then its
    correction can); `void` marks one that only takes back.
    `organiser_id` owns the row.
    """

    holds_on: Mapped[date] = mapped_column(index=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    void: Mapped[bool] = mapped_column(default=False)

    @declared_attr
    def organiser_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("organiser.id"), index=True)

    @declared_attr
    def corrects_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey(f"{cls.__tablename__}.id"), unique=True)  # type: ignore[attr-defined]


__all__ = ["Moment", "Recorded", "Table"]
