"""The health of the small registry's pool, counted by hand and the slow way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tiny_registry import Tiny, entered

from expert_pool import clock
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.health.document import Health
from expert_pool.reevaluation.health.picture import picture
from expert_pool.registry import (
    Committee,
    Discipline,
    Employment,
    Expert,
    Form,
    Level,
    Membership,
    Outcome,
    Pool,
    Qualification,
    Rank,
    Role,
    Sanction,
    Service,
    Skill,
    Step,
)
from expert_pool.viewer import Viewer
from solver.errors import Fault

NOW = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
TODAY = date(2026, 9, 1)
SMALL = {
    "panel_low": 3,
    "panel_high": 3,
    "group_low": 3,
    "alternates": 1,
    "quorum": "1/3",
    "deputies_high": 1,
}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


def policy(**more: Any) -> Policy:
    said = [
        {"parameter": name, "value": value, "why": "small", "by": "test", "on": TODAY}
        for name, value in (SMALL | more).items()
    ]
    return load("cn-title-jilin-2013", said)


def health(tiny: Tiny, viewer: Viewer | None = None, **more: Any) -> Health:
    asked = {"policies": policy(), "plan_seconds": 0.0, **more}
    with tiny.store.reading() as session:
        return picture(session, viewer or Viewer.system("office"), tiny.pool_id, TODAY, **asked)


def put(tiny: Tiny, *rows: Any) -> None:
    for row in rows:
        row.organiser_id, row.recorded_by, row.recorded_at = tiny.organiser_id, "office", NOW
    entered(tiny, rows)


def sat(tiny: Tiny, expert: str, on: date, outcome: Outcome = Outcome.ATTENDED) -> Service:
    return Service(
        expert_id=tiny.ids["expert"][expert],
        committee_id=tiny.committee_id,
        season=on.year,
        panel=f"S{on}",
        role=Role.MEMBER,
        outcome=outcome,
        holds_on=on,
    )


def test_the_small_pool_is_counted_right(tiny: Tiny) -> None:
    """E12 has left; odd experts work in 0101, even ones in 0102, both of specialty 010."""
    found = health(tiny)
    assert (found.members, found.drawable) == (11, 11)
    assert found.states == {"active": 11, "exited": 1}
    assert found.sectors == {"provincial": 8, "private": 3}
    (field,) = found.fields
    assert (field.specialty, field.level, field.cases, field.seats, field.peak) == (
        "010",
        "senior",
        4,
        4.0,
        4.0,
    )
    assert (field.supply, field.thin) == (11, True)  # 12 are wanted for 4 seats
    assert sum(cell.supply for cell in found.cells) == 11
    assert sum(cell.cases for cell in found.cells) == 4
    private = [cell for cell in found.cells if cell.sector == "private"]
    assert [(cell.supply, cell.cases, cell.seats, cell.thin) for cell in private] == [(3, 2, 2.0, True)]
    assert sum(band.female + band.male + band.unknown for band in found.ages) == 11
    assert sum(band.female + band.male + band.unknown for band in found.terms) == 11
    assert found.load.gini is None
    assert [note.code for note in found.notes] == ["health.few_members"]
    assert Health.model_validate_json(found.model_dump_json()) == found


def test_whoever_is_suspended_is_a_member_and_no_supply(sqlite_tiny: Tiny) -> None:
    until = TODAY + timedelta(days=90)
    put(
        sqlite_tiny,
        Discipline(
            expert_id=sqlite_tiny.ids["expert"]["E01"],
            sanction=Sanction.SUSPENSION,
            holds_on=date(2026, 8, 1),
            until=until,
            basis="x",
            revokes_id=None,
        ),
    )
    found = health(sqlite_tiny)
    assert (found.members, found.drawable, found.fields[0].supply) == (11, 10, 10)


def test_load_is_told_among_those_who_were_there_all_the_time(sqlite_tiny: Tiny) -> None:
    rows = [sat(sqlite_tiny, "E01", date(2026, 2, day)) for day in (1, 2, 3)]
    rows += [
        sat(sqlite_tiny, "E02", date(2026, 2, 4), Outcome.LATE),
        sat(sqlite_tiny, "E03", date(2026, 2, 5), Outcome.ABSENT),
    ]
    put(sqlite_tiny, *rows)
    found = health(sqlite_tiny, years=1)
    load = found.load
    assert (load.steady, load.steady_seats, load.never) == (11, 4, pytest.approx(9 / 11))
    counts = [3, 1, *[0] * 9]
    apart = sum(abs(a - b) for a in counts for b in counts)
    assert load.gini == pytest.approx(apart / (2 * 11 * 4))
    assert load.gini_by_chance is not None
    assert load.gini_by_chance.low <= load.gini_by_chance.high
    assert [(one.employer, one.seats) for one in found.concentration.most] == [("F", 4)]
    assert found.concentration.hhi == 10_000
    assert [was.seats for was in found.trend] == [0, 4]
    before = health(sqlite_tiny, years=5)
    assert before.load.steady == 0  # nobody was in the pool five years ago
    assert [was.members for was in before.trend] == [0, 0, 0, 0, 12, 11]


def candidate(
    tiny: Tiny, code: str, employer: str, *, banned: bool = False, born: date = date(1980, 1, 1)
) -> None:
    with tiny.store.session() as session:
        expert = Expert(
            code=code,
            pseudonym=tiny.store.key.pseudonym(code),
            name=code,
            gender=None,
            born=born,
            region="220000",
            national_id_sealed=None,
            national_id_mark=None,
            phone_sealed=None,
            phone_mark=None,
        )
        session.add(expert)
        session.flush()
        identity = expert.id
    since = date(2026, 1, 5)
    rows: list[Any] = [
        Membership(expert_id=identity, pool_id=tiny.pool_id, step=Step.CANDIDATE, holds_on=since, until=None),
        Employment(
            expert_id=identity,
            employer_id=tiny.ids["employer"][employer],
            main=True,
            holds_on=since,
            until=None,
        ),
        Qualification(expert_id=identity, series="engineering", rank=Rank.FULL_SENIOR, holds_on=since),
        Skill(
            expert_id=identity,
            specialty_id=tiny.ids["specialty"]["0101"],
            proficiency=3,
            holds_on=since,
            until=None,
        ),
    ]
    if banned:
        rows.append(
            Discipline(
                expert_id=identity,
                sanction=Sanction.BAN,
                holds_on=since,
                until=None,
                basis="x",
                revokes_id=None,
            )
        )
    put(tiny, *rows)


def test_candidates_are_listed_and_those_who_may_not_come_only_counted(sqlite_tiny: Tiny) -> None:
    candidate(sqlite_tiny, "X1", "F")
    candidate(sqlite_tiny, "X2", "U")
    candidate(sqlite_tiny, "X3", "F", banned=True)
    candidate(sqlite_tiny, "X4", "F", born=date(1950, 1, 1))
    found = health(sqlite_tiny).invitations
    assert (found.candidates, found.of_sector, found.barred) == (4, 1, 2)
    assert [(one.expert, one.thin, one.title) for one in found.listed] == [("X1", ["010"], 4)]
    everybody = health(sqlite_tiny, invite_sector=None).invitations
    assert [one.expert for one in everybody.listed] == ["X1", "X2"]


def test_the_plan_asks_for_what_the_meeting_lacks_and_puts_who_fits_first(sqlite_tiny: Tiny) -> None:
    """Once the private experts have left, a third of three seats asks for one, and for another should that one not come."""
    candidate(sqlite_tiny, "X1", "F")
    candidate(sqlite_tiny, "X2", "U")
    enough = health(sqlite_tiny, plan_seconds=600.0).plan
    assert (enough.status, enough.proven) == ("none_needed", True)
    with sqlite_tiny.store.session() as session:
        for code in ("E01", "E02", "E03"):
            identity = sqlite_tiny.ids["expert"][code]
            session.add(
                Membership(
                    expert_id=identity,
                    pool_id=sqlite_tiny.pool_id,
                    step=Step.LEFT,
                    holds_on=date(2026, 8, 1),
                    until=None,
                    organiser_id=sqlite_tiny.organiser_id,
                    recorded_by="office",
                    recorded_at=NOW,
                )
            )
    found = health(sqlite_tiny, plan_seconds=600.0, policies=policy(private_share="1/3"), invite_sector=None)
    assert (found.plan.status, found.plan.count, found.plan.bound, found.plan.proven) == ("found", 2, 2, True)
    assert sum(profile.count for profile in found.plan.profiles) == 2
    assert {(profile.facts["sector"], *profile.committees) for profile in found.plan.profiles} == {
        ("private", "C1")
    }
    assert [one.needs for one in found.plan.meetings] == [2]
    first, second = found.invitations.listed
    assert (first.expert, second.expert, second.fills) == ("X1", "X2", [])
    assert all(found.plan.profiles[n].specialty == "0101" for n in first.fills)


def test_what_a_viewer_may_not_see_is_unknown(sqlite_tiny: Tiny) -> None:
    stranger = Viewer("stranger", frozenset({sqlite_tiny.organiser_id + 1}))
    with pytest.raises(Fault, match=r"health\.pool_unknown"):
        health(sqlite_tiny, stranger)


def test_a_day_to_come_and_years_out_of_range_are_refused(sqlite_tiny: Tiny) -> None:
    with sqlite_tiny.store.reading() as session, pytest.raises(Fault, match=r"health\.future"):
        picture(session, Viewer.system("office"), sqlite_tiny.pool_id, TODAY + timedelta(days=1))
    with pytest.raises(Fault, match=r"health\.years"):
        health(sqlite_tiny, years=0)


def test_a_pool_that_nobody_draws_on_says_so(sqlite_tiny: Tiny) -> None:
    with sqlite_tiny.store.session() as session:
        session.add(Pool(code="P9", name="空库", organiser_id=sqlite_tiny.organiser_id))
    with sqlite_tiny.store.reading() as session:
        identity = session.scalars(select(Pool.id).where(Pool.code == "P9")).one()
    with sqlite_tiny.store.reading() as session, pytest.raises(Fault, match=r"health\.no_committee"):
        picture(session, Viewer.system("office"), identity, TODAY)


def test_looking_back_sees_what_was_known_then(sqlite_tiny: Tiny) -> None:
    """That E12 left on 1 March was recorded on the second."""
    with sqlite_tiny.store.reading() as session:
        asked = (session, Viewer.system("office"), sqlite_tiny.pool_id, date(2026, 3, 1))
        early = picture(*asked, datetime(2026, 3, 1, 12, tzinfo=UTC), policies=policy(), plan_seconds=0)
        late = picture(*asked, NOW, policies=policy(), plan_seconds=0)
    assert (early.members, late.members) == (12, 11)


def test_an_empty_pool_is_told_as_empty(sqlite_tiny: Tiny) -> None:
    with sqlite_tiny.store.session() as session:
        pool = Pool(code="P9", name="空库", organiser_id=sqlite_tiny.organiser_id)
        session.add(pool)
        session.flush()
        body = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
        session.add(
            Committee(code="C9", name="空", organiser_id=sqlite_tiny.organiser_id, pool_id=pool.id, **body)
        )
        identity = pool.id
    with sqlite_tiny.store.reading() as session:
        found = picture(session, Viewer.system("office"), identity, TODAY, policies=policy())
    assert (found.members, found.cells, found.fields, found.plan.status) == (0, [], [], "unasked")
    assert found.load.gini is None
    assert [year.left for year in found.forecast] == [0] * 5


def test_candidates_are_measured_in_the_series_of_the_committee_that_needs_them(sqlite_tiny: Tiny) -> None:
    """A committee of another series, the first by code, does not hide their titles."""
    entered(
        sqlite_tiny,
        [
            Committee(
                code="A0",
                name="Another series",
                organiser_id=sqlite_tiny.organiser_id,
                pool_id=sqlite_tiny.pool_id,
                level=Level.SENIOR,
                form=Form.SOCIAL,
                series="teaching",
            )
        ],
    )
    candidate(sqlite_tiny, "X1", "F")
    found = health(
        sqlite_tiny, plan_seconds=600.0, policies={"C1": policy(private_share="2/3"), "A0": policy()}
    )
    (profile,) = found.plan.profiles
    (listed,) = found.invitations.listed
    assert (profile.committees, listed.title, listed.fills) == (["C1"], 4, [0])
