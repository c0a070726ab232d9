"""What an import writes: everything once, corrections as new rows, a ledger entry for each table."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.imports import import_tables
from expert_pool.imports.sheets import SHEETS
from expert_pool.records import standing, withdraw
from expert_pool.registry import (
    Case,
    Credit,
    Discipline,
    Employer,
    EmployerLink,
    EmployerName,
    Expert,
    LedgerEntry,
    Organiser,
    Pool,
    Relation,
    Sanction,
    Skill,
    Specialty,
)
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer
from solver.errors import Fault
from solver.progress import Progress

Files = Callable[..., Path]
Counts = Callable[[Store], dict[str, int]]
CREDIT = ["expert", "event", "points", "holds_on"]


def expert(session: Session, code: str) -> Expert:
    return session.scalars(select(Expert).where(Expert.code == code)).one()


def test_the_small_registry_is_imported_whole(
    store: Store, small: Path, system: Viewer, row_counts: Counts
) -> None:
    done = import_tables(store, system, small)
    assert done.ok
    counts = row_counts(store)
    for sheet in done.sheets:
        with (small / f"{sheet.sheet}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = len(list(csv.reader(file))) - 1
        assert (sheet.new, sheet.same, sheet.corrected) == (rows, 0, 0)
        assert counts[SHEETS[sheet.sheet].table.__tablename__] == rows
    assert len(done.sheets) == len(SHEETS)
    with store.reading() as session:
        assert ledger.verify(session) == []
        one = expert(session, "EX-001")
        assert one.pseudonym == store.key.pseudonym("EX-001")
        assert store.key.open(one.national_id_sealed or b"") == "990000196201011010"
        assert one.national_id_mark == store.key.mark("990000196201011010")
        assert one.phone_mark == store.key.mark("10000000001")
        entries = session.scalars(select(LedgerEntry)).all()
        assert {entry.subject for entry in entries} == {
            sheet.table.__tablename__ for sheet in SHEETS.values()
        }
        assert {entry.action for entry in entries} == {"import"}


def test_codes_become_the_rows_they_name(store: Store, small: Path, system: Viewer) -> None:
    """Parents, versions of the catalogue, the ban that a revocation names, the applicant who is an expert."""
    assert import_tables(store, system, small).ok
    with store.reading() as session:
        names = {o.code: o for o in session.scalars(select(Organiser))}
        assert names["ORG-02"].parent_id == names["ORG-01"].id
        entries = {s.id: s for s in session.scalars(select(Specialty))}
        assert {e.version for e in entries.values() if e.code == "080101"} == {"2019", "2024"}
        for entry in entries.values():
            if entry.parent_id is not None:
                above = entries[entry.parent_id]
                assert (above.version, above.code) == (entry.version, entry.code[:-2])
        held = {
            (entries[s.specialty_id].version, entries[s.specialty_id].code)
            for s in session.scalars(select(Skill).where(Skill.expert_id == expert(session, "EX-008").id))
        }
        assert held == {("2024", "080201"), ("2019", "080102")}  # each by the version valid on its day
        revocation = session.scalars(
            select(Discipline).where(Discipline.sanction == Sanction.REVOCATION)
        ).one()
        ban = session.get_one(Discipline, revocation.revokes_id)
        assert (ban.sanction, ban.holds_on, ban.expert_id) == (
            Sanction.BAN,
            date(2024, 5, 1),
            revocation.expert_id,
        )
        assert session.scalars(select(Case).where(Case.directed)).one().code == "CASE-03"
        assert session.scalars(select(Relation).where(Relation.case_id.is_not(None))).all()


def test_importing_twice_changes_nothing(
    store: Store, small: Path, system: Viewer, row_counts: Counts
) -> None:
    first = import_tables(store, system, small)
    before = row_counts(store)
    for correct in (False, True):
        again = import_tables(store, system, small, correct=correct)
        assert again.ok
        assert [(s.sheet, s.same) for s in again.sheets] == [(s.sheet, s.new) for s in first.sheets]
        assert again.total("new") == again.total("corrected") == 0
        assert row_counts(store) == before


def test_a_dry_run_does_everything_but_keep_it(
    store: Store, small: Path, system: Viewer, row_counts: Counts
) -> None:
    before = row_counts(store)
    dry = import_tables(store, system, small, dry_run=True)
    assert dry.ok
    assert dry.dry_run
    assert row_counts(store) == before
    assert import_tables(store, system, small).sheets == dry.sheets


def test_sheets_one_by_one_are_the_same_as_all_at_once(store: Store, small: Path, system: Viewer) -> None:
    """A lone sheet refers to what the registry holds already."""
    for name in SHEETS:
        done = import_tables(store, system, small / f"{name}.csv")
        assert done.ok, done.errors
    assert import_tables(store, system, small).total("new") == 0


def test_a_workbook_is_the_same_as_a_folder(
    filled: Store, small: Path, tmp_path: Path, system: Viewer
) -> None:
    book = openpyxl.Workbook()
    for sheet in SHEETS.values():
        page = book.create_sheet(sheet.zh)
        with (small / f"{sheet.name}.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                page.append(row)
    book.save(tmp_path / "all.xlsx")
    done = import_tables(filled, system, tmp_path / "all.xlsx")
    assert done.ok
    assert (done.total("new"), done.total("same")) == (0, 169)


def test_rows_after_the_bulk_get_ids_of_their_own(store: Store, small: Path, system: Viewer) -> None:
    """The database goes on counting where the import stopped."""
    assert import_tables(store, system, small).ok
    with store.session() as session:
        last = max(session.scalars(select(Employer.id)))
        session.add(Employer(code="LATER", legal_person=True, region="x"))
        session.flush()
        assert session.scalars(select(Employer.id).where(Employer.code == "LATER")).one() > last


def test_a_changed_record_becomes_a_correction_row(
    store: Store, small: Path, files: Files, system: Viewer
) -> None:
    assert import_tables(store, system, small).ok
    later = clock.now().replace(day=20)
    changed = files(
        credits=[CREDIT, ["EX-005", "迟到", -5, "2025-09-12"], ["EX-006", "应回避未回避", -20, "2025-09-13"]]
    )
    with clock.fixed(later):
        assert not import_tables(store, system, changed).ok
        done = import_tables(store, system, changed, correct=True)
        assert [(s.new, s.same, s.corrected) for s in done.sheets] == [(0, 1, 1)]
        assert import_tables(store, system, changed).total("same") == 2
    with store.reading() as session:
        old, new = session.scalars(
            select(Credit).where(Credit.expert_id == expert(session, "EX-005").id).order_by(Credit.id)
        )
        assert (old.points, old.corrects_id) == (-10, None)
        assert (new.points, new.corrects_id, new.recorded_at, new.recorded_by) == (
            -5,
            old.id,
            later,
            "office",
        )
        assert ledger.verify(session) == []


def test_a_correction_keeps_what_the_file_has_no_column_for(
    filled: Store, files: Files, system: Viewer
) -> None:
    header = ["expert", "sanction", "holds_on", "basis"]
    changed = files(disciplines=[header, ["EX-010", "警告", "2025-10-01", "改正后的依据"]])
    assert import_tables(filled, system, changed, correct=True).ok
    with filled.reading() as session:
        stands = select(Discipline).where(
            Discipline.expert_id == expert(session, "EX-010").id, standing(Discipline)
        )
        one = session.scalars(stands).one()
        assert (one.basis, one.until) == ("改正后的依据", date(2026, 9, 30))


def test_an_official_name_misspelt_is_corrected_not_doubled(
    filled: Store, files: Files, system: Viewer
) -> None:
    header = ["employer", "kind", "name", "holds_on", "until"]
    names = files(
        employer_names=[header, ["EMP-04", "正式名称", "示例县农技推广站（虚构）", "1995-01-01", ""]]
    )
    assert [e.code for e in import_tables(filled, system, names).errors] == ["import.changed"]
    assert import_tables(filled, system, names, correct=True).total("corrected") == 1
    with filled.reading() as session:
        employer = session.scalars(select(Employer.id).where(Employer.code == "EMP-04")).one()
        stands = select(EmployerName.name).where(EmployerName.employer_id == employer, standing(EmployerName))
        assert session.scalars(stands).all() == ["示例县农技推广站（虚构）"]


def test_a_link_corrected_to_another_employer_frees_the_old_one(
    filled: Store, files: Files, system: Viewer
) -> None:
    """EMP-06 moves from EMP-01 to EMP-03 by correction, so EMP-01 may now be a part of EMP-06."""
    rows = [["EMP-06", "EMP-03", "隶属", "1990-09-01"], ["EMP-01", "EMP-06", "隶属", "2000-01-01"]]
    links = files(employer_links=[["employer", "other", "kind", "holds_on"], *rows])
    done = import_tables(filled, system, links, correct=True)
    assert [(s.new, s.corrected) for s in done.sheets] == [(1, 1)]
    with filled.reading() as session:
        assert len(session.scalars(select(EmployerLink)).all()) == 4


def test_things_are_changed_in_place_when_corrected(
    store: Store, small: Path, files: Files, system: Viewer
) -> None:
    """Only what the file says; masked and empty sealed fields stay; references to new rows work."""
    assert import_tables(store, system, small).ok
    tables = {
        "organisers": [["code", "name"], ["ORG-03", "新单位（虚构）"]],
        "pools": [["code", "name", "organiser"], ["POOL-01", "工程系列高级评委库（虚构）", "ORG-03"]],
        "experts": [
            ["code", "name", "region", "national_id", "phone"],
            ["EX-001", "赵明远（虚构）", "示例县", "990000************", "100-9999-0001"],
        ],
    }
    assert [e.code for e in import_tables(store, system, files(**tables), organiser="ORG-01").errors] == [
        "import.changed",
        "import.changed",
        "import.changed_sealed",
    ]
    done = import_tables(store, system, files(**tables), correct=True, organiser="ORG-01")
    assert [(s.new, s.same, s.corrected) for s in done.sheets] == [(1, 0, 0), (0, 0, 1), (0, 0, 1)]
    with store.reading() as session:
        one = expert(session, "EX-001")
        assert (one.region, one.born) == ("示例县", date(1962, 1, 1))
        assert store.key.open(one.national_id_sealed or b"") == "990000196201011010"
        assert store.key.open(one.phone_sealed or b"") == "10099990001"
        owner = session.scalars(select(Organiser.code).join(Pool, Pool.organiser_id == Organiser.id)).all()
        assert owner == ["ORG-03"]
        assert ledger.verify(session) == []


def test_a_record_taken_back_or_moved_is_not_imported_again(
    filled: Store, small: Path, system: Viewer
) -> None:
    with filled.session() as session:
        credit = session.scalars(select(Credit).where(Credit.points == -20)).one()
        withdraw(session, system, credit)
        other = session.scalars(select(Credit).where(Credit.points == -10)).one()
        moved = Credit(
            expert_id=other.expert_id, event=other.event, points=-10, holds_on=date(2025, 9, 11), void=False
        )
        from expert_pool.records import correct

        correct(session, system, other, moved)
    for correcting in (False, True):
        done = import_tables(filled, system, small / "credits.csv", correct=correcting)
        assert [(e.row, e.code) for e in done.errors] == [(2, "import.superseded"), (3, "import.taken_back")]


def test_records_keep_their_owner_and_their_moment(filled: Store, files: Files, system: Viewer) -> None:
    header = [*CREDIT, "organiser", "recorded_at"]
    rows = [
        ["EX-001", "x", 1, "2025-01-01", "ORG-02", "2025-01-02T08:00:00+08:00"],
        ["EX-001", "x", 2, "2025-01-01", "", ""],
    ]
    done = import_tables(filled, system, files(credits=[header, *rows]))
    assert done.ok
    with filled.reading() as session:
        first, second = session.scalars(select(Credit).where(Credit.event == "x").order_by(Credit.id))
        codes = {o.id: o.code for o in session.scalars(select(Organiser))}
        assert (codes[first.organiser_id], first.recorded_at) == ("ORG-02", datetime(2025, 1, 2, tzinfo=UTC))
        assert (codes[second.organiser_id], second.recorded_at) == ("ORG-01", clock.now())
        chains = session.scalars(select(LedgerEntry).where(LedgerEntry.subject == "credit")).all()
        assert sorted(codes[entry.organiser_id] for entry in chains) == ["ORG-01", "ORG-01", "ORG-02"]


def test_a_viewer_of_one_organiser_imports_for_it(filled: Store, files: Files) -> None:
    """Their records are theirs, and another organiser's record of the same thing is not in the way."""
    clerk = Viewer("clerk", frozenset({2}))
    same_as_theirs = files(credits=[CREDIT, ["EX-005", "迟到", -30, "2025-09-12"]])
    done = import_tables(filled, clerk, same_as_theirs)
    assert [(s.new, s.same) for s in done.sheets] == [(1, 0)]
    with filled.reading() as session:
        owner = session.scalars(select(Credit.organiser_id).where(Credit.points == -30)).one()
        assert owner == 2


