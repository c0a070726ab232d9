"""Cycles and cases for people, and as plain documents."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from api.cli.face import Face, table

if TYPE_CHECKING:
    from datetime import date

    from expert_pool.reevaluation.cycle import CaseView, CycleView, Decided

NOTHING = "—"


def document_of(view: "CycleView | CaseView") -> dict[str, Any]:
    """A view as JSON."""
    document: dict[str, Any] = _plain(asdict(view))
    return document


def cycle_told(face: Face, view: "CycleView", same: bool | None = None) -> list[Any]:
    """A cycle: how far it is, what is proposed, what is waited for."""
    lines: list[Any] = [
        face.say(
            "cli.cycle.head",
            cycle=view.code,
            pool=view.pool,
            as_of=view.as_of.isoformat(),
            scheme=view.scheme,
            state=face.say(f"cli.cycle.state.{view.state}"),
        )
    ]
    if view.counts:
        rows = [(face.say(f"measure.{name}"), f"{number:,}") for name, number in view.counts.items()]
        heads = [face.say("cli.reevaluate.column.measure"), face.say("cli.reevaluate.column.experts")]
        lines.append(table(heads, rows, numbers=True))
    cases = {name: number for name, number in view.cases.items() if number}
    if cases:
        said = [f"{face.say(f'cli.cycle.case.{name}')} {number:,}" for name, number in cases.items()]
        lines.append(face.say("cli.cycle.cases", said="; ".join(said)))
    if view.reply_until is not None:
        lines.append(_deadline(face, "cli.cycle.reply_until", view.reply_until, view.reply_provisional))
    if view.appeal_until is not None:
        lines.append(_deadline(face, "cli.cycle.appeal_until", view.appeal_until, view.appeal_provisional))
    if same is not None:
        lines.append(face.say("cli.cycle.same" if same else "cli.cycle.not_same"))
    return lines


def rows_of_cycles(face: Face, found: "Sequence[CycleView]") -> list[Any]:
    """Several cycles."""
    if not found:
        return [face.say("cli.cycle.none")]
    rows = [
        (
            one.code,
            one.pool,
            one.as_of.isoformat(),
            one.scheme,
            face.say(f"cli.cycle.state.{one.state}"),
            NOTHING if one.experts is None else f"{one.experts:,}",
            f"{sum(one.cases.values()):,}",
        )
        for one in found
    ]
    heads = [
        face.say(f"cli.cycle.column.{code}")
        for code in ("code", "pool", "as_of", "scheme", "state", "experts", "cases")
    ]
    return [table(heads, rows)]


def rows_of_cases(face: Face, found: "Sequence[CaseView]") -> list[Any]:
    """Several cases."""
    if not found:
        return []
    rows = [
        (
            one.expert,
            measure_said(face, str(one.measure), one.months),
            face.say(f"cli.cycle.case.{one.state}"),
            reason_said(face, one.reasons[0]) if one.reasons else "",
            one.reply_until.isoformat() if one.reply_until else NOTHING,
            str(len(one.said)),
        )
        for one in found
    ]
    heads = [
        face.say(f"cli.cycle.column.{code}")
        for code in ("expert", "measure", "state", "reason", "until", "replies")
    ]
    return ["", table(heads, rows)]


def case_told(face: Face, view: "CaseView") -> list[Any]:
    """One case with every reason, answer and decision."""
    lines: list[Any] = [
        face.say(
            "cli.cycle.case_head",
            expert=view.expert,
            cycle=view.cycle,
            measure=measure_said(face, str(view.measure), view.months),
            state=face.say(f"cli.cycle.case.{view.state}"),
        )
    ]
    if view.amended_by:
        lines.append(face.say("cli.cycle.amended", by=view.amended_by, why=view.amended_why))
    for reason in view.reasons:
        behind = ", ".join(f"{row['table']}:{row['row']}" for row in reason["records"])
        line = f"  · {measure_said(face, reason['measure'], reason['months'])}: {reason_said(face, reason)}"
        line += f"  [{behind}]" if behind else ""
        line += f"  ({face.say('cli.cycle.already', cycle=reason['already'])})" if reason["already"] else ""
        lines.append(line)
    if view.reply_until is not None:
        lines.append(_deadline(face, "cli.cycle.reply_until", view.reply_until, view.reply_provisional))
    for said in view.said:
        code = "cli.cycle.appealed" if said.appeal else "cli.cycle.replied"
        lines.append(face.say(code, at=said.at.date().isoformat(), text=said.text, files=len(said.evidence)))
    lines += [_decision(face, one) for one in view.decisions]
    for code, rows in (("executed", view.executed), ("corrected", view.corrected)):
        if rows:
            names = ", ".join(f"{name}:{row}" for name, row in rows)
            lines.append(face.say(f"cli.cycle.{code}", rows=names))
    if view.appeal_until is not None:
        lines.append(_deadline(face, "cli.cycle.appeal_until", view.appeal_until, view.appeal_provisional))
    return lines


def _decision(face: Face, one: "Decided") -> str:
    return face.say(
        "cli.cycle.decided_appeal" if one.appeal else "cli.cycle.decided",
        at=one.at.date().isoformat(),
        by=one.by,
        measure=measure_said(face, str(one.measure), one.months),
        reason=one.reason or None,
        verdict=face.say(f"cli.cycle.verdict.{one.verdict}"),
        second=one.answered_by,
    )


def measure_said(face: Face, measure: str, months: int | None) -> str:
    """A measure in words, with its months."""
    said = face.say(f"measure.{measure}")
    return said if months is None else face.say("cli.scheme.for_months", measure=said, months=months)


def reason_said(face: Face, reason: Mapping[str, Any]) -> str:
    """A reason, as the document has it, in words; of a count, which rule of the scheme it is."""
    said = face.say(reason["code"], **{"id": reason["id"], **reason["figures"]})
    return f"{reason['id']}: {said}" if reason["code"] == "conduct.count" else said


def _deadline(face: Face, code: str, until: "date", provisional: bool) -> str:
    said = face.say(code, until=until.isoformat())
    return f"{said} {face.say('cli.cycle.provisional')}" if provisional else said


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
