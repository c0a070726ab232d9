"""Committees and organisers: figures with their records, the ladder, and decisions by two people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from tiny_registry import Tiny, entered

from expert_pool import clock, ledger
from expert_pool.documents.organisation_letters import hearing_document
from expert_pool.filings import unfiled
from expert_pool.panels import approve, request
from expert_pool.reevaluation.organisation_decisions import (
    confirm,
    decide,
    decisions,
    months_after,
    record_complaint,
    record_results,
    refuse_barred,
)
from expert_pool.reevaluation.organisation_figures import late_results
from expert_pool.reevaluation.organisation_hearing import announce, find_heard, hearing, replies, reply
from expert_pool.reevaluation.organisation_scheme import (
    Indicator,
    Measure,
    load_organisation_scheme,
    organisation_schemes,
)
from expert_pool.reevaluation.organisations import (
    OrganisationAppraisal,
    appraise_organisations,
    months_before,
)
from expert_pool.reevaluation.working_days import deadline
from expert_pool.registry import (
    Meeting,
    Notice,
    OrganisationStep,
    Outcome,
    PanelRecord,
    PanelState,
    Role,
    Service,
)
from expert_pool.viewer import Viewer
from expert_pool.words import languages
from solver.errors import Fault

OWN = "own-default"
NOW = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)
TODAY = date(2026, 10, 20)
FIRST, SECOND = Viewer.system("first"), Viewer.system("second")


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


def panel(tiny: Tiny, code: str, **fields: Any) -> PanelRecord:
    known = {
        "meeting_id": tiny.meeting_id,
        "organiser_id": tiny.organiser_id,
        "state": PanelState.APPROVED,
        "policy": "cn-title-jilin-2013",
        "problem_sha256": "0" * 64,
        "problem": b"",
        "answer": '{"rules": []}',
        "fileable": True,
        "requested_at": datetime(2026, 9, 1, tzinfo=UTC),
        "requested_by": "office",
        "approved_at": datetime(2026, 9, 2, tzinfo=UTC),
        "approved_by": "head",
        **fields,
    }
    return PanelRecord(code=code, **known)


def put(tiny: Tiny, *rows: Any) -> None:
    entered(tiny, rows)


def service(tiny: Tiny, on: date, season: int) -> Service:
    return Service(
        expert_id=tiny.ids["expert"]["E04"],
        organiser_id=tiny.organiser_id,
        committee_id=tiny.committee_id,
        season=season,
        panel=f"S{season}",
        role=Role.MEMBER,
        outcome=Outcome.ATTENDED,
        holds_on=on,
        recorded_at=NOW,
        recorded_by="office",
    )


def appraised(tiny: Tiny, scheme: str | Path = OWN, as_of: date = TODAY) -> OrganisationAppraisal:
    with tiny.store.reading() as session:
        found = appraise_organisations(session, FIRST, load_organisation_scheme(scheme), as_of)
    committee, organiser = found
    assert (committee.committee, organiser.committee) == ("C1", None)
    return committee


def test_a_clean_committee_is_left_alone_and_says_what_is_missing(tiny: Tiny) -> None:
    found = appraised(tiny)
    assert (found.measure, found.reasons, found.notes) == (Measure.KEEP, (), ("organisations.no_results",))
    assert all(number == 0 and rows == () for number, rows in found.figures.values())


def test_a_panel_that_breaks_a_rule_is_rectified_and_named(sqlite_tiny: Tiny) -> None:
    broken = '{"rules": [{"id": "share", "hard": true, "holds": false}]}'
    put(
        sqlite_tiny,
        panel(sqlite_tiny, "M1-P1", answer=broken, overrides='[{"parameter": "a"}, {"parameter": "b"}]'),
    )
    found = appraised(sqlite_tiny)
    assert (found.measure, found.months) == (Measure.RECTIFY, 3)
    (reason,) = found.reasons
    assert (reason.id, dict(reason.otherwise)) == ("broken_rule", {"at_most": 0})
    ((table, row),) = reason.records
    with sqlite_tiny.store.reading() as session:
        assert (table, session.get_one(PanelRecord, row).code) == ("panel", "M1-P1")
    assert found.figures[Indicator.OVERRIDES][0] == 2


def test_a_sitting_without_a_filing_suspends_and_says_which_day(sqlite_tiny: Tiny) -> None:
    """The filings of the small registry began on 10 January 2025."""
    put(sqlite_tiny, service(sqlite_tiny, date(2025, 1, 5), 2024))
    found = appraised(sqlite_tiny)
    assert found.measure is Measure.SUSPEND
    assert found.figures[Indicator.UNFILED_SITTINGS][0] == 1
    assert {reason.id for reason in found.reasons} == {"unfiled_sitting"}


def test_panels_made_anew_on_the_day_ask_for_a_look_only(sqlite_tiny: Tiny) -> None:
    state = {"state": PanelState.REPLACED}
    late = {**state, "requested_at": datetime(2026, 9, 20, 3, tzinfo=UTC)}
    put(
        sqlite_tiny,
        panel(sqlite_tiny, "M1-P1", **state),
        *(panel(sqlite_tiny, f"M1-P{n}", **late) for n in (2, 3)),
    )
    assert appraised(sqlite_tiny).measure is Measure.KEEP
    put(sqlite_tiny, panel(sqlite_tiny, "M1-P4", requested_at=datetime(2026, 9, 21, tzinfo=UTC)))
    found = appraised(sqlite_tiny)
    assert (found.measure, found.reasons[0].id) == (Measure.LOOK, "replaced_thrice")


def results(tiny: Tiny, season: int, reviewed: int, passed: int) -> None:
    with tiny.store.session() as session:
        record_results(
            session,
            FIRST,
            "C1",
            season,
            reviewed=reviewed,
            passed=passed,
            on=date(season, 10, 1),
            reference="公示1号",
        )


def test_a_cap_counts_from_so_many_cases_on_and_a_correction_replaces(sqlite_tiny: Tiny) -> None:
    caps = "province-2018-pass-rates"
    results(sqlite_tiny, 2026, 29, 29)
    assert appraised(sqlite_tiny, caps).measure is Measure.KEEP
    results(sqlite_tiny, 2026, 100, 55)
    assert appraised(sqlite_tiny, caps).measure is Measure.KEEP
    results(sqlite_tiny, 2026, 100, 56)
    found = appraised(sqlite_tiny, caps)
    assert (found.measure, found.reasons[0].otherwise) == (Measure.RECTIFY, {"at_most": 55})
    assert found.rates[Indicator.PASS_RATE].of == 100


def test_the_same_results_once_more_change_nothing(sqlite_tiny: Tiny) -> None:
    told = {"reviewed": 10, "passed": 7, "reference": "公示1号"}
    with sqlite_tiny.store.session() as session:
        first = record_results(session, FIRST, "C1", 2025, on=date(2025, 12, 1), **told)
        again = record_results(session, FIRST, "C1", 2025, on=date(2025, 12, 1), **told)
        other = record_results(session, FIRST, "C1", 2025, on=date(2025, 12, 1), **told | {"passed": 8})
        assert (again.id, other.corrects_id) == (first.id, first.id)
        with pytest.raises(Fault, match="season_ahead"):
            record_results(session, FIRST, "C1", 2030, on=date(2025, 12, 1), **told)


def test_a_complaint_counts_when_it_is_upheld_and_once(sqlite_tiny: Tiny) -> None:
    results(sqlite_tiny, 2026, 40, 20)
    with sqlite_tiny.store.session() as session:
        for number in range(3):
            for upheld in (None, True, True) if number else (None, False):
                record_complaint(
                    session, FIRST, "C1", 2026, reference=f"信{number}", upheld=upheld, on=date(2026, 9, 28)
                )
    found = appraised(sqlite_tiny)
    assert found.figures[Indicator.COMPLAINTS_UPHELD][0] == 2
    assert found.measure is Measure.KEEP


def test_two_people_decide_and_only_then_a_measure_is_in_force(tiny: Tiny) -> None:
    put(tiny, service(tiny, date(2025, 1, 5), 2024))
    found = appraised(tiny)
    with tiny.store.session() as session:
        decision = decide(session, FIRST, found, OrganisationStep.RECTIFY, months=3, basis="省厅〔2026〕1号")
        code = decision.code
    assert appraised(tiny).standing is None
    with tiny.store.session() as session, pytest.raises(Fault, match=r"organisations\.same_person"):
        confirm(session, FIRST, code)
    with tiny.store.session() as session, pytest.raises(Fault, match=r"organisations\.reply_time_runs"):
        confirm(session, SECOND, code)
    with tiny.store.session() as session:
        reply(session, FIRST, code, "正在整改。", last=True)
        measure = confirm(session, SECOND, code)
        assert measure is not None
        assert (measure.holds_on, measure.until, measure.recorded_by) == (TODAY, date(2027, 1, 19), "second")
    with tiny.store.session() as session, pytest.raises(Fault, match=r"organisations\.closed"):
        confirm(session, SECOND, code)
    after = appraised(tiny)
    assert after.standing is not None
    assert (after.standing.step, after.measure) == (
        OrganisationStep.RECTIFY,
        Measure.KEEP,
    )  # not twice for the same
    with tiny.store.reading() as session:
        assert ledger.verify(session) == []
        assert [row.confirmed for row in decisions(session, FIRST)] == [True]
        assert decisions(session, FIRST, open_only=True) == []


def test_cause_given_again_goes_one_rung_up_and_a_lift_ends_it(sqlite_tiny: Tiny) -> None:
    put(sqlite_tiny, service(sqlite_tiny, date(2025, 1, 5), 2024))
    for step, months in ((OrganisationStep.RECTIFY, 3),):
        with sqlite_tiny.store.session() as session:
            code = decide(session, FIRST, appraised(sqlite_tiny), step, months=months, basis="x").code
        with sqlite_tiny.store.session() as session, clock.fixed(NOW + timedelta(days=20)):
            confirm(session, SECOND, code)
    with clock.fixed(NOW + timedelta(days=400)):
        today = clock.today()
        for number in range(3):
            with sqlite_tiny.store.session() as session:
                record_complaint(session, FIRST, "C1", 2027, reference=f"信{number}", upheld=True, on=today)
        found = appraised(sqlite_tiny, as_of=today)
        assert (found.measure, found.months, found.reasons[0].id) == (Measure.SUSPEND, 12, "ladder")
        assert found.reasons[0].records[0][0] == "organisation_measure"
        with sqlite_tiny.store.session() as session:
            code = decide(session, FIRST, found, OrganisationStep.SUSPEND, months=12, basis="x").code
            with pytest.raises(Fault, match=r"organisations\.open"):
                decide(session, SECOND, found, OrganisationStep.SUSPEND, months=12, basis="x")
        with sqlite_tiny.store.session() as session:
            reply(session, FIRST, code, "无异议", last=True)
            confirm(session, SECOND, code)
    with clock.fixed(NOW + timedelta(days=430)):
        today = clock.today()
        with sqlite_tiny.store.session() as session:
            code = decide(
                session, FIRST, appraised(sqlite_tiny, as_of=today), OrganisationStep.LIFT, basis="x"
            ).code
        with sqlite_tiny.store.session() as session:
            confirm(session, SECOND, code)
        assert appraised(sqlite_tiny, as_of=today).standing is None


def test_an_organisation_is_told_answers_and_is_heard_before_the_second_person(sqlite_tiny: Tiny) -> None:
    """With a letter in both languages, a notice to its office, and a last day; delegated offices answer too."""
    key = sqlite_tiny.store.key
    put(sqlite_tiny, service(sqlite_tiny, date(2025, 1, 5), 2024))
    with sqlite_tiny.store.session() as session:
        row = decide(session, FIRST, appraised(sqlite_tiny), OrganisationStep.RECTIFY, months=3, basis="依据")
        announce(session, key, row)
        announce(session, key, row)
        code, until = row.code, row.reply_until
        assert session.query(Notice).count() == 1
        assert until == deadline(TODAY, 10).day
        content = hearing(session, row)
    for lang in languages():
        paper = hearing_document(content, lang)
        assert paper == hearing_document(content, lang)
        said = "\n".join(p.text for p in Document(BytesIO(paper)).paragraphs)
        assert "依据" in said
        assert "{" not in said
        assert "organisations." not in said
    office = Viewer("office", frozenset(), committees=frozenset({sqlite_tiny.committee_id}))
    with sqlite_tiny.store.session() as session:
        first = reply(session, office, code, " 已备案。 ")
        assert reply(session, office, code, "已备案。").id == first.id
        for text, fault in (("  ", "text_missing"), ("长" * 5001, "text_long")):
            with pytest.raises(Fault, match=f"organisations.{fault}"):
                reply(session, office, code, text)
        with pytest.raises(Fault, match=r"organisations\.decision_unknown"):
            reply(session, Viewer("far", frozenset({999})), code, "x")
    assert until is not None
    with clock.fixed(NOW + (until - TODAY) + timedelta(days=1)), sqlite_tiny.store.session() as session:
        with pytest.raises(Fault, match=r"organisations\.reply_late"):
            reply(session, office, code, "再补充")
        assert confirm(session, SECOND, code) is not None
        with pytest.raises(Fault, match=r"organisations\.closed"):
            reply(session, office, code, "再补充")
    with sqlite_tiny.store.reading() as session:
        assert [one.text for one in replies(session, find_heard(session, FIRST, code))] == ["已备案。"]
        assert ledger.verify(session) == []


def decided(tiny: Tiny, step: OrganisationStep, months: int | None = None, *, refuse: bool = False) -> str:
    """A decision that was heard and closed."""
    with tiny.store.session() as session:
        row = decide(session, FIRST, appraised(tiny, as_of=clock.today()), step, months=months, basis="依据")
        code, lifts = row.code, row.reply_until is None
    with tiny.store.session() as session:
        if not lifts:
            reply(session, FIRST, code, "无异议", last=True)
        confirm(session, SECOND, code, refuse=refuse)
        announce(session, tiny.store.key, find_heard(session, FIRST, code))
        announce(session, tiny.store.key, find_heard(session, FIRST, code))
    return code


@pytest.mark.parametrize(
    ("step", "months", "refuse", "says"),
    [
        (OrganisationStep.SUSPEND, 6, False, "2027年4月19日"),
        (OrganisationStep.WITHDRAW, None, False, "收回评审权"),
        (OrganisationStep.RECTIFY, 3, True, "不生效力"),
    ],
)
def test_a_closed_decision_has_a_letter_of_its_own_and_is_told_once(
    sqlite_tiny: Tiny, step: OrganisationStep, months: int | None, refuse: bool, says: str
) -> None:
    put(sqlite_tiny, service(sqlite_tiny, date(2025, 1, 5), 2024))
    code = decided(sqlite_tiny, step, months, refuse=refuse)
    with sqlite_tiny.store.reading() as session:
        content = hearing(session, find_heard(session, FIRST, code))
        assert session.query(Notice).count() == 1
    for lang in languages():
        said = "\n".join(p.text for p in Document(BytesIO(hearing_document(content, lang))).paragraphs)
        assert "{" not in said
        assert "organisations." not in said
        assert ("2025年1月5日" in said) is (lang == "zh" and not refuse), "the day of what was found"
        assert says in said or lang != "zh"


def test_what_came_after_the_appraisal_or_was_found_after_it_still_counts(sqlite_tiny: Tiny) -> None:
    """Between the first and the second person, and a complaint of before that was upheld only then."""
    put(sqlite_tiny, service(sqlite_tiny, date(2025, 1, 5), 2024))
    with sqlite_tiny.store.session() as session:
        for number, upheld in enumerate((None, True)):
            record_complaint(
                session, FIRST, "C1", 2026, reference=f"信{number}", upheld=upheld, on=date(2026, 9, 1)
            )
        row = decide(session, FIRST, appraised(sqlite_tiny), OrganisationStep.RECTIFY, months=3, basis="x")
        code = row.code
    with clock.fixed(NOW + timedelta(days=10)), sqlite_tiny.store.session() as session:
        told = {"upheld": True, "on": date(2026, 9, 1)}
        record_complaint(session, FIRST, "C1", 2026, reference="信0", **told)
        told = {"upheld": True, "on": date(2026, 10, 25)}
        record_complaint(session, FIRST, "C1", 2026, reference="信2", **told)
    with clock.fixed(NOW + timedelta(days=20)):
        with sqlite_tiny.store.session() as session:
            confirm(session, SECOND, code)
        found = appraised(sqlite_tiny, as_of=clock.today())
        assert found.figures[Indicator.COMPLAINTS_UPHELD][0] == 2, "信0 and 信2; 信1 led to the measure"
        assert found.figures[Indicator.UNFILED_SITTINGS][0] == 0


def test_nobody_sits_for_a_committee_that_is_suspended_until_it_is_lifted(sqlite_tiny: Tiny) -> None:
    put(
        sqlite_tiny,
        panel(sqlite_tiny, "M1-P1", state=PanelState.PROPOSED, approved_at=None, approved_by=None),
    )
    decided(sqlite_tiny, OrganisationStep.RECTIFY, 3)
    with sqlite_tiny.store.reading() as session:
        refuse_barred(session, sqlite_tiny.committee_id, TODAY)
    decided(sqlite_tiny, OrganisationStep.SUSPEND, 6)
    with sqlite_tiny.store.session() as session:
        meeting = session.get_one(Meeting, sqlite_tiny.meeting_id)
        refuse_barred(session, sqlite_tiny.committee_id, date(2027, 4, 20))
        meeting.on = date(2027, 1, 5)
    with pytest.raises(Fault, match=r"organisations\.suspended"):
        approve(sqlite_tiny.store, FIRST, "M1-P1")
    with pytest.raises(Fault, match=r"organisations\.suspended"):
        request(sqlite_tiny.store, FIRST, committee="C1", meeting="M1")
    decided(sqlite_tiny, OrganisationStep.LIFT)
    approve(sqlite_tiny.store, FIRST, "M1-P1")


def test_a_refused_decision_leaves_nothing_in_force(sqlite_tiny: Tiny) -> None:
    with sqlite_tiny.store.session() as session:
        code = decide(session, FIRST, appraised(sqlite_tiny), OrganisationStep.WITHDRAW, basis="x").code
    with sqlite_tiny.store.session() as session:
        assert confirm(session, SECOND, code, refuse=True) is None
    assert appraised(sqlite_tiny).standing is None


@pytest.mark.parametrize(
    ("step", "months", "basis", "code"),
    [
        (OrganisationStep.RECTIFY, None, "x", "organisations.months"),
        (OrganisationStep.SUSPEND, 0, "x", "organisations.months"),
        (OrganisationStep.WITHDRAW, 3, "x", "organisations.months"),
        (OrganisationStep.RECTIFY, 3, "  ", "organisations.no_basis"),
        (OrganisationStep.LIFT, None, "x", "organisations.nothing_to_lift"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(
    sqlite_tiny: Tiny, step: OrganisationStep, months: int | None, basis: str, code: str
) -> None:
    found = appraised(sqlite_tiny)
    with sqlite_tiny.store.session() as session, pytest.raises(Fault, match=code):
        decide(session, FIRST, found, step, months=months, basis=basis)


def test_another_organisers_committee_is_neither_seen_nor_decided_on(sqlite_tiny: Tiny) -> None:
    stranger = Viewer("stranger", frozenset({sqlite_tiny.organiser_id + 1}))
    found = appraised(sqlite_tiny)
    with sqlite_tiny.store.session() as session:
        assert appraise_organisations(session, stranger, load_organisation_scheme(OWN), TODAY) == ()
        with pytest.raises(Fault, match=r"viewer\.not_yours"):
            decide(session, stranger, found, OrganisationStep.RECTIFY, months=3, basis="x")
        with pytest.raises(Fault, match=r"organisations\.committee_unknown"):
            record_results(session, stranger, "C1", 2026, reviewed=2, passed=1, on=TODAY)


def test_a_day_to_come_is_refused(sqlite_tiny: Tiny) -> None:
    with pytest.raises(Fault, match=r"organisations\.future"):
        appraised(sqlite_tiny, as_of=TODAY + timedelta(days=1))


def test_schemes_hold_together_and_mistakes_are_named_with_their_line(tmp_path: Path) -> None:
    assert {OWN, "hebei-2023"} <= set(organisation_schemes())
    good = (
        Path(__file__).parents[3] / "expert_pool/reevaluation/schemes/organisations/own-default.yaml"
    ).read_text("utf-8")
    for number, (old, new, code) in enumerate(
        (
            ("measure: suspend, months: 6", "measure: suspend", "organisations.lasting"),
            ("id: broken_rule", "id: unfiled_sitting", "organisations.rule_twice"),
            (
                "instrument: hebei2023, status: V1}\n  - id: broken",
                "instrument: nowhere, status: V1}\n  - id: broken",
                "scheme.instrument_unknown",
            ),
            ("at_least: 10", "at_least: 0", "policy.field_wrong"),
        )
    ):
        assert old in good
        path = tmp_path / f"{number}.yaml"
        path.write_text(good.replace(old, new, 1), "utf-8")
        with pytest.raises(Fault, match=code) as caught:
            load_organisation_scheme(path)
        assert f"{number}.yaml:" in str(caught.value.where)
    with pytest.raises(Fault, match=r"scheme\.unknown"):
        load_organisation_scheme("own-defualt")


DAYS = st.dates(date(2020, 1, 1), date(2024, 12, 31))


@given(st.lists(DAYS, max_size=4, unique=True), st.lists(DAYS, max_size=4, unique=True))
def test_results_are_unfiled_where_the_filings_say_so(ends: list[date], filed: list[date]) -> None:
    seasons = [(day, number, number) for number, day in enumerate(ends)]
    found = list(late_results(seasons, [(day, n) for n, day in enumerate(filed)], date(2026, 1, 1), 30))
    missing = {event.row[1] for indicator, event in found if indicator is Indicator.UNFILED_RESULTS}
    assert missing == set(unfiled([(number, day) for day, number, _ in seasons], filed))


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(1, 120))
def test_so_many_months_end_where_the_next_begin(on: date, months: int) -> None:
    last = months_after(on, months)
    assert 27 * months <= (last - on).days <= 31 * months
    first = months_before(on, months)
    assert 27 * months <= (on - first).days <= 31 * months
    if 2 <= on.day <= 28:
        assert months_before(last, months) == on


def test_an_appraisal_as_a_document_changes_nothing(sqlite_tiny: Tiny) -> None:
    put(sqlite_tiny, service(sqlite_tiny, date(2025, 1, 5), 2024))
    found = appraised(sqlite_tiny)
    assert found.document() == appraised(sqlite_tiny).document()
    assert found.document()["measure"] == "suspend"
    assert replace(found, name="other").document() != found.document()
