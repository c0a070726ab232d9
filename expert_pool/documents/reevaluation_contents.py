"""What the report of a re-evaluation says, in rows of plain text and numbers: workbook and paper lay out the same tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from expert_pool.reevaluation.health.document import Health
from expert_pool.reevaluation.scheme import MEASURES, Measure
from expert_pool.words import known, say, term
from expert_pool.words.sentence import written_date
from solver.answer import Saying

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the word of its head, its width in characters, how it is aligned."""

    head: str
    width: float
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Table:
    """A table by name (its title is the word `table.<name>`); `marked` rows stand out."""

    name: str
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Happening:
    """Something on an expert's record: whose, on which day (ISO), what it is called, what it did to the points, whether it
    counts in the period."""

    expert: str
    on: str
    what: str
    points: int
    counts: bool


@dataclass(frozen=True)
class Report:
    """Documents to be told in a language: `appraisal/1`, `measurement/1` and `pool-health/1` (either may be missing), and
    `organisation-appraisal/1` of each committee and organiser. `title`: of the scheme; `grades`: measures of its grades."""

    lang: str
    appraisal: Mapping[str, Any]
    title: str
    grade_bounds: Sequence[tuple[str, int | None, int | None]]
    measured: Mapping[str, Any] | None = None
    health: Health | None = None
    organisations: Sequence[Mapping[str, Any]] = ()
    happened: Sequence[Happening] = field(default_factory=tuple)

    def word(self, name: str, /, **params: Any) -> str:
        """A label or sentence of the report."""
        return say(f"report.{name}", self.lang, **params)

    def term(self, kind: str, value: Any) -> str:
        """A word of the house as it stands in a table."""
        said = term(kind, value, self.lang) if value not in (None, "") else ""
        return said[:1].upper() + said[1:]

    def tell(self, saying: Saying) -> str:
        return say(saying.code, self.lang, **saying.params)

    def date(self, iso: str) -> str:
        return written_date(iso, self.lang)

    @cached_property
    def columns(self) -> Mapping[str, Sequence[Any]]:
        """The columns over all experts."""
        found: Mapping[str, Sequence[Any]] = self.appraisal["experts"]
        return found

    @cached_property
    def proposals(self) -> list[Mapping[str, Any]]:
        """The proposals, the gravest first."""
        order = {str(measure): number for number, measure in enumerate(MEASURES)}
        return sorted(self.appraisal["proposals"], key=lambda p: (-order[p["measure"]], p["expert"]))

    def measure(self, name: str, months: int | None) -> str:
        """A measure with how long it lasts."""
        said = self.term("measure", name)
        if months is not None:
            return self.word("measure_months", measure=said, months=months)
        return self.word("measure_for_life", measure=said) if name == Measure.BAN else said

    def reason(self, reason: Mapping[str, Any]) -> str:
        """Why, with the figures, and what would have to be otherwise."""
        said = say(reason["code"], self.lang, **reason["figures"])
        code = f"otherwise.{reason['code']}"
        if known(code, self.lang):
            said += say(code, self.lang, **reason["otherwise"])
        return said + (self.word("already", cycle=reason["already"]) if reason.get("already") else "")


def summary(report: Report) -> list[tuple[str, str]]:
    """What was judged, by which scheme, and how it came out."""
    doc, word = report.appraisal, report.word
    since = doc["since"]
    rows = [
        (
            word("pool"),
            doc["pool"]
            if report.health is None
            else f"{report.health.name}（{doc['pool']}）"
            if report.lang == "zh"
            else f"{report.health.name} ({doc['pool']})",
        ),
        (word("as_of"), report.date(doc["as_of"])),
        (
            word("period"),
            word("period_text", since=since and report.date(since), until=report.date(doc["as_of"])),
        ),
        (word("known_at"), doc["known_at"][:19].replace("T", " ") + " UTC"),
        (
            word("scheme"),
            word("scheme_text", title=report.title, id=doc["scheme"]["id"], version=doc["scheme"]["version"]),
        ),
        (
            word("policy"),
            word("policy_text", id=doc["policy"]["id"], version=doc["policy"]["version"]),
        ),
        (word("appraised"), word("people", count=len(report.columns["expert"]))),
    ]
    rows += [
        (report.term("measure", measure), word("people", count=count))
        for measure, count in doc["counts"].items()
    ]
    if doc["unmatched"]:
        rows.append((word("unmatched"), word("people", count=len(doc["unmatched"]))))
    rows.append((word("sha256"), doc["sha256"]))
    return rows


