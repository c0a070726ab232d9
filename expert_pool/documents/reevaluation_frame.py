"""The look that the charts of a re-evaluation share. Colours are Okabe and Ito's, told apart by everybody; what a colour says
is said in words or by a shape too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expert_pool.documents.sheet import FAINT, FONT, INK

BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#6B6B6B",
)  # fmt: skip
WIDE, TALL = 760, 360

Spec = dict[str, Any]


def framed(title: str, notes: Sequence[str], body: Spec) -> Spec:
    """A chart with its title and notes, in the look of our pages."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "white",
        "padding": 16,
        "title": {
            "text": title,
            "subtitle": list(notes),
            "anchor": "start",
            "fontSize": 15,
            "fontWeight": "normal",
            "subtitleFontSize": 11,
            "subtitleColor": FAINT,
            "color": INK,
            "font": FONT,
            "subtitleFont": FONT,
            "offset": 14,
        },
        **body,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "text": {"font": FONT, "fontSize": 11, "color": INK},
            "axis": {
                "labelFont": FONT,
                "titleFont": FONT,
                "titleFontWeight": "normal",
                "gridColor": "#E6E6E6",
                "labelColor": INK,
                "titleColor": INK,
            },
            "legend": {"labelFont": FONT, "titleFont": FONT, "titleFontWeight": "normal", "labelLimit": 320},
            "header": {"labelFont": FONT, "titleFont": FONT, "labelColor": INK},
        },
    }


def axis(title: str | None, **more: Any) -> Spec:
    return {"title": title, **more}


def quantity(field: str, title: str | None, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", "axis": axis(title), **more}
