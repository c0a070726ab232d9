"""The four charts of the picture, as Vega-Lite with their data. Colours: Okabe and Ito's, told apart by everybody."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from expert_pool.documents.contents import alternate_rows, gate_rows, member_rows, rule_rows, signed
from expert_pool.documents.sheet import (
    GAP,
    INK,
    LEFT,
    NARROW,
    TALL,
    WIDE,
    fold,
    title,
    width,
    written,
)
from expert_pool.documents.view import View

SECTORS = {
    "private": "#E69F00",
    "provincial": "#0072B2",
    "municipal": "#56B4E9",
    "grassroots": "#009E73",
    "central": "#D55E00",
    "state_owned": "#CC79A7",
    "foreign": "#F0E442",
    "social": "#B8A58A",
    "state_organ": "#6B6B6B",
}
BESIDE = -264
"""Where the text of the right charts begins."""
UNKNOWN_SECTOR = "#D9D9D9"
WHITE_ON = frozenset({"#0072B2", "#6B6B6B"})
HOLDS, SOFT, BROKEN, SOFT_BROKEN = "#0072B2", "#9CC9E8", "#C0001A", "#E9A0A8"
ACROSS = 11
"""Tiles in a row, at most."""
MOST_RULES = 14
MOST_PEERS = 7
"""So many close peers and more share a column."""


def groups_chart(view: View) -> dict[str, Any]:
    """A tile for every seat, a row for every group; alternates stand apart, framed only."""
    rows = _seat_rows(view)
    columns = max((cell["column"] for row in rows for cell in row["cells"]), default=0) + 1
    step, high = min(WIDE / max(columns, 1), 96.0), min(TALL / max(len(rows), 1), 72.0)
    longest = max((width(cell["text"], 12) for row in rows for cell in row["cells"]), default=0)
    size = 12 if longest <= step - 8 else 10.5
    most = max(1, int((high - 6) / (size * 1.25)))
    tiles, labels = [], []
    for number, row in enumerate(rows):
        top = number * high
        labels.append({"y": top + high / 2, "text": fold(row["label"], LEFT - 26, 12, 2)})
        for cell in row["cells"]:
            left = cell["column"] * step
            box = {"x": left + 2, "x2": left + step - 2, "y": top + 2, "y2": top + high - 2}
            tiles.append({**cell, **box, "text": fold(cell["text"], step - 8, size, most)})
    for tile in tiles:
        tile["cx"], tile["cy"] = (tile["x"] + tile["x2"]) / 2, (tile["y"] + tile["y2"]) / 2
        tile["lines"] = tile["text"].count("\n")
    across, down = {"type": "quantitative", **_pixels(WIDE)}, {"type": "quantitative", **_pixels(TALL)}
    corners = {"x": {"field": "x", **across}, "y": {"field": "y", **down}}
    corners |= {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    middle = {"x": {"field": "cx", **across}, "y": {"field": "cy", **down}}
    return {
        "width": WIDE,
        "height": TALL,
        "layer": [
            *title(view.word("picture_groups"), [view.word("picture_groups_note")]),
            _labels(labels, {"field": "y", **down}),
            *(
                {
                    "data": {"values": [tile for tile in tiles if tile["waiting"] == waiting]},
                    "mark": {"type": "rect", "cornerRadius": 3, "strokeDash": [4, 3] if waiting else []},
                    "encoding": {**corners, "fill": _as_is("fill"), "stroke": _as_is("stroke")},
                }
                for waiting in (False, True)
            ),
            {
                "data": {"values": tiles},
                "mark": _folded(size),
                "encoding": {**middle, "text": {"field": "text"}, "color": _as_is("ink")},
            },
        ],
    }


def _pixels(length: float) -> dict[str, Any]:
    """A scale whose data are pixels already."""
    return {
        "axis": None,
        "scale": {"domain": [0, length], "range": [0, length], "nice": False, "zero": False},
    }


def _seat_rows(view: View) -> list[dict[str, Any]]:
    """Rows of tiles; alternates stand beside the members where they all fit, else below them."""
    members, waiting = member_rows(view), alternate_rows(view)
    rows: list[dict[str, Any]] = []
    for group in dict.fromkeys(m.group for m in members):
        seated = [_tile(view, m) for m in members if m.group == group]
        called = [_tile(view, a) for a in waiting if a.group == group]
        own = [seated[i : i + ACROSS] for i in range(0, len(seated), ACROSS)]
        further = [called[i : i + ACROSS] for i in range(0, len(called), ACROSS)]
        for row in own:
            for column, cell in enumerate(row):
                cell["column"] = column
        beside = len(further) == 1 and len(own[-1]) + len(called) < ACROSS
        for row in further:
            for column, cell in enumerate(row, len(own[-1]) if beside else 0):
                cell["column"] = column + 0.25
        if beside:
            own[-1] += further.pop()
        rows += [{"label": "" if n else group, "cells": row} for n, row in enumerate([*own, *further])]
    return rows


def _tile(view: View, row: Any) -> dict[str, Any]:
    sector = SECTORS.get(row.person.sector, UNKNOWN_SECTOR)
    waiting = row.role == "alternate"
    mark = {"chair": "★", "deputy": "☆", "alternate": f"{row.order} "}.get(row.role, "")
    return {
        "text": mark + bare(row.person.name),
        "waiting": waiting,
        "fill": "#FFFFFF" if waiting else sector,
        "stroke": sector if sector != UNKNOWN_SECTOR else "#8C8C8C",
        "ink": "#FFFFFF" if sector in WHITE_ON and not waiting else INK,
    }


def bare(name: str) -> str:
    """A name without the remark behind it in brackets: the head of the page says once that people are made up."""
    return re.sub(r"\s*[（(][^（）()]*[）)]\s*$", "", name) or name


def sectors_chart(view: View) -> dict[str, Any]:
    """Members by sector; the legend of the tiles too."""
    tally = Counter(m.person.sector if m.person.sector in SECTORS else "" for m in member_rows(view))
    total = max(tally.total(), 1)
    values: list[dict[str, Any]] = [
        {
            "label": view.term("sector", sector) or view.word("picture_unknown"),
            "count": count,
            "said": view.word("picture_people", count=count, share=count / total),
            "fill": SECTORS.get(sector, UNKNOWN_SECTOR),
        }
        for sector, count in sorted(tally.items(), key=lambda item: (item[0] == "", -item[1], item[0]))
    ]
    names = _padded([v["label"] for v in values], 6)
    rows = {"field": "label", "type": "ordinal", "axis": _LABELS, "scale": {"padding": 0.3, "domain": names}}
    most = max((v["count"] for v in values), default=1)
    across = {"field": "count", "type": "quantitative", "axis": None, "scale": {"domain": [0, most * 1.5]}}
    return {
        "width": NARROW,
        "height": TALL,
        "data": {"values": values},
        "layer": [
            *title(view.word("picture_sectors"), [], BESIDE),
            {"mark": "bar", "encoding": {"y": rows, "x": across, "color": _as_is("fill")}},
            {
                "mark": {"type": "text", "align": "left", "dx": 6, "color": INK},
                "encoding": {"y": rows, "x": across, "text": {"field": "said"}},
            },
        ],
    }


def cover(view: View) -> dict[str, Any]:
    """How many cases of each group have how many close peers who may judge them."""
    counts: Counter[tuple[str, int]] = Counter()
    for case in view.answer.cases:
        counts[view.group(case.group), min(len(case.close), MOST_PEERS)] += 1
    names = list(dict.fromkeys(view.group(g) for g in view.groups)) if view.answer.cases else []
    most = max((peers for _, peers in counts), default=0)
    heads = [str(n) if n < MOST_PEERS else f"≥{n}" for n in range(most + 1)]
    top = max(counts.values(), default=1)
    values: list[dict[str, Any]] = [
        {"group": g, "peers": heads[n], "cases": counts[g, n], "ink": _on(counts[g, n], top)}
        for g in names
        for n in range(most + 1)
    ]
    labels = [{"group": name, "text": fold(name, LEFT - 26, 12)} for name in names]
    rows = {"field": "group", "type": "ordinal", "axis": None, "scale": {"domain": _padded(names, 4)}}
    columns = {
        "field": "peers",
        "type": "ordinal",
        "sort": heads,
        "axis": {
            "title": None,
            "orient": "top",
            "labelAngle": 0,
            "labelFontSize": 12,
            "domain": False,
            "ticks": False,
        },
    }
    shade = {"type": "quantitative", "scale": {"scheme": "blues", "domain": [0, top]}, "legend": None}
    return {
        "width": WIDE,
        "height": TALL,
        "resolve": {"scale": {"color": "independent"}},
        "layer": [
            *title(view.word("picture_cases"), [view.word("picture_cases_note")]),
            _labels(labels, rows),
            {
                "data": {"values": values},
                "mark": {"type": "rect", **_CELL, "color": "#F4F4F4"},
                "encoding": {"y": rows, "x": columns},
            },
            {
                "data": {"values": [v for v in values if v["cases"]]},
                "mark": {"type": "rect", **_CELL},
                "encoding": {"y": rows, "x": columns, "color": {"field": "cases", **shade}},
            },
            {
                "data": {"values": [v for v in values if v["cases"]]},
                "mark": {"type": "text", "fontSize": 13},
                "encoding": {"y": rows, "x": columns, "text": {"field": "cases"}, "color": _as_is("ink")},
            },
        ],
    }


_CELL = {"stroke": "white", "strokeWidth": 2}


def _on(count: int, top: int) -> str:
    return "#FFFFFF" if count > 0.55 * top else INK


def margins_chart(view: View) -> dict[str, Any]:
    """How far each rule is from breaking; gates that hold are only counted."""
    rows = [row for row in rule_rows(view) if row.margin is not None]
    kept = [row for row in rows if row.rule != "gate" or not row.holds]
    shown, more, gates = kept[:MOST_RULES], kept[MOST_RULES:], len(rows) - len(kept)
    values: list[dict[str, Any]] = [
        {
            "rule": f"{number:02d}",
            "margin": row.margin,
            "said": signed(row.margin),
            "kind": ("hard" if row.hard else "soft") + ("" if row.holds else " broken"),
            "side": "left" if (row.margin or 0) < 0 else "right",
        }
        for number, row in enumerate(shown)
    ]
    places = _padded([v["rule"] for v in values], 10)
    each = TALL / len(places)
    labels = [
        {"rule": f"{number:02d}", "text": fold(row.title, 250, 11, 2 if each >= 28 else 1)}
        for number, row in enumerate(shown)
    ]
    low = min([0, *(v["margin"] for v in values)])
    top = max([1, *(v["margin"] for v in values)])
    across = {
        "field": "margin",
        "type": "quantitative",
        "axis": None,
        "stack": None,
        "scale": {"type": "symlog", "domain": [low, top], "range": [26 if low < 0 else 6, NARROW - 26]},
    }
    down = {"field": "rule", "type": "ordinal", "axis": None, "scale": {"padding": 0.35, "domain": places}}
    notes = [view.word("picture_margins_note")]
    notes += [view.word("picture_gates", count=gates)] if gates else []
    notes += [view.word("picture_more", count=len(more))] if more else []
    colours = {
        "domain": ["hard", "soft", "hard broken", "soft broken"],
        "range": [HOLDS, SOFT, BROKEN, SOFT_BROKEN],
    }
    ink = {"field": "kind", "type": "nominal", "legend": None, "scale": colours}
    return {
        "width": NARROW,
        "height": TALL,
        "data": {"values": values},
        "layer": [
            *title(view.word("picture_margins"), notes, BESIDE),
            _labels(labels, down, 11),
            {"mark": "bar", "encoding": {"y": down, "x": across, "x2": {"datum": 0}, "color": ink}},
            {
                "data": {"values": [{"margin": 0}] if values else []},
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
                "encoding": {"x": across},
            },
            *(
                {
                    "transform": [{"filter": f"datum.side == '{side}'"}],
                    "mark": {"type": "text", "align": align, "dx": shift, "fontSize": 12},
                    "encoding": {
                        "y": down,
                        "x": across,
                        "text": {"field": "said"},
                        "color": {
                            "condition": {"test": "datum.kind == 'broken'", "value": BROKEN},
                            "value": INK,
                        },
                    },
                }
                for side, align, shift in (("right", "left", 5), ("left", "right", -5))
            ),
        ],
    }


def _padded(names: list[str], least: int) -> list[str]:
    """The names with blanks behind them, so that few rows do not grow fat."""
    return names + [" " * n for n in range(1, least - len(names) + 1)]


_LABELS = {
    "title": None,
    "domain": False,
    "ticks": False,
    "labelFontSize": 12,
    "labelColor": INK,
    "labelLimit": 250,
    "labelPadding": 8,
}


def _labels(values: list[dict[str, Any]], down: dict[str, Any], size: int = 12) -> dict[str, Any]:
    """Labels left of a chart, folded to fit."""
    return {
        "data": {"values": [value | {"lines": value["text"].count("\n")} for value in values]},
        "mark": {**_folded(size), "align": "right", "color": INK},
        "encoding": {
            "x": {"value": -10},
            "y": down,
            "text": {"field": "text"},
        },
    }


def _folded(size: float) -> dict[str, Any]:
    """Text of several lines, centred on its place; the datum says how many line breaks it has."""
    high = round(size * 1.22, 2)
    shift = {"expr": f"datum.lines * {-high / 2}"}
    return {
        "type": "text",
        "baseline": "middle",
        "fontSize": size,
        "lineBreak": "\n",
        "lineHeight": high,
        "dy": shift,
    }


def _as_is(field: str) -> dict[str, Any]:
    """A colour that stands in the data."""
    return {"field": field, "type": "nominal", "scale": None, "legend": None}


def why_not_chart(view: View) -> dict[str, Any]:
    """Instead of groups and seats: why there is no panel."""
    room, lines = WIDE + GAP + NARROW, []
    for number, saying in enumerate(view.answer.why_not, 1):
        folded = fold(f"{number}. {view.tell(saying)}", room, 14, 3).split("\n")
        lines += [(line, 14, INK) for line in folded]
    return {
        "width": WIDE,
        "height": TALL,
        "layer": [*title(view.word("why_not"), []), *written(lines, 0, 26)],
    }


def funnel_chart(view: View) -> dict[str, Any]:
    """How many experts are left after each gate."""
    gates = gate_rows(view)
    keys = [f"{n:02d}" for n in range(len(gates))]
    values: list[dict[str, Any]] = [
        {"gate": key, "left": gate.left, "said": view.word("picture_left", left=gate.left, bars=gate.bars)}
        for key, gate in zip(keys, gates, strict=True)
    ]
    labels = [
        {"gate": key, "text": fold(gate.title, LEFT - 26, 11)} for key, gate in zip(keys, gates, strict=True)
    ]
    down = {
        "field": "gate",
        "type": "ordinal",
        "axis": None,
        "scale": {"padding": 0.3, "domain": _padded(keys, 6)},
    }
    scale = {"domain": [0, max(view.answer.considered, 1) * 1.35]}
    across = {"field": "left", "type": "quantitative", "axis": None, "scale": scale}
    said = {"type": "text", "align": "left", "dx": 6, "color": INK}
    return {
        "width": WIDE,
        "height": TALL,
        "data": {"values": values},
        "layer": [
            *title(view.word("funnel_title"), [view.word("funnel_note", considered=view.answer.considered)]),
            _labels(labels, down, 11),
            {"mark": {"type": "bar", "color": HOLDS}, "encoding": {"y": down, "x": across}},
            {"mark": said, "encoding": {"y": down, "x": across, "text": {"field": "said"}}},
        ],
    }


def nothing() -> dict[str, Any]:
    """An empty place."""
    return {"width": NARROW, "height": TALL, "data": {"values": []}, "mark": "point"}
