"""The whole day of an office in a real browser, once in each language: a file comes in, a panel is asked for, is impossible, gives
way, sits; somebody falls ill; the papers are made; the pool is re-evaluated; a question of what-if is asked. Everything is
found by the name it has in the catalogues, as somebody would who reads the page or has it read."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from in_a_browser import Open, needs_chromium
from scenarios_stored import text
from signed_in_people import PASSWORD
from working_office import SMALL

from expert_pool import clock
from expert_pool.imports.sheets import SHEETS
from expert_pool.policies.load import preset
from expert_pool.words import languages, say, term

pytestmark = needs_chromium
POLICY = "cn-title-jilin-2013"


@dataclass
class Clerk:
    """Somebody at the page in one language: `names` are what things are called."""

    page: Any
    lang: str

    def name(self, code: str, **params: Any) -> str:
        return say(f"page.{code}", self.lang, **params)

    def press(self, code: str, within: Any = None) -> None:
        (within or self.page).get_by_role("button", name=self.name(code), exact=True).click()

    def follow(self, name: str, within: Any = None) -> None:
        place = within or self.page
        link, button = (place.get_by_role(role, name=name, exact=True) for role in ("link", "button"))
        link.or_(button).first.click()

    def fill(self, code: str, value: str, within: Any = None) -> None:
        (within or self.page).get_by_label(self.name(code)).fill(value)

    def unfold(self, code: str) -> None:
        self.page.get_by_text(self.name(code), exact=True).click()

    def reads(self, code: str, **params: Any) -> None:
        """Wait until a sentence stands on the page."""
        self.page.get_by_text(self.name(code, **params), exact=False).first.wait_for()

    def sees(self, heading: str) -> None:
        self.page.get_by_role("heading", name=heading).first.wait_for()

    def go(self, place: str) -> None:
        """To a part of the page, by the navigation."""
        self.follow(self.name(f"place.{place}"), self.page.get_by_role("navigation"))
        self.sees(self.name(f"place.{place}"))

    def change_seats_with(self, other: str) -> None:
        """Sign out, and somebody else in."""
        self.press("sign_out")
        self.sees(self.name("sign_in.title"))
        form = self.page.get_by_role("main")
        self.fill("sign_in.name", other, form)
        self.fill("sign_in.password", PASSWORD, form)
        self.press("sign_in.go", form)
        self.sees(self.name("desk.title"))

    def set_rule(self, parameter: str, value: str) -> None:
        """Type a number into a rule's box."""
        share = preset(POLICY).parameters[parameter].type == "share"
        name = term("parameter", parameter, self.lang) + (" (%)" if share else "")
        self.page.get_by_role("spinbutton", name=name, exact=True).fill(value)

    def fetched(self, name: str) -> Path:
        with self.page.expect_download() as download:
            self.follow(name)
        return Path(download.value.path())


@pytest.mark.parametrize("lang", languages())
def test_an_office_s_whole_day_goes_by_what_the_page_says(signed: Open, tmp_path: Path, lang: str) -> None:
    page = signed("manager")
    page.on("dialog", lambda dialog: dialog.accept())
    clerk = Clerk(page, lang)
    if lang == "en":
        clerk.follow("English")
    imported(clerk, brought(tmp_path, lang))
    clerk.change_seats_with("office")
    panel = relaxed(clerk)
    panel = replaced(clerk, panel)
    papers(clerk, panel)
    asked_what_if(clerk)
    clerk.change_seats_with("manager")
    reevaluated(clerk)


def imported(clerk: Clerk, file: Path) -> None:
    """A file is looked at, then brought in."""
    clerk.go("tables")
    clerk.page.get_by_label(clerk.name("tables.file")).set_input_files(file)
    clerk.press("tables.look")
    clerk.reads("tables.would_do")
    clerk.press("tables.import")
    clerk.reads("tables.done")


def relaxed(clerk: Clerk) -> str:
    """A panel is asked for under rules that clash, and again as a way out says; its code."""
    page = clerk.page
    clerk.go("panels")
    clerk.follow(clerk.name("panels.ask"))
    page.get_by_role("row", name=f"MJ-{clerk.lang}").get_by_role("link").click()
    page.get_by_role("combobox", name=clerk.name("panels.policy")).select_option(
        label=preset(POLICY).title[clerk.lang]
    )
    clerk.press("builder.take_policy")
    for field in ("peers", "persons"):
        clerk.unfold("builder.persons" if field == "persons" else f"builder.field.{field}")
    for parameter, value in {**SMALL, "employer_cap": 1}.items():
        clerk.set_rule(parameter, "33.33" if value == "1/3" else str(value))
    clerk.fill("builder.why", "小范围试点")
    clerk.unfold("panels.further")
    clerk.fill("panels.seconds", "600")
    clerk.press("panels.begin")
    clerk.follow(clerk.name("runs.to_result"))
    clerk.sees(clerk.name("panel.no_panel"))
    clerk.press("panel.diagnose")
    way = page.get_by_role("article").filter(has=page.get_by_role("button")).first
    clerk.fill("builder.why", "会商同意", way)
    clerk.press("diagnosed.take", way)
    clerk.follow(clerk.name("runs.to_result"))
    clerk.sees(clerk.name("panel.seats"))
    assert "会商同意" in page.inner_text("main")
    return str(page.title().split(" · ")[0])


