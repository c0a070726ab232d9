"""Conflicts derived from relations: every kind, windows, what was known; why, and what a viewer may see."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session
from tiny_registry import Tiny

from expert_pool import clock
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import Applicant, Employment, Organiser, Relation, RelationKind
from expert_pool.relations import Place, derive, why
from expert_pool.viewer import Viewer
from solver.errors import Fault

JILIN = load("cn-title-jilin-2013")
OFFICE = Viewer.system("office")
ON = date(2026, 3, 1)


def add(session: Session, tiny: Tiny, table: Any, **fields: Any) -> Any:
    row = table(
        **{
            "organiser_id": tiny.organiser_id,
            "recorded_by": "office",
            "recorded_at": tiny.recorded_at,
            "void": False,
        }
        | fields
    )
    session.add(row)
    session.flush()
    return row


def relation(session: Session, tiny: Tiny, kind: str, expert: str, **fields: Any) -> Relation:
    others = {
        "other": ("other_expert_id", "expert"),
        "applicant": ("applicant_id", "applicant"),
        "employer": ("employer_id", "employer"),
        "case": ("case_id", "case"),
    }
    parties = {others[n][0]: tiny.ids[others[n][1]][c] for n, c in fields.items() if n in others}
    rest = {"since": None, "until": None, "source": "", "holds_on": date(2025, 1, 10)}
    rest |= {n: v for n, v in fields.items() if n not in others}
    found: Relation = add(
        session,
        tiny,
        Relation,
        kind=RelationKind(kind),
        expert_id=tiny.ids["expert"][expert],
        **parties,
        **rest,
    )
    return found


def conflicts(session: Session, tiny: Tiny, policy: Policy = JILIN, **at: Any) -> set[tuple[str, str, str]]:
    """(expert, case or expert, kind) by code."""
    experts = sorted(tiny.ids["expert"].items())
    found = derive(
        session, OFFICE, policy, np.array([i for _, i in experts]), tiny.agenda_id, tiny.meets_on, **at
    )
    codes = {i: code for code, i in tiny.ids["case"].items()}
    shown = set()
    for pairs, right in (
        (found.with_cases, [codes[i] for i in found.case_ids]),
        (found.between, [code for code, _ in experts]),
    ):
        for e, r, k in zip(pairs.left.tolist(), pairs.right.tolist(), pairs.kind.tolist(), strict=True):
            shown.add((experts[e][0], right[r], found.kinds[k].kind))
    return shown


@pytest.mark.usefixtures("now")
def test_colleagues_of_the_applicant_are_recused(tiny: Tiny) -> None:
    """Whoever works for the legal person of a case, or for a department of it, is in conflict with the case."""
    with tiny.store.session() as session:
        found = conflicts(session, tiny)
    firm = {(f"E{n:02}", case, "same_employer") for n in (1, 2, 3) for case in ("K2", "K4")}
    university = {(f"E{n:02}", case, "same_employer") for n in range(4, 13) for case in ("K1", "K3")}
    assert found == firm | university


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(
    ("kind", "fields", "case"),
    [
        ("relative", {"applicant": "AP1"}, "K1"),
        ("co_author", {"applicant": "AP1", "until": date(2001, 1, 1)}, "K1"),
        ("advisor", {"applicant": "AP1", "since": date(1999, 1, 1), "until": date(2002, 1, 1)}, "K1"),
        ("recommender", {"applicant": "AP1", "until": date(2025, 9, 21)}, "K1"),
        ("objection", {"case": "K1", "until": date(2020, 1, 1)}, "K1"),
        ("same_case", {"case": "K1"}, "K1"),
        ("stake", {"employer": "UD"}, "K1"),
        ("other", {"applicant": "AP1"}, "K1"),
    ],
)
def test_every_kind_of_relation_counts(tiny: Tiny, kind: str, fields: dict[str, Any], case: str) -> None:
    """One relation of each stored kind, with the dates unknown or within its window, recuses the expert."""
    with tiny.store.session() as session:
        relation(session, tiny, kind, "E01", **fields)
        assert ("E01", case, kind) in conflicts(session, tiny)


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("recommender", {"applicant": "AP1", "until": date(2025, 9, 20)}),
        ("stake", {"employer": "U", "until": date(2026, 9, 19)}),
        ("other", {"applicant": "AP1", "since": date(2026, 9, 21)}),
    ],
)
def test_what_is_over_does_not_count(sqlite_tiny: Tiny, kind: str, fields: dict[str, Any]) -> None:
    """A relation that ended before its window, or begins after the meeting, is no conflict."""
    with sqlite_tiny.store.session() as session:
        relation(session, sqlite_tiny, kind, "E01", **fields)
        assert not {f for f in conflicts(session, sqlite_tiny) if f[2] == kind}


@pytest.mark.usefixtures("now")
def test_a_former_employer_counts_for_three_years(sqlite_tiny: Tiny) -> None:
    """Who left the firm less than three years before the meeting is in conflict with its cases; a day more is over."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        for expert, until in (("E05", date(2023, 9, 21)), ("E06", date(2023, 9, 20))):
            ids = {"expert_id": tiny.ids["expert"][expert], "employer_id": tiny.ids["employer"]["F"]}
            add(session, tiny, Employment, **ids, main=False, holds_on=date(2015, 1, 1), until=until)
        former = {f for f in conflicts(session, tiny) if f[2] == "former_employer"}
    assert former == {("E05", "K2", "former_employer"), ("E05", "K4", "former_employer")}


