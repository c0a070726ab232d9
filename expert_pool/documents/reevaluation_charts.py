"""The charts of a re-evaluation as Vega-Lite with their data: all of them by name; points, proposals and time lines here."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from expert_pool.documents.reevaluation_contents import Report
from expert_pool.documents.reevaluation_frame import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    TALL,
    WIDE,
    YELLOW,
    Spec,
    axis,
    framed,
    quantity,
)
from expert_pool.documents.reevaluation_funnel_chart import funnel
from expert_pool.documents.reevaluation_health_charts import health_charts
from expert_pool.documents.reevaluation_rater_charts import fit, severities
from expert_pool.documents.sheet import FAINT
from expert_pool.reevaluation.scheme import MEASURES

MOST_LINES = 16
MEASURE_INK = dict(
    zip((str(m) for m in MEASURES), (GREEN, SKY, BLUE, PURPLE, ORANGE, RED, GREY), strict=True)
)


def charts(report: Report) -> dict[str, Spec]:
    """Every chart there are data for, by name."""
    found: dict[str, Spec | None] = {
        "points": points(report),
        "measures": measures(report),
        "timelines": timelines(report),
    }
    if report.measured is not None:
        found["severities"] = severities(report, report.measured)
        found["fit"] = fit(report, report.measured)
    if report.organisations:
        found["funnel_pass_rate"] = funnel(report, "pass_rate")
        found["funnel_complaints"] = funnel(report, "complaints_upheld")
    if report.health is not None:
        found |= health_charts(report, report.health)
    return {name: spec for name, spec in found.items() if spec is not None}


def points(report: Report) -> Spec | None:
    """How many experts have how many points, by grade."""
    own, grades = report.columns["points"], report.appraisal["grades"]
    if not own or len(grades) < 2:
        return None
    tally = Counter(zip(own, report.columns["grade"], strict=True))
    values = [{"points": p, "grade": grades[g], "people": n} for (p, g), n in sorted(tally.items())]
    inks = [GREEN, SKY, BLUE, ORANGE, RED, PURPLE, GREY]
    scale = {"domain": list(grades), "range": [inks[i % len(inks)] for i in range(len(grades))]}
    bounds = [{"points": low - 0.5} for _, low, _ in report.grade_bounds if low is not None]
    across = quantity("points", report.word("head.points"))
    return framed(
        report.word("chart.points"),
        [report.word("chart.points_note")],
        {
            "width": WIDE,
            "height": TALL,
            "layer": [
                {
                    "data": {"values": values},
                    "mark": {"type": "bar", "width": max(3, min(14, WIDE // (max(own) - min(own) + 2)))},
                    "encoding": {
                        "x": across,
                        "y": quantity("people", report.word("chart.people"), scale={"type": "symlog"})
                        | {
                            "axis": axis(
                                report.word("chart.people"), values=[1, 10, 100, 1000, 10_000, 100_000]
                            )
                        },
                        "color": {
                            "field": "grade",
                            "type": "nominal",
                            "scale": scale,
                            "title": report.word("head.grade"),
                        },
                    },
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "text", "dy": -7, "fontSize": 9.5},
                    "encoding": {
                        "x": across,
                        "y": {"field": "people", "type": "quantitative"},
                        "text": {"field": "people"},
                    },
                },
                {
                    "data": {"values": bounds},
                    "mark": {"type": "rule", "strokeDash": [4, 3], "color": FAINT},
                    "encoding": {"x": {"field": "points", "type": "quantitative"}},
                },
            ],
        },
    )


def measures(report: Report) -> Spec:
    """How many experts each measure is proposed for."""
    counts = report.appraisal["counts"]
    total = max(1, sum(counts.values()))
    values = [
        {
            "measure": report.term("measure", name),
            "people": count,
            "said": report.word("count_share", count=count, share=Fraction(count, total)),
            "ink": MEASURE_INK[name],
        }
        for name, count in counts.items()
    ]
    order = [value["measure"] for value in values]
    rows = {
        "field": "measure",
        "type": "ordinal",
        "sort": order,
        "axis": axis(None, ticks=False, domain=False, labelLimit=260),
    }
    across = {
        "field": "people",
        "type": "quantitative",
        "axis": None,
        "scale": {"type": "symlog", "domainMax": 2 * max(1, max(counts.values()))},
    }
    return framed(
        report.word("chart.measures"),
        [report.word("chart.measures_note")],
        {
            "width": WIDE - 160,
            "height": 30 * len(values),
            "data": {"values": values},
            "layer": [
                {
                    "mark": {"type": "bar", "height": 18},
                    "encoding": {
                        "y": rows,
                        "x": across,
                        "color": {"field": "ink", "type": "nominal", "scale": None},
                    },
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 6},
                    "encoding": {"y": rows, "x": across, "text": {"field": "said"}},
                },
            ],
        },
    )


def timelines(report: Report) -> Spec | None:
    """What is on record of those with the gravest proposals, day by day."""
    order = list(dict.fromkeys(one.expert for one in report.happened))[:MOST_LINES]
    if not order:
        return None
    named = dict.fromkeys(one.what for one in report.happened if one.expert in order)
    letter = {what: chr(ord("a") + place % 26) for place, what in enumerate(named)}
    values = [
        {
            "expert": one.expert,
            "on": one.on,
            "what": f"{letter[one.what]}  {one.what}",
            "points": one.points,
            "kind": letter[one.what],
            "said": f"{one.points:+d}" if one.points else "",
            "counts": report.word("counts" if one.counts else "counts_not"),
        }
        for one in report.happened
        if one.expert in order
    ]
    inks = [BLUE, ORANGE, GREEN, RED, SKY, PURPLE, GREY, "#B8A58A", YELLOW]
    kinds = list(dict.fromkeys(value["what"] for value in values))
    since = report.appraisal["since"]
    ends = [{"on": day} for day in (since, report.appraisal["as_of"]) if day]
    down = {"field": "expert", "type": "ordinal", "sort": order, "axis": axis(None, grid=True, ticks=False)}
    across = {
        "field": "on",
        "type": "temporal",
        "axis": axis(None, format="%Y-%m"),
        "scale": {"type": "utc", "padding": 24},
    }
    counted = [report.word("counts"), report.word("counts_not")]
    return framed(
        report.word("chart.timelines"),
        [report.word("chart.timelines_note")],
        {
            "width": WIDE - 60,
            "height": max(70, 30 * len(order)),
            "layer": [
                {
                    "data": {"values": ends},
                    "mark": {"type": "rule", "color": FAINT, "strokeDash": [4, 3]},
                    "encoding": {"x": across},
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "point", "size": 90, "filled": True, "opacity": 1},
                    "encoding": {
                        "y": down,
                        "x": across,
                        "color": {
                            "field": "what",
                            "type": "nominal",
                            "title": None,
                            "scale": {
                                "domain": kinds,
                                "range": [inks[i % len(inks)] for i in range(len(kinds))],
                            },
                        },
                        "shape": {
                            "field": "counts",
                            "type": "nominal",
                            "title": None,
                            "scale": {"domain": counted, "range": ["circle", "cross"]},
                        },
                    },
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "text", "dy": -11, "fontSize": 9},
                    "encoding": {"y": down, "x": across, "text": {"field": "said"}},
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "text", "dy": 11, "fontSize": 9},
                    "encoding": {"y": down, "x": across, "text": {"field": "kind"}},
                },
            ],
        },
    )