def replaced(clerk: Clerk, panel: str) -> str:
    """Somebody in the panel falls ill; the code of the panel that sits then."""
    clerk.unfold("hand.ill")
    who = clerk.page.get_by_label(clerk.name("hand.who"))
    ill = who.get_by_role("option").nth(1).inner_text()
    who.select_option(label=ill)
    clerk.fill("hand.reason", "因病请假")
    clerk.press("hand.replace")
    clerk.follow(clerk.name("runs.to_result"))
    clerk.sees(clerk.name("panel.seats"))
    after = str(clerk.page.title().split(" · ")[0])
    assert after != panel
    assert ill not in [name.strip() for name in clerk.page.locator(".seat strong").all_inner_texts()]
    return after


def papers(clerk: Clerk, panel: str) -> None:
    """The documents are made, fetched and opened: they name the panel and whoever sits."""
    seated = clerk.page.locator(".seat strong").first.inner_text().split()[0]
    clerk.fill("panel.purpose", "报省职称办备案")
    clerk.press("panel.make_documents")
    paper = docx.Document(str(clerk.fetched(f"panel.{clerk.lang}.docx")))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    assert seated in " ".join(cells)
    book = openpyxl.load_workbook(io.BytesIO(clerk.fetched(f"panel.{clerk.lang}.xlsx").read_bytes()))
    told = [str(value) for sheet in book for row in sheet.values for value in row if value is not None]
    assert any(seated in one for one in told)
    book.close()


def asked_what_if(clerk: Clerk) -> None:
    """A question about the same meeting is kept, settled, and led back to a panel."""
    clerk.go("whatif")
    clerk.follow(clerk.name("whatif.new"))
    base = f"committee: C1, meeting: MJ-{clerk.lang}"
    clerk.page.get_by_role("textbox", name=clerk.name("whatif.text")).fill(text("[1/3, 1/2]", base=base))
    clerk.press("whatif.keep")
    clerk.press("whatif.start")
    clerk.reads("whatif.complete")
    clerk.page.get_by_role("row").get_by_role("link", name="0", exact=True).first.click()
    clerk.sees(clerk.name("whatif.panel_behind"))


def reevaluated(clerk: Clerk) -> None:
    """A pool is re-evaluated: a cycle is opened, computed, looked at, and dropped with its reason."""
    page = clerk.page
    clerk.go("reevaluation")
    page.get_by_label(clerk.name("reevaluation.pool")).last.select_option(label=f"试点库 {clerk.lang}")
    clerk.press("reevaluation.open_go")
    clerk.press("reevaluation.step.compute")
    clerk.follow(clerk.name("runs.to_result"))
    clerk.sees(clerk.name("reevaluation.by_state"))
    clerk.unfold("reevaluation.ending")
    clerk.fill("reevaluation.reason", "试点结束")
    clerk.press("reevaluation.step.drop")
    page.get_by_role("heading", name=term("cycle_state", "dropped", clerk.lang)).wait_for()


def brought(folder: Path, lang: str) -> Path:
    """A file as an office brings it, headed in its language: an agenda of four cases that meets today, and a pool of its own
    with a committee."""
    mark = f"J-{lang}"
    sheets: dict[str, list[dict[str, Any]]] = {
        "agendas": [
            {"code": f"A{mark}", "committee": "C1", "title": "试点评审", "season": clock.today().year}
        ],
        "applicants": [{"code": f"AP{mark}{n}", "name": f"试点申报人{n}（虚构）"} for n in range(4)],
        "cases": [
            {
                "code": f"K{mark}{n}",
                "agenda": f"A{mark}",
                "applicant": f"AP{mark}{n}",
                "specialty": ("0101", "0102")[n // 2],
                "employer": "UF"[n % 2],
                "level": "senior",
            }
            for n in range(4)
        ],
        "meetings": [{"code": f"M{mark}", "agenda": f"A{mark}", "on": clock.today().isoformat()}],
        "pools": [{"code": f"P{mark}", "name": f"试点库 {lang}", "organiser": "HR"}],
        "committees": [
            {
                "code": f"C{mark}",
                "name": "试点评委会（虚构）",
                "organiser": "HR",
                "pool": f"P{mark}",
                "level": "senior",
                "form": "social",
                "series": "01",
            }
        ],
        "memberships": [
            {"expert": f"E0{n}", "pool": f"P{mark}", "step": "admitted", "holds_on": "2025-01-10"}
            for n in range(1, 7)
        ],
    }
    place = folder / "agenda.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name, rows in sheets.items():
            archive.writestr(f"{name}.csv", "".join(written(name, rows, lang)))
    return place


def written(sheet: str, rows: list[dict[str, Any]], lang: str) -> Iterator[str]:
    """The lines of a sheet, headed in a language."""
    heads = {column.name: column.zh if lang == "zh" else column.name for column in SHEETS[sheet].columns}
    line = io.StringIO()
    table = csv.writer(line)
    table.writerow([heads[name] for name in rows[0]])
    table.writerows([row.values() for row in rows])
    yield line.getvalue()
