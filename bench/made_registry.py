"""A registry of any size, made straight in the database: every record attested, a ledger of as many entries as asked.

Not the import path, whose reports are for tens of thousands of rows. About ten records an expert, one pool for every
28,000 experts, 1 record in 200 corrected; records stand in the order in which they were recorded, so that those of
one expert are scattered as in a registry that grew for years.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.random import Generator
from sqlalchemy import func, select

from bench.made_ledger import attest
from expert_pool import clock
from expert_pool.bulk import insert_rows
from expert_pool.region.names import name_people, national_ids
from expert_pool.registry import (
    Absence,
    Agenda,
    Applicant,
    Case,
    Committee,
    Credit,
    Depth,
    Discipline,
    Employer,
    EmployerLink,
    EmployerName,
    EmployerSector,
    Employment,
    Expert,
    Filing,
    FilingKind,
    Form,
    Gender,
    Level,
    LinkKind,
    Meeting,
    Membership,
    NameKind,
    Organiser,
    Outcome,
    Pool,
    Qualification,
    Rank,
    Relation,
    RelationKind,
    Role,
    Sanction,
    Sector,
    Service,
    Skill,
    Specialty,
    Step,
    Table,
    Training,
)  # fmt: skip
from expert_pool.store import Store, allocate, open_store, upgrade
from solver.facts import EPOCH, Ints

POOL = 28_000
SERIES, SPECIALTIES, SUBS = 27, 10, 5
CASES = 120
_CHUNK = 100_000
_DAYS = [EPOCH + timedelta(days=n) for n in range(-365 * 50, 365 * 70)]


def _day(number: int) -> date:
    return _DAYS[number + 365 * 50]


class Maker:
    """Fills one store; `say` is told what was done."""

    def __init__(self, store: Store, experts: int, seed: int, say: Callable[[str], None]) -> None:
        self.store, self.experts, self.say = store, experts, say
        self.rng: Generator = np.random.default_rng(seed)
        self.today = (clock.today() - EPOCH).days
        self.pools = max(1, round(experts / POOL))
        self.employers = max(20, experts // 25)
        self.subs = SERIES * SPECIALTIES * SUBS
        self.ids: dict[type[Table], Ints] = {}

    def put(self, table: type[Table], names: str, rows: Iterator[Sequence[Any]], count: int) -> Ints:
        """Insert rows without ids in chunks; gives the ids."""
        start, found = time.perf_counter(), []
        columns = ("id", *names.split())
        for begin in range(0, count, _CHUNK):
            size = min(_CHUNK, count - begin)
            with self.store.session() as session:
                ids = allocate(session, table, size)
                insert_rows(session, table, columns, ((i, *row) for i, row in zip(ids, rows, strict=False)))
            found += ids
        self.ids[table] = np.array(found, dtype=np.int64)
        self.say(f"{table.__tablename__}: {count:,} rows, {time.perf_counter() - start:.1f} s")
        return self.ids[table]

    def record(
        self, table: type[Table], names: str, on: Ints, owner: Ints, columns: Sequence[Sequence[Any]]
    ) -> None:
        """Records in the order of their recording, one in 200 corrected by an equal one a month later."""
        lag = self.rng.integers(0, 40, len(on))
        known = np.minimum(on + lag, self.today - 1)
        order = np.argsort(known, kind="stable")
        twice = np.sort(self.rng.choice(len(on), len(on) // 200, replace=False))
        of = np.concatenate([order, order[twice]])
        first = self._next(table)
        corrects = [None] * len(order) + [int(first + i) for i in twice]
        when = np.concatenate([known[order], np.minimum(known[order][twice] + 30, self.today - 1)])
        seconds = self.rng.integers(0, 86_400, len(of))

        def rows() -> Iterator[Sequence[Any]]:
            for at, k, s, c in zip(of.tolist(), when.tolist(), seconds.tolist(), corrects, strict=True):
                moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=k, seconds=s)
                yield (
                    *(column[at] for column in columns),
                    _day(int(on[at])), moment, "office", False, int(owner[at]), c,
                )  # fmt: skip

        names = f"{names} holds_on recorded_at recorded_by void organiser_id corrects_id"
        got = self.put(table, names, rows(), len(of))
        assert got[0] == first, "another writer was at it"

    def _next(self, table: type[Table]) -> int:
        with self.store.session() as session:
            return int(session.scalar(select(func.coalesce(func.max(table.id), 0))) or 0) + 1

    def all(self) -> None:
        self.bodies()
        self.catalogue()
        self.employing()
        self.people()
        self.histories()
        self.agendas()

    def bodies(self) -> None:
        n = self.pools
        orgs = self.put(
            Organiser, "code name parent_id",
            ((f"ORG{k:03}", f"第{k}组建单位", None) for k in range(n)), n,
        )  # fmt: skip
        pools = self.put(
            Pool, "code name organiser_id",
            ((f"POOL{k:03}", f"第{k}专家库", int(orgs[k])) for k in range(n)), n,
        )  # fmt: skip
        self.put(
            Committee, "code name organiser_id pool_id level form series",
            (
                (
                    f"C{k:04}", f"第{k}评审委员会", int(orgs[k // 2]), int(pools[k // 2]),
                    Level.SENIOR, Form.SOCIAL, f"{k // 2 % SERIES + 1:02}",
                )
                for k in range(2 * n)
            ),
            2 * n,
        )  # fmt: skip
        filed = [(kind, c) for c in range(2 * n) for kind in (FilingKind.POOL, FilingKind.COMMITTEE)]
        on = np.full(len(filed), self.today - 300)
        self.record(
            Filing, "kind committee_id reference until", on, orgs[np.array([c // 2 for _, c in filed])],
            (
                [kind for kind, _ in filed], [int(self.ids[Committee][c]) for _, c in filed],
                ["备案"] * len(filed), [_day(self.today + 700)] * len(filed),
            ),
        )  # fmt: skip

    def catalogue(self) -> None:
        first = self._next(Specialty)
        since = _day(self.today - 4000)
        rows: list[tuple[Any, ...]] = [
            ("2015", f"{s + 1:02}", f"系列{s}", Depth.SERIES, None, since, None) for s in range(SERIES)
        ]
        for s in range(SERIES):
            rows += [
                ("2015", f"{s + 1:02}{p + 1:02}", f"专业{s}-{p}", Depth.SPECIALTY, first + s, since, None)
                for p in range(SPECIALTIES)
            ]
        for sp in range(SERIES * SPECIALTIES):
            s, p = divmod(sp, SPECIALTIES)
            rows += [
                (
                    "2015", f"{s + 1:02}{p + 1:02}{u + 1:02}", f"方向{s}-{p}-{u}", Depth.SUB_SPECIALTY,
                    first + SERIES + sp, since, None,
                )
                for u in range(SUBS)
            ]  # fmt: skip
        self.put(Specialty, "version code name depth parent_id since until", iter(rows), len(rows))

    def employing(self) -> None:
        n = self.employers
        legal = n * 7 // 10
        self.put(
            Employer, "code legal_person region",
            ((f"E{k:06}", k < legal, f"{220000 + k % 60 * 10}") for k in range(n)), n,
        )  # fmt: skip
        ids = self.ids[Employer]
        owner = self.ids[Organiser][np.arange(n) % self.pools]
        on = np.full(n, self.today - 4000)
        self.record(
            EmployerName, "employer_id kind name until", on, owner,
            (ids.tolist(), [NameKind.OFFICIAL] * n, [f"单位{k:06}" for k in range(n)], [None] * n),
        )  # fmt: skip
        sectors = list(Sector)
        self.record(
            EmployerSector, "employer_id sector", on, owner,
            (ids.tolist(), [sectors[k % len(sectors)] for k in range(n)]),
        )  # fmt: skip
        parts = np.arange(legal, n)
        above = self.rng.integers(0, legal, len(parts))
        self.record(
            EmployerLink, "employer_id other_id kind until", on[parts], owner[parts],
            (
                ids[parts].tolist(), ids[above].tolist(), [LinkKind.PART_OF] * len(parts),
                [None] * len(parts),
            ),
        )  # fmt: skip

    def people(self) -> None:
        n, key = self.experts, self.store.key
        women = self.rng.random(n) < 0.45
        born = self.today - self.rng.integers(int(30 * 365.25), int(70 * 365.25), n)
        names, numbers = name_people(self.rng, women), national_ids(born, women)
        region = self.rng.integers(0, 60, n).tolist()
        self.pool_of = self.rng.integers(0, self.pools, n)
        born_list, her = born.tolist(), women.tolist()

        def rows() -> Iterator[Sequence[Any]]:
            for k in range(n):
                code, phone = f"X{k:07}", f"100{k:08}"
                yield (
                    code, key.pseudonym(code), names[k], Gender.FEMALE if her[k] else Gender.MALE, _day(born_list[k]),
                    f"{220000 + region[k] * 10}", key.seal(numbers[k]), key.mark(numbers[k]), key.seal(phone),
                    key.mark(phone),
                )  # fmt: skip

        self.put(
            Expert,
            "code pseudonym name gender born region national_id_sealed national_id_mark phone_sealed phone_mark",
            rows(), n,
        )  # fmt: skip

    def histories(self) -> None:
        rng, n, today = self.rng, self.experts, self.today
        every, owners = np.arange(n), self.ids[Organiser]
        ids = self.ids[Expert]

        def some(mean: float) -> Ints:
            """Experts with one row each and some with more, `mean` rows on average."""
            whole = int(mean)
            parts = [every] * whole + [every[rng.random(n) < mean - whole]]
            return np.concatenate(parts)

        def put(table: type[Table], names: str, who: Ints, on: Ints, *columns: Sequence[Any]) -> None:
            self.record(
                table, f"expert_id {names}", on, owners[self.pool_of[who]], (ids[who].tolist(), *columns)
            )

        def ago(who: Ints, least: int, most: int) -> Ints:
            return today - rng.integers(least, most, len(who))

        def among(words: Sequence[Any], who: Ints) -> list[Any]:
            return [words[i] for i in rng.integers(0, len(words), len(who)).tolist()]

        who = some(1.6)
        later = np.arange(len(who)) >= n
        ranks = np.where(later, 3, rng.integers(1, 3, len(who)))
        put(
            Qualification, "series rank", who, np.where(later, ago(who, 100, 3000), ago(who, 3000, 9000)),
            [f"{p % SERIES + 1:02}" for p in self.pool_of[who].tolist()],
            [tuple(Rank)[r] for r in ranks.tolist()],
        )  # fmt: skip
        who = some(1.3)
        put(
            Employment, "employer_id main until", who, ago(who, 300, 9000),
            self.ids[Employer][rng.integers(0, self.employers, len(who))].tolist(),
            (np.arange(len(who)) < n).tolist(), [None] * len(who),
        )  # fmt: skip
        who = some(1.8)
        series = self.pool_of[who] % SERIES
        sub = series * SPECIALTIES * SUBS + rng.zipf(1.3, len(who)) % (SPECIALTIES * SUBS)
        put(
            Skill, "specialty_id proficiency until", who, ago(who, 300, 3000),
            self.ids[Specialty][SERIES + SERIES * SPECIALTIES + sub].tolist(),
            rng.integers(1, 4, len(who)).tolist(), [None] * len(who),
        )  # fmt: skip
        who = some(2.0)
        admitted = np.arange(len(who)) >= n
        on = np.where(admitted, ago(who, 10, 1300), ago(who, 1300, 1500))
        put(
            Membership, "pool_id step until reason", who, on, self.ids[Pool][self.pool_of[who]].tolist(),
            [Step.ADMITTED if a else Step.CANDIDATE for a in admitted.tolist()],
            [_day(d + 1094) if a else None for a, d in zip(admitted.tolist(), on.tolist(), strict=True)],
            [""] * len(who),
        )  # fmt: skip
        who = some(1.5)
        on = ago(who, 5, 900)
        put(
            Training, "course passed until", who, on, ["评审专家岗前培训"] * len(who),
            (rng.random(len(who)) < 0.95).tolist(), [_day(d + 730) for d in on.tolist()],
        )  # fmt: skip
        who = some(0.35)
        put(Credit, "event points", who, ago(who, 5, 1500), ["迟到"] * len(who), among((-10, -20, 5), who))
        who = some(0.006)
        on = ago(who, 5, 900)
        put(
            Discipline, "sanction until basis revokes_id", who, on,
            among((Sanction.WARNING, Sanction.SUSPENSION, Sanction.RETRAINING, Sanction.BAN), who),
            [_day(d + 400) for d in on.tolist()], ["评审纪律"] * len(who), [None] * len(who),
        )  # fmt: skip
        who = some(0.6)
        on = ago(who, 20, 2500)
        committee = self.pool_of[who] * 2 + rng.integers(0, 2, len(who))
        seasons = [_day(d).year for d in on.tolist()]
        put(
            Service, "committee_id season panel role outcome", who, on,
            self.ids[Committee][committee].tolist(), seasons,
            [f"C{c:04}-{s}-P1" for c, s in zip(committee.tolist(), seasons, strict=True)],
            [Role.MEMBER] * len(who), among((Outcome.ATTENDED,) * 8 + (Outcome.LATE, Outcome.ABSENT), who),
        )  # fmt: skip
        who = some(0.1)
        on = ago(who, 1, 900)
        put(
            Absence, "until reason", who, on, [_day(d + 60) for d in on.tolist()], ["病假"] * len(who),
        )  # fmt: skip
        who = some(0.75)
        other = np.where(
            rng.random(len(who)) < 0.7, (who + rng.integers(1, 400, len(who)) * self.pools) % n,
            rng.integers(0, n, len(who)),
        )  # fmt: skip
        other = np.where(other == who, (who + 1) % n, other)
        kinds = (RelationKind.CO_AUTHOR,) * 6 + (RelationKind.ADVISOR, RelationKind.RELATIVE)
        none = [None] * len(who)
        put(
            Relation, "kind other_expert_id applicant_id employer_id case_id since until source", who,
            ago(who, 5, 2500), among(kinds, who), ids[other].tolist(), none, none, none, none, none,
            ["论文库"] * len(who),
        )  # fmt: skip

    def agendas(self) -> None:
        rng, season = self.rng, _day(self.today).year
        committees = self.ids[Committee]
        many = len(committees)
        self.put(
            Agenda, "code committee_id title season",
            ((f"C{k:04}-{season}", int(c), f"{season} 年度", season) for k, c in enumerate(committees)), many,
        )  # fmt: skip
        self.put(
            Meeting, "code agenda_id on place",
            (
                (f"C{k:04}-{season}-M1", int(a), _day(self.today + 14 + k % 40), "")
                for k, a in enumerate(self.ids[Agenda])
            ),
            many,
        )  # fmt: skip
        count = many * CASES
        self.put(
            Applicant, "code name expert_id",
            (
                (f"A{k:06}", f"申报人{k:06}（虚构）", int(self.ids[Expert][k * 13 % self.experts]) if k % 40 == 0 else None)
                for k in range(count)
            ),
            count,
        )  # fmt: skip
        sub = (np.arange(count) // CASES // 2 % SERIES) * SPECIALTIES * SUBS + rng.zipf(1.3, count) % 50
        self.put(
            Case, "code agenda_id applicant_id specialty_id employer_id level directed",
            (
                (
                    f"K{k:06}", int(self.ids[Agenda][k // CASES]), int(self.ids[Applicant][k]),
                    int(self.ids[Specialty][SERIES + SERIES * SPECIALTIES + sub[k]]),
                    int(self.ids[Employer][k * 7 % self.employers]), Level.SENIOR, False,
                )
                for k in range(count)
            ),
            count,
        )  # fmt: skip


def make(
    url: str, *, experts: int, entries: int, seed: int = 1, revision: str = "head"
) -> Mapping[type[Table], int]:
    """Fill the empty database at `url`; gives the rows of each table."""
    begun = time.perf_counter()

    def say(done: str) -> None:
        print(f"[{time.perf_counter() - begun:7.1f} s] {done}", file=sys.stderr, flush=True)

    with open_store(url, upgrade=False) as store:
        upgrade(store, revision)
        maker = Maker(store, experts, seed, say)
        maker.all()
        attest(store, maker.ids, entries, say)
        if store.engine.dialect.name == "postgresql":
            with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("vacuum analyze")
        say("done")
        return {table: len(ids) for table, ids in maker.ids.items()}
