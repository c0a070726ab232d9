"""Charts of the years ahead: the pool season by season with its interval, and where and when a panel is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from expert_pool.documents.sheet import INK
from expert_pool.documents.simulation_charts import BEST, NONE, Chart
from expert_pool.simulation.years.results import YearsPart
from expert_pool.words import say

Page = Callable[[str, list[str], list[dict[str, Any]], bool, str], dict[str, Any]]
"""From title, notes, layers, whether people are made up, and language to a specification."""
BAND = "#9CC9E8"
MOST_ROWS = 40
"""More committees than this are not drawn in one picture: those with the greatest chance come first."""


def years_charts(part: YearsPart, page: Page, made: bool, lang: str) -> list[Chart]:
    """The pool over the years, and the places where it runs dry."""
    found = [_pool(part, page, made, lang)]
    if part.dry:
        found.append(_dry(part, page, made, lang))
    return found


def _pool(part: YearsPart, page: Page, made: bool, lang: str) -> Chart:
    rows: list[dict[str, Any]] = [
        {"year": f.year, "figure": f.name, "mean": f.mean, "low": f.low, "high": f.high} for f in part.figures
    ]
    values = [
        {"year": str(row["year"]), "mean": row["mean"], "low": row["low"], "high": row["high"]}
        for row in rows
        if row["figure"] == "in_pool" and row["mean"] is not None
    ]
    x = {"field": "year", "type": "ordinal", "title": say("years.year", lang), "axis": {"labelAngle": 0}}
    y = {
        "field": "mean",
        "type": "quantitative",
        "title": say("years.figure.in_pool", lang),
        "scale": {"zero": True},
    }
    known = [value for value in values if value["low"] is not None]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": known},
            "mark": {"type": "area", "color": BAND, "opacity": 0.6},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": values},
            "mark": {"type": "line", "color": BEST, "point": {"color": BEST, "filled": True, "size": 50}},
            "encoding": {"x": x, "y": y},
        },
    ]
    notes = [say("chart.years.band", lang)] if known else []
    return Chart("years-pool", page(say("chart.years.pool", lang), notes, layers, made, lang), rows)


def _dry(part: YearsPart, page: Page, made: bool, lang: str) -> Chart:
    """The chance that a panel is missing, by committee and year; the number stands in the cell."""
    worst: dict[int, float] = {}
    for one in part.dry:
        worst[one.committee] = max(worst.get(one.committee, 0.0), one.chance)
    chosen = sorted(worst, key=lambda c: (-worst[c], c))[:MOST_ROWS]
    names = {c.number: c.committee for c in part.committees}
    rows: list[dict[str, Any]] = [
        {
            "year": one.year,
            "committee": names[one.committee],
            "chance": one.chance,
            "low": one.low,
            "high": one.high,
            "times": one.times,
            "of": one.of,
            "missing": None if one.missing is None else one.missing[1],
            "panel": one.panel,
        }
        for one in part.dry
    ]
    values = [
        {
            "year": str(one.year),
            "committee": names[one.committee],
            "chance": one.chance,
            "text": f"{one.chance:.0%}",
            "ink": "#FFFFFF" if one.chance > 0.55 else INK,
        }
        for one in part.dry
        if one.committee in chosen
    ]
    years = [str(year) for year in part.years]
    blank = [{"year": year, "committee": names[c]} for year in years for c in chosen]
    x = {
        "field": "year",
        "type": "ordinal",
        "sort": years,
        "title": say("years.year", lang),
        "axis": {"labelAngle": 0},
    }
    y = {"field": "committee", "type": "ordinal", "sort": [names[c] for c in sorted(chosen)], "title": None}
    cell = {"type": "rect", "stroke": "white", "strokeWidth": 2}
    shade = {
        "field": "chance",
        "type": "quantitative",
        "scale": {"scheme": "blues", "domain": [0, 1]},
        "legend": None,
    }
    layers: list[dict[str, Any]] = [
        {"data": {"values": blank}, "mark": {**cell, "color": NONE}, "encoding": {"x": x, "y": y}},
        {"data": {"values": values}, "mark": cell, "encoding": {"x": x, "y": y, "color": shade}},
        {
            "data": {"values": values},
            "mark": {"type": "text", "fontSize": 11},
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "text"},
                "color": {"field": "ink", "type": "nominal", "scale": None, "legend": None},
            },
        },
    ]
    notes = [say("chart.years.dry_note", lang)]
    return Chart("years-dry", page(say("chart.years.dry", lang), notes, layers, made, lang), rows)
