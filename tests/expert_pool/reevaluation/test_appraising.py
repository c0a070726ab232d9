"""An appraisal: who is in it, the gravest of all reasons, everything behind it, and nothing of others' records."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cycle_office import AS_OF, MadeFlag, MadeMeasurement, misbehave, on
from jsonschema import Draft202012Validator
from refused import refused
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool import records
from expert_pool.formats import schema_of
from expert_pool.reevaluation.appraisal_document import AppraisalDoc
from expert_pool.reevaluation.appraising import appraise, pools_of
from expert_pool.reevaluation.reason_words import otherwise_words, reason_words
from expert_pool.reevaluation.scheme import MEASURES, Measure, load_scheme, read_scheme, schemes
from expert_pool.registry import (
    Committee,
    Credit,
    Discipline,
    Form,
    Level,
    Membership,
    Organiser,
    Sanction,
    Step,
)
from expert_pool.viewer import Viewer
from expert_pool.words import languages

EVENTS = ("迟到", "缺席", "应回避未回避", "未答复邀请", "评分差错", "差错致评审延长", "泄露评审信息", "好事")


@pytest.mark.parametrize("seed", range(4))
def test_the_gravest_reason_names_the_proposal(sqlite_tiny: Tiny, system: Viewer, seed: int) -> None:
    """Of conduct and flags alike, expert by expert, under every scheme; and the document says the same."""
    tiny, chance = sqlite_tiny, random.Random(seed)
    misbehave(
        tiny,
        [
            (
                f"E{chance.randint(1, 12):02}",
                chance.choice(EVENTS),
                AS_OF - timedelta(days=chance.randint(0, 700)),
            )
            for _ in range(25)
        ],
    )
    measured = MadeMeasurement(tuple(MadeFlag(f"E{n:02}") for n in chance.sample(range(1, 13), 3)))
    flagged = {flag.rater for flag in measured.flags}
    with on(0), tiny.store.reading() as session:
        for name in schemes():
            scheme = load_scheme(name)
            found = appraise(session, system, "P1", scheme, AS_OF, measured=measured)
            assert found.experts == tuple(sorted(set(tiny.ids["expert"]) - {"E12"})), "E12 has left"
            for index, expert in enumerate(found.experts):
                grounds = [r.proposal.measure for r in found.conduct.reasons(int(found.who[index]))]
                grounds += [scheme.doc.measurement.proposal] * (expert in flagged)
                wanted = max(grounds, key=MEASURES.index, default=Measure.KEEP)
                proposal = found.proposal(index)
                assert proposal.measure is wanted is MEASURES[int(found.measure[index])]
                assert len(proposal.reasons) == len(grounds)
                assert proposal.by_conduct == (len(grounds) > (expert in flagged))
                rest = sorted(grounds, key=MEASURES.index)[:-1]
                assert proposal.without is (rest[-1] if rest else Measure.KEEP)
            document = found.document()
            AppraisalDoc.model_validate(document)
            Draft202012Validator(schema_of("appraisal")).validate(json.loads(json.dumps(document)))
            assert sum(found.counts().values()) == len(found)
            assert len(document["proposals"]) == len(found) - found.counts()["keep"]
            assert (
                appraise(session, system, "P1", scheme, AS_OF, measured=measured).sha256() == found.sha256()
            )


def test_every_reason_has_words(sqlite_tiny: Tiny, system: Viewer) -> None:
    """In both languages, with what would have to be otherwise."""
    misbehave(sqlite_tiny)
    measured = MadeMeasurement((MadeFlag("E07"), MadeFlag("E08", kind="of a new kind")))
    with on(0), sqlite_tiny.store.reading() as session:
        found = appraise(session, system, "P1", load_scheme("own-default"), AS_OF, measured=measured)
        for proposal in found.proposals():
            for reason in proposal.reasons:
                for lang in languages():
                    said = reason_words(reason.code, reason.figures, lang)
                    said += otherwise_words(reason.code, reason.otherwise, lang)
                    assert reason.code not in said
                    assert "—" not in said


def test_others_records_count_and_are_not_shown(sqlite_tiny: Tiny, system: Viewer) -> None:
    """Another organiser's record moves the points; its row is counted as withheld, and the hash is the same."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        other = Organiser(code="OTHER", name="别处（虚构）")
        session.add(other)
        session.flush()
        row = Credit(
            expert_id=tiny.ids["expert"]["E06"], event="泄露评审信息", points=0, holds_on=date(2026, 5, 1)
        )
        row.organiser_id = other.id
        records.record(session, system, row)
    own = Viewer("own", frozenset({tiny.organiser_id}))
    with on(0), tiny.store.reading() as session:
        scheme = load_scheme("own-default")
        mine, all_ = (
            appraise(session, viewer, "P1", scheme, AS_OF, known_at=datetime.now(UTC))
            for viewer in (own, system)
        )
        assert mine.sha256() == all_.sha256()
        (proposal,) = mine.document()["proposals"]
        assert [(reason["records"], reason["withheld"]) for reason in proposal["reasons"]] == [([], 1)] * 2
        (whole,) = all_.document()["proposals"]
        assert [reason["withheld"] for reason in whole["reasons"]] == [0, 0]
        assert pools_of(session, own, "HR") == ("P1",)
        with refused("appraisal.organiser_unknown"):
            pools_of(session, own, "OTHER")