def cautions(report: Report) -> list[str]:
    """What a reader must know before acting on any of it."""
    word, measured = report.word, report.measured
    said = [word("caution.proposals"), word("caution.answer")]
    if measured is None:
        said.append(word("caution.unmeasured"))
    else:
        without = sum(1 for one in measured["raters"] if one["why"])
        said += [
            word("caution.flags", rate=measured["rate"], tests=measured["tests"]),
            word("caution.ballots"),
            word("caution.dissent"),
            word("caution.few", at_least=measured["at_least"], without=without),
            word(
                "caution.connected" if measured["comparable"] == "all" else "caution.components",
                components=len(measured["components"]),
                overlaps=len(measured["overlaps"]),
            ),
            word(
                "caution.fit" if measured["replications"] else "caution.no_fit",
                replications=measured["replications"],
            ),
            word("caution.agreement"),
            word("caution.training"),
        ]
    if report.health is not None:
        said += [
            word("caution.forecast"),
            word("caution.thin", choice=report.health.choice),
            word("caution.load"),
        ]
        if report.health.plan.status != "unasked":
            said.append(word("caution.plan"))
        said += [report.tell(note) for note in report.health.notes]
    if report.organisations:
        committees = sum(1 for one in report.organisations if one["committee"])
        said += [word("caution.organisations"), word("caution.funnel", committees=committees)]
    return said


def tables(report: Report) -> list[Table]:
    """Everything that is known, table by table; those without a row are left out."""
    from expert_pool.documents.reevaluation_health import health_tables

    found = [_proposals(report), _everybody(report)]
    if report.measured is not None:
        found += [
            _raters(report, report.measured),
            _flags(report, report.measured),
            _components(report, report.measured),
        ]
    if report.health is not None:
        found += health_tables(report, report.health)
    if report.organisations:
        found += [_organisations(report), _organisation_reasons(report)]
    return [table for table in found if table.rows]


def _proposals(report: Report) -> Table:
    columns = (
        Column("expert", 14), Column("measure", 20), Column("by_conduct", 14), Column("decided_by", 16),
        Column("reasons", 80), Column("without", 18),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for one in report.proposals:
        reasons = "\n".join(report.reason(reason) for reason in one["reasons"])
        rows.append(
            (
                one["expert"],
                report.measure(one["measure"], one["months"]),
                report.word("conduct" if one["by_conduct"] else "asks_only"),
                report.word(f"by.{one['decided_by']}"),
                reasons,
                report.term("measure", one["without"]),
            )
        )
    grave = {str(m) for m in (Measure.SUSPEND, Measure.EXIT, Measure.BAN)}
    marked = frozenset(n for n, one in enumerate(report.proposals) if one["measure"] in grave)
    return Table("proposals", columns, rows, marked)


def _everybody(report: Report) -> Table:
    columns = (
        Column("expert", 14), Column("points", 10, "right"), Column("repaired", 12, "right"), Column("grade", 10, "center"),
        Column("measure", 20),
    )  # fmt: skip
    own, grades, measures = report.columns, report.appraisal["grades"], report.appraisal["measures"]
    rows: list[tuple[Cell, ...]] = [
        (code, points, repaired, grades[grade], report.term("measure", measures[measure]))
        for code, points, repaired, grade, measure in zip(
            own["expert"], own["points"], own["repaired"], own["grade"], own["measure"], strict=True
        )
    ]
    return Table("everybody", columns, rows)


def _raters(report: Report, measured: Mapping[str, Any]) -> Table:
    columns = (
        Column("expert", 14), Column("scores", 9, "right"), Column("cases", 9, "right"), Column("component", 10, "center"),
        Column("severity", 11, "right"), Column("low", 9, "right"), Column("high", 9, "right"), Column("shrunk", 11, "right"),
        Column("fair_average", 11, "right"), Column("infit", 9, "right"), Column("outfit", 9, "right"),
        Column("agreement", 11, "right"), Column("flags", 40), Column("why", 34),
    )  # fmt: skip
    flags: dict[str, list[str]] = {}
    for flag in measured["flags"]:
        flags.setdefault(flag["rater"], []).append(report.term("flag", flag["kind"]))
    rows: list[tuple[Cell, ...]] = []
    marked = set()
    for number, one in enumerate(measured["raters"]):
        if one["rater"] in flags:
            marked.add(number)
        why = one["why"] and (say(one["why"], report.lang) if known(one["why"], report.lang) else one["why"])
        rows.append(
            (
                one["rater"], one["scores"], one["cases"], _set(one["component"]), one["severity"], one["low"], one["high"],
                one["shrunk"], one["fair_average"], one["infit"], one["outfit"], one["agreement"],
                report.word("comma").join(flags.get(one["rater"], ())), why,
            )
        )  # fmt: skip
    return Table("raters", columns, rows, frozenset(marked))


def _set(number: int | None) -> int | None:
    """Linked sets as one counts them, from 1."""
    return None if number is None else number + 1


def _flags(report: Report, measured: Mapping[str, Any]) -> Table:
    columns = (
        Column("expert", 14), Column("flag", 30), Column("p", 12, "right"), Column("q", 12, "right"),
        Column("figures", 60),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            flag["rater"],
            report.term("flag", flag["kind"]),
            float(f"{flag['p']:.3g}"),
            float(f"{flag['q']:.3g}"),
            report.word("semicolon").join(f"{name} {value}" for name, value in flag["figures"].items()),
        )
        for flag in measured["flags"]
    ]
    return Table("flags", columns, rows)


