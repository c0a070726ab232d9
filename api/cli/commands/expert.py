"""The registry's questions about experts: who is this, what is recorded, may they sit, why are two in conflict."""

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.files import day_of, moment_of
from expert_pool.words import term

if TYPE_CHECKING:
    from expert_pool.dossier import Entry
    from expert_pool.relations import Reason
    from expert_pool.standing import Record

On = Annotated[str | None, typer.Option("--on", metavar="DATE")]
KnownAt = Annotated[str | None, typer.Option("--known-at", metavar="MOMENT")]
PolicyName = Annotated[str | None, typer.Option("--policy", metavar="POLICY")]


def show(context: typer.Context, code: Annotated[str, typer.Argument()], on: On = None) -> Exit:
    """Who an expert is, and the records that hold on a day."""
    from expert_pool import dossier

    face = Face.of(context)
    day = _day(on)
    with face.store() as store, store.reading() as session:
        person = dossier.person(session, code)
        holds = dossier.current(dossier.entries(session, face.viewer(), code), day)
    head = [
        f"{face.say(f'cli.expert.field.{name}')} {_shown(face, name, value)}"
        for name, value in asdict(person).items()
    ]
    document = asdict(person) | {"on": day, "records": [asdict(entry) for entry in holds]}
    face.answer(document, *head, _entries(face, holds))
    return Exit.OK


def record(context: typer.Context, code: Annotated[str, typer.Argument()]) -> Exit:
    """Everything recorded about an expert."""
    from expert_pool import dossier

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        listed = dossier.entries(session, face.viewer(), code)
    document = {"expert": code, "records": [asdict(entry) for entry in listed]}
    face.answer(document, _entries(face, listed), face.say("cli.expert.count", count=len(listed)))
    return Exit.OK


def standing(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="ID")],
    on: On = None,
    known_at: KnownAt = None,
    committee: Annotated[str | None, typer.Option("--committee", metavar="CODE")] = None,
    policy: PolicyName = None,
) -> Exit:
    """How an expert stands on a day, as known at a moment."""
    from expert_pool.panels import DEFAULT_POLICY
    from expert_pool.policies.load import load
    from expert_pool.standing import standing as stands

    face = Face.of(context)
    day = _day(on)
    moment = moment_of(known_at, "--known-at") if known_at else None
    rules = load(policy or DEFAULT_POLICY)
    with face.store() as store, store.reading() as session:
        found = stands(
            session, face.viewer(), code, on=day, known_at=moment, committee=committee, policy=rules
        )
    said = [face.say(reason.code, **reason.params) for reason in found.reasons]
    head = face.say(
        "cli.standing.may" if found.may_sit else "cli.standing.may_not",
        expert=found.expert,
        committee=found.committee,
        on=found.on.isoformat(),
        state=str(found.state),
    )
    lines = []
    for reason, text in zip(found.reasons, said, strict=True):
        mark = "✗" if reason.bars else "✓" if reason.gate else "·"
        behind = [_record(face, r) for r in reason.records]
        if reason.withheld:
            behind.append(face.say("cli.standing.withheld", count=reason.withheld))
        line = f"  {mark} {text}"
        line += f"  [{'; '.join(behind)}]" if behind else ""
        line += f"  ({reason.basis}, {reason.basis_status})" if reason.basis else ""
        lines.append(line)
    steps = [
        face.say(
            "cli.standing.step",
            on=change.on.isoformat(),
            event=str(change.event),
            before=str(change.before),
            after=str(change.after),
            record=_record(face, change.record),
        )
        for change in found.history
    ]
    history = [face.say("cli.standing.history"), *(f"  {step}" for step in steps)] if steps else []
    document = asdict(found)
    for reason, text in zip(document["reasons"], said, strict=True):
        reason["message"] = text
    face.answer(document, head, *lines, *history)
    return Exit.OK


def why(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A")],
    b: Annotated[str, typer.Argument(metavar="B")],
    on: On = None,
    known_at: KnownAt = None,
    policy: PolicyName = None,
) -> Exit:
    """What lies between two parties, and what of it counts."""
    from expert_pool import relations
    from expert_pool.panels import DEFAULT_POLICY
    from expert_pool.policies.load import load

    face = Face.of(context)
    day = _day(on)
    moment = moment_of(known_at, "--known-at") if known_at else None
    rules = load(policy or DEFAULT_POLICY)
    with face.store() as store, store.reading() as session:
        reasons = relations.why(session, face.viewer(), rules, a, b, day, moment)
    counts = [reason for reason in reasons if reason.counts]
    head = face.say(
        "cli.conflicts.some" if counts else "cli.conflicts.none",
        a=a,
        b=b,
        on=day.isoformat(),
        count=len(counts),
        policy=rules.id,
    )
    document = {
        "a": a,
        "b": b,
        "on": day,
        "policy": rules.id,
        "conflict": bool(counts),
        "reasons": [asdict(reason) | {"rule": _rule(reason)} for reason in reasons],
    }
    face.answer(document, head, *(f"  {_conflict(face, reason)}" for reason in reasons))
    return Exit.OK


def _day(on: str | None) -> date:
    from expert_pool import clock

    return day_of(on, "--on") if on else clock.today()


def _rule(reason: "Reason") -> dict[str, Any] | None:
    if reason.rule is None:
        return None
    return asdict(reason.rule) | {"basis": reason.rule.basis.model_dump()}


def _conflict(face: Face, reason: "Reason") -> str:
    way = " → ".join(place.code for place in reason.path)
    since = reason.since.isoformat() if reason.since else None
    until = reason.until.isoformat() if reason.until else None
    return face.say(
        "cli.conflicts.counts" if reason.counts else "cli.conflicts.counts_not",
        kind=reason.kind,
        way=way,
        since=since,
        until=until,
        window=str(reason.rule.window) if reason.rule else None,
        effect=reason.rule.effect if reason.rule else None,
        basis=reason.rule.basis.text if reason.rule else None,
        record=reason.record,
    )


def _record(face: Face, record: "Record") -> str:
    on = record.holds_on.isoformat() if record.holds_on else None
    known = record.recorded_at.date().isoformat() if record.recorded_at else None
    return face.say("cli.record", table=record.table, id=record.id, on=on, known=known)


def _entries(face: Face, listed: "list[Entry]") -> Any:
    rows = []
    for entry in listed:
        said = ", ".join(
            f"{name}={_shown(face, name, value)}"
            for name, value in entry.fields.items()
            if value not in (None, "")
        )
        corrects = face.say("cli.expert.corrects", id=entry.corrects) if entry.corrects else ""
        superseded = "" if entry.stands else face.say("cli.expert.stands_no")
        rows.append(
            (
                entry.holds_on.isoformat(),
                f"{term('cli.table', entry.table, face.lang)}:{entry.id}",
                said,
                entry.organiser,
                entry.recorded_at.date().isoformat(),
                " ".join(part for part in (superseded, corrects) if part),
            )
        )
    codes = ("holds_on", "table", "fields", "organiser", "recorded_at", "stands")
    return table([face.say(f"cli.expert.column.{code}") for code in codes], rows)


def _shown(face: Face, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return term("words", value, face.lang)
    return term(name, value, face.lang)