def test_who_is_appraised(sqlite_tiny: Tiny, system: Viewer) -> None:
    """Members; those whose term ended in the period and who stayed; not who left, is banned, or is a candidate again."""
    tiny = sqlite_tiny

    def member(expert: str, step: Step, holds_on: date, until: date | None = None) -> Membership:
        row = Membership(expert_id=tiny.ids["expert"][expert], pool_id=tiny.pool_id, step=step, reason="")
        row.organiser_id, row.holds_on, row.until = tiny.organiser_id, holds_on, until
        return row

    with on(0), tiny.store.session() as session:
        records.record(session, system, member("E01", Step.ADMITTED, date(2026, 2, 1), date(2026, 6, 30)))
        records.record(session, system, member("E02", Step.LEFT, date(2026, 8, 1)))
        records.record(session, system, member("E03", Step.LEFT, date(2026, 5, 1)))
        records.record(session, system, member("E03", Step.CANDIDATE, date(2026, 8, 1)))
        records.record(session, system, member("E12", Step.ADMITTED, date(2026, 8, 1)))
        ban = Discipline(expert_id=tiny.ids["expert"]["E04"], sanction=Sanction.BAN, until=None, basis="x")
        ban.organiser_id, ban.holds_on = tiny.organiser_id, date(2026, 8, 1)
        records.record(session, system, ban)
    with on(0), tiny.store.reading() as session:
        found = appraise(session, system, "P1", load_scheme("own-default"), AS_OF)
        assert set(tiny.ids["expert"]) - set(found.experts) == {"E02", "E03", "E04"}
        ended = found.proposal(found.experts.index("E01"))
        assert (ended.measure, ended.decided_by, ended.months) == (Measure.EXIT, "two_persons", None)
        (reason,) = ended.reasons
        assert (reason.id, reason.figures["value"]) == ("term_over", "2026-06-30")
        year = appraise(session, system, "P1", load_scheme("sichuan-bid-grades"), AS_OF)
        assert "E01" in year.experts


def test_what_a_pool_of_several_committees_does_not_have_is_refused(
    sqlite_tiny: Tiny, system: Viewer
) -> None:
    """Rank belongs to a committee's series; load and availability would tell of sealed seats."""
    tiny, scheme = sqlite_tiny, load_scheme("own-default")

    def asking(fact: str) -> Any:
        text = scheme.text.replace(
            'when: {fact: trained_until, op: lt, value: "@meeting"}',
            f"when: {{fact: {fact}, op: lt, value: 1}}",
        )
        assert text != scheme.text
        return read_scheme(text.encode(), "own.yaml")

    with on(0), tiny.store.reading() as session:
        appraise(session, system, "P1", asking("rank_years"), AS_OF)
        with refused("problem.fact_unknown"):
            appraise(session, system, "P1", asking("seats_this_season"), AS_OF)
    with tiny.store.session() as session:
        first = session.scalars(select(Committee)).one()
        session.add(
            Committee(
                code="C2", name="第二（虚构）", organiser_id=first.organiser_id, pool_id=first.pool_id,
                level=Level.MID, form=Form.SOCIAL, series="law",
            )
        )  # fmt: skip
    with on(0), tiny.store.reading() as session, refused("problem.fact_unknown"):
        appraise(session, system, "P1", asking("rank_years"), AS_OF)


def test_a_lower_draw_weight_by_measurement_needs_its_months() -> None:
    """A scheme that lets flags lower the draw weight says for how long; and one that looks says nothing of months."""
    text = load_scheme("own-default").text
    lower = text.replace("  proposal: look", "  proposal: lower")
    assert lower != text
    with refused("scheme.lasting"):
        read_scheme(lower.encode(), "own.yaml")
    scheme = read_scheme(
        lower.replace("proposal: lower", "proposal: lower\n  months: 6").encode(), "own.yaml"
    )
    assert (scheme.flagged.measure, scheme.flagged.months) == (Measure.LOWER, 6)
