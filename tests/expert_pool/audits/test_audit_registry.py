"""Facts that a roster leaves out come from the registry: only of people surely known, and with a ledger entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from audit_rosters import Book
from refused import refused
from sqlalchemy import select
from tiny_problems import rule
from tiny_registry import Tiny

from expert_pool import ledger
from expert_pool.audits import audit, read_roster
from expert_pool.audits.registry import completed
from expert_pool.audits.report import RegistryUsed
from expert_pool.audits.roster import Roster, Unit
from expert_pool.policies.load import load
from expert_pool.privacy.own_record import who_looked
from expert_pool.registry import (
    Attestation,
    EmployerName,
    Expert,
    LedgerEntry,
    Look,
    NameKind,
    Outcome,
    Role,
    Service,
)
from expert_pool.viewer import Viewer

ON = date(2026, 9, 20)
UNIVERSITY = "省理工大学（虚构）"
POLICY = load("cn-title-jilin-2013")


def row(name: str, role: str = "委员", **cells: Any) -> dict[str, Any]:
    return {"姓名": name, "角色": role, "评议组": "一组", **cells}


def completed_roster(tiny: Tiny, rows: list[dict[str, Any]], tmp_path: Path) -> tuple[Roster, RegistryUsed]:
    path = Book({"名单": rows}).save(tmp_path / "名单.xlsx")
    viewer = Viewer.system("supervisor")
    roster = read_roster(path, ON)
    return completed(tiny.store, viewer, roster, committee="C1", policy=POLICY, on=ON, purpose="监督检查")


def test_people_are_matched_by_code_or_by_name_and_employer(
    sqlite_tiny: Tiny, now: datetime, tmp_path: Path
) -> None:
    """The department's name leads to its legal person too."""
    rows = [
        row("专家1（虚构）", 专家编码="E01"),
        row("专家5（虚构）", 工作单位=UNIVERSITY),
        row("专家11（虚构）", 工作单位="省理工大学机械系（虚构）"),
        row("专家11（虚构）", 工作单位="另一家", 专家编码="E99"),
        row("专家2（虚构）", 专家编码="E03"),
        row("专家4（虚构）"),
        row("专家6（虚构）", 工作单位="长白机器有限公司（虚构）"),
    ]
    roster, used = completed_roster(sqlite_tiny, rows, tmp_path)
    assert used.matched == 3
    assert [one.says.code.removeprefix("audit.registry.") for one in used.unmatched] == [
        "code_unknown",
        "code_other",
        "no_employer",
        "unknown",
    ]
    first = roster.people[0]
    assert first.facts["rank"] == 4
    assert first.facts["trained_until"] == date(2027, 1, 9)
    assert first.facts["in_pool"] is True
    assert first.facts["sector"] == "private"
    assert first.unit == Unit("长白机器有限公司（虚构）", legal=True)
    assert first.sources["trained_until"] == "training"
    assert roster.meant(roster.people[2].unit) == Unit(UNIVERSITY, legal=True)  # type: ignore[arg-type]
    assert roster.people[3].facts == {}


def test_two_experts_of_one_name_and_employer_are_not_guessed(
    sqlite_tiny: Tiny, now: datetime, tmp_path: Path
) -> None:
    with sqlite_tiny.store.session() as session:
        other = session.scalars(select(Expert).where(Expert.code == "E07")).one()
        other.name = "专家5（虚构）"
    _, used = completed_roster(sqlite_tiny, [row("专家5（虚构）", 工作单位=UNIVERSITY)], tmp_path)
    assert [one.says.code for one in used.unmatched] == ["audit.registry.several"]
    assert used.unmatched[0].says.params == {"count": 2}


def test_what_the_roster_states_stands(sqlite_tiny: Tiny, now: datetime, tmp_path: Path) -> None:
    rows = [row("专家1（虚构）", 专家编码="E01", 培训有效期至=date(2020, 1, 1), 细分专业="机械/铸造")]
    roster, used = completed_roster(sqlite_tiny, rows, tmp_path)
    (person,) = roster.people
    assert person.facts["trained_until"] == date(2020, 1, 1)
    assert "trained_until" not in person.sources
    assert [subject.sub for subject in person.subjects] == ["铸造"]
    done = audit(roster, POLICY, ON, registry=used)
    assert [f.people for f in done.findings if f.rule == "trained"] == [["专家1（虚构）"]]
    facts = done.people[0].facts
    assert (facts["trained_until"].source, facts["rank"].source, facts["rank"].record) == (
        "roster",
        "registry",
        "qualification",
    )


def test_a_gate_is_judged_by_what_the_registry_knows(
    sqlite_tiny: Tiny, now: datetime, tmp_path: Path
) -> None:
    """E12 has left the pool; nothing of it stands in the roster."""
    rows = [row(f"专家{n}（虚构）", 专家编码=f"E{n:02}") for n in (1, 5, 12)]
    roster, used = completed_roster(sqlite_tiny, rows, tmp_path)
    done = audit(roster, POLICY, ON, registry=used)
    by_rule = {finding.rule: finding.people for finding in done.findings}
    assert by_rule["in_pool"] == by_rule["standing"] == ["专家12（虚构）"]
    assert {r.id: r.verdict for r in done.rules}["trained"] == "kept"


