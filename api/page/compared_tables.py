"""Two results of a what-if side by side as tables: years ahead, absences, seats, policies; only what differs."""

from __future__ import annotations

from api.page.lens_tables import Cell, Table, number, table
from expert_pool.documents.lens_naming import cell_name, fact_name, rule_name, share
from expert_pool.simulation.comparing import Compared
from expert_pool.simulation.lens_differences import (
    FairnessCompared,
    Gap,
    PoliciesCompared,
    RobustnessCompared,
)
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.years.comparing import YearsCompared
from expert_pool.words import known, say

GAPS = ("#first_one", "#second_one", "#gap", "sure")


def compared_tables(found: Compared, first: Simulation, lang: str) -> list[Table]:
    """A table for each kind that both results have; `first` knows how people are divided."""
    tables = []
    if found.years is not None:
        tables.append(_years(found.years, lang))
    if found.robustness is not None:
        tables.append(_robustness(found.robustness, lang))
    if found.fairness is not None:
        tables.append(_fairness(found.fairness, lang))
    if found.policies is not None:
        by = first.policies.by if first.policies else ""
        tables += _policies(found.policies, by, lang)
    return tables


def _years(found: YearsCompared, lang: str) -> Table:
    rows = [
        (
            Cell(str(one.year)),
            Cell(say(f"years.figure.{one.name}", lang)),
            number(one.first, ",.4g"),
            number(one.second, ",.4g"),
            Cell(
                f"{one.difference:+,.4g}"
                + ("" if one.low is None else f" [{one.low:+,.4g}..{one.high:+,.4g}]")
            ),
            _sure(one.sure, lang),
        )
        for one in found.differences
        if known(f"years.figure.{one.name}", lang)
    ]
    note = say(
        "cli.simulate.years.compared", lang, paired=found.paired, same_luck=found.same_luck,
        first=found.dry_first, second=found.dry_second,
    )  # fmt: skip
    return table("years", say("page.whatif.years", lang), ("year_of", "what", *GAPS), rows, lang, note)


def _robustness(found: RobustnessCompared, lang: str) -> Table:
    rows = [
        (Cell(one.meeting), Cell(say(f"lens.chance.{one.what}", lang)), *_gap(one.gap, lang))
        for one in found.differences
    ]
    note = say(
        "cli.simulate.compared_robust", lang, meetings=found.meetings, same=found.same_panels,
        first=found.failing_first, second=found.failing_second,
    )  # fmt: skip
    return table("robustness", say("lens.chart.meetings", lang), ("meeting", "what", *GAPS), rows, lang, note)


def _fairness(found: FairnessCompared, lang: str) -> Table:
    rows = [
        (
            Cell(f"{fact_name(one.by, lang)}: {cell_name(one.by, one.of, one.values, lang)}"),
            Cell(say(f"lens.way.{one.what}", lang)),
            *_gap(one.gap, lang),
        )
        for one in found.differences
    ]
    note = say(
        "cli.simulate.compared_fair", lang, groups=found.groups, draws=found.draws or None,
        luck=found.same_luck and found.draws > 0,
    )  # fmt: skip
    return table("fairness", say("lens.chart.share", lang), ("people_of", "way", *GAPS), rows, lang, note)


def _policies(found: PoliciesCompared, by: str, lang: str) -> list[Table]:
    whole, parts = [], []
    for one in found.policies:
        name = Cell(one.name[lang])
        if one.unlawful is not None:
            whole.append((name, Cell(say("page.lens.unlawful", lang)), *_gap(one.unlawful, lang)))
        parts += [
            (name, Cell(rule_name(rule.name, rule.kind, lang)), number(rule.first), number(rule.second))
            for rule in one.rules
        ]
        parts += [
            (
                name,
                Cell(cell_name(by, seats.of, seats.values, lang)),
                number(seats.first),
                number(seats.second),
            )
            for seats in one.seats
        ]
    title = say("page.lens.policies", lang)
    return [
        one
        for one in (
            table("policies", title, ("policy", "what", *GAPS), whole, lang),
            table(
                "policy-counts",
                say("page.lens.policy_counts", lang),
                ("policy", "what", "#first_one", "#second_one"),
                parts,
                lang,
            ),
        )
        if one.rows
    ]


def _gap(gap: Gap, lang: str) -> tuple[Cell, Cell, Cell, Cell]:
    said = f"{100 * gap.difference:+.1f}"
    if gap.how != "exact" and gap.low is not None and gap.high is not None:
        said += f" [{100 * gap.low:+.1f}..{100 * gap.high:+.1f}]"
    return Cell(share(gap.first)), Cell(share(gap.second)), Cell(said), _sure(gap.sure, lang)


def _sure(sure: bool, lang: str) -> Cell:
    return Cell(say("words.true" if sure else "words.false", lang))
