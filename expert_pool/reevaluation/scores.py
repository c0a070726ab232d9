"""Written scores out of the registry, as arrays to measure raters by. Ballots are never among them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import not_, select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.columns import fetch, rows_where, rows_where_standing
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.registry import (
    Agenda,
    Case,
    Committee,
    Employer,
    EmployerSector,
    Employment,
    Expert,
    Organiser,
    Pool,
    Rating,
    RatingCriterion,
    RatingScale,
    Sector,
)
from expert_pool.viewer import Viewer, counted, visible
from solver.errors import Fault
from solver.facts import Ints, Mask

KINDS = ("employer", "region", "sector")
"""What a rater and a case may have in common."""


def pool_ratings(
    session: Session,
    viewer: Viewer,
    pool: str | None,
    since: date,
    until: date,
    known_at: datetime | None = None,
    *,
    organiser: str | None = None,
    scale: str | None = None,
) -> Ratings | None:
    """The scores of cases before committees that draw on a pool (code), or of an organiser's committees, given from `since`
    to `until`, as known at a moment; with `own`, the scores of cases from the rater's own employer, region and sector.
    Raters, cases and criteria by their codes, years as periods. None: there are none.

    Scores on different scales do not go together: `scale` (code) says which; without, the one with most scores is taken,
    and `elsewhere` counts the others. Raises Fault `ratings.pool_unknown`, `ratings.organiser_unknown`,
    `ratings.scale_unknown`.
    """
    moment = known_at or clock.now()
    rows = _rows(session, viewer, since, until, moment)
    cases = _cases(session, viewer, pool, organiser)
    rows = rows_where(rows, np.isin(rows["case"], cases["case"]))
    if not len(rows["row"]):
        return None
    chosen, low, high, criteria = _scale(session, viewer, rows["criterion"], scale)
    inside = np.isin(rows["criterion"], criteria)
    elsewhere = int((~inside).sum())
    rows = rows_where(rows, inside)
    if not len(rows["row"]):
        return None
    case_ids, case = np.unique(rows["case"], return_inverse=True)
    rater_ids, rater = np.unique(rows["rater"], return_inverse=True)
    criterion_ids, criterion = np.unique(rows["criterion"], return_inverse=True)
    order = np.lexsort((rater, criterion, case))
    case, rater, criterion = case[order], rater[order], criterion[order]
    own = _own(session, viewer, until, moment, cases, case_ids[case], rater_ids[rater])
    return Ratings(
        _codes(session, Case, case_ids),
        _codes(session, Expert, rater_ids),
        _codes(session, RatingCriterion, criterion_ids),
        low,
        high,
        case,
        rater,
        criterion,
        rows["score"][order] - low,
        rows["on"][order].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970,
        own,
        chosen,
        elsewhere,
    )


def _rows(session: Session, viewer: Viewer, since: date, until: date, moment: datetime) -> dict[str, Ints]:
    """The scores of the viewer's organisers that stand; of scores told twice by different rows, the latest."""
    columns = {
        "row": Rating.id,
        "case": Rating.case_id,
        "rater": Rating.rater_id,
        "criterion": Rating.criterion_id,
        "score": Rating.score,
        "on": Rating.holds_on,
    }
    dated = (Rating.holds_on >= since, Rating.holds_on <= until, Rating.recorded_at <= moment)
    rows, _ = fetch(session, columns, (*dated, not_(Rating.void), *visible(viewer, Rating)))
    rows = rows_where_standing(session, Rating, rows, moment)
    order = np.lexsort((rows["row"], rows["criterion"], rows["rater"], rows["case"]))
    keys = [rows[name][order] for name in ("case", "rater", "criterion")]
    last = np.ones(len(order), dtype=bool)
    last[:-1] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return rows_where(rows, order[last])


def _cases(session: Session, viewer: Viewer, pool: str | None, organiser: str | None) -> dict[str, Ints]:
    """The cases asked for, with their employers."""
    conditions: list[Any] = [Case.agenda_id == Agenda.id, Agenda.committee_id == Committee.id]
    if pool is not None:
        number = session.scalar(select(Pool.id).where(Pool.code == pool, *visible(viewer, Pool)))
        if number is None:
            raise Fault("ratings.pool_unknown", pool)
        conditions.append(Committee.pool_id == number)
    if organiser is not None:
        owner = session.scalar(
            select(Organiser.id).where(Organiser.code == organiser, *visible(viewer, Organiser))
        )
        if owner is None:
            raise Fault("ratings.organiser_unknown", organiser)
        conditions.append(Committee.organiser_id == owner)
    rows, _ = fetch(
        session, {"case": Case.id, "employer": Case.employer_id}, [*conditions, *visible(viewer, Case)]
    )
    return rows


