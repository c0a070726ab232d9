"""Bringing files into the registry: read, judge everything, then write all of it or nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.imports.checks import check
from expert_pool.imports.known import code_of, known_links, known_records, known_things, subject_fields
from expert_pool.imports.plan import Plan, aim_revocations, by_day, plan_records, plan_things
from expert_pool.imports.read import read_sheets
from expert_pool.imports.report import Errors, ImportReport, SheetReport
from expert_pool.imports.resolve import Draft, Importer, resolve
from expert_pool.imports.typed import TypedSheet, type_sheets
from expert_pool.imports.write import write
from expert_pool.keys import Key
from expert_pool.privacy.erasure import is_erased
from expert_pool.privacy.marks import Marker, marker
from expert_pool.store import Store, Undone
from expert_pool.viewer import Viewer
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

_ONE_AT_A_TIME = 0x696D706F7274  # one number for pg_advisory_xact_lock


def import_tables(
    store: Store,
    viewer: Viewer,
    path: str | Path,
    *,
    dry_run: bool = False,
    organiser: str | None = None,
    correct: bool = False,
    report: Reporter = silent,
) -> ImportReport:
    """Bring a folder of `<sheet>.csv`, one CSV file, or one workbook into the registry, all of it or nothing.

    Records without an owner of their own belong to `organiser` (a code; else the viewer's only organiser, else
    the only one without a parent). A row that says otherwise than the registry is an error, unless `correct`:
    then a record gets a correction row, and a thing is changed in place. What is wrong with the rows comes back in
    the report, and nothing is written; `dry_run` does everything but keep it.

    Raises Fault when the file cannot be read at all: `import.no_such_file`, `import.folder_without_csv`,
    `import.unknown_kind_of_file`, `import.damaged`, `import.cut_off`, `import.encoding`, `import.csv_malformed`,
    `import.too_large`, `import.no_rows`; and `import.collided` when another writer was in the way.
    """
    from expert_pool.reevaluation.score_import import import_scores
    from expert_pool.reevaluation.score_sheets import sources_of

    place = Path(path)
    if sources := sources_of(place):  # written scores: too many to hold, so they are read piece by piece
        return import_scores(
            store, viewer, sources, dry_run=dry_run, organiser=organiser, correct=correct, report=report
        )
    with _no_collector():
        return _import(
            store, place, Importer(viewer, organiser, clock.today(), clock.now()), dry_run, correct, report
        )


def _import(
    store: Store, place: Path, importer: Importer, dry_run: bool, correct: bool, report: Reporter
) -> ImportReport:
    errors = Errors()
    raws = read_sheets(place)
    total = 2 * sum(len(raw.rows) for raw in raws)
    if not total and all(raw.headers for raw in raws):
        raise Fault("import.no_rows", str(place))
    report(Progress("import", 0, total))
    typed = type_sheets(raws, errors)
    source = _fingerprint(typed)
    del raws
    try:
        with store.session() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
            plans, teller = _judge(session, store.key, typed, importer, correct, errors)
            report(Progress("import", total // 2, total))
            if not errors and teller is not None:
                wrote = _Counter(report, total // 2, total)
                write(session, store.key, importer, plans, teller, source, wrote)
            if errors or dry_run:
                raise Undone
    except IntegrityError as trouble:
        raise Fault("import.collided", str(place)) from trouble
    report(Progress("import", total, total))
    counts = (SheetReport(p.draft.sheet.name, len(p.new), p.same, len(p.corrected)) for p in plans)
    return ImportReport(() if errors else tuple(counts), errors.sorted(), dry_run)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector from walking, again and again, through millions of cells that make no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Counter:
    """Tells how far the writing has come."""

    def __init__(self, report: Reporter, done: int, total: int) -> None:
        self._report, self._done, self._total = report, done, total

    def __call__(self, rows: int) -> None:
        self._done += rows
        self._report(Progress("import", self._done, self._total))


def _judge(
    session: Session,
    key: Key,
    typed: Mapping[str, TypedSheet],
    importer: Importer,
    correct: bool,
    errors: Errors,
) -> tuple[list[Plan], int | None]:
    """What is to be done with every row, and the organiser who tells of it; all that is wrong goes to `errors`."""
    viewer = importer.viewer
    marks = _marks(typed.get("experts"), marker(session, key))
    seen = {mark for mark in marks["national_id_mark"] if mark}
    known = known_things(session, viewer, typed, seen, importer.organiser)
    resolved = resolve(typed, known, importer, errors)
    if "experts" in resolved.drafts:
        resolved.drafts["experts"].fields.update(marks)
    links = known_links(session, viewer) if "employer_links" in typed else []
    check(resolved, known, importer, links, errors)
    codes = partial(code_of, session)
    plans = []
    for draft in resolved.drafts.values():
        if draft.sheet.recorded:
            plans.append(_plan_records(session, draft, importer, correct, errors))
        else:
            plans.append(plan_things(draft, known, correct, codes, errors))
            if draft.sheet.name == "experts":
                _keep_erased(session, plans[-1], errors)
    return plans, resolved.teller


def _keep_erased(session: Session, plan: Plan, errors: Errors) -> None:
    """Refuse to bring back what was erased."""
    erased = is_erased(session, set(plan.corrected.values()))
    typed = plan.draft.typed
    for row, id_ in plan.corrected.items():
        if id_ in erased:
            errors.add("experts", typed.numbers[row], typed.header("code"), "import.erased")


def _plan_records(session: Session, draft: Draft, importer: Importer, correct: bool, errors: Errors) -> Plan:
    subjects = {
        id_
        for name in subject_fields(draft.sheet)
        for id_ in draft.fields[name]
        if id_ is not None and id_ > 0
    }
    records = known_records(session, importer.viewer, draft.sheet, subjects)
    codes = partial(code_of, session)
    if draft.sheet.name != "disciplines":
        return plan_records(draft, records, correct, codes, errors)
    plan = plan_records(draft, by_day(records), correct, codes, errors)
    aim_revocations(plan, records, errors)
    return plan


def _marks(experts: TypedSheet | None, mark: Marker) -> dict[str, list[Any]]:
    """The marks by which sealed fields are compared and found."""
    return {
        f"{name}_mark": [value and mark(value) for value in experts.values(name)] if experts else []
        for name in ("national_id", "phone")
    }


def _fingerprint(typed: Mapping[str, TypedSheet]) -> str:
    """A hash over everything the sheets say, the same whatever kind of file said it."""
    digest = sha256()
    for name, sheet in typed.items():
        digest.update(repr((name, sorted(sheet.columns))).encode())
        for column in sorted(sheet.columns):
            digest.update("\x1f".join(map(str, sheet.columns[column])).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


__all__ = ["import_tables"]
