"""Committees and organisers appraised, and what two people decide about them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.commands.reevaluating import AsOf, as_of_day
from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.files import day_of, write_bytes
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.reevaluation.organisations import OrganisationAppraisal
    from expert_pool.registry import OrganisationDecision

DEFAULT_SCHEME = "own-default"
NOTHING = "—"
SchemeName = Annotated[str, typer.Option("--scheme", metavar="SCHEME")]
Season = Annotated[int, typer.Argument(metavar="SEASON", min=1900, max=2999)]


def appraise(context: typer.Context, as_of: AsOf = None, scheme: SchemeName = DEFAULT_SCHEME) -> Exit:
    """What the records say of every committee and organiser. Nothing is changed."""
    from expert_pool.reevaluation.organisation_scheme import load_organisation_scheme
    from expert_pool.reevaluation.organisations import appraise_organisations

    face = Face.of(context)
    on, rules = as_of_day(as_of), load_organisation_scheme(scheme)
    with face.store() as store, store.reading() as session:
        found = appraise_organisations(session, face.viewer(), rules, on)
    document = {"as_of": on, "scheme": rules.doc.id, "organisations": [one.document() for one in found]}
    face.answer(document, *organisations_told(face, found))
    return Exit.OK


def decide(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE")],
    step: Annotated[str, typer.Option("--step", metavar="rectify|suspend|withdraw|lift")],
    basis: Annotated[str, typer.Option("--basis", metavar="TEXT")],
    months: Annotated[int | None, typer.Option("--months", min=1, max=120)] = None,
    organiser: Annotated[bool, typer.Option("--organiser")] = False,
    as_of: AsOf = None,
    scheme: SchemeName = DEFAULT_SCHEME,
) -> Exit:
    """Decide about a committee as the first person. Nothing is in force until a second one confirms it."""
    from expert_pool.reevaluation import organisation_decisions as deciding
    from expert_pool.reevaluation.organisation_asked import appraised
    from expert_pool.reevaluation.organisation_hearing import announce
    from expert_pool.reevaluation.organisation_scheme import load_organisation_scheme
    from expert_pool.registry import OrganisationStep

    face = Face.of(context)
    known = [str(one) for one in OrganisationStep]
    if step not in known:
        raise Fault("cli.organisation.step", "--step", given=step, known=known)
    on, rules = as_of_day(as_of), load_organisation_scheme(scheme)
    with face.store() as store, store.session() as session:
        appraisal = appraised(session, face.viewer(), rules, on, code, of_organiser=organiser)
        row = deciding.decide(
            session, face.viewer(), appraisal, OrganisationStep(step), months=months, basis=basis
        )
        announce(session, store.key, row)
    face.answer(_document(row), *_decisions(face, [row]))
    return Exit.OK


def reply(
    context: typer.Context,
    decision: Annotated[str, typer.Argument(metavar="DECISION")],
    text: Annotated[str, typer.Option("--text", metavar="TEXT")],
    last: Annotated[bool, typer.Option("--last")] = False,
) -> Exit:
    """Put down what a committee or organiser answers before a decision about it is confirmed."""
    from expert_pool.reevaluation import organisation_hearing as hearing

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        hearing.reply(session, face.viewer(), decision, text, last=last)
        row = hearing.find_heard(session, face.viewer(), decision)
        said = [{"at": one.at, "by": one.by, "text": one.text} for one in hearing.replies(session, row)]
    lines = [f"{one['by']}: {one['text']}" for one in said]
    face.answer(_document(row) | {"replies": said}, *_decisions(face, [row]), *lines)
    return Exit.OK


def letter(
    context: typer.Context,
    decision: Annotated[str, typer.Argument(metavar="DECISION")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE")],
) -> Exit:
    """Write the letter to a committee or organiser: what is proposed and until when it may answer, or what was decided."""
    from expert_pool.documents.organisation_letters import hearing_document
    from expert_pool.reevaluation import organisation_hearing as hearing

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        content = hearing.hearing(session, hearing.find_heard(session, face.viewer(), decision))
    write_bytes(out, hearing_document(content, face.lang))
    face.answer({"out": str(out), "until": content.until}, face.say("cli.written", where=str(out)))
    return Exit.OK


def confirm(
    context: typer.Context,
    decision: Annotated[str, typer.Argument(metavar="DECISION")],
    refuse: Annotated[bool, typer.Option("--refuse")] = False,
) -> Exit:
    """Confirm a decision about a committee or organiser as the second person, or refuse it."""
    from expert_pool.reevaluation import organisation_decisions as deciding
    from expert_pool.reevaluation.organisation_asked import find_decision
    from expert_pool.reevaluation.organisation_hearing import announce

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        deciding.confirm(session, face.viewer(), decision, refuse=refuse)
        row = find_decision(session, face.viewer(), decision)
        announce(session, store.key, row)
    face.answer(_document(row), *_decisions(face, [row]))
    return Exit.OK


def decisions(context: typer.Context, waiting: Annotated[bool, typer.Option("--waiting")] = False) -> Exit:
    """Decisions about committees and organisers."""
    from expert_pool.reevaluation import organisation_decisions as deciding

    face = Face.of(context)
    with face.store() as store, store.reading() as session:
        found = list(deciding.decisions(session, face.viewer(), open_only=waiting))
    face.answer({"decisions": [_document(row) for row in found]}, *_decisions(face, found))
    return Exit.OK


def results(
    context: typer.Context,
    committee: Annotated[str, typer.Argument(metavar="COMMITTEE")],
    season: Season,
    reviewed: Annotated[int, typer.Option("--reviewed", min=0)],
    passed: Annotated[int, typer.Option("--passed", min=0)],
    on: Annotated[str, typer.Option("--on", metavar="DATE")],
    reference: Annotated[str, typer.Option("--reference", metavar="TEXT")] = "",
) -> Exit:
    """Record how many cases a committee reviewed and passed in a season; again: a correction."""
    from expert_pool.reevaluation import organisation_decisions as deciding

    face = Face.of(context)
    day = day_of(on, "--on")
    with face.store() as store, store.session() as session:
        row = deciding.record_results(
            session,
            face.viewer(),
            committee,
            season,
            reviewed=reviewed,
            passed=passed,
            on=day,
            reference=reference,
        )
    document = {"committee": committee, "season": season, "table": "review_result", "id": row.id}
    face.answer(document, face.say("cli.organisation.recorded", committee=committee, season=season))
    return Exit.OK


def complaint(
    context: typer.Context,
    committee: Annotated[str, typer.Argument(metavar="COMMITTEE")],
    season: Season,
    reference: Annotated[str, typer.Option("--reference", metavar="TEXT")],
    on: Annotated[str, typer.Option("--on", metavar="DATE")],
    upheld: Annotated[bool | None, typer.Option("--upheld/--dismissed")] = None,
) -> Exit:
    """Record a complaint about a committee, or what was found about it."""
    from expert_pool.reevaluation import organisation_decisions as deciding

    face = Face.of(context)
    day = day_of(on, "--on")
    with face.store() as store, store.session() as session:
        row = deciding.record_complaint(
            session, face.viewer(), committee, season, reference=reference, upheld=upheld, on=day
        )
    document = {"committee": committee, "season": season, "table": "complaint", "id": row.id}
    face.answer(document, face.say("cli.organisation.recorded", committee=committee, season=season))
    return Exit.OK


def organisations_told(face: Face, found: "tuple[OrganisationAppraisal, ...]") -> list[Any]:
    """Committees and organisers, those for which something is proposed first."""
    called = sorted(found, key=lambda one: -_MEASURES.index(str(one.measure)))
    rows = [
        (
            one.committee or one.organiser,
            one.name,
            face.say(f"cli.organisation.measure.{one.measure}"),
            "; ".join(face.say(why.code, **{"id": why.id, **why.figures}) for why in one.reasons) or NOTHING,
            face.say(f"cli.organisation.step.{one.standing.step}") if one.standing else NOTHING,
        )
        for one in called
    ]
    heads = [
        face.say(f"cli.organisation.column.{code}")
        for code in ("code", "name", "measure", "reasons", "standing")
    ]
    return [table(heads, rows), face.say("cli.reevaluate.nothing_changed")]


_MEASURES = ("keep", "look", "rectify", "suspend", "withdraw")


def _document(row: "OrganisationDecision") -> dict[str, Any]:
    names = (
        "code",
        "step",
        "months",
        "basis",
        "decided_at",
        "decided_by",
        "closed_at",
        "closed_by",
        "confirmed",
        "reply_until",
        "reply_provisional",
        "heard_at",
    )
    return {name: getattr(row, name) for name in names}


def _decisions(face: Face, found: "list[OrganisationDecision]") -> list[Any]:
    if not found:
        return [face.say("cli.organisation.none")]
    rows = [
        (
            row.code,
            face.say(f"cli.organisation.step.{row.step}"),
            NOTHING if row.months is None else str(row.months),
            row.decided_by,
            face.say(f"cli.organisation.confirmed.{'waiting' if row.confirmed is None else row.confirmed}"),
            row.closed_by or NOTHING,
            row.reply_until.isoformat() if row.reply_until else NOTHING,
        )
        for row in found
    ]
    heads = [
        face.say(f"cli.organisation.column.{code}")
        for code in ("decision", "step", "months", "by", "state", "second", "until")
    ]
    return [table(heads, rows)]
