"""Written scores: brought in piece by piece with a report, attested, read back as arrays, never as ballots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook
from sqlalchemy import func, select, text
from tiny_registry import Tiny

from expert_pool import clock, ledger
from expert_pool.imports import ImportReport, import_tables
from expert_pool.reevaluation import score_sheets
from expert_pool.reevaluation.measurement.measured import measure
from expert_pool.reevaluation.scores import pool_ratings
from expert_pool.registry import LedgerEntry, Organiser, Rating, RatingScale, RatingSource
from expert_pool.viewer import Viewer
from solver.errors import Fault

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
SYSTEM = Viewer.system("office")
HEADERS = ("case", "rater", "criterion", "score", "source", "holds_on")


def csv(folder: Path, name: str, *rows: Sequence[object]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8")
    return folder


def scales(folder: Path) -> Path:
    csv(
        folder,
        "rating_scales",
        ("code", "name", "low", "high"),
        ("S5", "五级", 1, 5),
        ("S100", "百分", 0, 100),
    )
    return csv(
        folder,
        "rating_criteria",
        ("code", "name", "scale"),
        ("NEW", "创新", "S5"),
        ("USE", "实效", "S5"),
        ("SUM", "总分", "S100"),
    )


def score(case: str, rater: str, criterion: str, value: object, on: str = "2026-09-20") -> tuple[object, ...]:
    return (case, rater, criterion, value, "score_sheet", on)


FILE = [
    score("K1", "E01", "NEW", 4),
    score("K1", "E02", "NEW", 3),
    score("K2", "E01", "USE", 5),
    score("K2", "E03", "USE", 2, "2025-12-31"),
    score("K1", "E01", "SUM", 88),
]


def bring(tiny: Tiny, folder: Path, *rows: Sequence[object], correct: bool = False) -> ImportReport:
    csv(folder, "ratings", HEADERS, *rows)
    with clock.fixed(NOW):
        return import_tables(tiny.store, SYSTEM, folder, correct=correct)


@pytest.fixture
def filled(tiny: Tiny, tmp_path: Path) -> Tiny:
    assert bring(tiny, scales(tmp_path / "first"), *FILE).ok
    return tiny


def read(tiny: Tiny, known_at: datetime | None = None, **more: str) -> object:
    with tiny.store.reading() as session, clock.fixed(NOW):
        return pool_ratings(session, SYSTEM, "P1", date(2020, 1, 1), date(2026, 12, 31), known_at, **more)


def test_scores_come_back_as_they_were_written(filled: Tiny) -> None:
    """By code, counted from the foot of the scale, with years; other scales are counted and left out."""
    ratings = read(filled)
    assert ratings is not None
    told = [
        (
            ratings.cases[ratings.case[n]],
            ratings.raters[ratings.rater[n]],
            ratings.criteria[ratings.criterion[n]],
            int(ratings.level[n]) + ratings.low,
            int(ratings.period[n]),
        )
        for n in range(len(ratings))
    ]
    assert sorted(told) == [
        ("K1", "E01", "NEW", 4, 2026),
        ("K1", "E02", "NEW", 3, 2026),
        ("K2", "E01", "USE", 5, 2026),
        ("K2", "E03", "USE", 2, 2025),
    ]
    assert (ratings.low, ratings.high, ratings.scale, ratings.elsewhere) == (1, 5, "S5", 1)
    other = read(filled, scale="S100")
    assert (other.scale, len(other), other.elsewhere) == ("S100", 1, 4)


def test_every_score_is_attested_and_the_ledger_holds(filled: Tiny) -> None:
    """In the same transaction as it was written."""
    with filled.store.reading() as session:
        rows = session.scalars(select(Rating.id)).all()
        attested = session.execute(
            text("select count(*) from attestation where \"table\" = 'rating'")
        ).scalar()
        assert attested == len(rows) == len(FILE)
        subjects = session.scalars(select(LedgerEntry.subject).where(LedgerEntry.action == "import")).all()
        assert {"rating", "rating_scale", "rating_criterion"} <= {*subjects}
        assert ledger.verify(session) == []
    with filled.store.session() as session:
        session.execute(text("update rating set score = 5 where id = :id"), {"id": rows[0]})
    with filled.store.reading() as session:
        assert ledger.verify(session) != []


def test_the_same_again_changes_nothing_and_otherwise_is_an_error(filled: Tiny, tmp_path: Path) -> None:
    """Corrections are new rows; what was known before them can still be asked for."""
    again = bring(filled, tmp_path / "again", *FILE)
    assert (again.total("new"), again.total("same"), again.total("corrected")) == (0, 5, 0)
    other = [score("K1", "E01", "NEW", 2), *FILE[1:]]
    refused = bring(filled, tmp_path / "other", *other)
    assert [(e.row, e.column, e.code) for e in refused.errors] == [(2, "score", "import.changed")]
    with clock.fixed(datetime(2026, 11, 2, tzinfo=UTC)):
        done = import_tables(filled.store, SYSTEM, tmp_path / "other", correct=True)
    assert (done.total("new"), done.total("same"), done.total("corrected")) == (0, 4, 1)
    with filled.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == 6
    before = read(filled, datetime(2026, 11, 1, 9, tzinfo=UTC))
    after = read(filled, datetime(2026, 11, 3, tzinfo=UTC))
    assert sorted(before.level.tolist()) == [1, 2, 3, 4]
    assert sorted(after.level.tolist()) == [1, 1, 2, 4]


def test_every_wrong_row_is_named_and_nothing_is_written(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the rows lie in different pieces of the file."""
    monkeypatch.setattr(score_sheets, "PIECE", 3)
    wrong = [
        score("K1", "E01", "NEW", 4),
        score("K9", "E01", "NEW", 4),
        score("K1", "E99", "NEW", 4),
        score("K1", "E01", "OLD", 4),
        score("K1", "E02", "NEW", 6),
        score("K1", "E02", "NEW", "viel"),
        score("K1", "E03", "NEW", 4, "2027-01-01"),
        score("K1", "E01", "NEW", 4),
        score("K2", "E01", "NEW", 1),
        score("K2", "E01", "NEW", 1),
        ("K2", "E02", "NEW", 3, "ballot", "2026-09-20"),
        ("K2", "", "NEW", 3, "opinion", "2026-09-20"),
    ]
    report = bring(tiny, scales(tmp_path), *wrong)
    assert [(e.row, e.column, e.code) for e in report.errors] == [
        (3, "case", "import.unknown"),
        (4, "rater", "import.unknown"),
        (5, "criterion", "import.unknown"),
        (6, "score", "ratings.row_out_of_scale"),
        (7, "score", "import.integer"),
        (8, "holds_on", "import.future"),
        (9, "case", "import.twice"),
        (11, "case", "import.twice"),
        (12, "source", "import.choice"),
        (13, "rater", "import.required"),
    ]
    assert report.errors[6].params["first"] == 2
    assert report.errors[7].params["first"] == 10
    for lang in ("zh", "en"):
        assert all(error.said(lang) != error.code for error in report.errors)
    with tiny.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == 0
        assert session.scalar(select(func.count()).select_from(RatingScale)) == 0


