"""Personal data: looking at sealed fields, tracing files, retention, erasure."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table

if TYPE_CHECKING:
    from expert_pool.privacy.exports import Exported
    from expert_pool.registry import Erasure

Purpose = Annotated[str, typer.Option("--purpose", metavar="TEXT")]
Rules = Annotated[Path | None, typer.Option("--rules", metavar="FILE")]


def unmask(
    context: typer.Context,
    code: Annotated[str, typer.Argument()],
    purpose: Purpose,
    field: Annotated[list[str] | None, typer.Option("--field", metavar="national_id|phone")] = None,
) -> Exit:
    """Show sealed fields of one expert in clear; the look and its purpose are written down."""
    from expert_pool.privacy.looking import SEALED, unmask

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        shown = unmask(session, face.viewer(), store.key, code, field or SEALED, purpose)
    lines = [f"{face.say(f'cli.privacy.field.{name}')} {value or '—'}" for name, value in shown.items()]
    face.answer({"expert": code, "fields": dict(shown), "purpose": purpose}, *lines)
    return Exit.OK


def scores(context: typer.Context, code: Annotated[str, typer.Argument()], purpose: Purpose) -> Exit:
    """Show the written scores one expert gave; the look and its purpose are written down."""
    from expert_pool.privacy.scores_given import look_at_scores

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        found = look_at_scores(session, face.viewer(), code, purpose)
    names = ("on", "case", "criterion", "score", "scale", "organiser", "stands")
    headers = [face.say(f"cli.privacy.scores.column.{name}") for name in names]
    rows = [
        (
            one.holds_on.isoformat(),
            one.case,
            one.name,
            str(one.score),
            f"{one.low}..{one.high}",
            one.organiser,
            "" if one.stands else "×",
        )
        for one in found
    ]
    document = {"expert": code, "purpose": purpose, "scores": [asdict(one) for one in found]}
    said = face.say("cli.privacy.scores.count", count=len(found))
    face.answer(document, *([table(headers, rows)] if rows else []), said)
    return Exit.OK


def looks(context: typer.Context, code: Annotated[str | None, typer.Argument()] = None) -> Exit:
    """Who looked at sealed fields, when, and what for."""
    from expert_pool.privacy.looking import looks

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        found = looks(session, face.viewer(), expert=code)
    headers = [
        face.say(f"cli.privacy.column.{name}") for name in ("at", "actor", "expert", "fields", "purpose")
    ]
    rows = [(_moment(e.at), e.actor, e.expert, " ".join(e.fields), e.purpose) for e in found]
    face.answer({"looks": [asdict(each) for each in found]}, table(headers, rows))
    return Exit.OK


def exports(context: typer.Context) -> Exit:
    """The latest exports: who, when, what for, and their serial numbers."""
    from expert_pool.privacy.exports import exports

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        found = exports(session, face.viewer())
    names = ("serial", "at", "actor", "content", "purpose")
    headers = [face.say(f"cli.privacy.column.{name}") for name in names]
    rows = [(e.serial, _moment(e.at), e.actor, e.content, e.purpose) for e in found]
    face.answer({"exports": [asdict(each) for each in found]}, table(headers, rows))
    return Exit.OK


def trace(context: typer.Context, path: Annotated[Path, typer.Argument()]) -> Exit:
    """Which export a file came from."""
    from expert_pool.privacy.exports import trace

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        found = trace(session, face.viewer(), path)
    code = "cli.privacy.traced" if found.exact else "cli.privacy.traced_changed"
    face.answer(asdict(found), face.say(code, **_about(found.export)))
    return Exit.OK


def erase(
    context: typer.Context,
    code: Annotated[str, typer.Argument()],
    note: Annotated[str, typer.Option("--note", metavar="TEXT")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    rules: Rules = None,
) -> Exit:
    """Propose to erase an expert's personal data; with --dry-run only say what would go."""
    from expert_pool.privacy.erasure import plan, propose
    from expert_pool.privacy.retention import load_retention
    from expert_pool.registry import ErasureBasis

    face = Face.of(context)
    periods = load_retention(rules)
    with face.store() as store:
        with store.reading() as session:
            planned = plan(session, face.viewer(), code, periods)
        document: dict[str, Any] = {
            "expert": code,
            "rows": planned.counts,
            "keeps_mark": planned.keeps_mark,
            "holds": [{"code": hold.code, **hold.params} for hold in planned.holds],
            "erasure": None,
        }
        said = [face.say("cli.privacy.plan", expert=code, rows=sum(planned.counts.values()))]
        said += [face.say(hold.code, **hold.params) for hold in planned.holds]
        if planned.keeps_mark:
            said.append(face.say("cli.privacy.keeps_mark"))
        if not dry_run:
            with store.session() as session:
                asked = propose(session, face.viewer(), code, basis=ErasureBasis.REQUEST, note=note)
            document["erasure"] = asked.code
            said.append(face.say("cli.privacy.proposed", erasure=asked.code))
    face.answer(document, *said)
    return Exit.OK


