"""The charts of a measurement as Vega-Lite with their data: severities set by set, fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from expert_pool.documents.reevaluation_contents import Report
from expert_pool.documents.reevaluation_frame import BLUE, RED, TALL, WIDE, Spec, axis, framed, quantity
from expert_pool.documents.sheet import FAINT, FONT

MOST_RATERS, MOST_PANES, MOST_POINTS = 60, 6, 2000


def severities(report: Report, measured: Mapping[str, Any]) -> Spec | None:
    """Severity with its interval, rater by rater, a pane for each linked set: between panes nothing is compared."""
    flagged = {flag["rater"] for flag in measured["flags"]}
    known = [one for one in measured["raters"] if one["severity"] is not None]
    if not known:
        return None
    sizes = Counter(one["component"] for one in known)
    panes = []
    largest = sorted(sizes, key=lambda c: (-sizes[c], c))[:MOST_PANES]
    for component in largest:
        own = sorted(
            (one for one in known if one["component"] == component),
            key=lambda one: (one["severity"], one["rater"]),
        )
        shown = _ends(own, flagged)
        values = [
            {
                "rater": one["rater"],
                "severity": one["severity"],
                "low": one["low"],
                "high": one["high"],
                "kind": report.word("flagged" if one["rater"] in flagged else "unflagged"),
            }
            for one in shown
        ]
        panes.append(_severity_pane(report, component, len(own), values))
    note = report.word("chart.severities_note", components=len(sizes), shown=len(largest))
    return framed(report.word("chart.severities"), [note], {"concat": panes, "columns": 2})


def _ends(own: list[Mapping[str, Any]], flagged: set[str]) -> list[Mapping[str, Any]]:
    """All raters where there are few; else the mildest, the severest and whoever is flagged."""
    if len(own) <= MOST_RATERS:
        return own
    kept = {one["rater"] for one in [*own[: MOST_RATERS // 3], *own[-MOST_RATERS // 3 :]]}
    some = [one["rater"] for one in own if one["rater"] in flagged and one["rater"] not in kept]
    kept |= set(some[: MOST_RATERS // 3])
    return [one for one in own if one["rater"] in kept]


def _severity_pane(report: Report, component: int, raters: int, values: list[Spec]) -> Spec:
    order = [value["rater"] for value in values]
    down = {
        "field": "rater",
        "type": "ordinal",
        "sort": order,
        "axis": axis(None, labelFontSize=9, ticks=False),
    }
    kinds = [report.word("unflagged"), report.word("flagged")]
    ink = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": kinds, "range": [BLUE, RED]},
        "title": None,
    }
    return {
        "title": {
            "text": report.word("chart.component", number=component + 1, raters=raters, shown=len(values)),
            "fontSize": 12,
            "font": FONT,
            "fontWeight": "normal",
        },
        "width": WIDE / 2 - 60,
        "height": max(60, 11 * len(values)),
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rule", "color": FAINT, "strokeDash": [4, 3]},
                "encoding": {"x": {"datum": 0, "type": "quantitative"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {
                    "y": down,
                    "x": quantity("low", report.word("chart.logits")),
                    "x2": {"field": "high"},
                    "color": ink,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 34, "opacity": 1},
                "encoding": {
                    "y": down,
                    "x": quantity("severity", report.word("chart.logits")),
                    "color": ink,
                    "shape": {
                        "field": "kind",
                        "type": "nominal",
                        "scale": {"domain": kinds, "range": ["circle", "diamond"]},
                        "title": None,
                    },
                },
            },
        ],
    }


def fit(report: Report, measured: Mapping[str, Any]) -> Spec | None:
    """Infit against severity: erratic raters stand high, those who give everybody the same stand low."""
    flagged = {flag["rater"] for flag in measured["flags"]}
    values = [
        {
            "rater": one["rater"],
            "severity": one["severity"],
            "infit": one["infit"],
            "kind": report.word("flagged" if one["rater"] in flagged else "unflagged"),
        }
        for one in measured["raters"]
        if one["severity"] is not None and one["infit"] is not None
    ]
    if not values:
        return None
    shown = _spread(values, flagged)
    kinds = [report.word("unflagged"), report.word("flagged")]
    marked = [value for value in shown if value["rater"] in flagged][:40]
    place = {
        "x": quantity("severity", report.word("chart.logits")),
        "y": quantity("infit", report.word("head.infit"), scale={"zero": False}),
    }
    note = report.word("chart.fit_note" if measured["replications"] else "chart.fit_note_without")
    return framed(
        report.word("chart.fit"),
        [
            note,
            *(
                []
                if len(shown) == len(values)
                else [report.word("chart.some", shown=len(shown), of=len(values))]
            ),
        ],
        {
            "width": WIDE,
            "height": TALL,
            "layer": [
                {
                    "data": {"values": [{}]},
                    "mark": {"type": "rule", "color": FAINT, "strokeDash": [4, 3]},
                    "encoding": {"y": {"datum": 1, "type": "quantitative"}},
                },
                {
                    "data": {"values": shown},
                    "mark": {"type": "point", "filled": True, "opacity": 0.6, "size": 26},
                    "encoding": {
                        **place,
                        "color": {
                            "field": "kind",
                            "type": "nominal",
                            "scale": {"domain": kinds, "range": [BLUE, RED]},
                            "title": None,
                        },
                        "shape": {
                            "field": "kind",
                            "type": "nominal",
                            "scale": {"domain": kinds, "range": ["circle", "diamond"]},
                            "title": None,
                        },
                    },
                },
                {
                    "data": {"values": marked},
                    "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 9},
                    "encoding": {**place, "text": {"field": "rater"}},
                },
            ],
        },
    )


def _spread(values: list[Spec], flagged: set[str]) -> list[Spec]:
    """All points where there are few; else whoever is flagged, and the others at even distances of severity rank."""
    if len(values) <= MOST_POINTS:
        return values
    marked = [value for value in values if value["rater"] in flagged][:MOST_POINTS]
    others = sorted(
        (v for v in values if v["rater"] not in flagged), key=lambda v: (v["severity"], v["rater"])
    )
    step = max(1, -(-len(others) // MOST_POINTS))
    return [*others[::step], *marked]
