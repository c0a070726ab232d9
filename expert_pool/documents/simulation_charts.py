"""Charts of a what-if result, as Vega-Lite with their data: heat map, cost curve, frontier. House style as the panel's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expert_pool.documents.files import put
from expert_pool.documents.parameter_naming import (
    goal_name,
    parameter_in_full,
    parameter_name,
    value_name,
)
from expert_pool.documents.picture import SCALE, VERSION, fonts
from expert_pool.documents.sheet import FAINT, FONT, INK
from expert_pool.simulation.results import FrontierPart, PointPart, Simulation
from expert_pool.words import say

BEST, KNEE, NONE = "#0072B2", "#D55E00", "#EDEDED"
WIDE, TALL = 560, 340
HATCH = "/"
"""What fills a cell without a panel: seen in print, and by the colour-blind."""


@dataclass(frozen=True)
class Chart:
    """A chart: its name in files, its specification with the data in it, and the data as rows."""

    name: str
    spec: dict[str, Any]
    rows: list[dict[str, Any]]

    def csv(self) -> bytes:
        """The data as CSV, with the mark that spreadsheets know UTF-8 by."""
        out = io.StringIO()
        writer = csv.DictWriter(out, list(dict.fromkeys(key for row in self.rows for key in row)))
        writer.writeheader()
        writer.writerows(self.rows)
        return out.getvalue().encode("utf-8-sig")


def charts_of(simulation: Simulation, lang: str) -> list[Chart]:
    """Every chart that a result calls for, in its order."""
    found: list[Chart] = []
    axes = list(simulation.axes)
    for base in simulation.bases:
        points = [point for point in simulation.points if point.base == base.number]
        suffix = f"-{base.number + 1}" if len(simulation.bases) > 1 else ""
        if points and len(axes) == 1:
            found.append(_curve(simulation, points, axes[0], f"curve{suffix}", base.title, lang))
        elif points and len(axes) == 2:
            found.append(_heat(simulation, points, axes, f"heat{suffix}", base.title, lang))
    if simulation.frontier is not None and len(simulation.frontier.goals) == 2 and simulation.frontier.points:
        found.append(_frontier(simulation, simulation.frontier, lang))
    if simulation.years is not None:
        from expert_pool.documents.simulation_years_charts import years_charts

        found += years_charts(simulation.years, _page, simulation.bases[0].made, lang)
    if simulation.robustness or simulation.fairness or simulation.policies:
        from expert_pool.documents.lens_charts import lens_charts

        found += lens_charts(simulation, lang)
    return found


def write_charts(simulation: Simulation, folder: Path, lang: str) -> list[Path]:
    """Each chart as .vl.json, .svg, .png and its data as .csv. Raises Fault when a file cannot be written."""
    charts = charts_of(simulation, lang)
    if not charts:
        return []
    written = []
    for chart in charts:
        spec = json.dumps(chart.spec, ensure_ascii=False, indent=1).encode()
        for ending, content in (
            ("vl.json", spec),
            ("svg", drawn(chart, "svg")),
            ("png", drawn(chart, "png")),
            ("csv", chart.csv()),
        ):
            written.append(put(folder / f"{chart.name}.{ending}", content))
    return written


def drawn(chart: Chart, form: str) -> bytes:
    """A chart as a picture: `svg` or `png`."""
    import vl_convert

    fonts()
    svg = vl_convert.vegalite_to_svg(chart.spec, vl_version=VERSION)
    return svg.encode() if form == "svg" else bytes(vl_convert.svg_to_png(svg, scale=SCALE))


def level_that_varies(points: Sequence[PointPart]) -> int | None:
    """The first goal level at which points with a panel differ; the first of all where none does; None without any."""
    values: dict[int, set[int]] = {}
    for point in points:
        for goal in point.goals:
            values.setdefault(goal.level, set()).add(goal.value)
    differing = [level for level, seen in sorted(values.items()) if len(seen) > 1]
    return next(iter(differing or sorted(values)), None)


def _rows(points: Sequence[PointPart], level: int | None, lang: str) -> list[dict[str, Any]]:
    rows = []
    for point in points:
        goal = next((g for g in point.goals if g.level == level), None)
        rows.append(
            {
                "point": point.number,
                **point.values,
                "status": point.status,
                "cost": None if goal is None else goal.value,
                "bound": None if goal is None else goal.bound,
                "how": point.how,
                "panel": point.panel,
            }
        )
    return rows


def _page(
    title: str, notes: list[str], layers: list[dict[str, Any]], made: bool, lang: str
) -> dict[str, Any]:
    more = [say("chart.made", lang)] if made else []
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDE,
        "height": TALL,
        "padding": 20,
        "background": "white",
        "title": {
            "text": title,
            "subtitle": [*notes, *more],
            "anchor": "start",
            "color": INK,
            "subtitleColor": FAINT,
            "fontSize": 16,
            "subtitleFontSize": 12,
            "offset": 14,
        },
        "layer": layers,
        "resolve": {"scale": {"color": "independent"}},
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelFontSize": 12, "titleFontSize": 12, "labelColor": INK, "titleColor": INK},
        },
    }


def _measured(simulation: Simulation, points: Sequence[PointPart], level: int | None, lang: str) -> str:
    goal = next((g for p in points for g in p.goals if g.level == level), None)
    return say("chart.cost", lang, goal=None if goal is None else goal_name(goal.id, lang, simulation.goals))


def _values(simulation: Simulation, axis: str, lang: str) -> dict[str, str]:
    """The values of an axis in their order, with their words."""
    return {value: value_name(simulation, axis, value, lang) for value in simulation.axes[axis]}


def _heat(
    simulation: Simulation, points: Sequence[PointPart], axes: list[str], name: str, title: str, lang: str
) -> Chart:
    """Cost over two parameters; cells without a panel are hatched."""
    level = level_that_varies(points)
    rows = _rows(points, level, lang)
    said = {axis: _values(simulation, axis, lang) for axis in axes}
    across, down = sorted(axes, key=lambda axis: -len(simulation.axes[axis]))
    values = []
    room = WIDE / len(simulation.axes[across]), TALL / len(simulation.axes[down])
    line = HATCH * max(3, int(room[0] / 5.5) - 2)
    hatch = "\n".join([line] * max(1, int(room[1] / 13) - 1))
    known = [row["cost"] for row in rows if row["cost"] is not None]
    low, high = min(known, default=0), max(known, default=1)
    for row in rows:
        cost = row["cost"]
        open_ = row["status"] in ("feasible", "unknown")
        dark = cost is not None and high > low and (cost - low) / (high - low) > 0.55
        text = hatch if row["status"] == "infeasible" else "?" if cost is None else f"{cost:,}"
        values.append(
            {
                "point": row["point"],
                "across": said[across][row[across]],
                "down": said[down][row[down]],
                "cost": cost,
                "text": f"{'≤' if open_ and cost is not None else ''}{text}",
                "lines": text.count("\n"),
                "ink": "#FFFFFF" if dark else "#9A9A9A" if text == hatch else INK,
            }
        )
    orders = {axis: list(said[axis].values()) for axis in axes}
    x = {
        "field": "across",
        "type": "ordinal",
        "sort": orders[across],
        "title": parameter_in_full(simulation, across, lang),
        "axis": {"labelAngle": 0},
    }
    y = {
        "field": "down",
        "type": "ordinal",
        "sort": orders[down][::-1],
        "title": parameter_in_full(simulation, down, lang),
    }
    size = 11 if WIDE / max(1, len(orders[across])) >= 52 else 8
    cell = {"type": "rect", "stroke": "white", "strokeWidth": 2}
    return Chart(
        name,
        _page(
            say("parameter.named", lang, name=title, field=_measured(simulation, points, level, lang)),
            [say("chart.lower", lang), say("chart.hatched", lang)],
            [
                {
                    "data": {"values": values},
                    "mark": {**cell, "color": NONE},
                    "encoding": {"x": x, "y": y},
                },
                {
                    "data": {"values": [value for value in values if value["cost"] is not None]},
                    "mark": cell,
                    "encoding": {
                        "x": x,
                        "y": y,
                        "color": {
                            "field": "cost",
                            "type": "quantitative",
                            "scale": {"scheme": "blues", "domain": [low, max(high, low + 1)]},
                            "legend": None,
                        },
                    },
                },
                {
                    "data": {"values": values},
                    "mark": {
                        "type": "text",
                        "fontSize": size,
                        "baseline": "middle",
                        "lineBreak": "\n",
                        "lineHeight": 13,
                        "dy": {"expr": "datum.lines * -6.5"},
                    },
                    "encoding": {
                        "x": x,
                        "y": y,
                        "text": {"field": "text"},
                        "color": {"field": "ink", "type": "nominal", "scale": None, "legend": None},
                    },
                },
            ],
            simulation.bases[0].made,
            lang,
        ),
        rows,
    )


def _curve(
    simulation: Simulation, points: Sequence[PointPart], axis: str, name: str, title: str, lang: str
) -> Chart:
    """Cost along one parameter, with the tipping point where one was found."""
    level = level_that_varies(points)
    rows = _rows(points, level, lang)
    said = _values(simulation, axis, lang)
    values = [
        {
            "point": row["point"],
            "across": said[row[axis]],
            "cost": row["cost"],
            "status": row["status"],
        }
        for row in rows
    ]
    x = {
        "field": "across",
        "type": "ordinal",
        "sort": list(said.values()),
        "title": parameter_in_full(simulation, axis, lang),
        "axis": {"labelAngle": 0},
    }
    known = [value["cost"] for value in values if value["cost"] is not None]
    y = {
        "field": "cost",
        "type": "quantitative",
        "title": _measured(simulation, points, level, lang),
        "scale": {"zero": False, "domain": [min(known, default=0), max([*known, min(known, default=0) + 1])]},
        "axis": {"tickMinStep": 1},
    }
    seen = [value for value in values if value["cost"] is not None]
    none = [value for value in values if value["status"] == "infeasible"]
    notes = [say("chart.lower", lang), *([say("chart.none", lang)] if none else [])]
    notes += [
        say(
            "chart.tipping",
            lang,
            last=value_name(simulation, axis, tip.last, lang),
            first=value_name(simulation, axis, tip.first, lang),
        )
        for tip in simulation.tipping
        if tip.parameter == axis and tip.status == "found"
    ]
    return Chart(
        name,
        _page(
            say("parameter.named", lang, name=title, field=parameter_name(simulation, axis, lang)),
            notes,
            [
                {
                    "data": {"values": seen},
                    "mark": {"type": "line", "color": BEST, "interpolate": "step-after"},
                    "encoding": {"x": x, "y": y},
                },
                {
                    "data": {"values": seen},
                    "mark": {"type": "point", "filled": True, "size": 60, "color": BEST},
                    "encoding": {"x": x, "y": y},
                },
                {
                    "data": {"values": none},
                    "mark": {"type": "text", "text": "×", "fontSize": 18, "color": KNEE, "dy": -8},
                    "encoding": {"x": x, "y": {"value": TALL}},
                },
            ],
            simulation.bases[0].made,
            lang,
        ),
        rows,
    )


def _frontier(simulation: Simulation, found: FrontierPart, lang: str) -> Chart:
    """Two goals against each other; the knee marked as a suggestion, unproven points hollow."""
    first, second = (goal_name(goal, lang, simulation.goals) for goal in found.goals)
    rows: list[dict[str, Any]] = [
        {
            "point": at,
            found.goals[0]: point.costs[0],
            found.goals[1]: point.costs[1],
            "bound": point.bound,
            "proven": point.proven,
            "knee": at == found.knee,
            "panel": point.panel,
        }
        for at, point in enumerate(found.points)
    ]
    values = [
        {"panel": p.panel, "x": p.costs[0], "y": p.costs[1], "proven": p.proven, "knee": at == found.knee}
        for at, p in enumerate(found.points)
    ]
    axis = {"tickCount": 6, "labelOverlap": True}
    x = {"field": "x", "type": "quantitative", "title": first, "scale": {"zero": False}, "axis": axis}
    y = {"field": "y", "type": "quantitative", "title": second, "scale": {"zero": False}}
    knees = [value for value in values if value["knee"]]
    return Chart(
        "frontier",
        _page(
            say("chart.frontier", lang, title=simulation.bases[0].title),
            [say("chart.lower", lang), *([say("chart.knee", lang)] if knees else [])],
            [
                {
                    "data": {"values": values},
                    "mark": {"type": "line", "interpolate": "step-after", "color": "#9CC9E8"},
                    "encoding": {"x": x, "y": y},
                },
                {
                    "data": {"values": [v for v in values if v["proven"]]},
                    "mark": {"type": "point", "filled": True, "size": 60, "color": BEST},
                    "encoding": {"x": x, "y": y},
                },
                {
                    "data": {"values": [v for v in values if not v["proven"]]},
                    "mark": {"type": "point", "size": 60, "color": BEST},
                    "encoding": {"x": x, "y": y},
                },
                {
                    "data": {"values": knees},
                    "mark": {
                        "type": "point",
                        "shape": "diamond",
                        "size": 220,
                        "color": KNEE,
                        "strokeWidth": 2.5,
                    },
                    "encoding": {"x": x, "y": y},
                },
            ],
            simulation.bases[0].made,
            lang,
        ),
        rows,
    )