def _scale(
    session: Session, viewer: Viewer, used: Ints, asked: str | None
) -> tuple[str, int, int, list[int]]:
    """The scale to take, its range, and its criteria."""
    rows = session.execute(
        select(RatingCriterion.id, RatingScale.code, RatingScale.low, RatingScale.high)
        .join(RatingScale, RatingScale.id == RatingCriterion.scale_id)
        .where(*visible(viewer, RatingScale))
    ).all()
    numbers, counts = np.unique(used, return_counts=True)
    number_of = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    by_scale: dict[tuple[str, int, int], int] = {}
    for id_, code, low, high in rows:
        by_scale[code, low, high] = by_scale.get((code, low, high), 0) + number_of.get(id_, 0)
    if asked is not None:
        by_scale = {scale: count for scale, count in by_scale.items() if scale[0] == asked}
        if not by_scale:
            raise Fault("ratings.scale_unknown", asked)
    code, low, high = min(by_scale, key=lambda scale: (-by_scale[scale], scale))
    return code, low, high, [row.id for row in rows if row.code == code]


def _codes(session: Session, table: Any, ids: Ints) -> tuple[str, ...]:
    rows, words = fetch(session, {"id": table.id}, [], {"code": table.code})
    codes = dict(zip(rows["id"].tolist(), words["code"], strict=True))
    return tuple(codes[id_] for id_ in ids.tolist())


def _own(
    session: Session,
    viewer: Viewer,
    on: date,
    moment: datetime,
    cases: Mapping[str, Ints],
    case: Ints,
    rater: Ints,
) -> dict[str, Mask]:
    """By kind, the scores (cases and raters by id) given to cases of the rater's own: as employments, regions and sectors
    stand on the last day."""
    size = int(max(cases["case"].max(), case.max())) + 1
    employer_of = np.full(size, -1, dtype=np.int64)
    employer_of[cases["case"]] = cases["employer"]
    theirs = employer_of[case]
    working = {"row": Employment.id, "expert": Employment.expert_id, "employer": Employment.employer_id}
    during = (Employment.holds_on <= on, Employment.recorded_at <= moment, not_(Employment.void))
    open_ = (Employment.until.is_(None)) | (Employment.until >= on)
    rows, _ = fetch(session, working, (*during, open_, *counted(viewer, Employment)))
    rows = rows_where_standing(session, Employment, rows, moment)
    top = int(max(rows["employer"].max(initial=0), theirs.max(initial=0))) + 1
    same = np.isin(rater * top + theirs, rows["expert"] * top + rows["employer"])
    sector = _sectors(session, viewer, on, moment, top)
    region = _regions(session, Employer, top)
    people = int(max(rater.max(initial=0), rows["expert"].max(initial=0))) + 1
    job = np.full(people, -1, dtype=np.int64)
    job[rows["expert"]] = rows["employer"]
    mine = job[rater]
    at = np.where(mine >= 0, mine, 0)
    known = mine >= 0
    return {
        "employer": same,
        "region": known & (region[at] >= 0) & (region[at] == region[theirs]),
        "sector": known & (sector[at] >= 0) & (sector[at] == sector[theirs]),
    }


def _sectors(session: Session, viewer: Viewer, on: date, moment: datetime, size: int) -> Ints:
    """By employer id its sector on a day, -1 where it is not known."""
    from expert_pool.columns import place

    columns = {
        "row": EmployerSector.id,
        "employer": EmployerSector.employer_id,
        "sector": place(EmployerSector.sector, Sector),
        "since": EmployerSector.holds_on,
    }
    where = (EmployerSector.holds_on <= on, EmployerSector.recorded_at <= moment, not_(EmployerSector.void))
    rows, _ = fetch(session, columns, (*where, *counted(viewer, EmployerSector)))
    rows = rows_where_standing(session, EmployerSector, rows, moment)
    rows = rows_where(rows, rows["employer"] < size)
    found = np.full(size, -1, dtype=np.int64)
    order = np.lexsort((rows["row"], rows["since"]))
    found[rows["employer"][order]] = rows["sector"][order]
    return found


def _regions(session: Session, table: Any, size: int) -> Ints:
    """By employer id its region as a number, -1 where it has none."""
    rows, words = fetch(session, {"id": table.id}, [table.id < size], {"region": table.region})
    names, number = np.unique(np.array(words["region"] or [""], dtype=object), return_inverse=True)
    found = np.full(size, -1, dtype=np.int64)
    if len(rows["id"]):
        found[rows["id"]] = np.where(names[number] == "", -1, number)
    return found


__all__ = ["KINDS", "pool_ratings"]