def confirm(context: typer.Context, erasure: Annotated[str, typer.Argument()], rules: Rules = None) -> Exit:
    """Carry out a proposed erasure."""
    from expert_pool.privacy.erasure import confirm
    from expert_pool.privacy.retention import load_retention

    face = Face.of(context)
    periods = load_retention(rules)
    with face.store() as store, store.session() as session:
        done = confirm(session, face.viewer(), erasure, periods)
    face.answer(_erasure(done), face.say("cli.privacy.erased", erasure=erasure))
    return Exit.OK


def refuse(
    context: typer.Context,
    erasure: Annotated[str, typer.Argument()],
    why: Annotated[str, typer.Option("--why", metavar="TEXT")],
) -> Exit:
    """Turn a proposed erasure down."""
    from expert_pool.privacy.erasure import refuse

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        done = refuse(session, face.viewer(), erasure, why)
    face.answer(_erasure(done), face.say("cli.privacy.refused", erasure=erasure))
    return Exit.OK


def retention(
    context: typer.Context,
    apply: Annotated[bool, typer.Option("--apply")] = False,
    rules: Rules = None,
) -> Exit:
    """How long what stays, and what is over; with --apply let it go."""
    from expert_pool.privacy.retention import load_retention
    from expert_pool.privacy.sweeping import sweep

    face = Face.of(context)
    periods = load_retention(rules)
    with face.store() as store:
        done = sweep(store, face.viewer(), periods, dry_run=not apply)
    headers = [face.say(f"cli.privacy.column.{name}") for name in ("kind", "does", "period", "basis")]
    rows = []
    for kind, period in periods.kinds.items():
        source = periods.instruments[period.basis.instrument].get(face.lang, period.basis.instrument)
        article = f" {period.basis.at}" if period.basis.at else ""
        count = period.days if period.days is not None else period.years
        unit = "years" if period.days is None else "days"
        shown = face.say("cli.privacy.unstated" if count is None else f"cli.privacy.{unit}", count=count)
        does = face.say(f"retention.{period.does}")
        rows.append(
            (face.say(f"retention.kind.{kind}"), does, shown, f"{source}{article} ({period.basis.status})")
        )
    code = "cli.privacy.swept" if apply else "cli.privacy.would_sweep"
    last = face.say(
        code,
        proposed=len(done.proposed),
        erased=len(done.erased),
        held=len(done.held),
        texts=done.purposes + done.notes,
        sessions=done.sessions,
        notices=done.notices,
    )
    kinds = {kind: period.model_dump() for kind, period in periods.kinds.items()}
    face.answer({"kinds": kinds, "done": asdict(done)}, table(headers, rows), last)
    return Exit.OK


def _erasure(row: "Erasure") -> dict[str, Any]:
    return {
        "erasure": row.code,
        "state": str(row.state),
        "proposed_by": row.proposed_by,
        "decided_by": row.decided_by,
    }


def _about(export: "Exported") -> dict[str, Any]:
    return {
        "serial": export.serial,
        "actor": export.actor,
        "at": _moment(export.at),
        "purpose": export.purpose,
        "content": export.content,
    }


def _moment(at: Any) -> str:
    return str(at.astimezone().isoformat(sep=" ", timespec="seconds"))
