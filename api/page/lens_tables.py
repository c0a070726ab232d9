"""Robustness, fairness and policies as tables of their figures: what the charts show, and the panels behind every line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from expert_pool.documents.lens_naming import cell_name, fact_name, meeting_name, rule_name, share
from expert_pool.simulation.lens_results import (
    ChancePart,
    FairnessPart,
    RobustnessPart,
    RobustPart,
    SharePart,
)
from expert_pool.simulation.results import Simulation
from expert_pool.words import say

MOST_LINKS = 12
"""Panels that a cell links to; the file names all of them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, or panels as (what the link says, key of the panel). `tone`: a class of the page's badges, or nothing."""

    text: str = ""
    panels: tuple[tuple[str, str], ...] = ()
    tone: str = ""

    @property
    def plain(self) -> str:
        """The cell in a file: panels by their keys."""
        return " ".join(filter(None, (self.text, *(key for _, key in self.panels))))


@dataclass(frozen=True, slots=True)
class Table:
    """Figures for people: `name` in addresses and files; `columns` as (heading, whether it holds numbers)."""

    name: str
    title: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def csv(self) -> bytes:
        """The whole table as CSV, with the mark that spreadsheets know UTF-8 by."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([heading for heading, _ in self.columns])
        writer.writerows([cell.plain for cell in row] for row in self.rows)
        return out.getvalue().encode("utf-8-sig")


def lens_tables(found: Simulation, lang: str) -> list[Table]:
    """Every table that robustness, fairness and policies call for; empty for other results."""
    from api.page.policy_tables import policy_tables

    tables: list[Table] = []
    if found.robustness is not None:
        tables += _robustness(found, found.robustness, lang)
    if found.fairness is not None:
        tables += _fairness(found, found.fairness, lang)
    if found.policies is not None:
        tables += policy_tables(found, found.policies, lang)
    return tables


def table(
    name: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], lang: str, note: str = ""
) -> Table:
    """A table; a column whose id begins with `#` holds numbers, the rest of the id is in the catalogue."""
    headings = tuple((say(f"page.lens.{one.lstrip('#')}", lang), one.startswith("#")) for one in columns)
    return Table(name, title, headings, tuple(tuple(row) for row in rows), note)


def links(keys: Iterable[str], labels: Sequence[str] | None = None) -> Cell:
    """Panels, each once, numbered where they have no labels."""
    seen = [key for key in dict.fromkeys(keys) if key]
    named = labels if labels and len(labels) == len(seen) else [str(n) for n in range(1, len(seen) + 1)]
    return Cell(panels=tuple(zip(named, seen, strict=True)))


def behind(key: str | None, lang: str) -> Cell:
    """One panel."""
    return links([key], [say("page.lens.open", lang)]) if key else Cell("—")


def number(value: float | int | None, form: str = ",") -> Cell:
    """A number, a dash where it is not known."""
    return Cell("—" if value is None else format(value, form))


def base_of(found: Simulation, panel: str) -> int | None:
    """The base whose panel it is; None where the result does not tell."""
    seen: list[tuple[int, str | None]] = [(point.base, point.panel) for point in found.points]
    for robust in found.robustness.panels if found.robustness else ():
        seen += [(robust.base, key) for key in (robust.panel, *(one.meeting for one in robust.breaks))]
    if found.policies is not None:
        seen += [(one.base, one.panel) for one in found.policies.panels]
        seen += [(one.base, one.panel) for one in found.policies.assembled]
    if found.fairness is not None and len(found.fairness.optimum) == len(found.bases):
        drawn = found.fairness.draws.panels if found.fairness.draws else []
        for at, best in enumerate(found.fairness.optimum):
            keys = [best, *(found.fairness.near[at : at + 1] or [[]])[0], *(drawn[at : at + 1] or [[]])[0]]
            seen += [(at, key) for key in keys]
    known = next((base for base, key in seen if key == panel), None)
    return 0 if known is None and len(found.bases) == 1 else known


def _chance(part: ChancePart | None) -> Cell:
    """A probability, with its interval where it is not exact."""
    if part is None:
        return Cell("—")
    return Cell(
        share(part.chance) + ("" if part.exact else f" ({_range(share(part.low), share(part.high))})")
    )


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low}–{high}"


def _robustness(found: Simulation, part: RobustnessPart, lang: str) -> list[Table]:
    columns = ("meeting", "#people", "#away", "#lawful", "#quorum", "#late", "#in_time", "#fewest")
    rows = [_meeting(found, one, lang) for one in part.panels]
    note = ""
    if len(part.panels) > 1 and part.failing is not None and part.all_lawful is not None:
        note = say(
            "page.lens.year", lang, count=f"{part.failing:.2f}", none=share(part.all_lawful),
        )  # fmt: skip
    tables = [
        table(
            "meetings",
            say("lens.chart.meetings", lang),
            (*columns, "weakest", "panel"),
            rows,
            lang,
            note or say("page.lens.lawful_note", lang),
        )
    ]
    for one in part.panels:
        if one.lawful is None:
            continue
        suffix = f"-{one.base + 1}" if len(found.bases) > 1 else ""
        meeting = meeting_name(found, one.base)
        tables.append(
            table(
                f"breaks{suffix}",
                say("lens.chart.breaks", lang, title=meeting),
                ("rule", "#broken", "#fewest", "absent", "then", "met"),
                (_break(one, at, lang) for at in _by_chance(one)),
                lang,
                say("page.lens.breaks_note", lang),
            )
        )
        if one.alternates:
            tables.append(
                table(
                    f"alternates{suffix}",
                    say("lens.chart.alternates", lang, title=meeting),
                    ("group", "#order", "expert", "#called", "#worth", "#worth_quorum", "panel"),
                    (
                        (
                            Cell(each.group),
                            number(each.order),
                            Cell(each.expert),
                            Cell(share(each.called)),
                            Cell(_points(each.lawful)),
                            Cell(_points(each.quorum)),
                            behind(one.panel, lang),
                        )
                        for each in one.alternates
                    ),
                    lang,
                    say("page.lens.alternates_note", lang),
                )
            )
    return tables


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _by_chance(one: RobustPart) -> list[int]:
    return sorted(range(len(one.breaks)), key=lambda at: one.breaks[at].kept.chance)


def _meeting(found: Simulation, one: RobustPart, lang: str) -> tuple[Cell, ...]:
    weakest = next((part for part in one.breaks if part.id == one.weakest), None)
    return (
        Cell(meeting_name(found, one.base)),
        number(one.people),
        Cell(share(one.mean_rate)),
        _chance(one.lawful),
        _chance(one.quorum),
        _chance(one.unreplaced_lawful),
        Cell(share(one.seated) if one.seated is not None else "—"),
        number(one.fewest),
        Cell(rule_name(weakest.id, weakest.kind, lang) if weakest else "—"),
        behind(one.panel, lang) if one.panel else Cell(say(f"status.{one.status}", lang), tone="bad"),
    )


def _break(one: RobustPart, at: int, lang: str) -> tuple[Cell, ...]:
    part = one.breaks[at]
    joint = "；" if lang == "zh" else "; "
    fewest = say("page.lens.none_up_to", lang, count=part.looked) if part.fewest is None else str(part.fewest)
    return (
        Cell(rule_name(part.id, part.kind, lang)),
        _chance(_not(part.kept)),
        Cell(fewest),
        Cell(" ".join(part.absent) or "—"),
        Cell(joint.join(say(one.code, lang, **one.params) for one in part.says) or "—"),
        behind(part.meeting, lang),
    )


def _not(part: ChancePart) -> ChancePart:
    """The chance of the opposite."""
    low, high = max(0.0, 1 - part.high), 1 - part.low
    return ChancePart(chance=max(0.0, 1 - part.chance), low=low, high=high, exact=part.exact)


def _fairness(found: Simulation, part: FairnessPart, lang: str) -> list[Table]:
    tables = []
    for by in dict.fromkeys(group.by for group in part.groups):
        title = say("lens.chart.seated", lang, by=fact_name(by, lang))
        columns = ("people_of", "#pool", "#eligible", "#seats", "#even", "#optimum", "#near", "#drawn")
        rows = (
            (
                Cell(cell_name(by, group.of, group.values, lang)),
                number(group.pool),
                number(group.eligible),
                number(group.seats),
                _share(group.even),
                Cell(share(group.optimum)),
                Cell(_range(share(group.near.low), share(group.near.high)) if group.near else "—"),
                _share(group.drawn),
            )
            for group in part.groups
            if group.by == by
        )
        tables.append(table(f"seated-{by}", title, columns, rows, lang, say("page.lens.seated_note", lang)))
        effects = [
            (
                Cell(rule_name(rule.rule, rule.kind, lang)),
                Cell(cell_name(by, effect.of, _values(part, by, effect.of), lang)),
                number(effect.seats, "+,"),
                number(effect.eligible, "+,"),
                links(rule.panels),
            )
            for rule in part.rules
            for effect in rule.effects
            if effect.by == by
        ]
        if effects:
            title = say("lens.chart.effects", lang, by=fact_name(by, lang))
            shown = ("rule", "people_of", "#more_seats", "#more_eligible", "panels")
            tables.append(table(f"effects-{by}", title, shown, effects, lang))
    same = [rule for rule in part.rules if not rule.effects]
    if same:
        tables.append(
            table(
                "effects-none",
                say("page.lens.same_rules", lang),
                ("rule", "#unchanged", "#open_meetings", "panels"),
                (
                    (
                        Cell(rule_name(rule.rule, rule.kind, lang)),
                        number(rule.unchanged),
                        number(rule.open),
                        links(rule.panels),
                    )
                    for rule in same
                ),
                lang,
            )
        )
    if part.load:
        tables.append(_load(part, lang))
    tables.append(_ways(found, part, lang))
    return tables


def _values(part: FairnessPart, by: str, of: str | None) -> int:
    return next((group.values for group in part.groups if (group.by, group.of) == (by, of)), 0)


def _share(part: SharePart | None) -> Cell:
    if part is None:
        return Cell("—")
    return Cell(f"{share(part.share)} ({_range(share(part.low), share(part.high))})")


def _load(part: FairnessPart, lang: str) -> Table:
    rows = (
        (
            Cell(say(f"lens.way.{one.way}", lang)),
            number(one.panels),
            number(one.people),
            number(one.seated),
            number(one.gini, ".3f"),
            Cell(
                "—"
                if one.even_low is None or one.even_high is None
                else _range(f"{one.even_low:.3f}", f"{one.even_high:.3f}")
            ),
            Cell("—" if one.top_tenth is None else share(one.top_tenth)),
        )
        for one in part.load
    )
    columns = ("way", "#panels", "#eligible", "#seated", "#gini", "#gini_even", "#top_tenth")
    return table("load", say("lens.chart.load", lang), columns, rows, lang, say("page.lens.load_note", lang))


def _ways(found: Simulation, part: FairnessPart, lang: str) -> Table:
    """The panels behind all shares, by way of seating and meeting."""
    whole = len(part.optimum) == len(found.bases)
    rows = []
    for at, best in enumerate(part.optimum):
        meeting = Cell(meeting_name(found, at) if whole else str(at + 1))
        rows.append((meeting, Cell(say("lens.way.optimum", lang)), links([best])))
        if at < len(part.near) and part.near[at]:
            rows.append((meeting, Cell(say("lens.way.near", lang)), links(part.near[at])))
        if part.draws is not None and at < len(part.draws.panels):
            rows.append((meeting, Cell(say("lens.way.drawn", lang)), links(part.draws.panels[at])))
    note = say("lens.nobody", lang) if part.complete and not part.optimum else ""
    if part.draws is not None and not note:
        note = say(
            "page.lens.draws", lang, starts=f"{part.draws.starts:.1f}", exchanges=f"{part.draws.exchanges:.1f}",
            failed=part.draws.failed or None,
        )  # fmt: skip
    return table(
        "panels", say("page.lens.panels_behind", lang), ("meeting", "way", "panels"), rows, lang, note
    )