def test_a_file_full_of_errors_is_left_early(tiny: Tiny, tmp_path: Path) -> None:
    """After a thousand of them, and it says so."""
    rows = [score(f"X{n}", "E01", "NEW", 4) for n in range(12_000)]
    report = bring(tiny, scales(tmp_path), *rows)
    assert report.errors[-1].code == "ratings.more_errors"
    assert len(report.errors) < 11_000


def test_a_file_without_a_row_is_no_import(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"import\.no_rows"):
        bring(tiny, tmp_path / "empty")


def test_a_workbook_brings_the_same(tiny: Tiny, tmp_path: Path) -> None:
    """Chinese titles, headers and words; a ballot is no source."""
    book = Workbook()
    pages = {
        "评分量表": [("量表编码", "名称", "最低分", "最高分"), ("S5", "五级", 1, 5)],
        "评分指标": [("指标编码", "名称", "量表编码"), ("NEW", "创新", "S5")],
        "评分": [
            ("申报编码", "专家编码", "指标编码", "分数", "来源", "评分日期"),
            ("K1", "E01", "NEW", 4, "评分表", "2026-09-20"),
            ("K1", "E02", "NEW", 5, "书面意见", "2026-09-20"),
        ],
    }
    for title, rows in pages.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(tmp_path / "scores.xlsx")
    with clock.fixed(NOW):
        assert import_tables(tiny.store, SYSTEM, tmp_path / "scores.xlsx").total("new") == 4
    assert {source.value for source in RatingSource} == {"opinion", "score_sheet"}


