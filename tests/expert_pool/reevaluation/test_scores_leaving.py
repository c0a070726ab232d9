"""Who may see scores by name: the rater, and for a purpose the managers of the organiser that holds them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from refused import refused
from sqlalchemy import select
from tiny_registry import Tiny

from expert_pool import clock, ledger
from expert_pool.imports import import_tables, write_template
from expert_pool.privacy.exports import export_marked, touches
from expert_pool.privacy.looking import looks
from expert_pool.privacy.own_record import own_copy, own_record, who_looked
from expert_pool.privacy.scores_given import look_at_scores
from expert_pool.registry import Export, LedgerEntry, Rating
from expert_pool.viewer import Viewer

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
OFFICE = Viewer.system("office")
STRANGER = Viewer("far", frozenset({999}))
SHEETS = {
    "rating_scales": ["code,name,low,high", "S5,五级,1,5"],
    "rating_criteria": ["code,name,scale", "NEW,=创新,S5"],
    "ratings": [
        "case,rater,criterion,score,source,holds_on",
        "K1,E01,NEW,4,score_sheet,2026-09-20",
        "K1,E02,NEW,3,opinion,2026-09-20",
    ],
}


@pytest.fixture
def scored(sqlite_tiny: Tiny, tmp_path: Path) -> Tiny:
    """The small registry with two scores, one of them corrected since."""
    folder = tmp_path / "in"
    folder.mkdir()
    for score in (4, 5):
        for name, lines in SHEETS.items():
            said = "\n".join(lines).replace("E01,NEW,4", f"E01,NEW,{score}")
            (folder / f"{name}.csv").write_text(said, encoding="utf-8")
        with clock.fixed(NOW):
            assert import_tables(sqlite_tiny.store, OFFICE, folder, correct=True).ok
    return sqlite_tiny


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_exported_scores_come_back_the_same(scored: Tiny, tmp_path: Path, form: str) -> None:
    """Only what stands; the export speaks of the raters, and it is on the ledger."""
    out = tmp_path / ("out" if form == "csv" else "out.xlsx")
    done, rows = export_marked(
        scored.store, OFFICE, out, purpose="归档评分", form=form, content="scores", lang="zh"
    )
    assert dict(rows) == {"rating_scales": 1, "rating_criteria": 1, "ratings": 2}
    with scored.store.reading() as session:
        export = session.scalars(select(Export)).one()
        ids = scored.ids["expert"]
        assert (export.content, export.serial) == ("scores", done.serial)
        assert [touches(export.experts, ids[code]) for code in ("E01", "E02", "E03")] == [True, True, False]
    with clock.fixed(NOW):
        again = import_tables(scored.store, OFFICE, out)
        assert (again.ok, again.total("same"), again.total("new")) == (True, 4, 0)


def test_nobody_else_takes_scores_out(scored: Tiny, tmp_path: Path) -> None:
    viewer = Viewer("other", frozenset({scored.organiser_id + 1}))
    from expert_pool.imports import export_tables

    assert export_tables(scored.store, viewer, tmp_path / "out", content="scores") == {
        "rating_scales": 0, "rating_criteria": 0, "ratings": 0,
    }  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_template_of_scores_is_read_back(sqlite_tiny: Tiny, tmp_path: Path, lang: str) -> None:
    place = tmp_path / "scores.xlsx"
    write_template(place, lang, "scores")
    book = openpyxl.load_workbook(place)
    assert len(book.sheetnames) == 4
    book.worksheets[1].append(["S7", "七级", 1, 7])
    book.worksheets[2].append(["ALL", "综合", "S7"])
    book.worksheets[3].append(["K1", "E03", "ALL", 6, "评分表", "2026-09-20"])
    book.save(place)
    with clock.fixed(NOW):
        assert import_tables(sqlite_tiny.store, OFFICE, place).total("new") == 3


def test_a_look_at_scores_has_a_purpose_and_the_rater_reads_of_it(scored: Tiny) -> None:
    with scored.store.session() as session:
        found = look_at_scores(session, OFFICE, "E01", "复核评分")
        assert [(one.case, one.score, one.high, one.stands) for one in found] == [
            ("K1", 4, 5, False),
            ("K1", 5, 5, True),
        ]
        (look,) = looks(session, OFFICE, expert="E01")
        assert (look.fields, look.purpose) == (("scores",), "复核评分")
        entry = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.subject) == ("expert.scores_seen", "E01")
        assert ledger.verify(session) == []
        (told,) = who_looked(session, scored.ids["expert"]["E01"])
        assert (told.kind, told.what, told.actor) == ("unmasked", "scores", "office")
    with scored.store.session() as session, refused("privacy.purpose_missing"):
        look_at_scores(session, OFFICE, "E01", "x")
    with scored.store.session() as session, refused("privacy.expert_unknown"):
        look_at_scores(session, STRANGER, "E01", "复核评分")


def test_an_expert_reads_the_own_scores_and_nobody_elses(scored: Tiny) -> None:
    key, ids = scored.store.key, scored.ids["expert"]
    with scored.store.session() as session:
        mine = own_record(session, key, ids["E02"]).scores
        assert [(one.case, one.criterion, one.score, one.holds_on) for one in mine] == [
            ("K1", "NEW", 3, date(2026, 9, 20))
        ]
        assert own_record(session, key, ids["E03"]).scores == ()
        assert own_copy(session, OFFICE, key, ids["E02"])["scores"][0]["score"] == 3
        assert session.query(Rating).count() == 3