def test_a_revocation_may_come_with_its_ban_or_after_it(filled: Store, files: Files, system: Viewer) -> None:
    header = ["expert", "sanction", "holds_on", "until", "basis", "revokes"]
    rows = [
        ["EX-015", "撤销处分", "2026-02-01", "", "复议", "2025-11-01"],
        ["EX-001", "撤销处分", "2026-03-01", "", "复议", "2026-02-01"],
        ["EX-001", "禁入", "2026-02-01", "", "规定", ""],
    ]
    done = import_tables(filled, system, files(disciplines=[header, *rows]))
    assert done.ok, done.errors
    assert import_tables(filled, system, files(disciplines=[header, *rows])).total("same") == 3
    with filled.reading() as session:
        for revocation in session.scalars(select(Discipline).where(Discipline.holds_on >= date(2026, 2, 1))):
            if revocation.sanction is Sanction.REVOCATION:
                ban = session.get_one(Discipline, revocation.revokes_id)
                assert (ban.expert_id, ban.sanction) == (revocation.expert_id, Sanction.BAN)


def test_children_may_stand_before_their_parents(store: Store, files: Files, system: Viewer) -> None:
    tables = {
        "organisers": [["code", "name", "parent"], ["C", "c", "B"], ["B", "b", "A"], ["A", "a", ""]],
        "specialties": [
            ["version", "code", "name", "depth", "parent", "since"],
            ["1", "010101", "x", "sub_specialty", "0101", "2020-01-01"],
            ["1", "0101", "x", "specialty", "01", "2020-01-01"],
            ["1", "01", "x", "series", "", "2020-01-01"],
        ],
    }
    done = import_tables(store, system, files(**tables))
    assert done.ok, done.errors