def test_a_scale_with_scores_on_it_stays(filled: Tiny, tmp_path: Path) -> None:
    """A name may change, the range may not; a scale upside down is none."""
    headers = ("code", "name", "low", "high")
    csv(tmp_path / "a", "rating_scales", headers, ("S5", "五级制", 1, 5))
    with clock.fixed(NOW):
        assert import_tables(filled.store, SYSTEM, tmp_path / "a", correct=True).total("corrected") == 1
        csv(tmp_path / "b", "rating_scales", headers, ("S5", "五级制", 1, 9), ("S0", "反", 5, 5))
        report = import_tables(filled.store, SYSTEM, tmp_path / "b", correct=True)
    assert [error.code for error in report.errors] == ["ratings.scale_in_use", "ratings.scale"]


def test_scores_and_other_sheets_do_not_mix(tiny: Tiny, tmp_path: Path) -> None:
    """A lone file is known by its headers too."""
    folder = csv(tmp_path / "mixed", "ratings", HEADERS, score("K1", "E01", "NEW", 4))
    csv(folder, "experts", ("code", "name"))
    with pytest.raises(Fault, match=r"ratings\.mixed"):
        import_tables(tiny.store, SYSTEM, folder)
    lone = csv(tmp_path / "lone", "anything", HEADERS, score("K1", "E01", "NEW", 4)) / "anything.csv"
    with clock.fixed(NOW):
        report = import_tables(tiny.store, SYSTEM, lone)
    assert [(error.row, error.code) for error in report.errors] == [(2, "import.unknown")]


def test_others_see_and_write_nothing(filled: Tiny, tmp_path: Path) -> None:
    """Scores belong to their organiser."""
    with filled.store.session() as session:
        session.add(Organiser(code="CITY", name="市（虚构）"))
        session.flush()
        city = session.scalars(select(Organiser.id).where(Organiser.code == "CITY")).one()
    stranger = Viewer("city", frozenset({city}))
    with filled.store.reading() as session:
        with pytest.raises(Fault, match=r"ratings\.pool_unknown"):
            pool_ratings(session, stranger, "P1", date(2020, 1, 1), date(2026, 12, 31))
        assert pool_ratings(session, stranger, None, date(2020, 1, 1), date(2026, 12, 31)) is None
    csv(tmp_path / "new", "ratings", HEADERS, score("K3", "E01", "NEW", 4))
    with clock.fixed(NOW):
        report = import_tables(filled.store, stranger, tmp_path / "new")
    assert {(error.column, error.code) for error in report.errors} == {
        ("case", "import.unknown"),
        ("criterion", "import.unknown"),
    }


def test_what_raters_and_cases_share_is_marked(filled: Tiny) -> None:
    """K1 is of the university, K2 of the firm; so are their raters or not."""
    ratings = read(filled)
    assert set(ratings.own) == {"employer", "region", "sector"}
    assert all(mask.shape == ratings.case.shape for mask in ratings.own.values())
    with filled.store.reading() as session:
        homes = dict(
            session.execute(
                text(
                    "select e.code, em.employer_id from employment em join expert e on e.id = em.expert_id"
                    " where em.until is null"
                )
            ).all()
        )
        at = dict(session.execute(text('select code, employer_id from "case"')).all())
    for n in range(len(ratings)):
        same = homes[ratings.raters[ratings.rater[n]]] == at[ratings.cases[ratings.case[n]]]
        assert bool(ratings.own["employer"][n]) == same
        if same:
            assert ratings.own["region"][n] or not np.any(ratings.own["region"])


def test_what_was_imported_can_be_measured(filled: Tiny) -> None:
    """Few scores give no figures but a reason; nothing breaks."""
    found = measure(read(filled), at_least=2)
    assert {one.why for one in found.raters} <= {
        "measurement.few",
        "measurement.alone",
        "measurement.alike",
        None,
    }
    assert found.named == "S5"
    assert found.elsewhere == 1
    assert found.flags == ()
