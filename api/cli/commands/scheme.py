"""Schemes of re-evaluation: which there are, what one says, whether a file is one, how two differ."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table

if TYPE_CHECKING:
    from expert_pool.reevaluation.scheme import ProposalDoc, Scheme

NOTHING = "—"


def list_(context: typer.Context) -> Exit:
    """The schemes that come with the package."""
    from expert_pool.reevaluation.scheme import load_scheme, schemes
    from expert_pool.reevaluation.scheme_told import brief

    face = Face.of(context)
    found = [brief(load_scheme(name)) for name in schemes()]
    rows = [
        (
            one.id,
            one.version,
            _period(face, one.period, one.months),
            _measures(face, one.measures),
            one.title[face.lang],
        )
        for one in found
    ]
    heads = _heads(face, "id", "version", "period", "measures", "title")
    face.answer({"schemes": [one.model_dump() for one in found]}, table(heads, rows))
    return Exit.OK


def show(context: typer.Context, scheme: Annotated[str, typer.Argument()]) -> Exit:
    """Every event, count, grade and condition of a scheme with its basis."""
    from expert_pool.reevaluation.scheme import load_scheme
    from expert_pool.reevaluation.scheme_told import told

    face = Face.of(context)
    read = load_scheme(scheme)
    face.answer(told(read).model_dump(), *([] if face.json else _human(face, read)))
    return Exit.OK


def validate(context: typer.Context, path: Annotated[Path, typer.Argument()]) -> Exit:
    """Whether a file is a scheme; the first mistake with its line otherwise."""
    from expert_pool.reevaluation.scheme import load_scheme
    from expert_pool.reevaluation.scheme_told import brief

    face = Face.of(context)
    read = brief(load_scheme(path))
    said = face.say("cli.scheme.valid", id=read.id, sha256=read.sha256)
    face.answer(read.model_dump() | {"valid": True}, said)
    return Exit.OK


def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A")],
    second: Annotated[str, typer.Argument(metavar="B")],
) -> Exit:
    """What two schemes say differently."""
    from expert_pool.reevaluation.scheme import load_scheme
    from expert_pool.reevaluation.scheme_told import differences

    face = Face.of(context)
    found = differences(load_scheme(first), load_scheme(second))
    rows = [
        (
            face.say(f"cli.scheme.part.{one.part}"),
            one.name if one.name != one.part else "",
            _said(face, one.first),
            _said(face, one.second),
        )
        for one in found.differences
    ]
    heads = [*_heads(face, "what", "id"), found.first.id, found.second.id]
    last = face.say("cli.scheme.differences", count=len(rows))
    face.answer(found.model_dump(), table(heads, rows), last)
    return Exit.OK


def _heads(face: Face, *codes: str) -> list[str]:
    return [face.say(f"cli.scheme.column.{code}") for code in codes]


def _measures(face: Face, measures: list[str]) -> str:
    return (
        "、".join(face.say(f"measure.{one}") for one in measures)
        if face.lang == "zh"
        else ", ".join(measures)
    )


def _period(face: Face, period: str, months: int | None) -> str:
    return face.say(f"cli.scheme.period.{period}", months=months)


def _said(face: Face, value: Any) -> str:
    """What one side says, on one line."""
    if value is None or value == []:
        return NOTHING
    if isinstance(value, Mapping):
        kept = {name: one for name, one in value.items() if one not in (None, [], {}, "")}
        return ", ".join(f"{name}={_said(face, one)}" for name, one in kept.items())
    if isinstance(value, list):
        return "/".join(str(one) for one in value)
    return face.say("words.true") if value is True else str(value)


def _proposed(face: Face, proposal: "ProposalDoc") -> str:
    """A measure, its months, and who decides."""
    said = face.say(f"measure.{proposal.measure}")
    if proposal.months is not None:
        said = face.say("cli.scheme.for_months", measure=said, months=proposal.months)
    return f"{said} *" if proposal.decided_by == "office" else said


def _human(face: Face, scheme: "Scheme") -> list[Any]:
    doc = scheme.doc
    lang = face.lang

    def basis(stands: Any) -> str:
        title = getattr(doc.instruments[stands.instrument], lang)
        return face.say("cli.scheme.basis", title=title, at=stands.at or None, status=stands.status)

    events = [
        (
            event.id,
            getattr(event.title, lang),
            str(event.points),
            NOTHING if event.most is None else str(event.most),
            basis(event.basis),
        )
        for event in doc.events
    ]
    grades = [
        (
            grade.grade,
            face.say("cli.scheme.range", low=grade.low, high=grade.high),
            _proposed(face, grade.proposal),
            basis(grade.basis),
        )
        for grade in doc.grades
    ]
    counts = [
        (
            count.id,
            "/".join(count.events),
            str(count.at_least),
            face.say(f"cli.scheme.within.{count.within}"),
            _proposed(face, count.proposal),
            basis(count.basis),
        )
        for count in doc.counts
    ]
    conditions = [
        (one.id, getattr(one.title, lang), _proposed(face, one.proposal), basis(one.basis))
        for one in doc.conditions
    ]
    measurement, repair = doc.measurement, doc.repair
    last = [
        face.say(
            "cli.scheme.measurement",
            at_least=measurement.at_least,
            rate=measurement.rate,
            measure=face.say(f"measure.{measurement.proposal}"),
        ),
        face.say("cli.scheme.reply_days", days=doc.reply_days),
    ]
    if repair is not None:
        last.insert(0, face.say("cli.scheme.repair", points=repair.points, months=repair.months))
    tables = (
        ("events", events, ("id", "title", "points", "most", "basis")),
        ("grades", grades, ("grade", "points", "measure", "basis")),
        ("counts", counts, ("id", "events", "at_least", "within", "measure", "basis")),
        ("conditions", conditions, ("id", "title", "measure", "basis")),
    )
    shown: list[Any] = [
        f"{doc.id} {doc.version}  {getattr(doc.title, lang)}  "
        f"({_period(face, doc.period, doc.months)}; {face.say('cli.scheme.base', base=doc.base)})"
    ]
    for name, rows, columns in tables:
        if rows:
            shown += [f"\n{face.say(f'cli.scheme.part.{name}')}", table(_heads(face, *columns), rows)]
    return [*shown, "", *last, face.say("cli.scheme.office")]
