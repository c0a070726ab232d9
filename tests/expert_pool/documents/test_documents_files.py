"""The documents as files: opened again by the libraries that others open them with."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docx import Document
from docx.oxml.ns import qn
from openpyxl import load_workbook
from rich.console import Console

from expert_pool.documents import (
    Person,
    panel_document,
    panel_picture,
    panel_spec,
    panel_text,
    panel_workbook,
)
from expert_pool.documents.files import put
from expert_pool.documents.sheet import cut, fold, width
from solver.answer import Answer
from solver.errors import Fault
from solver.problem import Problem

LANGS = pytest.mark.parametrize("lang", ["zh", "en"])


@LANGS
def test_the_workbook_has_its_sheets_ready_to_print(
    answer: Answer, people: dict[str, Person], problem: Problem, lang: str, tmp_path: Path
) -> None:
    path = panel_workbook(answer, people, lang, tmp_path / "panel.xlsx", problem)
    book = load_workbook(path)
    sheets = {
        "zh": ["名单", "备选", "规则", "案件", "漏斗", "说明"],
        "en": ["Members", "Alternates", "Rules", "Cases", "Funnel", "Summary"],
    }
    assert book.sheetnames == sheets[lang]
    rows = {"名单": 25, "备选": 8, "规则": len(answer.rules), "案件": 200, "漏斗": len(answer.funnel)}
    for sheet, zh in zip(book.worksheets, sheets["zh"], strict=True):
        top = 2  # one line says that the people are made up
        assert sheet.freeze_panes == f"A{top + 1}"
        assert sheet.print_title_rows == f"${top}:${top}"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.cell(top, 1).fill.fgColor.rgb.endswith("1F3864")
        if zh in rows:
            filled = [r for r in range(top + 1, sheet.max_row + 1) if sheet.cell(r, 2).value is not None]
            assert len(filled) == rows[zh]
    margins = [row[6] for row in book[sheets[lang][2]].iter_rows(min_row=3, values_only=True) if row[1]]
    assert all(isinstance(m, int) for m in margins)


def test_nobodys_name_becomes_a_formula(answer: Answer, problem: Problem, tmp_path: Path) -> None:
    evil = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "#REF!", "a\x07b"]
    people = {m.expert: Person(evil[i % 6], employer=evil[(i + 1) % 6]) for i, m in enumerate(answer.members)}
    sheet = load_workbook(panel_workbook(answer, people, "en", tmp_path / "p.xlsx", problem)).worksheets[0]
    cells = [cell for row in sheet.iter_rows(min_row=3) for cell in (row[2], row[4]) if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.value for cell in cells} == {*evil[:5], "ab"}
    assert all(cell.quotePrefix for cell in cells if cell.value[0] in "=+-@")


@LANGS
def test_the_report_is_ready_for_the_file(
    answer: Answer, people: dict[str, Person], problem: Problem, lang: str, tmp_path: Path
) -> None:
    report = Document(str(panel_document(answer, people, lang, tmp_path / "panel.docx", problem)))
    text = "\n".join(cell.text for table in report.tables for row in table.rows for cell in row.cells)
    assert all(person.name in text for person in people.values())
    assert ("虚构数据" if lang == "zh" else "made up") in text
    faces = [
        *report.element.body.iter(qn("w:rFonts")),
        *(report.styles[name].element.rPr.find(qn("w:rFonts")) for name in ("Normal", "Heading 1")),
    ]
    assert {fonts.get(qn("w:eastAsia")) for fonts in faces} == {"宋体", "黑体"}
    assert report.styles["Cell"].base_style.name == "Normal"
    footer = report.sections[0].footer._element
    assert [i.text for i in footer.iter(qn("w:instrText"))] == ["PAGE", "NUMPAGES"]
    long = [table for table in report.tables if len(table.rows) > 8 and len(table.columns) > 2]
    assert long
    assert all(table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None for table in long)


def test_the_report_lists_only_cases_with_recusals(answer: Answer, problem: Problem, tmp_path: Path) -> None:
    report = Document(str(panel_document(answer, {}, "en", tmp_path / "panel.docx", problem)))
    listed = {row.cells[0].text for table in report.tables for row in table.rows} & {
        c.case for c in answer.cases
    }
    assert listed == {c.case for c in answer.cases if c.recused}
    clear = answer.model_copy(update={"cases": [c.model_copy(update={"recused": {}}) for c in answer.cases]})
    report = Document(str(panel_document(clear, {}, "en", tmp_path / "clear.docx", problem)))
    assert "Nobody needs to be recused." in [p.text for p in report.paragraphs]


@LANGS
def test_a_proposal_says_so_on_every_face(
    answer: Answer, problem: Problem, lang: str, tmp_path: Path
) -> None:
    draw = answer.problem.model_copy(update={"procedure": "draw"})
    proposal = answer.model_copy(update={"fileable": False, "problem": draw})
    warning = {"zh": "不得用于备案", "en": "not to be filed"}[lang]
    report = Document(str(panel_document(proposal, {}, lang, tmp_path / "p.docx", problem)))
    assert warning in report.tables[0].cell(0, 0).text
    book = load_workbook(panel_workbook(proposal, {}, lang, tmp_path / "p.xlsx", problem))
    assert all(warning in sheet["A1"].value for sheet in book.worksheets)
    assert warning in str(panel_spec(proposal, {}, lang, problem))
    assert warning in _printed(panel_text(proposal, {}, lang, problem))


@LANGS
def test_without_a_panel_every_document_says_why(
    answer: Answer, problem: Problem, without_panel: Callable[[Answer], Answer], lang: str, tmp_path: Path
) -> None:
    none = without_panel(answer)
    why = {"zh": "下列规则不能同时满足", "en": "These rules cannot hold together"}[lang]
    report = Document(str(panel_document(none, {}, lang, tmp_path / "n.docx", problem)))
    assert any(why in p.text for p in report.paragraphs)
    book = load_workbook(panel_workbook(none, {}, lang, tmp_path / "n.xlsx", problem))
    assert any(why in str(row[1]) for row in book.worksheets[-1].iter_rows(values_only=True))
    assert why in _printed(panel_text(none, {}, lang, problem))
    assert why in str(panel_spec(none, {}, lang, problem))


def test_the_picture_without_a_panel_is_drawn_too(
    answer: Answer, problem: Problem, without_panel: Callable[[Answer], Answer], tmp_path: Path
) -> None:
    svg, _ = panel_picture(without_panel(answer), {}, "zh", tmp_path / "n.svg", tmp_path / "n.png", problem)
    assert "下列规则不能同时满足" in svg.read_text(encoding="utf-8")


@LANGS
def test_the_picture_is_one_page_with_everybody_on_it(
    answer: Answer, people: dict[str, Person], problem: Problem, lang: str, tmp_path: Path
) -> None:
    svg, png = panel_picture(answer, people, lang, tmp_path / "p.svg", tmp_path / "p.png", problem)
    root = ElementTree.fromstring(svg.read_bytes())
    assert (root.get("width"), root.get("height")) == ("1400", "900")
    assert struct.unpack(">II", png.read_bytes()[16:24]) == (2800, 1800)
    text = "".join(root.itertext())
    assert all(person.name.removesuffix("（虚构）") in text.replace("\n", "") for person in people.values())
    assert "http" not in text


def test_the_picture_shows_broken_rules_in_red_left_of_zero(answer: Answer, problem: Problem) -> None:
    rules = [
        r.model_copy(update={"holds": False, "value": 3, "margin": -5}) if r.id == "private_share" else r
        for r in answer.rules
    ]
    spec = panel_spec(answer.model_copy(update={"rules": rules}), {}, "zh", problem)
    margins = spec["concat"][3]["data"]["values"]
    assert margins[0] == {"rule": "00", "margin": -5, "said": "−5", "kind": "hard broken", "side": "left"}
    assert all(value["margin"] >= 0 for value in margins[1:])


def test_text_of_the_picture_fits() -> None:
    assert cut("某省工程系列评审委员会", 60, 12) == "某省工程…"
    assert cut("short", 200, 12) == "short"
    assert fold("Peers of every case (close peers)", 120, 11) == "Peers of every case\n(close peers)"
    assert all(width(line, 12) <= 60 for line in fold("软件与信息技术服务评议组", 60, 12).split("\n"))
    assert fold("P0123456789", 50, 10.5, 1).endswith("…")


@LANGS
def test_the_terminal_shows_the_panel(
    answer: Answer, people: dict[str, Person], problem: Problem, lang: str
) -> None:
    printed = _printed(panel_text(answer, people, lang, problem, reasons=True))
    assert all(person.name in printed for person in people.values())
    assert answer.problem.sha256 in printed
    bare = _printed(panel_text(answer, {}, lang))
    assert all(m.expert in bare for m in answer.members)
    assert max(map(len, bare.splitlines())) <= 160


def test_a_name_that_looks_like_markup_is_printed_as_it_is(answer: Answer, problem: Problem) -> None:
    people = {m.expert: Person("[red]x[/red]") for m in answer.members}
    assert "[red]x[/red]" in _printed(panel_text(answer, people, "en", problem))


def test_a_folder_that_is_not_there_is_a_fault_and_leaves_nothing(answer: Answer, tmp_path: Path) -> None:
    with pytest.raises(Fault) as fault:
        panel_workbook(answer, {}, "zh", tmp_path / "missing" / "p.xlsx")
    assert (fault.value.code, fault.value.where) == (
        "documents.cannot_write",
        str(tmp_path / "missing" / "p.xlsx"),
    )
    (tmp_path / "taken").mkdir()
    with pytest.raises(Fault):
        put(tmp_path / "taken", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_an_old_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    path.write_bytes(b"old and longer")
    assert put(path, b"new") == path
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def _printed(text: object) -> str:
    console = Console(width=160, force_terminal=False, file=None, record=True, quiet=False)
    with console.capture() as capture:
        console.print(text)
    return capture.get()
