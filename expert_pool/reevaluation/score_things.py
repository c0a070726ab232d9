"""Scales and criteria of written scores: read, compared with the registry, written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.imports.report import Errors, SheetReport
from expert_pool.imports.typed import TypedSheet, typed_sheet
from expert_pool.reevaluation.score_sheets import SCALES, Source
from expert_pool.registry import Organiser, RatingCriterion, RatingScale
from expert_pool.viewer import Viewer, visible


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion, and the range of its scale."""

    id: int
    code: str
    low: int
    high: int


def criteria_of(session: Session, viewer: Viewer) -> Mapping[str, Criterion]:
    """The criteria that a viewer may use, by code."""
    rows = session.execute(
        select(RatingCriterion.code, RatingCriterion.id, RatingScale.low, RatingScale.high)
        .join(RatingScale, RatingScale.id == RatingCriterion.scale_id)
        .where(*visible(viewer, RatingScale))
    )
    return {code: Criterion(id_, code, low, high) for code, id_, low, high in rows}


def teller_of(session: Session, viewer: Viewer, code: str | None, errors: Errors) -> int | None:
    """Who owns what names no owner: the organiser named, else the viewer's only one, else the only one without a parent."""
    own = select(Organiser.id).where(*visible(viewer, Organiser))
    if code is not None:
        named = session.scalar(own.where(Organiser.code == code))
        if named is None:
            errors.add("organisers", 1, "", "import.organiser_unknown", value=code)
        return named
    if viewer.organisers is not None:
        candidates = list(viewer.organisers)
    else:
        candidates = list(session.scalars(own.where(Organiser.parent_id.is_(None))))
    if len(candidates) != 1:
        code = "import.organiser_unclear" if candidates else "import.organiser_none"
        errors.add("ratings", 1, "", code)
        return None
    return candidates[0]


def bring_things(
    session: Session, viewer: Viewer, source: Source, teller: int, correct: bool, errors: Errors
) -> SheetReport:
    """Bring scales or criteria: what is new is written, what is otherwise is changed when `correct`, else an error."""
    new = same = changed = 0
    table: Any = source.sheet.table
    first: dict[str, int] = {}
    touched = []
    for raw in source.pieces():
        typed = typed_sheet(raw, source.sheet, errors)
        if typed.broken:
            break
        for row, number in enumerate(typed.numbers):
            fields = _fields(session, viewer, typed, row, teller, errors)
            if fields is None:
                continue
            if fields["code"] in first:
                errors.add(
                    source.sheet.name,
                    number,
                    typed.header("code"),
                    "import.twice",
                    first=first[fields["code"]],
                )
                continue
            first[fields["code"]] = number
            there = session.scalar(select(table).where(table.code == fields["code"]))
            if there is None:
                thing = table(**fields)
                session.add(thing)
                touched.append(thing)
                new += 1
            elif not _owned(session, viewer, there):
                errors.add(source.sheet.name, number, typed.header("code"), "import.not_yours")
            elif different := [n for n, value in fields.items() if getattr(there, n) != value]:
                if not correct or _in_use(session, there, different):
                    _otherwise(errors, source, typed, number, there, fields, different[0], correct)
                    continue
                for name in different:
                    setattr(there, name, fields[name])
                touched.append(there)
                changed += 1
            else:
                same += 1
        session.flush()
    if touched and not errors:
        payload = {"new": new, "corrected": changed}
        ledger.append(
            session, organiser_id=teller, actor=viewer.actor, action="import",
            subject=table.__tablename__, payload=payload, rows=touched,
        )  # fmt: skip
    return SheetReport(source.sheet.name, new, same, changed)


def _fields(
    session: Session, viewer: Viewer, typed: TypedSheet, row: int, teller: int, errors: Errors
) -> dict[str, Any] | None:
    """The columns of a row as the table has them; None when something is wrong with it."""
    sheet, number = typed.sheet, typed.numbers[row]
    said = {column.name: typed.values(column.name)[row] for column in sheet.columns}
    if any(said[column.name] is None for column in sheet.columns if column.required):
        return None
    if sheet is SCALES:
        if said["low"] >= said["high"]:
            errors.add(
                sheet.name, number, typed.header("high"), "ratings.scale", low=said["low"], high=said["high"]
            )
            return None
        owner: int | None = teller
        if said["organiser"] is not None:
            named = select(Organiser.id).where(
                Organiser.code == said["organiser"], *visible(viewer, Organiser)
            )
            owner = session.scalar(named)
        if owner is None:
            header = typed.header("organiser")
            errors.add(
                sheet.name, number, header, "import.unknown", what="organisers", value=said["organiser"]
            )
            return None
        return {name: said[name] for name in ("code", "name", "low", "high")} | {"organiser_id": owner}
    scale = session.scalar(
        select(RatingScale.id).where(RatingScale.code == said["scale"], *visible(viewer, RatingScale))
    )
    if scale is None:
        header = typed.header("scale")
        errors.add(sheet.name, number, header, "import.unknown", what="rating_scales", value=said["scale"])
        return None
    return {"code": said["code"], "name": said["name"], "scale_id": scale}


def _owned(session: Session, viewer: Viewer, thing: Any) -> bool:
    scale = thing if isinstance(thing, RatingScale) else session.get_one(RatingScale, thing.scale_id)
    return viewer.owns(scale.organiser_id)


def _in_use(session: Session, thing: Any, different: list[str]) -> bool:
    """Whether what is to be changed gives scores their meaning, and there are scores: then it has to stay."""
    from expert_pool.registry import Rating

    if not {"low", "high", "scale_id"} & {*different}:
        return False
    scored = select(Rating.id).join(RatingCriterion, RatingCriterion.id == Rating.criterion_id).limit(1)
    if isinstance(thing, RatingScale):
        return session.scalar(scored.where(RatingCriterion.scale_id == thing.id)) is not None
    return session.scalar(scored.where(RatingCriterion.id == thing.id)) is not None


def _otherwise(
    errors: Errors,
    source: Source,
    typed: TypedSheet,
    number: int,
    there: Any,
    fields: Mapping[str, Any],
    name: str,
    correct: bool,
) -> None:
    column = next(column.name for column in source.sheet.columns if column.field == name)
    code = "ratings.scale_in_use" if correct else "import.changed"
    old, new = str(getattr(there, name)), str(fields[name])
    errors.add(source.sheet.name, number, typed.header(column), code, old=old, new=new)
