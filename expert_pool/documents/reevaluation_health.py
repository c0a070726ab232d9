"""The health of a pool in tables."""

from __future__ import annotations

from expert_pool.documents.reevaluation_contents import Cell, Column, Report, Table
from expert_pool.reevaluation.health.document import Band, Health


def health_tables(report: Report, health: Health) -> list[Table]:
    """Supply and demand, pyramids, forecast, load, concentration, trend, plan, invitations."""
    return [
        _fields(report, health),
        _cells(report, health),
        _bands(report, "ages", health.ages),
        _bands(report, "terms", health.terms),
        _forecast(report, health),
        _load(report, health),
        _employers(health),
        _trend(report, health),
        _plan(report, health),
        _meetings(report, health),
        _invitations(report, health),
    ]


def _fields(report: Report, health: Health) -> Table:
    columns = (
        Column("specialty", 30), Column("code", 10), Column("level", 10), Column("supply", 10, "right"),
        Column("lasting", 14, "right"), Column("cases", 9, "right"), Column("last", 12, "right"),
        Column("seats", 10, "right"), Column("peak", 12, "right"), Column("thin", 10, "center"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            one.name, one.specialty, report.term("level", one.level), one.supply, one.lasting, one.cases,
            round(one.last, 1), round(one.seats, 1), round(one.peak, 1), report.word("thin") if one.thin else "",
        )
        for one in health.fields
    ]  # fmt: skip
    return Table("fields", columns, rows, frozenset(n for n, one in enumerate(health.fields) if one.thin))


def _cells(report: Report, health: Health) -> Table:
    columns = (
        Column("specialty", 12), Column("level", 10), Column("sector", 14), Column("region", 14),
        Column("supply", 10, "right"), Column("cases", 9, "right"), Column("last", 12, "right"),
        Column("peak", 12, "right"), Column("thin", 10, "center"),
    )  # fmt: skip
    shown = [one for one in health.cells if one.cases or one.last or one.supply]
    rows: list[tuple[Cell, ...]] = [
        (
            one.specialty, report.term("level", one.level), report.term("sector", one.sector), one.region, one.supply,
            one.cases, round(one.last, 1), round(one.seats, 1), report.word("thin") if one.thin else "",
        )
        for one in shown
    ]  # fmt: skip
    return Table("cells", columns, rows, frozenset(n for n, one in enumerate(shown) if one.thin))


def band_label(report: Report, name: str, band: Band) -> str:
    """From where to where a band goes."""
    if band.low is None and band.high is None:
        return report.word(f"band.{name}.unknown")
    if band.low is None:
        return report.word(f"band.{name}.below", high=band.high)
    if band.high is None:
        return report.word(f"band.{name}.from", low=band.low)
    return report.word(f"band.{name}.between", low=band.low, high=band.high - 1)


def _bands(report: Report, name: str, bands: list[Band]) -> Table:
    columns = (
        Column(f"band_{name}", 22), Column("female", 10, "right"), Column("male", 10, "right"),
        Column("unknown", 10, "right"), Column("total", 10, "right"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            band_label(report, name, one), one.female, one.male, one.unknown, one.female + one.male + one.unknown,
        )
        for one in bands
    ]  # fmt: skip
    return Table(name, columns, rows)


def _forecast(report: Report, health: Health) -> Table:
    columns = (
        Column("from", 16), Column("to", 16), Column("members", 11, "right"), Column("terms_end", 12, "right"),
        Column("retire", 12, "right"), Column("leave", 12, "right"), Column("left", 12, "right"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            report.date(one.first.isoformat()), report.date(one.last.isoformat()), one.members, one.terms_end,
            one.retire, one.leave, one.left,
        )
        for one in health.forecast
    ]  # fmt: skip
    return Table("forecast", columns, rows)


