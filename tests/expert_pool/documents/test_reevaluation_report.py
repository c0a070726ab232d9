"""The report of a re-evaluation: the same bytes each time, nothing hidden, nothing that a spreadsheet would run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from tiny_registry import Tiny

from expert_pool import clock
from expert_pool.documents.reevaluation_charts import charts
from expert_pool.documents.reevaluation_contents import Report, cautions, tables
from expert_pool.documents.reevaluation_document import report_document
from expert_pool.documents.reevaluation_funnel_chart import funnel
from expert_pool.documents.reevaluation_report import picture_of, report_of, timeless, write_report
from expert_pool.documents.reevaluation_workbook import report_workbook
from expert_pool.policies.load import load
from expert_pool.reevaluation.appraising import appraise
from expert_pool.reevaluation.health.picture import picture
from expert_pool.reevaluation.organisation_decisions import record_results
from expert_pool.reevaluation.organisation_scheme import load_organisation_scheme
from expert_pool.reevaluation.organisations import appraise_organisations
from expert_pool.reevaluation.scheme import load_scheme
from expert_pool.registry import Credit
from expert_pool.viewer import Viewer

NOW = datetime(2026, 9, 21, 4, 0, tzinfo=UTC)
TODAY = date(2026, 9, 21)
OFFICE = Viewer.system("office")
RATER = {
    "scores": 60, "cases": 20, "component": 0, "why": None, "average": 3.0, "error": 0.2, "shrunk": 0.1,
    "fair_average": 3.1, "infit": 1.0, "outfit": 1.1, "spread": 0.9, "halo": 0.1, "agreement": 0.5, "chances": {},
    "drift": {}, "own": {},
}  # fmt: skip
MEASURED: dict[str, Any] = {
    "format": "measurement/1",
    "rate": 5,
    "tests": 40,
    "at_least": 30,
    "replications": 0,
    "comparable": "within_components",
    "overlaps": [{"raters": ["E01", "E04"], "cases": 3}],
    "flags": [{"rater": "E01", "kind": "severe", "figures": {"severity": 1.4}, "p": 0.0001, "q": 0.002}],
    "components": [
        {"number": n, "raters": 3, "measured": 3, "cases": 20, "scores": 60, "spread": 0.5, "reliability": 0.8, "alike": 0.01}
        for n in range(2)
    ],
    "raters": [
        RATER | {"rater": f"E{n:02}", "severity": n / 3, "low": n / 3 - 0.4, "high": n / 3 + 0.4, "component": n // 3}
        for n in range(1, 6)
    ]
    + [RATER | {"rater": "E06", "severity": None, "low": None, "high": None, "why": "measurement.few"}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


@pytest.fixture
def given(sqlite_tiny: Tiny) -> tuple[Any, ...]:
    """An appraisal, the health of its pool, the organisations."""
    tiny = sqlite_tiny
    with tiny.store.session() as session:
        record_results(session, OFFICE, "C1", 2026, reviewed=80, passed=44, on=TODAY)
        for event, points in (("缺席", -20), ("=HYPERLINK(1)", -15), ("迟到", -10)):
            session.add(
                Credit(
                    expert_id=tiny.ids["expert"]["E04"],
                    organiser_id=tiny.organiser_id,
                    event=event,
                    points=points,
                    holds_on=date(2026, 5, 1),
                    recorded_at=NOW,
                    recorded_by="office",
                )
            )
    with tiny.store.reading() as session:
        health = picture(
            session, OFFICE, tiny.pool_id, TODAY, NOW, policies=load("cn-title-jilin-2013"), plan_seconds=0
        )
        organisations = appraise_organisations(
            session, OFFICE, load_organisation_scheme("own-default"), TODAY, NOW
        )
        appraisal = appraise(session, OFFICE, "P1", load_scheme("own-default"), TODAY, NOW)
    return appraisal, health, organisations


def told(given: tuple[Any, ...], lang: str = "en") -> Report:
    appraisal, health, organisations = given
    return replace(report_of(appraisal, None, health, organisations, lang), measured=MEASURED)


def test_the_whole_report_is_written_and_made_again_has_the_same_bytes(
    given: tuple[Any, ...], tmp_path: Path
) -> None:
    appraisal, health, organisations = given
    files = write_report(tmp_path, appraisal, None, health, organisations, "zh")
    written = {str(file.relative_to(tmp_path)): file.read_bytes() for file in files}
    assert {"reevaluation.xlsx", "reevaluation.docx", "reevaluation.json", "charts/points.svg"} <= set(
        written
    )
    report = report_of(appraisal, None, health, organisations, "zh")
    drawn = charts(report)
    assert {f"charts/{name}.png" for name in drawn} <= set(written)
    pictures = {name: written[f"charts/{name}.png"] for name in drawn}
    assert timeless(report_workbook(report)) == written["reevaluation.xlsx"]
    assert timeless(report_document(report, pictures)) == written["reevaluation.docx"]
    assert picture_of(drawn["measures"]) == (written["charts/measures.svg"], pictures["measures"])
    whole = json.loads(written["reevaluation.json"])
    assert whole["appraisal"] == json.loads(json.dumps(appraisal.document()))
    assert whole["health"]["pool"] == "P1"
    spec = json.loads(written["charts/supply_demand.vl.json"])
    assert spec["layer"][0]["data"]["values"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_word_of_the_report_is_known(given: tuple[Any, ...], lang: str) -> None:
    report = told(given, lang)
    said = [str(cell) for table in tables(report) for row in table.rows for cell in row]
    book = load_workbook(BytesIO(report_workbook(report)))
    said += [str(cell.value) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    said += [json.dumps(charts(report), ensure_ascii=False), *cautions(report), *book.sheetnames]
    with ZipFile(BytesIO(report_document(report, {}))) as package:
        said.append(package.read("word/document.xml").decode())
    assert not [text for text in said if "report." in text]


def test_no_text_becomes_a_formula_and_every_proposal_has_its_reason(given: tuple[Any, ...]) -> None:
    report = replace(told(given), title="=1+1")
    book = load_workbook(BytesIO(report_workbook(report)))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert any(str(cell.value).startswith("=1+1") and cell.quotePrefix for cell in cells)
    proposals = next(table for table in tables(report) if table.name == "proposals")
    assert {row[0] for row in proposals.rows} == {p["expert"] for p in report.appraisal["proposals"]}
    assert all(row[4] for row in proposals.rows)


def test_severities_stand_in_a_pane_for_each_linked_set(given: tuple[Any, ...]) -> None:
    spec = charts(told(given))["severities"]
    panes = [{value["rater"] for value in pane["data"]["values"]} for pane in spec["concat"]]
    assert sorted(map(sorted, panes)) == [["E01", "E02"], ["E03", "E04", "E05"]]


def test_the_cautions_follow_from_what_is_in_the_report(given: tuple[Any, ...]) -> None:
    measured = " ".join(cautions(told(given)))
    assert "2 sets" in measured
    assert "at most 5% false flags" in measured
    assert "1 without figures" in measured
    bare = " ".join(cautions(replace(told(given), measured=None, health=None, organisations=())))
    assert "nothing was measured" in bare
    assert "logit" not in bare


def test_a_funnel_needs_a_rate_between_none_and_all(given: tuple[Any, ...]) -> None:
    report = told(given)
    assert funnel(report, "pass_rate") is not None
    assert funnel(report, "complaints_upheld") is None


def test_a_package_forgets_when_it_was_written(given: tuple[Any, ...]) -> None:
    first = timeless(report_workbook(told(given)))
    with clock.fixed(NOW.replace(year=2027)):
        second = timeless(report_workbook(told(given)))
    assert first == second
