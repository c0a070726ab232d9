"""The charts of a pool's health: supply against demand, pyramids, forecast, load, trend."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from expert_pool.documents.reevaluation_contents import Report
from expert_pool.documents.reevaluation_frame import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    SKY,
    TALL,
    WIDE,
    Spec,
    axis,
    framed,
    quantity,
)
from expert_pool.documents.reevaluation_health import band_label
from expert_pool.documents.sheet import FAINT, FONT, INK, cut, width
from expert_pool.reevaluation.health.document import Band, Cell, Health
from expert_pool.registry import Sector

MOST_FIELDS = 28


def health_charts(report: Report, health: Health) -> dict[str, Spec | None]:
    """Every chart of a pool by name; None where there is nothing to show."""
    return {
        "supply_demand": heat_map(report, health),
        "pyramids": pyramids(report, health),
        "forecast": forecast(report, health),
        "lorenz": lorenz(report, health),
        "trend": trend(report, health),
    }


def heat_map(report: Report, health: Health) -> Spec | None:
    """Drawable people of each specialty and level by sector; the framed cells are thin, and the last column is all."""
    fields = sorted(health.fields, key=lambda one: (not one.thin, -one.peak, one.specialty, one.level))[
        :MOST_FIELDS
    ]
    if not fields:
        return None
    sums: dict[tuple[str, str, str | None], list[Cell]] = defaultdict(list)
    for cell in health.cells:
        sums[cell.specialty, cell.level, cell.sector].append(cell)
    everybody = report.word("chart.all_sectors")
    sectors = [str(s) for s in Sector if any(key[2] == str(s) for key in sums)]
    labels = {s: report.term("sector", s) for s in sectors}
    values = []
    for one in fields:
        row = cut(f"{one.name} · {report.term('level', one.level)}", 230, 11)
        values.append(_tile(row, everybody, one.supply, one.peak, one.thin, health.choice))
        for sector in sectors:
            own = sums.get((one.specialty, one.level, sector), [])
            seats = sum(cell.seats for cell in own)
            supply = sum(cell.supply for cell in own)
            thin = seats >= 0.5 and supply < health.choice * seats
            values.append(_tile(row, labels[sector], supply, seats, thin, health.choice))
    rows = list(dict.fromkeys(value["row"] for value in values))
    down = {
        "field": "row",
        "type": "ordinal",
        "sort": rows,
        "axis": axis(None, labelLimit=240, ticks=False, domain=False),
    }
    order = [everybody, *labels.values()]
    step = min(100.0, max(76.0, *(width(label, 9) + 10 for label in order)))
    across = {
        "field": "sector",
        "type": "ordinal",
        "sort": order,
        "axis": axis(
            None, orient="top", labelFontSize=9.5, labelAngle=0, labelLimit=140, ticks=False, domain=False
        ),
    }
    place = {"y": down, "x": across}
    shade = {
        "field": "shade",
        "type": "quantitative",
        "scale": {
            "domain": [0, 0.5, 1],
            "range": ["#F6E3C5", "#FFFFFF", "#CFE4F2"],
            "interpolate": "rgb",
        },
        "legend": None,
    }
    return framed(
        report.word("chart.supply"),
        [report.word("chart.supply_note", choice=health.choice)],
        {
            "width": step * len(order),
            "height": 26 * len(rows),
            "layer": [
                {
                    "data": {"values": values},
                    "mark": {"type": "rect", "stroke": "#E0E0E0"},
                    "encoding": {**place, "color": shade},
                },
                {
                    "data": {"values": [value for value in values if value["thin"]]},
                    "mark": {"type": "rect", "filled": False, "stroke": RED, "strokeWidth": 2},
                    "encoding": place,
                },
                {
                    "data": {"values": values},
                    "mark": {"type": "text", "fontSize": 10.5},
                    "encoding": {**place, "text": {"field": "said"}},
                },
            ],
        },
    )


def _tile(row: str, sector: str, supply: int, seats: float, thin: bool, choice: int) -> Spec:
    """One cell; the shade is full at twice the people a seat asks for."""
    shade = 0.5 if not seats else min(1.0, supply / (2 * choice * seats))
    said = f"{supply}" if not seats else f"{supply} / {seats:.1f}"
    return {
        "row": row,
        "sector": sector,
        "supply": supply,
        "seats": round(seats, 3),
        "thin": thin,
        "shade": round(shade, 4),
        "said": said,
    }


def pyramids(report: Report, health: Health) -> Spec | None:
    """Ages, and time left of terms, women to the left and men to the right."""
    if not health.members:
        return None
    panes = [_pyramid(report, "ages", health.ages), _pyramid(report, "terms", health.terms)]
    return framed(
        report.word("chart.pyramids"),
        [report.word("chart.pyramids_note", members=health.members)],
        {"concat": panes, "columns": 2, "spacing": 60},
    )


def _pyramid(report: Report, name: str, bands: list[Band]) -> Spec:
    inks = {"female": ORANGE, "male": BLUE, "unknown": GREY}
    values = []
    order = [band_label(report, name, band) for band in reversed(bands)]
    for band in bands:
        for who, sign in (("female", -1), ("male", 1), ("unknown", 1)):
            people = getattr(band, who)
            if people:
                values.append(
                    {
                        "band": band_label(report, name, band),
                        "people": sign * people,
                        "who": report.word(f"head.{who}"),
                    }
                )
    there = {value["who"] for value in values}
    inks = {one: ink for one, ink in inks.items() if report.word(f"head.{one}") in there}
    legend = [report.word(f"head.{one}") for one in inks]
    return {
        "title": {"text": report.word(f"chart.{name}"), "fontSize": 12, "font": FONT, "fontWeight": "normal"},
        "width": WIDE / 2 - 110,
        "height": 24 * len(order),
        "data": {"values": values},
        "mark": {"type": "bar", "height": 17},
        "encoding": {
            "y": {
                "field": "band",
                "type": "ordinal",
                "sort": order,
                "scale": {"domain": order},
                "axis": axis(None, ticks=False, domain=False, labelLimit=130),
            },
            "x": {
                "field": "people",
                "type": "quantitative",
                "stack": "zero",
                "axis": axis(report.word("chart.people"), labelExpr="abs(datum.value)", tickMinStep=1),
            },
            "color": {
                "field": "who",
                "type": "nominal",
                "title": None,
                "scale": {"domain": legend, "range": list(inks.values())},
            },
        },
    }


def forecast(report: Report, health: Health) -> Spec | None:
    """Who leaves in each year, and who is left, if nobody is renewed or taken in."""
    if not health.members:
        return None
    values, left = [], []
    for year in health.forecast:
        label = year.last.isoformat()
        only_term, only_age = year.leave - year.retire, year.leave - year.terms_end
        both = year.leave - only_term - only_age
        for who, people in (("terms_end", only_term), ("both", both), ("retire", only_age)):
            if people:
                values.append({"until": label, "people": people, "why": report.word(f"chart.why_{who}")})
        left.append({"until": label, "left": year.left, "said": str(year.left)})
    whys = [report.word(f"chart.why_{who}") for who in ("terms_end", "both", "retire")]
    order = [one["until"] for one in left]
    across = {
        "field": "until",
        "type": "ordinal",
        "sort": order,
        "scale": {"domain": order},
        "axis": axis(report.word("chart.until"), labelAngle=0),
    }
    return framed(
        report.word("chart.forecast"),
        [report.word("chart.forecast_note", age=health.retires_at)],
        {
            "width": WIDE - 140,
            "height": TALL - 60,
            "layer": [
                {
                    "data": {"values": values},
                    "mark": {"type": "bar", "width": 40},
                    "encoding": {
                        "x": across,
                        "y": quantity("people", report.word("chart.people")),
                        "color": {
                            "field": "why",
                            "type": "nominal",
                            "title": None,
                            "scale": {"domain": whys, "range": [SKY, GREY, ORANGE]},
                        },
                    },
                },
                {
                    "data": {"values": left},
                    "mark": {"type": "line", "color": INK, "point": {"color": INK, "filled": True}},
                    "encoding": {"x": across, "y": {"field": "left", "type": "quantitative"}},
                },
                {
                    "data": {"values": left},
                    "mark": {"type": "text", "dy": -12},
                    "encoding": {
                        "x": across,
                        "y": {"field": "left", "type": "quantitative"},
                        "text": {"field": "said"},
                    },
                },
            ],
        },
    )


def lorenz(report: Report, health: Health) -> Spec | None:
    """How evenly seats are shared, beside what is perfectly even."""
    load = health.load
    if not load.lorenz:
        return None
    curve = [{"people": x, "seats": y} for x, y in load.lorenz]
    even = [{"people": 0, "seats": 0}, {"people": 1, "seats": 1}]
    chance = load.gini_by_chance
    notes = [
        report.word(
            "chart.lorenz_note", gini=round(load.gini or 0, 3), steady=load.steady, seats=load.steady_seats
        )
    ]
    if chance:
        notes.append(report.word("chart.lorenz_chance", low=round(chance.low, 3), high=round(chance.high, 3)))
    place: dict[str, Any] = {
        "x": quantity("people", report.word("chart.share_people"))
        | {"axis": axis(report.word("chart.share_people"), format="%")},
        "y": quantity("seats", report.word("chart.share_seats"))
        | {"axis": axis(report.word("chart.share_seats"), format="%")},
    }
    return framed(
        report.word("chart.lorenz"),
        notes,
        {
            "width": TALL,
            "height": TALL,
            "layer": [
                {
                    "data": {"values": even},
                    "mark": {"type": "line", "color": FAINT, "strokeDash": [4, 3]},
                    "encoding": place,
                },
                {
                    "data": {"values": curve},
                    "mark": {"type": "area", "color": SKY, "opacity": 0.35, "line": {"color": BLUE}},
                    "encoding": place,
                },
            ],
        },
    )


def trend(report: Report, health: Health) -> Spec | None:
    """Members, who came and went, and the private share, year by year."""
    if not any(one.members for one in health.trend):
        return None
    flows = []
    for one in health.trend:
        on = one.on.isoformat()
        flows += [
            {"on": on, "people": one.admitted, "who": report.word("head.admitted")},
            {"on": on, "people": -one.left, "who": report.word("head.gone")},
        ]
    stock = [
        {"on": one.on.isoformat(), "members": one.members, "said": str(one.members)} for one in health.trend
    ]
    private = [
        {"on": one.on.isoformat(), "private": one.private, "said": f"{100 * one.private:.1f}%"}
        for one in health.trend
        if one.private is not None
    ]
    order = [one["on"] for one in stock]
    across = {
        "field": "on",
        "type": "ordinal",
        "sort": order,
        "scale": {"domain": order},
        "axis": axis(None, labelAngle=0),
    }
    who = [report.word("head.admitted"), report.word("head.gone")]
    pane = {"width": WIDE - 150}
    return framed(
        report.word("chart.trend"),
        [report.word("chart.trend_note")],
        {
            "vconcat": [
                pane
                | {
                    "height": 170,
                    "layer": [
                        {
                            "data": {"values": flows},
                            "mark": {"type": "bar", "width": 26},
                            "encoding": {
                                "x": across,
                                "y": quantity("people", report.word("chart.people")),
                                "color": {
                                    "field": "who",
                                    "type": "nominal",
                                    "title": None,
                                    "scale": {"domain": who, "range": [GREEN, ORANGE]},
                                },
                            },
                        },
                        {
                            "data": {"values": stock},
                            "mark": {"type": "line", "color": INK, "point": {"color": INK, "filled": True}},
                            "encoding": {"x": across, "y": {"field": "members", "type": "quantitative"}},
                        },
                        {
                            "data": {"values": stock},
                            "mark": {"type": "text", "dy": -11},
                            "encoding": {
                                "x": across,
                                "y": {"field": "members", "type": "quantitative"},
                                "text": {"field": "said"},
                            },
                        },
                    ],
                },
                pane
                | {
                    "height": 80,
                    "data": {"values": private},
                    "layer": [
                        {
                            "mark": {"type": "line", "color": BLUE, "point": {"color": BLUE, "filled": True}},
                            "encoding": {
                                "x": across,
                                "y": {
                                    "field": "private",
                                    "type": "quantitative",
                                    "axis": axis(report.word("head.private"), format="%", titleLimit=120),
                                    "scale": {"zero": True},
                                },
                            },
                        },
                        {
                            "mark": {"type": "text", "dy": -11},
                            "encoding": {
                                "x": across,
                                "y": {"field": "private", "type": "quantitative"},
                                "text": {"field": "said"},
                            },
                        },
                    ],
                },
            ]
        },
    )
