"""Erasing personal data: what goes, what stays, what must wait, and that the ledger still verifies."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from refused import refused
from sqlalchemy import LargeBinary, select, text
from tiny_registry import Tiny, build_tiny

from expert_pool import clock, dossier, ledger, records
from expert_pool.imports import import_tables
from expert_pool.keys import Key
from expert_pool.privacy import erasure, personal
from expert_pool.privacy.holds import banned, holds_on, left_on
from expert_pool.privacy.looking import unmask
from expert_pool.privacy.personal import EXPERT_BLANKS, KEPT, RECORDS
from expert_pool.privacy.retention import load_retention
from expert_pool.privacy.rotation import reseal
from expert_pool.privacy.sweeping import sweep
from expert_pool.registry import (
    Absence,
    Account,
    Applicant,
    Attestation,
    Discipline,
    ErasureBasis,
    ErasureState,
    Expert,
    Meeting,
    Membership,
    Outcome,
    PanelRecord,
    PanelState,
    Role,
    Sanction,
    Seat,
    Service,
    Step,
    Table,
)
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer

RULES = load_retention()
ALONE = RULES.model_copy(update={"second_person": False})
CLERK, HEAD = Viewer.system("clerk"), Viewer.system("head")


@pytest.fixture
def tiny(sqlite_tiny: Tiny) -> Tiny:
    """The small registry on SQLite; `both` has it on each database."""
    return sqlite_tiny


@pytest.fixture
def both(store: Store) -> Tiny:
    return build_tiny(store)


@pytest.fixture(autouse=True)
def _now(now: datetime) -> None:
    """Every test here is on one day."""


def leave(tiny: Tiny, code: str, on: date = date(2026, 3, 1)) -> None:
    with tiny.store.session() as session:
        row = Membership(
            expert_id=tiny.ids["expert"][code],
            pool_id=tiny.pool_id,
            organiser_id=tiny.organiser_id,
            step=Step.LEFT,
            until=None,
            reason="身体原因退出",
            holds_on=on,
        )
        records.record(session, CLERK, row)


def discipline(tiny: Tiny, code: str, sanction: Sanction, until: date | None) -> None:
    with tiny.store.session() as session:
        row = Discipline(
            expert_id=tiny.ids["expert"][code],
            organiser_id=tiny.organiser_id,
            sanction=sanction,
            until=until,
            basis="泄露评审信息",
            holds_on=date(2026, 2, 1),
        )
        records.record(session, CLERK, row)


def erase(tiny: Tiny, code: str) -> str:
    with tiny.store.session() as session:
        asked = erasure.propose(session, CLERK, code, basis=ErasureBasis.REQUEST, note="来函")
        erasure.confirm(session, HEAD, asked.code, RULES)
        return asked.code


def everything(tiny: Tiny) -> str:
    """All that the database holds, as text."""
    with tiny.store.engine.connect() as connection:
        tables = [t for t in Table.metadata.tables if t not in ("problem",)]
        return "\n".join(
            str([tuple(row) for row in connection.execute(text(f'select * from "{name}"'))])
            for name in tables
        )


def test_what_is_personal_goes_and_the_ledger_verifies(both: Tiny) -> None:
    leave(both, "E04")
    with both.store.session() as session:
        absence = Absence(
            expert_id=both.ids["expert"]["E04"],
            organiser_id=both.organiser_id,
            holds_on=date(2026, 5, 1),
            until=date(2026, 5, 9),
            reason="手术住院",
        )
        records.record(session, CLERK, absence)
        unmask(session, CLERK, both.store.key, "E04", ["national_id"], "核对四号专家证件")
        before = session.get_one(Expert, both.ids["expert"]["E04"])
        sealed, pseudonym = before.national_id_sealed, before.pseudonym
    erase(both, "E04")
    held = everything(both)
    for gone in ("专家4（虚构）", "手术住院", "身体原因退出", "核对四号专家证件", str(sealed)):
        assert gone not in held
    with both.store.reading() as session:
        after = session.get_one(Expert, both.ids["expert"]["E04"])
        assert (after.code, after.pseudonym, after.name) == ("E04", pseudonym, pseudonym)
        assert (after.born, after.gender, after.region, after.national_id_mark) == (
            None,
            None,
            "220000",
            None,
        )
        assert ledger.verify(session) == []
        rows = [(row.table, row.expert) for row in erasure.erased_rows(session)]
        assert ("expert", "E04") in rows
        assert ("absence", "E04") in rows
        steps = [e for e in dossier.entries(session, CLERK, "E04") if e.table == "membership"]
        assert [entry.fields["step"] for entry in steps] == ["candidate", "admitted", "left"] or len(
            steps
        ) >= 2


def test_old_hashes_of_erased_rows_cannot_be_tried_out(tiny: Tiny) -> None:
    leave(tiny, "E04")
    erase(tiny, "E04")
    with tiny.store.reading() as session:
        salts = session.scalars(
            select(Attestation.salt)
            .where(Attestation.table == "expert", Attestation.row_id == tiny.ids["expert"]["E04"])
            .order_by(Attestation.id)
        ).all()
        assert salts[0] == b""
        assert len(salts[-1]) == 16


def test_a_row_changed_after_its_erasure_is_still_found(tiny: Tiny) -> None:
    leave(tiny, "E04")
    erase(tiny, "E04")
    with tiny.store.session() as session:
        session.execute(text("update expert set name = 'back' where code = 'E04'"))
    with tiny.store.reading() as session:
        assert [fault.code for fault in ledger.verify(session)] == ["ledger.row_changed"]


def test_a_member_must_leave_first_and_the_answer_tells_nothing_else(tiny: Tiny) -> None:
    seat_in_sealed_panel(tiny, "E01")
    with tiny.store.session() as session:
        plans = [erasure.plan(session, CLERK, code, RULES) for code in ("E01", "E02")]
        assert [[hold.code for hold in plan.holds] for plan in plans] == [["privacy.hold_member"]] * 2
        asked = erasure.propose(session, CLERK, "E01", basis=ErasureBasis.REQUEST, note="")
        with refused("privacy.held", holds=["member"]):
            erasure.confirm(session, HEAD, asked.code, RULES)


def seat_in_sealed_panel(tiny: Tiny, code: str) -> None:
    with tiny.store.session() as session:
        panel = PanelRecord(
            code="M1-P1",
            meeting_id=tiny.meeting_id,
            organiser_id=tiny.organiser_id,
            state=PanelState.PROPOSED,
            policy="cn-title-national",
            problem_sha256="0" * 64,
            problem=b"",
            answer="{}",
            fileable=True,
            requested_at=clock.now(),
            requested_by="office",
            approved_at=None,
            approved_by=None,
        )
        session.add(panel)
        session.flush()
        session.add(
            Seat(
                panel_id=panel.id,
                expert_id=tiny.ids["expert"][code],
                group="G",
                role=Role.MEMBER,
                call_order=None,
                open_on=tiny.meets_on,
            )
        )


def test_running_panels_and_sanctions_hold_and_end(tiny: Tiny) -> None:
    for code in ("E01", "E02", "E03"):
        leave(tiny, code)
    seat_in_sealed_panel(tiny, "E01")
    discipline(tiny, "E02", Sanction.SUSPENSION, date(2026, 12, 31))
    ids = tiny.ids["expert"]

    def codes(code: str, on: date) -> list[str]:
        with tiny.store.reading() as session:
            return [hold.code for hold in holds_on(session, ids[code], on)]

    assert codes("E01", date(2026, 9, 1)) == ["privacy.hold_running"]
    assert codes("E01", date(2026, 9, 21)) == []
    assert codes("E02", date(2026, 9, 1)) == ["privacy.hold_sanction"]
    assert codes("E02", date(2027, 1, 1)) == []
    assert codes("E03", date(2026, 9, 1)) == []


def test_an_applicant_waits_for_the_own_case(tiny: Tiny) -> None:
    leave(tiny, "E03")
    with tiny.store.session() as session:
        applicant = session.scalars(select(Applicant).order_by(Applicant.id)).first()
        assert applicant is not None
        applicant.expert_id = tiny.ids["expert"]["E03"]
    with tiny.store.session() as session:
        found = erasure.plan(session, CLERK, "E03", RULES)
        assert [hold.code for hold in found.holds] == ["privacy.hold_running"]
        meeting = session.get_one(Meeting, tiny.meeting_id)
        meeting.on = date(2026, 8, 1)
        found = erasure.plan(session, CLERK, "E03", RULES)
        assert (found.holds, found.counts["applicant"]) == ((), 1)


def test_archives_hold_names_as_long_as_somebody_says_so(tiny: Tiny) -> None:
    leave(tiny, "E03")
    service = RULES.kinds["service"].model_copy(update={"years": 10})
    rules = RULES.model_copy(update={"kinds": {**RULES.kinds, "service": service}})
    with tiny.store.session() as session:
        row = Service(
            expert_id=tiny.ids["expert"]["E03"],
            organiser_id=tiny.organiser_id,
            committee_id=tiny.committee_id,
            season=2025,
            panel="P0",
            role=Role.MEMBER,
            outcome=Outcome.ATTENDED,
            holds_on=date(2025, 6, 1),
        )
        records.record(session, CLERK, row)
        found = erasure.plan(session, CLERK, "E03", rules).holds
        assert [(hold.code, hold.until) for hold in found] == [("privacy.hold_archive", date(2035, 5, 31))]


def test_a_ban_stays_enforceable_by_mark_through_erasure_and_rotation(both: Tiny, tmp_path: Path) -> None:
    leave(both, "E05")
    discipline(both, "E05", Sanction.BAN, None)
    plain = "220101197001050013"
    with both.store.session() as session:
        expert = session.get_one(Expert, both.ids["expert"]["E05"])
        expert.national_id_sealed, expert.national_id_mark = (
            both.store.key.seal(plain),
            both.store.key.mark(plain),
        )
    with both.store.session() as session:
        assert erasure.plan(session, CLERK, "E05", RULES).keeps_mark
    erase(both, "E05")
    sheet = tmp_path / "experts.csv"
    sheet.write_text(f"code,name,region,national_id\nE99,New,220000,{plain}\n", "utf-8")
    again = tmp_path / "again" / "experts.csv"
    again.parent.mkdir()
    again.write_text("code,name,region\nE05,Back again,220000\n", "utf-8")
    key = Key(bytes(range(32, 64)))
    for store in (both.store, None):
        if store is None:
            reseal(both.store, HEAD, key)
            store = open_store(both.store.url, key=key)
        returned = import_tables(store, CLERK, sheet, organiser="HR")
        assert [error.code for error in returned.errors] == ["import.national_id_twice"]
        brought = import_tables(store, CLERK, again, organiser="HR", correct=True)
        assert [error.code for error in brought.errors] == ["import.erased"]
        with store.reading() as session:
            expert = session.get_one(Expert, both.ids["expert"]["E05"])
            assert (expert.national_id_sealed, bool(expert.national_id_mark)) == (None, True)
            assert banned(session, expert.id, date(2026, 9, 1))
            basis = session.scalars(select(Discipline.basis).where(Discipline.expert_id == expert.id)).all()
            assert list(basis) == ["泄露评审信息"]
            assert ledger.verify(session) == []
    store.close()


def test_two_people_are_needed_where_the_rules_say_so(tiny: Tiny) -> None:
    with tiny.store.session() as session:
        asked = erasure.propose(session, CLERK, "E12", basis=ErasureBasis.REQUEST, note="")
        with refused("privacy.same_person", actor="clerk"):
            erasure.confirm(session, CLERK, asked.code, RULES)
        with refused("privacy.erasure_open"):
            erasure.propose(session, HEAD, "E12", basis=ErasureBasis.REQUEST, note="")
        with refused("privacy.reason_missing"):
            erasure.refuse(session, HEAD, asked.code, "  ")
        erasure.refuse(session, HEAD, asked.code, "仍有异议未结")
        with refused("privacy.erasure_decided"):
            erasure.confirm(session, HEAD, asked.code, RULES)
        again = erasure.propose(session, CLERK, "E12", basis=ErasureBasis.REQUEST, note="")
        assert erasure.confirm(session, CLERK, again.code, ALONE).state is ErasureState.DONE
        with refused("privacy.erased_already"):
            erasure.propose(session, CLERK, "E12", basis=ErasureBasis.REQUEST, note="")


def test_who_does_not_act_for_every_pool_may_not_erase(tiny: Tiny) -> None:
    stranger = Viewer("stranger", frozenset({tiny.organiser_id + 999}))
    with tiny.store.session() as session, refused("privacy.expert_unknown"):
        erasure.plan(session, stranger, "E12", RULES)


def test_an_erased_experts_account_signs_in_no_more(tiny: Tiny) -> None:
    with tiny.store.session() as session:
        account = Account(
            name="e12",
            expert_id=tiny.ids["expert"]["E12"],
            created_at=clock.now(),
            created_by="x",
            password="h",
        )
        session.add(account)
    erase(tiny, "E12")
    with tiny.store.reading() as session:
        account = session.scalars(select(Account).where(Account.name == "e12")).one()
        assert (account.disabled_at is not None, account.password) == (True, None)


def test_retention_proposes_what_is_over_and_is_idempotent(both: Tiny) -> None:
    kinds = dict(RULES.kinds)
    kinds["expert"] = kinds["expert"].model_copy(update={"years": 0})
    rules = RULES.model_copy(update={"kinds": kinds})
    with both.store.session() as session:
        unmask(session, CLERK, both.store.key, "E02", ["national_id"], "年度核对")
    dry = sweep(both.store, HEAD, rules, dry_run=True)
    assert (dry.proposed, dry.erased, dry.purposes) == (["E12"], [], 0)
    assert sweep(both.store, HEAD, rules).proposed == ["E12"]
    assert sweep(both.store, HEAD, rules).proposed == []
    with clock.fixed(clock.now() + timedelta(days=3 * 366)):
        assert sweep(both.store, HEAD, rules, dry_run=True).purposes == 1
        later = sweep(both.store, HEAD, rules)
        assert later.purposes == 1
        assert sweep(both.store, HEAD, rules).purposes == 0
        with both.store.reading() as session:
            assert ledger.verify(session) == []
    assert "年度核对" not in everything(both)


def test_retention_erases_alone_where_one_person_is_enough(tiny: Tiny) -> None:
    kinds = dict(RULES.kinds)
    kinds["expert"] = kinds["expert"].model_copy(update={"years": 0})
    rules = ALONE.model_copy(update={"kinds": kinds})
    assert sweep(tiny.store, HEAD, rules).erased == ["E12"]
    with tiny.store.reading() as session:
        assert ledger.verify(session) == []
        assert left_on(session, tiny.ids["expert"]["E12"], date(2026, 9, 1)) == date(2026, 3, 1)


def test_nothing_is_done_about_what_no_text_and_nobody_states(tiny: Tiny) -> None:
    assert RULES.unstated == ("expert", "service")
    found = sweep(tiny.store, HEAD, RULES)
    assert (found.proposed, found.erased, found.unstated) == ([], [], ("expert", "service"))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("kinds: [1]", "privacy.retention_malformed"),
        ("kinds: {expert: {years: -1}}", "privacy.retention_malformed"),
        (
            "kinds: {nobody: {does: erase, basis: {instrument: design, status: D}, note: {zh: x}}}",
            "privacy.retention_kind",
        ),
        ("kinds: {expert: {yeers: 3}}", "privacy.retention_malformed"),
        ("a: [", "privacy.retention_malformed"),
    ],
)
def test_a_bad_retention_file_is_refused(tmp_path: Path, said: str, code: str) -> None:
    (tmp_path / "r.yaml").write_text(said, "utf-8")
    with refused(code):
        load_retention(tmp_path / "r.yaml")


def test_an_installation_states_its_own_periods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.yaml").write_text("second_person: false\nkinds: {expert: {years: 5}}\n", "utf-8")
    monkeypatch.setenv("EXPERT_POOL_RETENTION", str(tmp_path / "r.yaml"))
    rules = load_retention()
    assert (rules.years("expert"), rules.two_people, rules.years("purpose")) == (5, False, 3)
    assert all(period.note.keys() == {"zh", "en"} for period in rules.kinds.values())


def test_every_column_about_an_expert_is_personal_or_kept_by_decision() -> None:
    """Free text and bytes of every table that hangs on an expert are named in privacy/personal.py."""
    blanks = {each.table.__tablename__: set(each.blanks) for each in RECORDS}
    blanks["expert"] = set(EXPERT_BLANKS)
    common = {"recorded_by"}
    undecided = []
    for mapper in Table.registry.mappers:
        table: Any = mapper.local_table
        hangs = table.name == "expert" or any(
            key.column.table.name == "expert" for column in table.columns for key in column.foreign_keys
        )
        for column in table.columns if hangs else ():
            kind = column.type
            textual = isinstance(kind, LargeBinary) or kind.python_type is str
            decided = blanks.get(table.name, set()) | KEPT.get(table.name, frozenset()) | common
            if textual and column.name not in decided:
                undecided.append(f"{table.name}.{column.name}")
    assert undecided == []
    assert personal.KEPT.keys() <= set(Table.metadata.tables)