def test_progress_is_told_to_the_end(sqlite_store: Store, small: Path, system: Viewer) -> None:
    told: list[Progress] = []
    import_tables(sqlite_store, system, small, report=told.append)
    done = [event.done or 0 for event in told]
    assert {event.phase for event in told} == {"import"}
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, told[-1].total)


def test_another_writer_in_the_way_is_said_plainly(
    sqlite_store: Store, files: Files, system: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database itself refuses undoes the whole import."""
    monkeypatch.setattr("expert_pool.imports.write.allocate", lambda session, table, count: [1] * count)
    two = files(organisers=[["code", "name", "parent"], ["A", "a", ""], ["B", "b", "A"]])
    with pytest.raises(Fault) as caught:
        import_tables(sqlite_store, system, two)
    assert caught.value.code == "import.collided"
    with sqlite_store.reading() as session:
        assert session.scalars(select(Organiser)).all() == []


def test_a_touched_row_is_found_by_the_ledger(filled: Store, system: Viewer) -> None:
    with filled.session() as session:
        session.execute(update(Credit).where(Credit.id == 1).values(points=0))
    with filled.reading() as session:
        (fault,) = ledger.verify(session)
        assert (fault.code, fault.table, fault.row_id) == ("ledger.row_changed", "credit", 1)


@pytest.mark.parametrize("size", [1, 7])
def test_chunks_do_not_show(
    filled_template: Path,
    tmp_path: Path,
    small: Path,
    system: Viewer,
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asking and writing in small parts finds and writes the same."""
    monkeypatch.setattr("expert_pool.imports.known._PART", size)
    monkeypatch.setattr("expert_pool.imports.write.CHUNK", size)
    shutil.copy(filled_template, tmp_path / "copy.db")
    from expert_pool.keys import Key

    with open_store(f"sqlite:///{tmp_path / 'copy.db'}", key=Key(bytes(range(32)))) as store:
        assert import_tables(store, system, small).total("new") == 0
    with open_store(f"sqlite:///{tmp_path / 'new.db'}", key=Key(bytes(range(32)))) as store:
        assert import_tables(store, system, small).ok
        monkeypatch.setattr("expert_pool.imports.known.MOST_ASKED", 0)
        again: Any = import_tables(store, system, small)
        assert (again.total("new"), again.total("same")) == (0, 169)
