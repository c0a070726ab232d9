"""The models of the registry's rows, made from the sheets that import and export read: one specification for files and
for the API, so that a column means the same in both.

For each sheet three models: `row` is what is answered, `new` what is sent for a new row, `change` what is sent to change
a thing or to correct a record (what it leaves out stays).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from expert_pool.imports.cells import LONGEST_CODE, LONGEST_TEXT
from expert_pool.imports.sheets import SHEETS, Column, Kind, Sheet

SINGULAR: Mapping[str, str] = {
    "organisers": "Organiser",
    "specialties": "Specialty",
    "specialty_mappings": "SpecialtyMapping",
    "pools": "Pool",
    "committees": "Committee",
    "employers": "Employer",
    "experts": "Expert",
    "applicants": "Applicant",
    "agendas": "Agenda",
    "cases": "Case",
    "meetings": "Meeting",
    "filings": "Filing",
    "employer_names": "EmployerName",
    "employer_sectors": "EmployerSector",
    "employer_links": "EmployerLink",
    "qualifications": "Qualification",
    "employments": "Employment",
    "skills": "Skill",
    "memberships": "Membership",
    "trainings": "Training",
    "credits": "Credit",
    "disciplines": "Discipline",
    "services": "Service",
    "absences": "Absence",
    "relations": "Relation",
}
"""What one row of a sheet is called."""

FIXED: Mapping[str, frozenset[str]] = {
    "pools": frozenset({"organiser"}),
    "committees": frozenset({"organiser"}),
    "agendas": frozenset({"committee"}),
    "meetings": frozenset({"agenda"}),
    "cases": frozenset({"agenda"}),
}
"""Columns of things that stay what they are: whose a thing is does not change."""

EXAMPLES: Mapping[str, Any] = {
    "code": "C1",
    "version": "2024",
    "name": "工程系列高级评委会",
    "title": "2026 年度评审",
    "region": "220000",
    "parent": "HR",
    "organiser": "HR",
    "pool": "P1",
    "committee": "C1",
    "agenda": "A1",
    "applicant": "AP1",
    "specialty": "2024/0101",
    "employer": "U",
    "other": "U",
    "expert": "E01",
    "other_expert": "E02",
    "case": "K1",
    "old": "2019/0101",
    "new": "2024/0101",
    "series": "engineering",
    "national_id": "220101196601010013",
    "phone": "13900000001",
    "place": "长春",
    "season": 2026,
    "course": "2026 年度评审专家培训",
    "event": "迟到",
    "points": -5,
    "basis": "人社厅发〔2026〕1号",
    "reference": "备案〔2026〕7号",
    "reason": "本人申请",
    "source": "本人申报",
    "panel": "M1",
    "proficiency": 2,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The models of one sheet."""

    sheet: Sheet
    row: type[BaseModel]
    new: type[BaseModel]
    change: type[BaseModel]


@cache
def shape(name: str, above: str = "") -> Shape:
    """The models of a sheet. `above`: the column that the path names already, left out of `new` and `change`."""
    sheet = SHEETS[name]
    title = SINGULAR[name]
    given = [c for c in sheet.columns if c.name not in (above, "recorded_at")]
    return Shape(
        sheet,
        _model(title, sheet, {c.name: _answered(c) for c in sheet.columns} | _told_of(sheet)),
        _model(f"New{title}", sheet, {c.name: _asked(c, c.required) for c in given} | _teller(sheet)),
        _model(
            f"{title}Changes",
            sheet,
            {c.name: _asked(c, False) for c in _changing(sheet, given)} | _teller(sheet),
        ),
    )


def _changing(sheet: Sheet, given: list[Column]) -> list[Column]:
    if sheet.recorded:
        return [column for column in given if column.name not in ("organiser", "revokes")]
    return [c for c in given if c.name != "code" and c.name not in FIXED.get(sheet.name, ())]


