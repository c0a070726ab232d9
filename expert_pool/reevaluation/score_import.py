"""Bringing written scores into the registry: piece by piece in one transaction, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.bulk import insert_rows
from expert_pool.imports.report import Errors, ImportReport, SheetReport
from expert_pool.imports.typed import TypedSheet, typed_sheet
from expert_pool.privacy.erasure import is_erased
from expert_pool.reevaluation.score_sheets import CRITERIA, RATINGS, SCALES, Source
from expert_pool.reevaluation.score_things import Criterion, bring_things, criteria_of, teller_of
from expert_pool.registry import Case, Expert, Organiser, Rating
from expert_pool.store import Store, Undone, allocate
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault
from solver.facts import Ints
from solver.progress import Progress, Reporter, silent

T = TypeVar("T")

MOST_ERRORS = 1_000
"""So many are told; what comes after is not judged."""
ASKED = 500
"""Codes or ids named in one statement."""
_NAMES = (
    "id",
    "case_id",
    "rater_id",
    "criterion_id",
    "score",
    "source",
    "holds_on",
    "recorded_at",
    "recorded_by",
    "void",
    "organiser_id",
    "corrects_id",
)
_COMPARED = ("id", "case_id", "rater_id", "criterion_id", "score", "source", "holds_on", "void")
Key = tuple[int, int, int]
"""A case, a rater, a criterion, by id."""


def import_scores(
    store: Store,
    viewer: Viewer,
    sources: Sequence[Source],
    *,
    dry_run: bool = False,
    organiser: str | None = None,
    correct: bool = False,
    report: Reporter = silent,
) -> ImportReport:
    """Bring scales, criteria and scores into the registry, as `import_tables` does, with a report row by row; memory does not
    grow with the number of scores. A score told already, otherwise, is an error, unless `correct`: then a new row corrects
    the old one. Raises Fault where a file cannot be read at all, and `import.no_rows`."""
    errors, counts = Errors(), []
    with store.session() as session:
        teller = teller_of(session, viewer, organiser, errors)
        if teller is not None:
            ledger.hold(session, teller)
            for source in sources:
                if source.sheet in (SCALES, CRITERIA):
                    counts.append(bring_things(session, viewer, source, teller, correct, errors))
                else:
                    counts.append(_Ratings(session, viewer, source, teller, correct, errors).bring(report))
        if not errors and not any(one.new + one.same + one.corrected for one in counts):
            raise Fault("import.no_rows", str(sources[0].path))
        if errors or dry_run:
            raise Undone
    return ImportReport(() if errors else tuple(counts), errors.sorted(), dry_run)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A score that stands in the registry, or (`taken_back`) did."""

    id: int
    said: tuple[Any, ...]
    taken_back: bool


