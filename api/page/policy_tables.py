"""Policies on the same history as tables: what changes, which panels break what, what assembling anew costs."""

from __future__ import annotations

from api.page.lens_tables import Cell, Table, behind, links, number, table
from expert_pool.documents.lens_naming import cell_name, fact_name, meeting_name, rule_name
from expert_pool.documents.parameter_naming import field_value, goal_name
from expert_pool.documents.policy_charts import broken_by
from expert_pool.simulation.lens_results import AssembledPart, HistoryPart, PoliciesPart
from expert_pool.simulation.results import Simulation
from expert_pool.words import say, term


def policy_tables(found: Simulation, part: PoliciesPart, lang: str) -> list[Table]:
    """The tables of a comparison of policies, the broadest first."""
    names = [policy.name[lang] for policy in part.policies]
    tables = [
        _whole(part, names, lang),
        _changes(part, names, lang),
        _illegal(part, names, lang),
        _seats(part, names, lang),
        _costs(found, part, names, lang),
        _assembled(found, part, names, lang),
        _lost(found, part, names, lang),
        _history(found, part, names, lang),
    ]
    return [one for one in tables if one.rows]


def _whole(part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = [
        (
            Cell(name),
            number(broken_by(part, at)[0]),
            number(len(part.panels)),
            number(sum(one.policy == at and one.panel is None for one in part.assembled)),
            number(len(part.lost[at])),
        )
        for at, name in enumerate(names)
    ]
    columns = ("policy", "#unlawful", "#of_panels", "#without_panel", "#lost_cases")
    cautions = [say(f"page.lens.history.{part.history}", lang)]
    if part.unsettled:
        cautions.append(say("brief.caution.open", lang, count=part.unsettled))
    if part.sealed:
        cautions.append(say("page.lens.sealed", lang, count=part.sealed))
    joint = "" if lang == "zh" else " "
    return table("policies", say("page.lens.policies", lang), columns, rows, lang, joint.join(cautions))


def _changes(part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = [
        (
            Cell(names[at]),
            Cell(rule_name(one.rule, one.kind, lang)),
            Cell(term("parameter.field", one.field, lang) if one.field else "—"),
            Cell(field_value(one.field, one.first, lang)),
            Cell(field_value(one.field, one.other, lang)),
        )
        for at, policy in enumerate(part.policies)
        for one in policy.differences
    ]
    title = say("page.lens.changes", lang, first=names[0])
    return table("changes", title, ("policy", "rule", "field", "first", "other"), rows, lang)


def _illegal(part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = []
    for at, name in enumerate(names):
        for (id_, kind), count in sorted(
            broken_by(part, at)[1].items(), key=lambda item: (-item[1], item[0])
        ):
            broken = [
                panel.panel for panel in part.panels if any(b.rule == id_ for b in panel.verdicts[at].broken)
            ]
            rows.append((Cell(name), Cell(rule_name(id_, kind, lang)), number(count), links(broken)))
    title = say("lens.chart.illegal", lang, count=len(part.panels))
    return table("illegal", title, ("policy", "rule", "#unlawful", "panels"), rows, lang)


def _seats(part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = [
        (
            Cell(names[one.policy]),
            Cell(cell_name(part.by, one.of, one.values, lang)),
            number(one.pool),
            number(one.eligible),
            number(one.first),
            number(one.seats),
            number(one.seats - one.first, "+,") if one.seats != one.first else Cell("0"),
            number(one.meetings),
        )
        for one in part.groups
    ]
    title = say("lens.chart.seats", lang, by=fact_name(part.by, lang))
    columns = (
        "policy",
        "people_of",
        "#pool",
        "#eligible",
        "#seats_first",
        "#seats",
        "#more_seats",
        "#meetings",
    )
    return table("seats", title, columns, rows, lang, say("lens.chart.seats_note", lang))


def _costs(found: Simulation, part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = [
        (
            Cell(names[one.policy]),
            number(one.level),
            Cell(goal_name(one.goal, lang, found.goals)),
            number(one.first),
            number(one.other),
            number(one.other - one.first, "+,") if one.other != one.first else Cell("0"),
            number(one.rises),
            number(one.meetings),
        )
        for one in part.costs
    ]
    columns = ("policy", "#level", "goal", "#cost_first", "#cost", "#difference", "#rises", "#meetings")
    title = say("page.lens.costs", lang, first=names[0])
    return table("costs", title, columns, rows, lang, say("page.lens.costs_note", lang))


def _assembled(found: Simulation, part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = [
        (
            Cell(meeting_name(found, one.base)),
            Cell(names[one.policy]),
            Cell(say(f"status.{one.status}", lang), tone=_tone(one)),
            number(one.kept),
            Cell(_why_not(part, one, lang)),
            behind(one.panel, lang),
        )
        for one in part.assembled
    ]
    columns = ("meeting", "policy", "outcome", "#kept", "why_not", "panel")
    return table("assembled", say("page.lens.assembled", lang), columns, rows, lang)


def _tone(one: AssembledPart) -> str:
    return {"optimal": "good", "infeasible": "bad"}.get(one.status, "warn")


def _why_not(part: PoliciesPart, one: AssembledPart, lang: str) -> str:
    joint = say("words.and", lang)
    rules = [rule for says in one.why_not for rule in says.params.get("rules", ())]
    if one.panel is not None or not rules:
        return "—"
    named = joint.join(rule_name(rule, part.rules.get(rule, ""), lang) for rule in dict.fromkeys(rules))
    return say("page.lens.together", lang, rules=named)


def _lost(found: Simulation, part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = [
        (
            Cell(names[at]),
            Cell(meeting_name(found, one.base)),
            Cell(one.case),
            Cell(one.specialty),
            number(one.seated_first),
            number(one.seated),
            number(one.eligible_first),
            number(one.eligible),
        )
        for at, cases in enumerate(part.lost)
        for one in cases
    ]
    columns = ("policy", "meeting", "case", "specialty", "#peers_first", "#peers", "#able_first", "#able")
    return table("lost", say("page.lens.lost", lang, count=part.peers), columns, rows, lang)


def _history(found: Simulation, part: PoliciesPart, names: list[str], lang: str) -> Table:
    rows = [
        (
            Cell(meeting_name(found, one.base)),
            Cell(panels=((one.code or str(at), one.panel),)),
            Cell(names[verdict.policy]),
            Cell(
                say("page.lens.is_lawful" if verdict.lawful else "page.lens.is_unlawful", lang),
                tone="good" if verdict.lawful else "bad",
            ),
            Cell(_broken(one, verdict.policy, lang)),
        )
        for at, one in enumerate(part.panels, start=1)
        for verdict in one.verdicts
    ]
    title = say("page.lens.history", lang, count=len(part.panels))
    return table("history", title, ("meeting", "panel", "policy", "outcome", "broken_rules"), rows, lang)


def _broken(one: HistoryPart, policy: int, lang: str) -> str:
    joint = "；" if lang == "zh" else "; "
    said = [say(part.says.code, lang, **part.says.params) for part in one.verdicts[policy].broken]
    absent = one.verdicts[policy].absent
    if absent:
        said.append(say("page.lens.not_known", lang, count=absent))
    return joint.join(said) or "—"
