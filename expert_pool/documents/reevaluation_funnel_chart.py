"""Funnel plots of committees as Vega-Lite with their data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from expert_pool.documents.reevaluation_contents import Report
from expert_pool.documents.reevaluation_frame import BLUE, GREY, RED, TALL, WIDE, Spec, axis, framed, quantity
from expert_pool.documents.sheet import FONT, INK
from expert_pool.reevaluation.funnel import LEVELS, limits


def funnel(report: Report, name: str) -> Spec | None:
    """Rates of committees against their cases, with exact binomial limits; a pane for each expected rate (level)."""
    own = [
        (one, one["rates"][name])
        for one in report.organisations
        if name in one["rates"] and one["rates"][name]["of"]
    ]
    expected = sorted({round(rate["expected"], 9) for _, rate in own})
    if not own or not any(0 < value < 1 for value in expected):
        return None
    panes = []
    for value in expected:
        mine = [(one, rate) for one, rate in own if round(rate["expected"], 9) == value]
        panes.append(_funnel_pane(report, mine, value))
    note = report.word("chart.funnel_note")
    title = report.word("chart.funnel", indicator=report.term("organisation_indicator", name))
    return framed(title, [note], {"concat": panes, "columns": 2 if len(panes) > 1 else 1})


def _funnel_pane(
    report: Report, own: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], expected: float
) -> Spec:
    most = math.ceil(1.1 * max(rate["of"] for _, rate in own)) + 1
    places = sorted({max(1, round(most * k / 80)) for k in range(81)})
    lines = []
    for level in LEVELS:
        for of in places:
            low, high = limits(of, expected, level)
            label = report.word("chart.limit", level=level)
            lines += [
                {"of": of, "rate": low, "limit": label, "side": "low"},
                {"of": of, "rate": high, "limit": label, "side": "high"},
            ]
    words = {"inside": "inside", "too_few": "too_few", "low": "outside", "high": "outside"}
    values = [
        {
            "of": rate["of"],
            "rate": rate["rate"],
            "code": one["committee"],
            "kind": report.word(f"chart.{words[rate['verdict']]}"),
        }
        for one, rate in own
    ]
    kinds = [report.word(f"chart.{kind}") for kind in ("inside", "too_few", "outside")]
    across = quantity("of", report.word("chart.cases"), scale={"domain": [0, most]})
    down = {
        "field": "rate",
        "type": "quantitative",
        "axis": axis(None, format="%"),
        "scale": {"domain": [0, 1]} if expected > 0.2 else {"zero": True},
    }
    levels = [report.word("chart.limit", level=level) for level in LEVELS]
    return {
        "title": {
            "text": report.word("chart.expected", rate=expected, committees=len(own)),
            "fontSize": 12,
            "font": FONT,
            "fontWeight": "normal",
        },
        "width": WIDE / 2 - 40,
        "height": TALL - 40,
        "layer": [
            {
                "data": {"values": [{"rate": expected}]},
                "mark": {"type": "rule", "color": INK},
                "encoding": {"y": down},
            },
            {
                "data": {"values": lines},
                "mark": {"type": "line", "strokeWidth": 1.2, "color": GREY},
                "encoding": {
                    "x": across,
                    "y": down,
                    "detail": {"field": "side"},
                    "strokeDash": {
                        "field": "limit",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": levels, "range": [[4, 3], [1, 0]]},
                    },
                },
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "size": 50, "opacity": 0.9},
                "encoding": {
                    "x": across,
                    "y": down,
                    "color": {
                        "field": "kind",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": kinds, "range": [BLUE, GREY, RED]},
                    },
                    "shape": {
                        "field": "kind",
                        "type": "nominal",
                        "title": None,
                        "scale": {"domain": kinds, "range": ["circle", "triangle-up", "diamond"]},
                    },
                },
            },
            {
                "data": {
                    "values": [value for value in values if value["kind"] == kinds[2] or len(values) <= 12]
                },
                "mark": {"type": "text", "align": "left", "dx": 7, "fontSize": 10},
                "encoding": {"x": across, "y": down, "text": {"field": "code"}},
            },
        ],
    }
