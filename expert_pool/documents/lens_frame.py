"""What the charts of robustness, fairness and policies share: rows, axes, bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expert_pool.documents.reevaluation_frame import BLUE, Spec, axis
from expert_pool.simulation.results import Simulation
from expert_pool.words import say

WIDE, ROW = 480, 30
BAND = "#DDDDDD"
MOST_ROWS = 24
"""Rows of a chart; the data have all."""


def notes_of(simulation: Simulation, lang: str, *notes: str) -> list[str]:
    return [*notes, *([say("chart.made", lang)] if simulation.bases[0].made else [])]


def down(labels: Sequence[str], title: str | None = None) -> Spec:
    return {
        "field": "label",
        "type": "ordinal",
        "sort": list(labels),
        "axis": axis(title, labelLimit=230, ticks=False, domain=False, labelFontSize=11.5, labelPadding=8),
    }


def across(field: str, title: str | None, domain: tuple[float, float], form: str = ".0%") -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "axis": axis(title, format=form, tickCount=6),
        "scale": {"domain": list(domain), "nice": False, "zero": False},
    }


def bars(values: list[dict[str, Any]], x: Spec, y: Spec, colour: str = BLUE) -> Spec:
    """Horizontal bars, the figure said behind each."""
    return {
        "width": WIDE,
        "height": ROW * max(2, len(values)),
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "bar", "color": colour, "height": 14},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": values},
                "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 11},
                "encoding": {"x": x, "y": y, "text": {"field": "said"}},
            },
        ],
    }