def _components(report: Report, measured: Mapping[str, Any]) -> Table:
    names = ("number", "raters", "measured", "cases", "scores", "spread", "reliability")
    heads = ("component", "raters", "measured", "cases", "scores", "spread", "reliability")
    columns = tuple(Column(head, 13, "right") for head in heads)
    rows = [(_set(one["number"]), *(one[name] for name in names[1:])) for one in measured["components"]]
    return Table("components", columns, rows)


def _organisations(report: Report) -> Table:
    columns = (
        Column("who", 34), Column("measure", 20), Column("standing", 24), Column("pass_rate", 16), Column("limits", 18),
        *(Column(f"indicator.{name}", 13, "right") for name in _indicators(report)),
        Column("remarks", 44),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    marked = set()
    for number, one in enumerate(report.organisations):
        if one["measure"] not in ("keep", "look"):
            marked.add(number)
        rate = one["rates"].get("pass_rate")
        standing = one["standing"]
        rows.append(
            (
                f"{one['name']} {one['committee'] or one['organiser']}",
                _organisation_measure(report, one["measure"], one["months"]),
                standing
                and report.word(
                    "standing_text",
                    step=report.term("organisation_step", standing["step"]),
                    until=standing["until"] and report.date(standing["until"]),
                ),
                rate and report.word("rate_text", number=rate["number"], of=rate["of"], rate=rate["rate"]),
                rate and "–".join(f"{100 * limit:.0f}%" for limit in rate["limits_998"]),
                *(one["figures"][name]["number"] for name in _indicators(report)),
                report.word("semicolon").join(say(note, report.lang) for note in one["notes"]),
            )
        )
    return Table("organisations", columns, rows, frozenset(marked))


def _indicators(report: Report) -> list[str]:
    return list(report.organisations[0]["figures"]) if report.organisations else []


def _organisation_measure(report: Report, measure: str, months: int | None) -> str:
    said = report.term("organisation_measure", measure)
    return said if months is None else report.word("measure_months", measure=said, months=months)


def _organisation_reasons(report: Report) -> Table:
    columns = (
        Column("who", 34), Column("measure", 20), Column("reasons", 70), Column("otherwise", 30), Column("records", 44),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            f"{one['name']} {one['committee'] or one['organiser']}",
            _organisation_measure(report, reason["measure"], reason["months"]),
            say(reason["code"], report.lang, **reason["figures"]),
            otherwise(report, reason["otherwise"]),
            report.word("comma").join(f"{table} {row}" for table, row in reason["records"]),
        )
        for one in report.organisations
        for reason in one["reasons"]
    ]
    return Table("organisation_reasons", columns, rows)


def otherwise(report: Report, given: Mapping[str, Any]) -> str:
    """What would have to be otherwise for a reason about an organisation to fall away."""
    if "at_most" in given:
        return report.word("otherwise_at_most", at_most=given["at_most"])
    if "low" in given:
        return report.word("otherwise_between", low=given["low"], high=given["high"])
    return ""


def head_word(report: Report, head: str) -> str:
    """The head of a column."""
    if head.startswith("indicator."):
        return report.term("organisation_indicator", head.removeprefix("indicator."))
    return report.word(f"head.{head}")
