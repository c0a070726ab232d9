"""Facts on a date: every fact once, seen from several days and moments, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from refused import refused
from tiny_registry import Tiny

from expert_pool.facts import PoolFacts, facts_on
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Absence,
    Agenda,
    Applicant,
    Case,
    Committee,
    Credit,
    Discipline,
    EmployerLink,
    EmployerSector,
    Employment,
    Expert,
    Form,
    Level,
    LinkKind,
    Meeting,
    Membership,
    Organiser,
    Outcome,
    PanelRecord,
    PanelState,
    Qualification,
    Rank,
    Recorded,
    Role,
    Sanction,
    Seat,
    Sector,
    Service,
    Skill,
    Specialty,
    SpecialtyMapping,
    Step,
    Training,
)
from expert_pool.registry import Depth as SpecialtyDepth
from expert_pool.specialties import as_columns
from expert_pool.viewer import Viewer

LATER = datetime(2026, 8, 1, tzinfo=UTC)
MEETING = date(2026, 9, 20)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load("cn-title-jilin-2013")


class Registry:
    """The small registry, with rows added to it, and questions about single experts."""

    def __init__(self, tiny: Tiny, policy: Policy) -> None:
        self.tiny, self.policy = tiny, policy
        self.viewer = Viewer.system("office")

    def add(self, kind: Any, expert: str | None = None, /, **fields: Any) -> int:
        """A new row; records get an owner and a moment, an expert is named by code."""
        with self.tiny.store.session() as session:
            if expert is not None:
                fields["expert_id"] = self.tiny.ids["expert"][expert]
            row = kind(**fields)
            if isinstance(row, Recorded):
                row.organiser_id = row.organiser_id or self.tiny.organiser_id
                row.recorded_at, row.recorded_by = row.recorded_at or LATER, "office"
            session.add(row)
            session.flush()
            identity: int = row.id
            return identity

    def facts(self, on: date = MEETING, known_at: datetime | None = None, **more: Any) -> PoolFacts:
        with self.tiny.store.reading() as session:
            return facts_on(
                session,
                self.viewer,
                committee_id=more.pop("committee_id", self.tiny.committee_id),
                on=on,
                known_at=known_at or datetime(2026, 9, 1, tzinfo=UTC),
                policy=more.pop("policy", self.policy),
                **more,
            )

    def fact(self, expert: str, name: str, on: date = MEETING, **more: Any) -> Any:
        facts = self.facts(on, **more)
        return facts.facts[name].show(facts.codes.index(expert))


@pytest.fixture
def registry(tiny: Tiny, policy: Policy) -> Registry:
    return Registry(tiny, policy)


@pytest.fixture
def sqlite_registry(sqlite_tiny: Tiny, policy: Policy) -> Registry:
    return Registry(sqlite_tiny, policy)


def test_everybody_ever_admitted_is_there_in_the_order_of_pseudonyms(registry: Registry) -> None:
    """Also who has left; not who is only a candidate; everybody only from their admission on."""
    new = registry.add(
        Expert,
        code="E99",
        pseudonym="P-A",
        name="新（虚构）",
        gender=None,
        born=None,
        region="",
        national_id_sealed=None,
        national_id_mark=None,
        phone_sealed=None,
        phone_mark=None,
    )
    step = {"pool_id": registry.tiny.pool_id, "until": None}
    registry.add(Membership, expert_id=new, step=Step.CANDIDATE, holds_on=date(2026, 5, 1), **step)
    facts = registry.facts()
    assert sorted(facts.codes) == [f"E{n:02}" for n in range(1, 13)]
    assert list(facts.pseudonyms) == sorted(facts.pseudonyms)
    registry.add(Membership, expert_id=new, step=Step.ADMITTED, holds_on=date(2026, 8, 1), **step)
    assert "E99" in registry.facts().codes
    assert "E99" not in registry.facts(on=date(2026, 7, 31)).codes
    assert registry.facts(on=date(2025, 1, 9)).codes == ()


def test_plain_facts_of_the_small_registry(registry: Registry) -> None:
    """What the hand-made rows say of E02 (a private firm's) and E11 (in a department of the university)."""
    facts = registry.facts()
    shown = {
        code: {name: column.show(facts.codes.index(code)) for name, column in facts.facts.items()}
        for code in ("E02", "E11", "E12")
    }
    assert shown["E02"] == {
        "state": "active",
        "in_pool": True,
        "term_until": "2028-01-09",
        "trained_until": "2027-01-09",
        "credit": 95,
        "rank": 4,
        "rank_years": 14,
        "age": 59,
        "employer": "F",
        "sector": "private",
        "region": "220100",
        "gender": "male",
        "available": True,
        "consecutive_terms": 0,
        "years_since_served": None,
        "seats_this_season": 0,
        "applicant": False,
    }
    assert [shown["E11"][name] for name in ("employer", "sector", "region")] == ["U", "provincial", "220000"]
    assert [shown["E12"][name] for name in ("state", "in_pool", "rank")] == ["exited", False, 3]


def test_what_is_not_known_is_missing(sqlite_registry: Registry) -> None:
    """No birth date, no gender, no title in the series, no employment on the day, no passed course."""
    with sqlite_registry.tiny.store.session() as session:
        expert = session.get_one(Expert, sqlite_registry.tiny.ids["expert"]["E05"])
        expert.born = expert.gender = None
    names = ("age", "gender", "rank", "rank_years", "employer", "sector", "region", "trained_until")
    facts = sqlite_registry.facts(on=date(2025, 1, 10), known_at=datetime(2025, 1, 10, 2, tzinfo=UTC))
    at = facts.codes.index("E05")
    assert [facts.facts[name].show(at) for name in names[:2]] == [None, None]
    with sqlite_registry.tiny.store.session() as session:
        for kind in (Qualification, Employment, Training):
            for row in session.query(kind):
                row.void = True
    assert [sqlite_registry.fact("E05", name) for name in names] == [None] * 8


def test_rank_is_the_highest_in_the_committees_series(sqlite_registry: Registry) -> None:
    """Years count from its award; titles of other series and of later days do not count."""
    r = sqlite_registry
    title = {"series": "engineering", "rank": Rank.FULL_SENIOR}
    r.add(Qualification, "E12", **title, holds_on=date(2023, 9, 21))
    r.add(Qualification, "E12", **title | {"series": "medicine"}, holds_on=date(2000, 1, 1))
    assert [r.fact("E12", name) for name in ("rank", "rank_years")] == [4, 2]
    assert r.fact("E12", "rank_years", on=date(2026, 9, 21)) == 3


def test_age_counts_full_years(sqlite_registry: Registry) -> None:
    """E05 was born on 5 January 1970."""
    ages = [sqlite_registry.fact("E05", "age", on=date(2027, 1, d)) for d in (4, 5)]
    assert ages == [56, 57]


def test_the_employment_that_counts(sqlite_registry: Registry) -> None:
    """Main before others, then the longest held; only those of the day; the last day counts."""
    r, ids = sqlite_registry, sqlite_registry.tiny.ids["employer"]
    since, open_ended = date(2001, 1, 1), {"until": None}
    r.add(Employment, "E01", employer_id=ids["U"], main=False, holds_on=since, **open_ended)
    assert r.fact("E01", "employer") == "F"
    r.add(Employment, "E02", employer_id=ids["U"], main=True, holds_on=since, until=date(2026, 9, 20))
    assert r.fact("E02", "employer") == "U"
    assert r.fact("E02", "employer", on=date(2026, 9, 21)) == "F"


def test_an_employer_is_its_legal_person_of_the_day(registry: Registry) -> None:
    """A department moves, the firm is merged into the university, the university's sector changes."""
    r, ids = registry, registry.tiny.ids["employer"]
    merged = {"other_id": ids["U"], "kind": LinkKind.MERGED_INTO, "until": None}
    r.add(EmployerLink, employer_id=ids["F"], holds_on=date(2026, 6, 1), **merged)
    r.add(EmployerSector, employer_id=ids["U"], sector=Sector.CENTRAL, holds_on=date(2026, 7, 1))
    for on, said in (
        (date(2026, 5, 31), ["F", "private", "220100"]),
        (date(2026, 6, 30), ["U", "provincial", "220000"]),
        (date(2026, 7, 1), ["U", "central", "220000"]),
    ):
        assert [r.fact("E01", name, on=on) for name in ("employer", "sector", "region")] == said
    assert r.fact("E01", "employer", known_at=LATER - timedelta(seconds=1)) == "F"


def test_training_counts_until_its_last_day(sqlite_registry: Registry) -> None:
    """The longest of the passed courses; a failed one is none; never longer than the policy says."""
    r = sqlite_registry
    r.add(Training, "E01", course="b", passed=False, holds_on=date(2026, 1, 1), until=date(2029, 1, 1))
    assert r.fact("E01", "trained_until") == "2027-01-09"
    r.add(Training, "E01", course="c", passed=True, holds_on=date(2026, 1, 1), until=date(2028, 12, 31))
    assert r.fact("E01", "trained_until") == "2028-12-31"
    short = _terms(r.policy, training_years=1)
    assert r.fact("E01", "trained_until", policy=short) == "2026-12-31"


def test_credit_counts_the_points_of_the_window(sqlite_registry: Registry) -> None:
    """The base of the policy, the points of its years (of all times without), whoever recorded them."""
    r = sqlite_registry
    other = r.add(Organiser, code="OTHER", name="别处", parent_id=None)
    r.add(Credit, "E01", event="缺席", points=-20, holds_on=date(2026, 9, 20), organiser_id=other)
    r.add(Credit, "E01", event="迟到", points=-10, holds_on=date(2023, 9, 20))
    r.add(Credit, "E01", event="迟到", points=-1, holds_on=date(2026, 9, 21))
    assert r.fact("E01", "credit", policy=_terms(r.policy, credit_years=None)) == 70
    assert r.fact("E01", "credit", policy=_terms(r.policy, credit_years=3)) == 80
    assert r.fact("E01", "credit", policy=_terms(r.policy, credit_years=3), on=date(2026, 9, 19)) == 90
    assert r.fact("E01", "credit", policy=_terms(r.policy, credit_base=50, credit_years=3)) == 30


def test_a_term_ends_with_the_policys_years(sqlite_registry: Registry) -> None:
    """The recorded term runs to 9 January 2028; a policy of two years ends it a year before."""
    r = sqlite_registry
    two = _terms(r.policy, term_years=2)
    assert r.fact("E01", "term_until", policy=two) == "2027-01-09"
    assert r.fact("E01", "state", policy=two, on=date(2027, 1, 9)) == "active"
    assert r.fact("E01", "state", policy=two, on=date(2027, 1, 10)) == "exited"
    none = _terms(r.policy, term_years=None)
    assert r.fact("E01", "state", policy=none, on=date(2028, 1, 10)) == "exited"


def test_sanctions_of_any_organiser_count(registry: Registry) -> None:
    """A ban by somebody else shows as the state, whoever asks about the own committee."""
    r = registry
    other = r.add(Organiser, code="OTHER", name="别处", parent_id=None)
    ban = {"sanction": Sanction.BAN, "until": None, "basis": "泄密", "organiser_id": other}
    r.add(Discipline, "E03", holds_on=date(2026, 7, 1), revokes_id=None, **ban)
    r.viewer = Viewer("clerk", frozenset({r.tiny.organiser_id}))
    assert r.fact("E03", "state") == "banned"
    assert r.fact("E03", "in_pool") is True
    assert r.fact("E03", "state", on=date(2026, 6, 30)) == "active"
    assert r.fact("E03", "state", known_at=LATER - timedelta(seconds=1)) == "active"


def test_absence_and_other_panels_of_the_day_keep_busy(registry: Registry) -> None:
    """Absent from the first to the last day; a service elsewhere that day; not one of this very sitting."""
    r = registry
    r.add(Absence, "E01", holds_on=date(2026, 9, 10), until=date(2026, 9, 20), reason="出国")
    elsewhere = _second_committee(r)
    service = {"season": 2026, "panel": "X", "role": Role.MEMBER, "outcome": Outcome.ATTENDED}
    r.add(Service, "E02", committee_id=elsewhere, holds_on=MEETING, **service)
    r.add(Service, "E03", committee_id=r.tiny.committee_id, holds_on=MEETING, **service)
    away = service | {"outcome": Outcome.ABSENT, "role": Role.ALTERNATE}
    r.add(Service, "E04", committee_id=elsewhere, holds_on=MEETING, **away)
    free = [r.fact(expert, "available") for expert in ("E01", "E02", "E03", "E04", "E05")]
    assert free == [False, False, True, True, True]
    assert [r.fact(e, "state") for e in ("E02", "E03")] == ["seated", "active"]
    assert [r.fact("E01", "available", on=date(2026, 9, d)) for d in (9, 21)] == [True, True]


def test_service_history(registry: Registry) -> None:
    """Terms in a row pass over seasons without a sitting; years since any committee; seats of this season."""
    r = registry
    elsewhere = _second_committee(r)
    sat = {"role": Role.MEMBER, "outcome": Outcome.ATTENDED}
    for expert, seasons in (("E01", (2021, 2023, 2025)), ("E02", (2023, 2025)), ("E03", (2021, 2023))):
        for season in seasons:
            r.add(
                Service,
                expert,
                committee_id=r.tiny.committee_id,
                season=season,
                panel=f"C1-{season}",
                holds_on=date(season, 10, 1),
                **sat,
            )
    missed = {"committee_id": r.tiny.committee_id, "season": 2025, "panel": "C1-2025"}
    r.add(Service, "E03", **missed, holds_on=date(2025, 10, 1), role=Role.MEMBER, outcome=Outcome.ABSENT)
    other = {"committee_id": elsewhere, "season": 2026, "panel": "C2-2026", "holds_on": date(2026, 6, 1)}
    r.add(Service, "E04", **other, **sat | {"outcome": Outcome.LATE})
    r.add(Service, "E05", **other, role=Role.MEMBER, outcome=Outcome.DECLINED)
    for name, expected in (
        ("consecutive_terms", [3, 2, 0, 0, 0]),
        ("years_since_served", [0, 0, 2, 0, None]),
        ("seats_this_season", [0, 0, 0, 1, 0]),
    ):
        assert [r.fact(f"E0{n}", name) for n in range(1, 6)] == expected, name
    previous = r.facts().previous
    assert [(p.id, p.on, p.size) for p in previous] == [
        ("C1-2025", date(2025, 10, 1), 2),
        ("C1-2023", date(2023, 10, 1), 3),
        ("C1-2021", date(2021, 10, 1), 2),
    ]
    facts = r.facts()
    assert {facts.codes[i] for i in facts.previous[0].members} == {"E01", "E02"}
    early = r.facts(on=date(2023, 10, 1), known_at=datetime(2026, 9, 1, tzinfo=UTC))
    assert early.codes == ()  # nobody was in the pool yet
    assert [(p.id, p.members, p.size) for p in early.previous] == [("C1-2021", frozenset(), 2)]


def test_seats_still_to_come_are_load(registry: Registry) -> None:
    """The governing panel of another meeting counts: the approved one, else the last asked for; no proposals."""
    r = registry
    elsewhere = _second_committee(r)
    agenda = r.add(Agenda, code="A2", committee_id=elsewhere, title="二", season=2026)
    meeting = r.add(Meeting, code="M2", agenda_id=agenda, on=MEETING, place="")

    def panel(code: str, expert: str, at: int, approved: int | None = None, fileable: bool = True) -> None:
        made = r.add(
            PanelRecord,
            code=code,
            meeting_id=meeting,
            organiser_id=r.tiny.organiser_id,
            state=PanelState.APPROVED if approved else PanelState.PROPOSED,
            policy="p",
            problem_sha256="",
            problem=b"",
            answer="",
            fileable=fileable,
            requested_at=datetime(2026, 8, at, tzinfo=UTC),
            requested_by="x",
            approved_at=datetime(2026, 8, approved, tzinfo=UTC) if approved else None,
            approved_by=None,
        )
        r.add(Seat, expert, panel_id=made, group="g", role=Role.MEMBER, call_order=None, open_on=MEETING)

    def loads(day: int) -> list[tuple[bool, int]]:
        facts = r.facts(known_at=datetime(2026, 8, day, tzinfo=UTC))
        at = [facts.codes.index(code) for code in ("E01", "E02", "E03")]
        free, seats = facts.facts["available"], facts.facts["seats_this_season"]
        return [(bool(free.show(i)), int(seats.show(i) or 0)) for i in at]

    panel("M2-P1", "E01", 1)
    panel("M2-P2", "E02", 2, approved=5)
    panel("M2-P3", "E03", 3)
    panel("M2-P4", "E03", 4, fileable=False)
    busy, idle = (False, 1), (True, 0)
    assert loads(1) == [busy, idle, idle]
    assert loads(2) == [idle, busy, idle]
    assert loads(4) == [idle, idle, busy]
    assert loads(5) == [idle, busy, idle]
    assert r.fact("E02", "state") == "active"  # its seal opens on the day
    assert r.fact("E02", "state", known_at=datetime(2026, 9, 20, 12, tzinfo=UTC)) == "seated"
    service = {"season": 2026, "panel": "M2-P2", "role": Role.MEMBER, "holds_on": MEETING}
    r.add(Service, "E02", committee_id=elsewhere, outcome=Outcome.ABSENT, **service)
    assert loads(5) == [idle, idle, idle]


def test_applicants_of_the_season(sqlite_registry: Registry) -> None:
    """On any agenda of the season, whoever reviews it."""
    r, ids = sqlite_registry, sqlite_registry.tiny.ids
    elsewhere = _second_committee(r)
    agenda = r.add(Agenda, code="A2", committee_id=elsewhere, title="二", season=2026)
    applicant = r.add(Applicant, code="AP9", name="申", expert_id=ids["expert"]["E07"])
    r.add(
        Case,
        code="K9",
        agenda_id=agenda,
        applicant_id=applicant,
        specialty_id=ids["specialty"]["0101"],
        employer_id=ids["employer"]["U"],
        level=Level.SENIOR,
        directed=False,
    )
    assert r.fact("E07", "applicant") is True
    assert r.fact("E08", "applicant") is False
    assert r.fact("E07", "applicant", season=2025) is False


def test_skills_are_read_in_the_catalogue_of_the_day(sqlite_registry: Registry) -> None:
    """A split code becomes both new ones from its day, an unmapped one the entry of the same code; the latest counts."""
    r, ids = sqlite_registry, sqlite_registry.tiny.ids["specialty"]
    entry = {"version": "2026", "depth": SpecialtyDepth.SUB_SPECIALTY, "until": None}
    since = date(2026, 6, 1)
    new = [
        r.add(Specialty, **entry, code=f"02{n}", name=f"新{n}", parent_id=ids["010"], since=since)
        for n in (1, 2)
    ]
    for target in new:
        r.add(SpecialtyMapping, old_id=ids["0101"], new_id=target, since=since)
    same = r.add(Specialty, **entry, code="0102", name="焊接（新版）", parent_id=ids["010"], since=since)
    r.add(Skill, "E02", specialty_id=same, proficiency=1, holds_on=date(2026, 8, 1), until=date(2026, 8, 31))
    r.add(Skill, "E04", specialty_id=ids["0102"], proficiency=1, holds_on=date(2026, 8, 1), until=None)

    def held(expert: str, on: date) -> list[tuple[str, str, int]]:
        facts = r.facts(on=on)
        at = facts.codes.index(expert)
        specialties, skills, _ = as_columns(facts.catalogue, facts.held, [])
        return [
            (specialties.code[s], specialties.broad[s], p)
            for e, s, p in zip(skills.expert, skills.specialty, skills.proficiency, strict=True)
            if e == at
        ]

    assert held("E01", date(2026, 5, 31)) == [("0101", "010", 2)]
    assert held("E01", MEETING) == [("021", "010", 2), ("022", "010", 2)]
    assert held("E02", MEETING) == [("0102", "010", 3)]
    assert held("E04", date(2026, 7, 31)) == [("0102", "010", 2)]
    assert held("E04", MEETING) == [("0102", "010", 1)]


def test_a_committee_that_is_not_the_viewers_is_unknown(sqlite_registry: Registry) -> None:
    sqlite_registry.viewer = Viewer("stranger", frozenset({99}))
    with refused("facts.committee_unknown"):
        sqlite_registry.facts()


def test_corrections_count_from_the_moment_they_are_known(sqlite_registry: Registry) -> None:
    """A training recorded wrongly, corrected later: each moment sees what was known then."""
    r = sqlite_registry
    wrong = {"course": "x", "passed": True, "holds_on": date(2026, 7, 1)}
    old = r.add(
        Training, "E01", **wrong, until=date(2030, 1, 1), recorded_at=datetime(2026, 7, 2, tzinfo=UTC)
    )
    right = {"until": date(2027, 7, 1), "corrects_id": old, "recorded_at": datetime(2026, 7, 9, tzinfo=UTC)}
    r.add(Training, "E01", **wrong, **right)
    known = [(1, "2027-01-09"), (2, "2030-01-01"), (8, "2030-01-01"), (9, "2027-07-01")]
    for day, until in known:
        moment = datetime(2026, 7, day, 1, tzinfo=UTC)
        assert r.fact("E01", "trained_until", on=date(2026, 7, 1), known_at=moment) == until


def test_the_row_behind_a_fact_is_named(sqlite_registry: Registry) -> None:
    """And nothing where there is none."""
    r = sqlite_registry
    row = r.add(Absence, "E01", holds_on=date(2026, 9, 10), until=date(2026, 9, 20), reason="")
    facts = r.facts()
    table, rows = facts.behind["available"]
    at = facts.codes.index("E01")
    assert table == "absence"
    assert rows[at] == row
    assert (rows[[i for i in range(12) if i != at]] < 0).all()


def _second_committee(r: Registry) -> int:
    return r.add(
        Committee,
        code="C2",
        name="第二评委会",
        organiser_id=r.tiny.organiser_id,
        pool_id=r.tiny.pool_id,
        level=Level.SENIOR,
        form=Form.SOCIAL,
        series="engineering",
    )


def _terms(policy: Policy, **changed: int | None) -> Policy:
    from dataclasses import replace

    return replace(policy, terms=replace(policy.terms, **changed))
