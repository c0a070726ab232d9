"""A small registry made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.orm import Session

from expert_pool import ledger
from expert_pool.registry import (
    Agenda,
    Applicant,
    Case,
    Committee,
    Credit,
    Depth,
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
    Pool,
    Qualification,
    Rank,
    Recorded,
    Sector,
    Skill,
    Specialty,
    Step,
    Table,
    Training,
)
from expert_pool.store import Store

SMALL: dict[str, int | str] = {
    "panel_low": 3,
    "panel_high": 3,
    "group_low": 3,
    "alternates": 1,
    "quorum": "1/3",
    "deputies_high": 1,
}
"""Numbers of a preset that fit twelve experts."""


@dataclass
class Tiny:
    """A province's committee with twelve experts (E01..E12), two employers (one with a department), four cases.

    Ids by code in `ids[table][code]`. All was recorded on 10 January 2025, with effect from then or before, and
    attested. The meeting M1 is on 20 September 2026. E11 works in the department of the university (legal person
    U), E12 has left the pool.
    """

    store: Store
    organiser_id: int
    committee_id: int
    pool_id: int
    agenda_id: int
    meeting_id: int
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    recorded_at: datetime = datetime(2025, 1, 10, 1, 0, tzinfo=UTC)
    meets_on: date = date(2026, 9, 20)


def build_tiny(store: Store) -> Tiny:
    """Fill an empty registry with the small one."""
    with store.session() as session:
        return _Builder(session, store).build()


def entered(tiny: Tiny, rows: Sequence[Table]) -> None:
    """Add records, with the ledger entry that attests them."""
    with tiny.store.session() as session:
        session.add_all(rows)
        session.flush()
        ledger.append(
            session,
            organiser_id=tiny.organiser_id,
            actor="office",
            action="import",
            subject="records",
            payload={},
            rows=rows,
        )


class _Builder:
    def __init__(self, session: Session, store: Store) -> None:
        self.session, self.store, self.rows = session, store, list[Table]()
        self.at = datetime(2025, 1, 10, 1, 0, tzinfo=UTC)
        self.organiser = self.add(Organiser(code="HR", name="省人社厅（虚构）"))

    def add(self, row: Any) -> Any:
        if isinstance(row, Recorded):
            row.recorded_at, row.recorded_by = row.recorded_at or self.at, "office"
            row.organiser_id = row.organiser_id or self.organiser.id
        self.session.add(row)
        self.session.flush()
        self.rows.append(row)
        return row

    def build(self) -> Tiny:
        add, since = self.add, date(2025, 1, 10)
        pool = add(Pool(code="P1", name="工程专家库", organiser_id=self.organiser.id))
        committee = add(
            Committee(
                code="C1",
                name="工程系列高级评委会",
                organiser_id=self.organiser.id,
                pool_id=pool.id,
                level=Level.SENIOR,
                form=Form.SOCIAL,
                series="engineering",
            )
        )
        for kind in FilingKind:
            filing = {"reference": f"备案〔2025〕{kind}", "holds_on": since, "until": date(2027, 12, 31)}
            add(Filing(kind=kind, committee_id=committee.id, **filing))
        specialties = self.specialties()
        employers = self.employers()
        experts = [self.expert(n, pool, specialties, employers) for n in range(1, 13)]
        gone = {"until": None, "reason": "本人申请", "holds_on": date(2026, 3, 1)}
        add(
            Membership(
                expert_id=experts[11].id,
                pool_id=pool.id,
                step=Step.LEFT,
                recorded_at=datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
                **gone,
            )
        )
        agenda = add(Agenda(code="A1", committee_id=committee.id, title="2026 年度评审", season=2026))
        for n, (specialty, employer) in enumerate(
            [("0101", "U"), ("0101", "F"), ("0102", "U"), ("0102", "F")], start=1
        ):
            applicant = add(Applicant(code=f"AP{n}", name=f"申报人{n}（虚构）", expert_id=None))
            add(
                Case(
                    code=f"K{n}",
                    agenda_id=agenda.id,
                    applicant_id=applicant.id,
                    specialty_id=specialties[specialty].id,
                    employer_id=employers[employer].id,
                    level=Level.SENIOR,
                )
            )
        meeting = add(Meeting(code="M1", agenda_id=agenda.id, on=date(2026, 9, 20), place="长春"))
        ledger.append(
            self.session,
            organiser_id=self.organiser.id,
            actor="office",
            action="import",
            subject="tiny",
            payload={"rows": len(self.rows)},
            rows=self.rows,
            at=self.at,
        )
        ids: dict[str, dict[str, int]] = {}
        for row in self.rows:
            if code := getattr(row, "code", None):
                ids.setdefault(row.__tablename__, {})[code] = row.id
        return Tiny(
            self.store,
            self.organiser.id,
            committee.id,
            pool.id,
            agenda.id,
            meeting.id,
            ids=ids,
            recorded_at=self.at,
        )

    def specialties(self) -> dict[str, Specialty]:
        """Series engineering (01) > specialty 010 > sub-specialties 0101, 0102, 0103; version 2024."""
        tree = [("01", "工程", Depth.SERIES, None), ("010", "机械", Depth.SPECIALTY, "01")]
        tree += [
            (f"010{n}", name, Depth.SUB_SPECIALTY, "010")
            for n, name in ((1, "物联网"), (2, "焊接"), (3, "制图"))
        ]
        made: dict[str, Specialty] = {}
        for code, name, depth, parent in tree:
            row = {"version": "2024", "code": code, "name": name, "depth": depth, "since": date(2024, 1, 1)}
            made[code] = self.add(Specialty(**row, parent_id=made[parent].id if parent else None, until=None))
        return made

    def employers(self) -> dict[str, Employer]:
        """U, a provincial university with the department UD, and F, a private firm."""
        made: dict[str, Employer] = {}
        start = date(2010, 1, 1)
        for code, legal, region, name in (
            ("U", True, "220000", "省理工大学（虚构）"),
            ("UD", False, "220000", "省理工大学机械系（虚构）"),
            ("F", True, "220100", "长白机器有限公司（虚构）"),
        ):
            made[code] = self.add(Employer(code=code, legal_person=legal, region=region))
            self.add(
                EmployerName(
                    employer_id=made[code].id, kind=NameKind.OFFICIAL, name=name, holds_on=start, until=None
                )
            )
        for code, sector in (("U", Sector.PROVINCIAL), ("F", Sector.PRIVATE)):
            self.add(EmployerSector(employer_id=made[code].id, sector=sector, holds_on=start))
        link = {"kind": LinkKind.PART_OF, "holds_on": start, "until": None}
        self.add(EmployerLink(employer_id=made["UD"].id, other_id=made["U"].id, **link))
        return made

    def expert(
        self, n: int, pool: Pool, specialties: dict[str, Specialty], employers: dict[str, Employer]
    ) -> Expert:
        """Odd numbers work in 0101, even ones in 0102; the first three for the firm, the rest for the university."""
        code, since, key = f"E{n:02}", date(2025, 1, 10), self.store.key
        expert: Expert = self.add(
            Expert(
                code=code,
                pseudonym=key.pseudonym(code),
                name=f"专家{n}（虚构）",
                gender=Gender.FEMALE if n % 3 == 0 else Gender.MALE,
                born=date(1965 + n, 1, n),
                region="220000",
                national_id_sealed=key.seal(f"22010119{65 + n}01{n:02}001X"),
                national_id_mark=key.mark(f"22010119{65 + n}01{n:02}001X"),
                phone_sealed=None,
                phone_mark=None,
            )
        )
        rank = Rank.FULL_SENIOR if n <= 8 else Rank.DEPUTY_SENIOR
        employer = employers["F" if n <= 3 else "UD" if n == 11 else "U"]
        who = {"expert_id": expert.id}
        self.add(Qualification(**who, series="engineering", rank=rank, holds_on=date(2012, 6, 1)))
        self.add(Employment(**who, employer_id=employer.id, main=True, holds_on=date(2010, 1, 1), until=None))
        specialty = specialties["0101" if n % 2 else "0102"]
        self.add(Skill(**who, specialty_id=specialty.id, proficiency=1 + n % 3, holds_on=since, until=None))
        self.add(
            Membership(
                **who, pool_id=pool.id, step=Step.ADMITTED, holds_on=since, until=date(2028, 1, 9), reason=""
            )
        )
        self.add(Training(**who, course="2025 培训", passed=True, holds_on=since, until=date(2027, 1, 9)))
        if n == 2:
            self.add(Credit(**who, event="迟到", points=-5, holds_on=since))
        return expert
