"""Charts of policies on the same history: panels that each rule breaks, seats after assembling anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from expert_pool.documents.lens_frame import MOST_ROWS, WIDE, across, bars, down, notes_of
from expert_pool.documents.lens_naming import cell_name, fact_name, rule_name
from expert_pool.documents.reevaluation_frame import BLUE, GREY, ORANGE, SKY, framed
from expert_pool.documents.sheet import cut
from expert_pool.documents.simulation_charts import Chart
from expert_pool.simulation.lens_results import PoliciesPart
from expert_pool.simulation.results import Simulation
from expert_pool.words import say

LIGHT = "#C4C4C4"
"""The first policy: told from the others in print too."""


def policy_charts(simulation: Simulation, found: PoliciesPart, lang: str) -> list[Chart]:
    """What each policy breaks in the history, and who sits in the panels assembled anew."""
    names = [policy.name[lang] for policy in found.policies]
    others = range(1, len(names))
    charts = [
        _illegal(simulation, found, at, names[at], f"illegal-{at + 1}" if len(names) > 2 else "illegal", lang)
        for at in others
        if found.panels
    ]
    return [*charts, _seats(simulation, found, names, lang)]


def broken_by(found: PoliciesPart, policy: int) -> tuple[int, Counter[tuple[str, str]]]:
    """How many panels of the history are unlawful under a policy, and how many break each rule (id, kind)."""
    rules: Counter[tuple[str, str]] = Counter()
    unlawful = 0
    for panel in found.panels:
        verdict = panel.verdicts[policy]
        unlawful += not verdict.lawful
        rules.update({(part.rule, part.kind) for part in verdict.broken})
    return unlawful, rules


def _illegal(
    simulation: Simulation, found: PoliciesPart, policy: int, name: str, file: str, lang: str
) -> Chart:
    unlawful, rules = broken_by(found, policy)
    tally = [(say("lens.chart.any", lang), "", unlawful)]
    tally += [
        (rule_name(id_, kind, lang), id_, count)
        for (id_, kind), count in sorted(rules.items(), key=lambda item: (-item[1], item[0]))
    ]
    values: list[dict[str, Any]] = [
        {"label": cut(label, 220, 11.5), "panels": count, "said": str(count), "ink": GREY if rule else BLUE}
        for label, rule, count in tally[:MOST_ROWS]
    ]
    rows: list[dict[str, Any]] = [
        {
            "policy": found.policies[policy].name[lang],
            "rule": rule,
            "panels": sum(1 for p in found.panels if _breaks_rule(p.verdicts[policy], rule)),
            "of": len(found.panels),
            "behind": " ".join(p.panel for p in found.panels if _breaks_rule(p.verdicts[policy], rule)),
        }
        for _, rule, _ in tally
    ]
    x = across("panels", say("lens.chart.panels", lang), (0, max(1, len(found.panels))), "d")
    body = bars(values, x, down([value["label"] for value in values]))
    body["layer"][0]["encoding"]["color"] = {"field": "ink", "type": "nominal", "scale": None, "legend": None}
    title = say("lens.chart.illegal", lang, count=len(found.panels))
    return Chart(
        file,
        framed(f"{name}: {title}" if lang == "en" else f"{name}：{title}",
               notes_of(simulation, lang, say("lens.chart.illegal_note", lang)), body),
        rows,
    )  # fmt: skip


def _breaks_rule(verdict: Any, rule: str) -> bool:
    return not verdict.lawful if not rule else any(part.rule == rule for part in verdict.broken)


def _seats(simulation: Simulation, found: PoliciesPart, names: Sequence[str], lang: str) -> Chart:
    rows: list[dict[str, Any]] = [
        {
            "policy": names[part.policy],
            "of": cell_name(found.by, part.of, part.values, lang),
            "pool": part.pool,
            "eligible": part.eligible,
            "seats": part.seats,
            "seats_first": part.first,
            "meetings": part.meetings,
            "panels": " ".join(
                one.panel or "" for one in found.assembled if one.policy == part.policy
            ).strip(),
        }
        for part in found.groups
    ]
    values: list[dict[str, Any]] = [
        {
            **row,
            "label": cut(str(row["of"]), 220, 11.5),
            "said": str(row["seats"]) if row["meetings"] else "—",
        }
        for row in rows
    ]
    labels = list(dict.fromkeys(value["label"] for value in values))[:MOST_ROWS]
    values = [value for value in values if value["label"] in labels]
    most = max((int(value["seats"]) for value in values), default=1)
    x = across("seats", say("lens.chart.seat_count", lang), (0, max(1, most) * 1.15), "d")
    offset = {"field": "policy", "type": "nominal", "sort": list(names)}
    shared = {"x": x, "y": {**down(labels), "scale": {"paddingInner": 0.3}}, "yOffset": offset}
    ink = {
        "field": "policy",
        "type": "nominal",
        "sort": list(names),
        "scale": {
            "domain": list(names),
            "range": [LIGHT, BLUE, ORANGE, "#009E73", "#CC79A7", SKY][: len(names)],
        },
        "legend": {"orient": "bottom", "title": None, "labelLimit": 240},
    }
    return Chart(
        "seats",
        framed(
            say("lens.chart.seats", lang, by=fact_name(found.by, lang)),
            notes_of(simulation, lang, say("lens.chart.seats_note", lang)),
            {
                "width": WIDE,
                "height": (12 + 16 * len(names)) * max(1, len(labels)),
                "layer": [
                    {
                        "data": {"values": values},
                        "mark": {"type": "bar"},
                        "encoding": {**shared, "color": ink},
                    },
                    {
                        "data": {"values": values},
                        "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 11},
                        "encoding": {**shared, "text": {"field": "said"}},
                    },
                ],
            },
        ),
        rows,
    )
