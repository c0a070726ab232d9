"""A small office with as many raters and cases as a set of made scores needs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from bench.measurement import KEY
from expert_pool.bulk import insert_rows
from expert_pool.keys import Key
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.registry import (
    Agenda,
    Applicant,
    Case,
    Committee,
    Depth,
    Employer,
    Expert,
    Form,
    Level,
    Organiser,
    Pool,
    Specialty,
)
from expert_pool.store import open_store

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def fill(folder: Path, ratings: Ratings) -> None:
    """The registry `registry.db` in the folder: one organiser, its pool P1, a committee, everybody and every case."""
    with open_store(f"{folder}/registry.db", key=Key(KEY)) as store, store.session() as session:
        office = Organiser(code="HR", name="Made office")
        session.add(office)
        session.flush()
        pool = Pool(code="P1", name="Made pool", organiser_id=office.id)
        specialty = Specialty(
            version="1",
            code="01",
            name="Made",
            depth=Depth.SERIES,
            parent_id=None,
            since=date(2020, 1, 1),
            until=None,
        )
        employer = Employer(code="U", legal_person=True, region="Made")
        session.add_all([pool, specialty, employer])
        session.flush()
        committee = Committee(
            code="C1", name="Made", organiser_id=office.id, pool_id=pool.id, level=Level.SENIOR, form=Form.SOCIAL,
            series="01",
        )  # fmt: skip
        session.add(committee)
        session.flush()
        agenda = Agenda(code="A1", committee_id=committee.id, title="Made", season=2026)
        session.add(agenda)
        session.flush()
        names = ("id", "code", "pseudonym", "name", "region")
        people = [(n, code, code, code, "Made") for n, code in enumerate(ratings.raters, 1)]
        insert_rows(session, Expert, names, people)
        applicants = [(n, f"AP{n}", f"AP{n}") for n in range(1, len(ratings.cases) + 1)]
        insert_rows(session, Applicant, ("id", "code", "name"), applicants)
        names = (
            "id",
            "code",
            "agenda_id",
            "applicant_id",
            "specialty_id",
            "employer_id",
            "level",
            "directed",
        )
        cases = [
            (n, code, agenda.id, n, specialty.id, employer.id, Level.SENIOR, False)
            for n, code in enumerate(ratings.cases, 1)
        ]
        insert_rows(session, Case, names, cases)