def _load(report: Report, health: Health) -> Table:
    load, held = health.load, health.concentration
    chance = load.gini_by_chance
    said: dict[str, Cell] = {
        "load_since": report.date(load.since.isoformat()),
        "load_members": load.members,
        "load_seats": load.seats,
        "load_steady": load.steady,
        "load_steady_seats": load.steady_seats,
        "load_never": percent(load.never),
        "load_gini": number(load.gini),
        "load_chance": None
        if chance is None
        else report.word(
            "interval", low=round(chance.low, 3), high=round(chance.high, 3), times=chance.replications
        ),
        "load_top": percent(load.top_tenth),
        "hhi": number(held.hhi, 0),
        "hhi_as_many": number(held.as_many_as, 1),
        "hhi_members": number(held.hhi_of_members, 0),
    }
    rows: list[tuple[Cell, ...]] = [(report.word(f"load.{name}"), value) for name, value in said.items()]
    return Table("load", (Column("item", 54), Column("content", 44)), rows)


def percent(value: float | None) -> str | None:
    """A share as one reads it."""
    return None if value is None else f"{100 * value:.1f}%"


def number(value: float | None, digits: int = 3) -> str | None:
    """A number as one reads it."""
    return None if value is None else f"{value:.{digits}f}"


def _employers(health: Health) -> Table:
    columns = (
        Column("employer", 20), Column("seats_taken", 12, "right"), Column("of_seats", 14, "right"),
        Column("of_members", 14, "right"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (one.employer, one.seats, percent(one.of_seats), percent(one.of_members))
        for one in health.concentration.most
    ]
    return Table("employers", columns, rows)


def _trend(report: Report, health: Health) -> Table:
    columns = (
        Column("on", 16), Column("members", 11, "right"), Column("drawable", 11, "right"), Column("admitted", 11, "right"),
        Column("gone", 11, "right"), Column("median_age", 12, "right"), Column("private", 14, "right"),
        Column("seats_taken", 12, "right"), Column("never", 12, "right"), Column("gini", 10, "right"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            report.date(one.on.isoformat()), one.members, one.drawable, one.admitted, one.left, one.median_age,
            percent(one.private), one.seats, percent(one.never), number(one.gini),
        )
        for one in health.trend
    ]  # fmt: skip
    return Table("trend", columns, rows)


def plan_words(report: Report, health: Health) -> str:
    """The plan in one sentence."""
    plan = health.plan
    open_bound = None if plan.proven else plan.bound
    return report.word(f"plan.{plan.status}", count=plan.count, bound=open_bound, season=plan.season)


def _plan(report: Report, health: Health) -> Table:
    columns = (
        Column("count", 8, "right"), Column("specialty", 26), Column("code", 10), Column("asked", 40),
        Column("committees", 30), Column("rules", 36),
    )  # fmt: skip
    comma = report.word("comma")
    rows: list[tuple[Cell, ...]] = [
        (
            one.count,
            one.name,
            one.specialty,
            comma.join(
                f"{report.term('fact', name)} {report.term('sector', value) if name == 'sector' else report.word('title_from', rank=value) if name == 'rank' else value}"
                for name, value in one.facts.items()
            ),
            comma.join(one.committees),
            comma.join(one.rules),
        )
        for one in health.plan.profiles
    ]
    return Table("plan", columns, rows)


def _meetings(report: Report, health: Health) -> Table:
    columns = (
        Column("committee", 14), Column("meeting", 18), Column("on", 16), Column("policy", 26), Column("outcome", 30),
        Column("needs", 12, "right"), Column("remarks", 40),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            one.committee, one.meeting, report.date(one.on.isoformat()), one.policy, report.word(f"meeting.{one.status}"),
            one.needs, None if one.note is None else report.tell(one.note),
        )
        for one in health.plan.meetings
    ]  # fmt: skip
    thin = frozenset(n for n, one in enumerate(health.plan.meetings) if one.status != "none_needed")
    return Table("meetings", columns, rows, thin)


def _invitations(report: Report, health: Health) -> Table:
    columns = (
        Column("number", 8, "right"), Column("expert", 14), Column("employer", 16), Column("sector", 12),
        Column("region", 12), Column("title", 12), Column("specialties", 24), Column("reasons", 60),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            one.rank, one.expert, one.employer, report.term("sector", one.sector), one.region,
            report.term("rank", one.title), report.word("comma").join(one.specialties),
            report.word("semicolon").join(report.tell(reason) for reason in one.reasons),
        )
        for one in health.invitations.listed
    ]  # fmt: skip
    return Table("invitations", columns, rows)
