"""Charts of robustness and fairness, each with its data; the panels behind a figure stand in its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expert_pool.documents.lens_frame import BAND, MOST_ROWS, ROW, WIDE, across, bars, down, notes_of
from expert_pool.documents.lens_naming import cell_name, fact_name, meeting_name, rule_name, share
from expert_pool.documents.policy_charts import policy_charts
from expert_pool.documents.reevaluation_frame import BLUE, ORANGE, SKY, Spec, axis, framed
from expert_pool.documents.sheet import cut
from expert_pool.documents.simulation_charts import Chart
from expert_pool.simulation.lens_results import (
    FairnessPart,
    GroupPart,
    RobustnessPart,
    RobustPart,
)
from expert_pool.simulation.results import Simulation
from expert_pool.words import say

MOST_PANELS = 6
"""Panels of a year that get charts of their own."""

DRAWN = "#D55E00"
"""A deep orange: in print without colour it is darker than the line of what is near the optimum, on which it may lie."""


def lens_charts(simulation: Simulation, lang: str) -> list[Chart]:
    """Every chart that robustness, fairness and policies call for."""
    found: list[Chart] = []
    if simulation.robustness is not None:
        found += _robustness(simulation, simulation.robustness, lang)
    if simulation.fairness is not None:
        found += _fairness(simulation, simulation.fairness, lang)
    if simulation.policies is not None:
        found += policy_charts(simulation, simulation.policies, lang)
    return found


def _robustness(simulation: Simulation, found: RobustnessPart, lang: str) -> list[Chart]:
    charts: list[Chart] = []
    seated = [one for one in found.panels if one.lawful is not None]
    if len(seated) > 1:
        charts.append(_meetings(simulation, seated, lang))
    for one in seated[:MOST_PANELS]:
        suffix = f"-{one.base + 1}" if len(simulation.bases) > 1 else ""
        charts.append(_breaks(simulation, one, suffix, lang))
        if one.alternates:
            charts.append(_alternates(simulation, one, suffix, lang))
    return charts


def _breaks(simulation: Simulation, one: RobustPart, suffix: str, lang: str) -> Chart:
    rows: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    for part in sorted(one.breaks, key=lambda part: part.kept.chance)[:MOST_ROWS]:
        broken = max(0.0, 1 - part.kept.chance)
        name = cut(rule_name(part.id, part.kind, lang), 220, 11.5)
        code = "lens.chart.no_fewest" if part.fewest is None else "lens.chart.fewest"
        said = say(code, lang, chance=share(broken), fewest=part.fewest, looked=part.looked)
        values.append({"label": name, "broken": broken, "said": said})
        rows.append(
            {
                "meeting": meeting_name(simulation, one.base),
                "rule": part.id,
                "broken": round(broken, 9),
                "low": round(max(0.0, 1 - part.kept.high), 9),
                "high": round(1 - part.kept.low, 9),
                "exact": part.kept.exact,
                "fewest": part.fewest,
                "looked": part.looked,
                "absent": " ".join(part.absent),
                "panel": one.panel,
                "meeting_panel": part.meeting,
            }
        )
    most = max((value["broken"] for value in values), default=0.0)
    x = across("broken", None, (0, max(0.01, most) * 1.6), ".1%" if most < 0.05 else ".0%")
    return Chart(
        f"breaks{suffix}",
        framed(
            say("lens.chart.breaks", lang, title=meeting_name(simulation, one.base)),
            notes_of(simulation, lang, say("lens.chart.breaks_note", lang)),
            bars(values, x, down([value["label"] for value in values])),
        ),
        rows,
    )


def _alternates(simulation: Simulation, one: RobustPart, suffix: str, lang: str) -> Chart:
    rows: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    for part in one.alternates[:MOST_ROWS]:
        group = simulation.groups.get(part.group, part.group)
        label = say("lens.chart.alternate", lang, group=group, order=part.order)
        ends = {"low": part.low, "high": part.high, "end": max(part.lawful, part.high)}
        values.append({"label": label, "worth": part.lawful, "said": f"{100 * part.lawful:+.1f}", **ends})
        rows.append({**part.model_dump(), "meeting": meeting_name(simulation, one.base), "panel": one.panel})
    least = min((min(value["worth"], value["low"]) for value in values), default=0.0)
    most = max((value["end"] for value in values), default=0.0)
    x = across("worth", None, (min(0.0, least), max(0.01, most) * 1.25))
    y = down([value["label"] for value in values])
    body = bars(values, x, y)
    body["layer"][1]["encoding"]["x"] = {**x, "field": "end"}
    drawn = [value for value in values if value["low"] != value["high"]]
    line = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y}
    body["layer"].insert(
        1, {"data": {"values": drawn}, "mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": line}
    )
    notes = [say("lens.chart.alternates_note", lang)]
    notes += [say("lens.chart.alternates_drawn", lang)] if drawn else []
    return Chart(
        f"alternates{suffix}",
        framed(
            say("lens.chart.alternates", lang, title=meeting_name(simulation, one.base)),
            notes_of(simulation, lang, *notes),
            body,
        ),
        rows,
    )


def _meetings(simulation: Simulation, seated: Sequence[RobustPart], lang: str) -> Chart:
    ordered = sorted(seated, key=lambda one: one.lawful.chance if one.lawful else 1.0)
    rows: list[dict[str, Any]] = [
        {
            "meeting": meeting_name(simulation, one.base),
            "lawful": one.lawful.chance if one.lawful else None,
            "lawful_low": one.lawful.low if one.lawful else None,
            "lawful_high": one.lawful.high if one.lawful else None,
            "quorum": one.quorum.chance if one.quorum else None,
            "fewest": one.fewest,
            "weakest": one.weakest,
            "panel": one.panel,
        }
        for one in ordered
    ]
    values: list[dict[str, Any]] = [{**row, "label": row["meeting"]} for row in rows[:MOST_ROWS]]
    least = min(min(float(v["lawful"] or 0), float(v["quorum"] or 0)) for v in values)
    y = down([str(value["label"]) for value in values])

    def points(field: str, shape: str, colour: str) -> Spec:
        x = across(field, None, (max(0.0, least - 0.02), 1.0))
        return {
            "data": {"values": values},
            "mark": {"type": "point", "filled": True, "shape": shape, "size": 80, "color": colour},
            "encoding": {"x": x, "y": y},
        }

    return Chart(
        "meetings",
        framed(
            say("lens.chart.meetings", lang),
            notes_of(simulation, lang, say("lens.chart.meetings_note", lang)),
            {
                "width": WIDE,
                "height": ROW * max(2, len(values)),
                "layer": [points("lawful", "circle", BLUE), points("quorum", "diamond", ORANGE)],
            },
        ),
        rows,
    )


def _fairness(simulation: Simulation, found: FairnessPart, lang: str) -> list[Chart]:
    divisions: dict[str, list[GroupPart]] = {}
    for part in found.groups:
        divisions.setdefault(part.by, []).append(part)
    charts = [_seated(simulation, found, by, parts, lang) for by, parts in divisions.items()]
    charts += [
        chart for by, parts in divisions.items() if (chart := _effects(simulation, found, by, parts, lang))
    ]
    return [*charts, *([_load(simulation, found, lang)] if found.load else [])]


def _seated(
    simulation: Simulation, found: FairnessPart, by: str, parts: Sequence[GroupPart], lang: str
) -> Chart:
    rows: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    for part in parts:
        near = part.near.model_dump() if part.near else {}
        drawn = part.drawn.model_dump() if part.drawn else {}
        rows.append(
            {
                "by": by,
                "of": cell_name(by, part.of, part.values, lang),
                "pool": part.pool,
                "eligible": part.eligible,
                "seats": part.seats,
                "optimum": part.optimum,
                **{f"even_{k}": v for k, v in part.even.model_dump().items()},
                **{f"near_{k}": v for k, v in near.items()},
                **{f"drawn_{k}": v for k, v in drawn.items()},
                "panels": " ".join(found.optimum),
            }
        )
        values.append({**rows[-1], "label": cut(str(rows[-1]["of"]), 220, 11.5)})
    shown = values[:MOST_ROWS]
    fields = ("even_high", "near_high", "drawn_high", "optimum")
    top = max((float(v.get(f) or 0) for v in shown for f in fields), default=1.0)
    title = say("lens.chart.share", lang)
    y = down([value["label"] for value in shown])
    domain = (0.0, min(1.0, top * 1.05 + 0.01))

    def line(way: str, colour: str, size: int) -> Spec:
        return {
            "data": {"values": [v for v in shown if v.get(f"{way}_low") is not None]},
            "mark": {"type": "rule", "color": colour, "strokeWidth": size},
            "encoding": {"x": across(f"{way}_low", title, domain), "x2": {"field": f"{way}_high"}, "y": y},
        }

    def mark(field: str, colour: str, shape: str) -> Spec:
        return {
            "data": {"values": [v for v in shown if v.get(field) is not None]},
            "mark": {
                "type": "point",
                "filled": True,
                "shape": shape,
                "size": 75,
                "color": colour,
                "opacity": 1,
            },
            "encoding": {"x": across(field, title, domain), "y": y},
        }

    layers = [line("even", BAND, 16), line("near", SKY, 5), line("drawn", DRAWN, 2)]
    layers += [mark("drawn_share", DRAWN, "diamond"), mark("optimum", BLUE, "circle")]
    return Chart(
        f"seated-{by}",
        framed(
            say("lens.chart.seated", lang, by=fact_name(by, lang)),
            notes_of(simulation, lang, say("lens.chart.seated_note", lang)),
            {"width": WIDE, "height": ROW * max(2, len(shown)), "layer": layers},
        ),
        rows,
    )


def _effects(
    simulation: Simulation, found: FairnessPart, by: str, parts: Sequence[GroupPart], lang: str
) -> Chart | None:
    """A table of rules against groups; only rules that change something are drawn."""
    columns = [cut(cell_name(by, part.of, part.values, lang), 90, 10.5) for part in parts][:12]
    rows: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    names: list[str] = []
    for rule in found.rules:
        own = {effect.of: effect for effect in rule.effects if effect.by == by}
        name = cut(rule_name(rule.rule, rule.kind, lang), 220, 11.5)
        for part, column in zip(parts, columns, strict=False):
            effect = own.get(part.of)
            seats, more = (effect.seats, effect.eligible) if effect else (0, 0)
            rows.append(
                {
                    "rule": rule.rule,
                    "of": cell_name(by, part.of, part.values, lang),
                    "seats": seats,
                    "eligible": more,
                    "unchanged": rule.unchanged,
                    "open": rule.open,
                    "panels": " ".join(rule.panels),
                }
            )
            text = f"{seats:+d}" if seats else ""
            text += f" ({more:+d})" if more else ""
            values.append({"label": name, "column": column, "seats": seats, "said": text.strip()})
        if own:
            names.append(name)
    values = [value for value in values if value["label"] in names[:MOST_ROWS]]
    if not values:
        return None
    widest = max(1, *(abs(int(value["seats"])) for value in values))
    columns_of = {
        "field": "column",
        "type": "ordinal",
        "sort": columns,
        "axis": axis(None, orient="top", labelAngle=0, labelLimit=96, ticks=False, domain=False),
    }
    place = {"x": columns_of, "y": down(names[:MOST_ROWS])}
    shade = {
        "field": "seats",
        "type": "quantitative",
        "legend": None,
        "scale": {
            "domain": [-widest, 0, widest],
            "range": ["#F3C9A2", "#FFFFFF", "#A9D3EE"],
            "interpolate": "rgb",
        },
    }
    return Chart(
        f"effects-{by}",
        framed(
            say("lens.chart.effects", lang, by=fact_name(by, lang)),
            notes_of(simulation, lang, say("lens.chart.effects_note", lang)),
            {
                "width": 100 * len(columns),
                "height": ROW * max(2, len(names[:MOST_ROWS])),
                "layer": [
                    {
                        "data": {"values": values},
                        "mark": {"type": "rect", "stroke": "#E0E0E0"},
                        "encoding": {**place, "color": shade},
                    },
                    {
                        "data": {"values": values},
                        "mark": {"type": "text", "fontSize": 11},
                        "encoding": {**place, "text": {"field": "said"}},
                    },
                ],
            },
        ),
        rows,
    )


def _load(simulation: Simulation, found: FairnessPart, lang: str) -> Chart:
    rows = [part.model_dump() for part in found.load]
    values: list[dict[str, Any]] = [
        {**row, "label": say(f"lens.way.{row['way']}", lang), "said": f"{row['gini'] or 0:.2f}"}
        for row in rows
    ]
    y, domain = down([value["label"] for value in values]), (0.0, 1.0)
    return Chart(
        "load",
        framed(
            say("lens.chart.load", lang),
            notes_of(simulation, lang, say("lens.chart.load_note", lang)),
            {
                "width": WIDE,
                "height": ROW * max(2, len(values)),
                "layer": [
                    {
                        "data": {"values": values},
                        "mark": {"type": "rule", "color": BAND, "strokeWidth": 16},
                        "encoding": {
                            "x": across("even_low", None, domain, ".1f"),
                            "x2": {"field": "even_high"},
                            "y": y,
                        },
                    },
                    {
                        "data": {"values": values},
                        "mark": {"type": "point", "filled": True, "size": 80, "color": BLUE, "opacity": 1},
                        "encoding": {"x": across("gini", None, domain, ".1f"), "y": y},
                    },
                    {
                        "data": {"values": values},
                        "mark": {"type": "text", "align": "left", "dx": 10},
                        "encoding": {
                            "x": across("gini", None, domain, ".1f"),
                            "y": y,
                            "text": {"field": "said"},
                        },
                    },
                ],
            },
        ),
        rows,
    )
