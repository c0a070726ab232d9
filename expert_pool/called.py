"""What things are called that records name by their codes, as far as a viewer may know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool.directory import seen
from expert_pool.recorded import employer_names
from expert_pool.registry import Committee, Expert, Pool, Specialty
from expert_pool.viewer import Viewer, visible


def called(
    session: Session, viewer: Viewer, codes: Mapping[str, Collection[str]], on: date
) -> dict[tuple[str, str], str]:
    """Names by (sheet, code), `codes` being codes by sheet: experts, employers (as called on a day), specialties (by the
    latest catalogue that has them), committees, pools. Of others nothing is said."""
    found: dict[tuple[str, str], str] = {}
    for sheet, wanted in codes.items():
        if sheet == "employers":
            names = employer_names(session, viewer, wanted, on)
        elif sheet == "experts":
            rows = session.execute(
                select(Expert.code, Expert.name).where(Expert.code.in_(wanted), *seen(viewer))
            )
            names = dict(rows.all())
        elif sheet == "specialties":
            asked = select(Specialty.code, Specialty.name).where(Specialty.code.in_(wanted))
            names = dict(session.execute(asked.order_by(Specialty.since, Specialty.id)).all())
        elif sheet in ("committees", "pools"):
            table = Committee if sheet == "committees" else Pool
            listed = select(table.code, table.name).where(table.code.in_(wanted), *visible(viewer, table))
            names = dict(session.execute(listed).all())
        else:
            continue
        found |= {(sheet, code): name for code, name in names.items()}
    return found