def test_earlier_panels_come_from_the_registry_where_the_roster_names_none(
    sqlite_tiny: Tiny, now: datetime, tmp_path: Path
) -> None:
    with sqlite_tiny.store.session() as session:
        for code in ("E01", "E02", "E05"):
            session.add(
                Service(
                    expert_id=sqlite_tiny.ids["expert"][code],
                    committee_id=sqlite_tiny.committee_id,
                    season=2025,
                    panel="2025-P1",
                    role=Role.MEMBER,
                    outcome=Outcome.ATTENDED,
                    holds_on=date(2025, 9, 20),
                    recorded_at=sqlite_tiny.recorded_at,
                    recorded_by="office",
                    organiser_id=sqlite_tiny.organiser_id,
                )
            )
    rows = [row(f"专家{n}（虚构）", 专家编码=f"E{n:02}") for n in (1, 5, 6)] + [row("外人", 专家编码="X1")]
    roster, _ = completed_roster(sqlite_tiny, rows, tmp_path)
    assert roster.previous_known is not None
    assert [(p.members, p.size) for p in roster.previous_known] == [(frozenset({0, 1}), 3)]
    assert roster.unplaced == {3}
    rotation = [r for r in POLICY.rules() if r.rule == "panel_size"]
    policy = replace(
        POLICY,
        by_level={
            "senior": replace(POLICY.by_level["senior"], rules=(*rotation, rule("newcomers", least="1/2")))
        },
    )
    done = audit(roster, policy, ON)
    newcomers = done.rules[-1]
    assert (newcomers.verdict, newcomers.value_low, newcomers.value_high) == ("not_judged", 1, 2)
    assert [gap.says.code for gap in newcomers.missing] == ["audit.gap.unplaced"]
    assert newcomers.missing[0].people == ["外人"]


def test_a_name_of_several_employers_is_compared_as_written(
    sqlite_tiny: Tiny, now: datetime, tmp_path: Path
) -> None:
    alias = {"kind": NameKind.ALIAS, "name": "理工", "holds_on": date(2020, 1, 1), "until": None}
    with sqlite_tiny.store.session() as session:
        for code in ("U", "F"):
            session.add(
                EmployerName(
                    employer_id=sqlite_tiny.ids["employer"][code],
                    recorded_at=sqlite_tiny.recorded_at,
                    recorded_by="office",
                    organiser_id=sqlite_tiny.organiser_id,
                    **alias,
                )
            )
    roster, used = completed_roster(sqlite_tiny, [row("专家5（虚构）", 工作单位="理工")], tmp_path)
    assert used.matched == 1
    assert roster.meant(Unit("理工")) == Unit("理工")


def test_each_look_is_in_the_ledger_and_in_the_own_record(
    sqlite_tiny: Tiny, now: datetime, tmp_path: Path
) -> None:
    """Whose records were matched and looked at, and what for; of people not matched there is nothing to tell."""
    rows = [row("专家1（虚构）", 专家编码="E01"), row("专家5（虚构）", 工作单位=UNIVERSITY), row("外人")]
    roster, used = completed_roster(sqlite_tiny, rows, tmp_path)
    with sqlite_tiny.store.reading() as session:
        entry = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.actor, entry.subject) == ("audit.registry_read", "supervisor", "C1")
        payload = {"roster": roster.sha256, "on": ON, "people": 3, "matched": 2, "purpose": "监督检查"}
        assert ledger.matches(entry, payload)
        attested = select(Attestation.row_id).where(
            Attestation.entry_id == entry.id, Attestation.table == "look"
        )
        looks = session.scalars(select(Look).where(Look.id.in_(attested)).order_by(Look.id)).all()
        wanted = [sqlite_tiny.ids["expert"][code] for code in ("E01", "E05")]
        assert [(look.expert_id, look.actor, look.fields) for look in looks] == [
            (expert, "supervisor", "facts") for expert in wanted
        ]
        (seen,) = who_looked(session, wanted[0])
        assert (seen.actor, seen.what, seen.purpose, seen.at) == ("supervisor", "facts", "监督检查", now)
        assert ledger.verify(session) == []
    assert (used.committee, used.experts) == ("C1", tuple(wanted))


def test_nothing_is_read_without_a_purpose(sqlite_tiny: Tiny, tmp_path: Path) -> None:
    path = Book({"名单": [row("专家1（虚构）", 专家编码="E01")]}).save(tmp_path / "名单.xlsx")
    with refused("privacy.purpose_missing"):
        completed(
            sqlite_tiny.store,
            Viewer.system("supervisor"),
            read_roster(path, ON),
            committee="C1",
            policy=POLICY,
            on=ON,
            purpose=" ",
        )


def test_nobody_known_and_strangers_are_refused_or_left_alone(
    sqlite_tiny: Tiny, now: datetime, tmp_path: Path
) -> None:
    roster, used = completed_roster(sqlite_tiny, [row("外人", 工作单位="某厂")], tmp_path)
    assert used.matched == 0
    assert roster.people[0].facts == {}
    for viewer, committee, code in (
        (Viewer.system("x"), "C9", "panels.committee_unknown"),
        (Viewer("x", frozenset({999})), "C1", "panels.committee_unknown"),
    ):
        with refused(code):
            completed(
                sqlite_tiny.store,
                viewer,
                roster,
                committee=committee,
                policy=POLICY,
                on=ON,
                purpose="监督检查",
            )