class _Ratings:
    """One sheet of scores on its way into the registry."""

    def __init__(
        self, session: Session, viewer: Viewer, source: Source, teller: int, correct: bool, errors: Errors
    ) -> None:
        self.session, self.viewer, self.source = session, viewer, source
        self.teller, self.correct, self.errors = teller, correct, errors
        self.now, self.today = clock.now(), clock.today()
        self.known: dict[str, dict[str, int | None]] = {"case": {}, "rater": {}, "organiser": {}}
        self.criteria: Mapping[str, Criterion] = criteria_of(session, viewer)
        self.new = self.same = self.corrected = 0
        self.ids: list[Ints] = []
        self.numbers: list[Ints] = []
        self.digest = sha256()

    def bring(self, report: Reporter) -> SheetReport:
        """Judge and write piece by piece."""
        done = 0
        for raw in self.source.pieces():
            typed = typed_sheet(raw, RATINGS, self.errors)
            if typed.broken:
                break
            for row in raw.rows:
                self.digest.update("\x1f".join(row).encode("utf-8", "surrogatepass"))
            self._piece(typed)
            done += len(typed)
            report(Progress("import", done=done))
            if self.errors.count > MOST_ERRORS:
                self.errors.add(RATINGS.name, typed.numbers[-1], "", "ratings.more_errors", most=MOST_ERRORS)
                break
        return SheetReport(RATINGS.name, self.new, self.same, self.corrected)

    def _piece(self, typed: TypedSheet) -> None:
        cases = self._found(typed, "case", Case)
        raters = self._found(typed, "rater", Expert)
        owners = self._owners(typed)
        criteria = [self.criteria.get(code) if code else None for code in typed.values("criterion")]
        self._unknown(typed, "criterion", criteria)
        erased = is_erased(self.session, {rater for rater in raters if rater is not None})
        scores, days, sources = (typed.values(name) for name in ("score", "holds_on", "source"))
        moments = typed.values("recorded_at")
        stored = self._stored({case for case in cases if case is not None})
        first: dict[Key, int] = {}
        ready: list[tuple[Any, ...]] = []
        for row, number in enumerate(typed.numbers):
            case, rater, criterion, score = cases[row], raters[row], criteria[row], scores[row]
            day, source, owner, moment = days[row], sources[row], owners[row], moments[row]
            if day is not None and day > self.today:
                self._error(typed, row, "holds_on", "import.future", value=day.isoformat())
                continue
            if moment is not None and moment > self.now:
                self._error(typed, row, "recorded_at", "import.future", value=moment.isoformat())
                continue
            if case is None or rater is None or criterion is None or None in (score, day, source, owner):
                continue  # said already
            if not criterion.low <= score <= criterion.high:
                self._error(
                    typed, row, "score", "ratings.row_out_of_scale",
                    score=score, low=criterion.low, high=criterion.high, criterion=criterion.code,
                )  # fmt: skip
                continue
            if rater in erased:
                self._error(typed, row, "rater", "import.erased")
                continue
            key = (case, rater, criterion.id)
            if key in first:
                self._error(typed, row, "case", "import.twice", first=first[key])
                continue
            first[key] = number
            corrects = self._against(typed, row, stored.get(key), (score, source, day))
            if corrects is not None:
                said = (*key, score, source, day, moment or self.now)
                ready.append((number, *said, owner, corrects or None))
        self._write(ready)

    def _against(
        self, typed: TypedSheet, row: int, there: _Stored | None, said: tuple[Any, ...]
    ) -> int | None:
        """What a row corrects: 0 for nothing, as it is new; None when it is not to be written."""
        if there is None:
            return 0
        if self.ids and there.id >= int(self.ids[0][0]):
            self._error(typed, row, "case", "import.twice", first=self._number_of(there.id))
        elif there.taken_back:
            self._error(typed, row, "case", "import.taken_back")
        elif there.said == said:
            self.same += 1
        elif self.correct:
            return there.id
        else:
            columns = zip(("score", "source", "holds_on"), there.said, said, strict=True)
            name, old, new = next(each for each in columns if each[1] != each[2])
            self._error(typed, row, name, "import.changed", old=str(old), new=str(new))
        return None

    def _number_of(self, id_: int) -> int:
        ids = np.concatenate(self.ids)
        return int(np.concatenate(self.numbers)[np.searchsorted(ids, id_)])

    def _write(self, ready: Sequence[tuple[Any, ...]]) -> None:
        if not ready:
            return
        given = allocate(self.session, Rating, len(ready))
        rows = []
        for id_, (_, *said, owner, corrects) in zip(given, ready, strict=True):
            rows.append((id_, *said, self.viewer.actor, False, owner, corrects))
        insert_rows(self.session, Rating, _NAMES, rows)
        self.ids.append(np.array(given))
        self.numbers.append(np.array([row[0] for row in ready]))
        corrected = sum(row[-1] is not None for row in ready)
        self.corrected += corrected
        self.new += len(ready) - corrected
        if self.errors:
            return  # nothing of it will stay
        by_owner: dict[int, list[int]] = {}
        for id_, row in zip(given, ready, strict=True):
            by_owner.setdefault(row[-2], []).append(id_)
        for owner, mine in by_owner.items():
            ledger.append(
                self.session,
                organiser_id=owner,
                actor=self.viewer.actor,
                action="import",
                subject=Rating.__tablename__,
                payload={"source": self.digest.hexdigest(), "rows": len(mine)},
                row_ids={Rating: mine},
                at=self.now,
            )

    def _stored(self, cases: Iterable[int]) -> dict[Key, _Stored]:
        """The latest row about each case, rater and criterion that the viewer may see."""
        found: dict[Key, _Stored] = {}
        for part in _parts(sorted(cases)):
            statement = (
                select(*(getattr(Rating, name) for name in _COMPARED))
                .where(Rating.case_id.in_(part), *visible(self.viewer, Rating))
                .order_by(Rating.id)
            )
            for id_, case, rater, criterion, score, source, day, void in self.session.execute(statement):
                found[case, rater, criterion] = _Stored(id_, (score, source, day), void)
        return found

    def _found(self, typed: TypedSheet, name: str, table: Any) -> list[int | None]:
        codes = typed.values(name)
        known = self.known[name]
        missing = sorted({code for code in codes if code is not None and code not in known})
        for part in _parts(missing):
            known.update(dict.fromkeys(part))
            rows = select(table.code, table.id).where(table.code.in_(part), *visible(self.viewer, table))
            known.update(dict(self.session.execute(rows).all()))
        found = [known[code] if code is not None else None for code in codes]
        self._unknown(typed, name, found)
        return found

    def _owners(self, typed: TypedSheet) -> list[int | None]:
        if "organiser" not in typed.columns:
            return [self.teller] * len(typed)
        found = self._found(typed, "organiser", Organiser)
        codes = typed.values("organiser")
        return [self.teller if code is None else id_ for code, id_ in zip(codes, found, strict=True)]

    def _unknown(self, typed: TypedSheet, name: str, found: Sequence[Any]) -> None:
        what = RATINGS.column(name).to
        for row, (code, thing) in enumerate(zip(typed.values(name), found, strict=True)):
            if code is not None and thing is None:
                self._error(typed, row, name, "import.unknown", what=what, value=code)

    def _error(self, typed: TypedSheet, row: int, name: str, code: str, **params: Any) -> None:
        self.errors.add(RATINGS.name, typed.numbers[row], typed.header(name), code, **params)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[start : start + ASKED] for start in range(0, len(values), ASKED))