@pytest.mark.usefixtures("now")
def test_an_applicant_is_barred_and_known_under_every_number(sqlite_tiny: Tiny) -> None:
    """The applicant's own record as an expert makes the expert barred, and relations between experts count for the case."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        applicant = session.get_one(Applicant, tiny.ids["applicant"]["AP1"])
        applicant.expert_id = tiny.ids["expert"]["E03"]
        session.flush()
        relation(session, tiny, "advisor", "E03", other="E01")
        found = conflicts(session, tiny)
    assert ("E03", "K1", "self") in found
    assert ("E01", "K1", "advisor") in found
    assert ("E01", "E03", "advisor") in found


@pytest.mark.usefixtures("now")
def test_only_so_many_objections_are_heard(sqlite_tiny: Tiny) -> None:
    """The Foundation considers three names; a fourth is not counted."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        for n in (4, 3, 2, 1):
            relation(session, tiny, "objection", f"E{n:02}", case="K1", holds_on=date(2026, 1, n))
        found = conflicts(session, tiny, load("cn-nsfc"))
    assert {e for e, _, kind in found if kind == "objection"} == {"E01", "E02", "E03"}


def test_what_was_not_known_did_not_count(sqlite_tiny: Tiny, now: datetime) -> None:
    """As known before a relation was recorded there was no conflict; after it is taken back there is none again."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        told = datetime(2026, 2, 1, tzinfo=UTC)
        row = relation(session, tiny, "relative", "E01", applicant="AP1", recorded_at=told)
        relation(
            session, tiny, "relative", "E01", applicant="AP1", recorded_at=now, void=True, corrects_id=row.id
        )
        shown = [
            ("E01", "K1", "relative") in conflicts(session, tiny, known_at=at)
            for at in (told - timedelta(1), told, now)
        ]
    assert shown == [False, True, False]


def test_an_unknown_agenda_is_refused(sqlite_tiny: Tiny) -> None:
    """An agenda that does not exist is one fault."""
    with sqlite_tiny.store.session() as session, pytest.raises(Fault, match=r"relations\.agenda_unknown"):
        derive(session, OFFICE, JILIN, np.array([1]), 99, ON, clock.now())


@pytest.mark.usefixtures("now")
def test_why_shows_the_way_up_the_tree(tiny: Tiny) -> None:
    """A member of a department meets a case of the university at their legal person."""
    with tiny.store.session() as session:
        (reason,) = why(session, OFFICE, JILIN, "E11", "K1", tiny.meets_on)
        assert why(session, OFFICE, JILIN, "K1", "E11", tiny.meets_on) == [reason]
    assert (reason.kind, reason.counts) == ("same_employer", True)
    assert reason.path == (
        Place("expert", "E11"),
        Place("employer", "UD"),
        Place("employer", "U"),
        Place("case", "K1"),
    )
    assert reason.since == date(2010, 1, 1)
    assert reason.rule is not None
    assert reason.rule.basis.status == "M"
    assert reason.record is not None
    assert reason.record.startswith("employment:")


@pytest.mark.usefixtures("now")
def test_why_shows_what_does_not_count(sqlite_tiny: Tiny) -> None:
    """A stake that was sold, a colleague on the panel, a way over a common advisor: shown, and not counted."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        relation(session, tiny, "stake", "E01", employer="U", until=date(2020, 1, 1))
        (stake,) = why(session, OFFICE, JILIN, "E01", "K1", tiny.meets_on)
        assert (stake.kind, stake.counts, stake.until) == ("stake", False, date(2020, 1, 1))
        relation(session, tiny, "advisor", "E05", other="E01")
        relation(session, tiny, "advisor", "E05", other="E06")
        siblings = why(session, OFFICE, JILIN, "E01", "E06", tiny.meets_on)
        assert [(r.kind, r.counts) for r in siblings] == [("indirect", False)]
        assert [p.code for p in siblings[0].path] == ["E01", "E05", "E06"]
        both = why(session, OFFICE, JILIN, "E06", "E05", tiny.meets_on)
        assert [(r.kind, r.counts) for r in both] == [("advisor", True), ("same_employer", False)]
        assert why(session, OFFICE, JILIN, "E01", "E04", tiny.meets_on) == []