def _teller(sheet: Sheet) -> dict[str, Any]:
    """Things that belong to nobody are told in some organiser's chain of the ledger."""
    if sheet.recorded or sheet.name not in ("experts", "applicants", "employers"):
        return {}
    told = "In whose chain of the ledger this is told; needed where the caller works for several organisers."
    return {"organiser": (_code() | None, Field(default=None, description=told, examples=["HR"]))}


def _told_of(sheet: Sheet) -> dict[str, Any]:
    if not sheet.recorded:
        return {}
    return {
        "number": (int, Field(description="The record's own number.", examples=[12])),
        "recorded_by": (str, Field(description="The account that recorded it.", examples=["office"])),
        "corrects": (int | None, Field(description="The number of the record it corrects.", examples=[None])),
        "void": (bool, Field(description="It only takes back what it corrects.", examples=[False])),
        "stands": (bool, Field(description="Neither void nor corrected.", examples=[True])),
    }


def _answered(column: Column) -> Any:
    """A column as it is answered: no bounds, since what is stored is stored."""
    plain: Any = _PLAIN.get(column.kind) or column.choices or str
    optional = not column.required and column.name not in (
        "reason",
        "source",
        "place",
        "directed",
        "organiser",
    )
    optional = optional and column.name != "recorded_at"
    described: dict[str, Any] = {"description": _described(column), "examples": _examples(column)}
    if column.name == "revokes":  # a sheet names what is revoked by its day; here it has a number
        plain, described = (
            int,
            {"description": "The number of the sanction that is revoked.", "examples": [12]},
        )
    return (plain | None if optional else plain, Field(**described))


def _asked(column: Column, required: bool) -> Any:
    kind: Any = _bounded(column)
    described: dict[str, Any] = {"description": _described(column), "examples": _examples(column)}
    return (kind, Field(**described)) if required else (kind | None, Field(default=None, **described))


def _bounded(column: Column) -> Any:
    if column.kind is Kind.INTEGER:
        return Annotated[int, Field(ge=column.low, le=column.high, strict=True)]
    if column.kind in (Kind.TEXT,):
        return Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    if column.choices is not None:
        return column.choices
    if column.kind is Kind.BOOLEAN:
        return Annotated[bool, Field(strict=True)]
    if column.kind is Kind.DATE:
        return Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
    return _code(2 * LONGEST_CODE + 1 if column.to == "specialties" else LONGEST_CODE)


def _code(longest: int = LONGEST_CODE) -> Any:
    return Annotated[str, Field(min_length=1, max_length=longest)]


def _described(column: Column) -> str:
    if column.kind in (Kind.NATIONAL_ID, Kind.PHONE):
        return f"{column.zh}. Answered masked; a masked one that is sent leaves it as it is."
    refers = f" (code, {column.to})" if column.kind is Kind.REFERENCE else ""
    return f"{column.zh}{refers}"


def _examples(column: Column) -> list[Any]:
    if column.choices is not None:
        return [next(iter(column.choices)).value]
    if column.kind is Kind.DATE:
        return ["2028-01-09" if column.name == "until" else "2026-01-10"]
    if column.kind is Kind.MOMENT:
        return ["2026-01-10T01:00:00Z"]
    if column.kind is Kind.BOOLEAN:
        return [True]
    return [EXAMPLES[column.name]] if column.name in EXAMPLES else []


def _model(title: str, sheet: Sheet, fields: dict[str, Any]) -> type[BaseModel]:
    made: type[BaseModel] = create_model(
        title,
        __config__=ConfigDict(extra="forbid"),
        __module__=__name__,
        __doc__=f"{sheet.zh}. {(sheet.table.__doc__ or '').strip()}".strip(),
        **fields,
    )
    return made


_PLAIN: Mapping[Kind, Any] = {
    Kind.DATE: date,
    Kind.MOMENT: AwareDatetime,
    Kind.INTEGER: int,
    Kind.BOOLEAN: bool,
}
