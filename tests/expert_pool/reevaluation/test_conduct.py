"""Schemes hold together or say where not; conduct is what a plain reading of the records gives."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool.facts import facts_on
from expert_pool.policies.load import load
from expert_pool.reevaluation.conduct import OUTCOMES, Conduct, conduct
from expert_pool.reevaluation.scheme import MEASURES, Measure, Scheme, load_scheme, schemes
from expert_pool.registry import Credit, Role, Service
from expert_pool.viewer import Viewer
from solver.errors import Fault

AS_OF = date(2026, 8, 31)
EVENTS = (
    "lateness",
    "absence",
    "failure_to_recuse",
    "invitation_ignored",
    "leaking",
    "good_deed",
    "bad_record",
)


def test_every_preset_holds_together() -> None:
    """And its grades say something of every score."""
    assert set(schemes()) >= {"own-default", "sichuan-bid-grades", "nsfc-sanctions", "procurement-tiers"}
    for name in schemes():
        scheme = load_scheme(name)
        assert scheme.doc.id == name
        for score in range(-50, 151):
            fitting = [
                grade.grade
                for grade in scheme.doc.grades
                if (grade.low is None or score >= grade.low) and (grade.high is None or score <= grade.high)
            ]
            assert len(fitting) == 1, (name, score)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("low: 80\n    high: 90", "low: 80\n    high: 88", "scheme.hole"),
        ("low: 80\n    high: 90", "low: 80\n    high: 95", "scheme.overlap"),
        ("{measure: lower, months: 6}", "{measure: ban}", "scheme.milder"),
        ("    high: 59\n", "    low: 0\n    high: 59\n", "scheme.ladder_end"),
        ("events: [late]", "events: [lte]", "scheme.event_unknown"),
        ("    outcome: late\n    credit: [迟到, lateness]\n", "", "scheme.unrecorded"),
        ("  - id: absent\n", "  - id: late\n", "scheme.event_twice"),
        ("instrument: city2022, status: V2", "instrument: town, status: V2", "scheme.instrument_unknown"),
        ("measure: suspend, months: 6", "measure: suspend", "scheme.lasting"),
        ("measure: retrain}", "measure: retrain, months: 3}", "scheme.lasting"),
        ("months: 24\n", "", "scheme.months"),
        ("points: -10", "points: many", "policy.field_wrong"),
        ("ballots", "ballot", None),
    ],
)
def test_what_does_not_hold_together_is_named_with_its_line(
    old: str, new: str, code: str | None, tmp_path: Path
) -> None:
    """File and line, so that it can be mended."""
    from importlib import resources

    text = (resources.files("expert_pool.reevaluation") / "schemes" / "own-default.yaml").read_text("utf-8")
    path = tmp_path / "own.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    if code is None:
        load_scheme(path)
        return
    with pytest.raises(Fault) as fault:
        load_scheme(path)
    assert fault.value.code == code
    assert fault.value.where.startswith(f"{path}:")


def test_an_unknown_scheme_is_told_its_nearest_name() -> None:
    """Without guessing."""
    with pytest.raises(Fault) as fault:
        load_scheme("own-defualt")
    assert fault.value.code == "scheme.unknown"
    assert fault.value.params["nearest"] == "own-default"


def put_down(tiny: Tiny, seed: int) -> list[tuple[str, date, str, int, bool]]:
    """Random services and credit records of two years; as (expert code, day, name, points, whether a service)."""
    chance = random.Random(seed)
    told: list[tuple[str, date, str, int, bool]] = []
    with tiny.store.session() as session:
        codes = {expert_id: code for code, expert_id in tiny.ids["expert"].items()}
        known = session.scalars(select(Credit))
        told += [(codes[row.expert_id], row.holds_on, row.event, row.points, False) for row in known]
        for code, expert_id in tiny.ids["expert"].items():
            for _ in range(chance.randint(0, 6)):
                when = AS_OF - timedelta(days=chance.randint(-30, 800))
                common: dict[str, Any] = {
                    "expert_id": expert_id,
                    "organiser_id": tiny.organiser_id,
                    "recorded_at": tiny.recorded_at,
                    "recorded_by": "office",
                    "holds_on": when,
                }
                if chance.random() < 0.5:
                    outcome = chance.choice(OUTCOMES)
                    panel = f"P-{len(told)}"
                    session.add(
                        Service(
                            committee_id=tiny.committee_id,
                            season=when.year,
                            panel=panel,
                            role=Role.MEMBER,
                            outcome=outcome,
                            **common,
                        )
                    )
                    told.append((code, when, str(outcome), 0, True))
                else:
                    event, points = chance.choice(EVENTS), chance.randint(-15, 5)
                    session.add(Credit(event=event, points=points, **common))
                    told.append((code, when, event, points, False))
                    if chance.random() < 0.3:  # recorded a second time
                        session.add(Credit(event=event, points=points, **common))
                        told.append((code, when, event, points, False))
    return told


def plain(scheme: Scheme, told: list[tuple[str, date, str, int, bool]], code: str) -> tuple[int, Measure]:
    """Points and measure of one expert, without conditions, read from the list one by one."""
    doc = scheme.doc
    seen: set[tuple[date, str]] = set()
    events: list[tuple[date, str | None, int]] = []
    for _, when, name, points, service in sorted(
        (t for t in told if t[0] == code), key=lambda t: (t[1], not t[4])
    ):
        if when > AS_OF:
            continue
        own = [
            event
            for event in doc.events
            if (str(event.outcome) == name if service else name in (event.id, *event.credit))
        ]
        if not own:
            if not service and doc.unlisted == "recorded":
                events.append((when, None, points))
            continue
        if (when, own[0].id) not in seen:
            seen.add((when, own[0].id))
            events.append((when, own[0].id, own[0].points))
    first = scheme.since(AS_OF) or date.min
    total, last, used = doc.base, None, dict[str | None, int]()
    for when, event_id, points in sorted(events, key=lambda e: e[0]):
        most = next((event.most for event in doc.events if event.id == event_id), None)
        used[event_id] = used.get(event_id, 0) + (when >= first)
        if when < first or (most is not None and used[event_id] > most):
            continue
        total += points
        last = when if points < 0 else last
    if doc.repair and last is not None and total < doc.base:
        months = (AS_OF.year - last.year) * 12 + AS_OF.month - last.month - (last.day > AS_OF.day)
        total = min(doc.base, total + doc.repair.points * (months // doc.repair.months))
    called = [grade.proposal.measure for grade in doc.grades if (grade.low is None or total >= grade.low)][:1]
    for count in doc.counts:
        begins = date(AS_OF.year, 1, 1) if count.within == "calendar_year" else first
        if sum(1 for when, name_, _ in events if name_ in count.events and when >= begins) >= count.at_least:
            called.append(count.proposal.measure)
    return total, max(called, key=MEASURES.index)


def judged(tiny: Tiny, scheme: Scheme, viewer: Viewer) -> tuple[tuple[str, ...], Conduct]:
    with tiny.store.reading() as session:
        pool = facts_on(
            session,
            viewer,
            committee_id=tiny.committee_id,
            on=AS_OF,
            policy=load("cn-title-jilin-2013"),
            for_agenda=False,
        )
        return pool.codes, conduct(session, viewer, pool, scheme, AS_OF)


@pytest.mark.parametrize("name", ["own-default", "sichuan-bid-grades", "procurement-tiers", "nsfc-sanctions"])
def test_conduct_is_what_a_plain_reading_gives(tiny: Tiny, system: Viewer, name: str) -> None:
    """Points, caps, repair, grades and counts, for every expert, on both databases."""
    told = put_down(tiny, seed=len(name))
    scheme = load_scheme(name)
    scheme = scheme.model_copy(update={"doc": scheme.doc.model_copy(update={"conditions": ()})})
    codes, found = judged(tiny, scheme, system)
    for index, code in enumerate(codes):
        points, measure = plain(scheme, told, code)
        assert int(found.points[index]) == points, code
        assert MEASURES[int(found.measure[index])] is measure, code
        reasons = list(found.reasons(index))
        gravest = reasons[0].proposal.measure if reasons else Measure.KEEP
        assert gravest is measure
        for reason in reasons:
            assert reason.otherwise
            assert reason.records or reason.figures


def test_a_lapsed_training_calls_for_training(sqlite_tiny: Tiny, system: Viewer) -> None:
    """A condition on a fact of the day; unknown is not lapsed, but the facts know who never was trained."""
    scheme = load_scheme("own-default")
    codes, found = judged(sqlite_tiny, scheme, system)
    until = found.facts["trained_until"]
    for index, _ in enumerate(codes):
        lapsed = until.show(index) is not None and str(until.show(index)) < AS_OF.isoformat()
        called = [reason for reason in found.reasons(index) if reason.id == "untrained"]
        assert lapsed == bool(called)
        assert [table for reason in called for table, _ in reason.records] == ["training"] * lapsed


def test_order_of_recording_makes_no_difference(sqlite_tiny: Tiny, system: Viewer) -> None:
    """The same question twice gives the same answer, to the last reason."""
    put_down(sqlite_tiny, seed=3)
    scheme = load_scheme("own-default")
    _, first = judged(sqlite_tiny, scheme, system)
    codes, second = judged(sqlite_tiny, scheme, system)
    for index in range(len(codes)):
        assert list(first.reasons(index)) == list(second.reasons(index))