@pytest.mark.usefixtures("now")
def test_another_organiser_sees_the_verdict_only(sqlite_tiny: Tiny) -> None:
    """A relation on another organiser's record counts, but its record, its dates and its way stay hidden."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        other = Organiser(code="XX", name="别处（虚构）", parent_id=None)
        session.add(other)
        session.flush()
        relation(
            session, tiny, "relative", "E01", applicant="AP1", since=date(2000, 1, 1), organiser_id=other.id
        )
        own = Viewer("committee", frozenset({tiny.organiser_id}))
        (hidden,) = why(session, own, JILIN, "E01", "K1", tiny.meets_on)
        (seen,) = why(session, OFFICE, JILIN, "E01", "K1", tiny.meets_on)
        experts = np.array([tiny.ids["expert"]["E01"]])
        derived = derive(session, own, JILIN, experts, tiny.agenda_id, tiny.meets_on)
        assert "relative" in [derived.kinds[k].kind for k in derived.with_cases.kind.tolist()]
        with pytest.raises(Fault, match=r"relations\.party_unknown"):
            why(session, Viewer("x", frozenset({other.id})), JILIN, "E01", "K1", tiny.meets_on)
    assert (hidden.kind, hidden.counts) == (seen.kind, seen.counts) == ("relative", True)
    assert (hidden.record, hidden.since) == (None, None)
    assert [p.code for p in hidden.path] == ["E01", "K1"]
    assert seen.since == date(2000, 1, 1)
    assert [p.code for p in seen.path] == ["E01", "AP1", "K1"]


@pytest.mark.parametrize(
    ("a", "b", "code"),
    [
        ("E01", "nobody", "relations.party_unknown"),
        ("K1", "U", "relations.no_expert"),
        ("E01", "E01", "relations.same_party"),
    ],
)
def test_why_needs_an_expert_and_somebody_else(sqlite_tiny: Tiny, a: str, b: str, code: str) -> None:
    """Codes that mean nothing, no expert, or the same party twice are one fault each."""
    with sqlite_tiny.store.session() as session, pytest.raises(Fault) as caught:
        why(session, OFFICE, JILIN, a, b, sqlite_tiny.meets_on)
    assert caught.value.code == code
