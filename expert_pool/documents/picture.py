"""The panel on one page to look at: groups and seats, sectors, coverage of the cases, margins of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from expert_pool.documents.charts import (
    cover,
    funnel_chart,
    groups_chart,
    margins_chart,
    nothing,
    sectors_chart,
    why_not_chart,
)
from expert_pool.documents.files import put
from expert_pool.documents.people import Person
from expert_pool.documents.sheet import FONT, GAP, SPACE, foot, head, page
from expert_pool.documents.view import View
from solver.answer import Answer
from solver.problem import Problem

SCALE = 2.0
"""Pixels of the PNG per pixel of the page."""


def panel_picture(
    answer: Answer,
    people: Mapping[str, Person],
    lang: str,
    svg: Path,
    png: Path,
    problem: Problem | None = None,
) -> tuple[Path, Path]:
    """Write the picture of a panel to `svg` and `png`; gives both paths back. `problem` names groups and rules.

    Raises Fault when a file cannot be written.
    """
    import vl_convert

    fonts()
    drawn = vl_convert.vegalite_to_svg(panel_spec(answer, people, lang, problem), vl_version=VERSION)
    pixels = vl_convert.svg_to_png(drawn, scale=SCALE)
    return put(svg, drawn.encode()), put(png, pixels)


VERSION = "v6.4"


def panel_spec(
    answer: Answer, people: Mapping[str, Person], lang: str, problem: Problem | None = None
) -> dict[str, Any]:
    """The picture as a Vega-Lite specification with its data in it, for a page or a converter."""
    view = View(answer, people, lang, problem)
    if answer.members:
        upper, others = groups_chart(view), [sectors_chart(view), cover(view), margins_chart(view)]
    else:
        upper, others = why_not_chart(view), [nothing(), funnel_chart(view), nothing()]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "white",
        "padding": 0,
        "concat": [page(upper, head(view), foot(view)), *others],
        "columns": 2,
        "spacing": {"row": SPACE, "column": GAP},
        "align": "each",
        "bounds": "flush",
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "text": {"font": FONT, "fontSize": 12, "fontWeight": "normal"},
            "axis": {"labelFont": FONT, "titleFont": FONT, "titleFontWeight": "normal"},
        },
    }


@cache
def fonts() -> None:
    """Let the converter know the typeface that has the Chinese glyphs."""
    import pylopdf_fonts_zh_cn
    import vl_convert

    vl_convert.register_font_directory(str(pylopdf_fonts_zh_cn.sans_path().parent))
