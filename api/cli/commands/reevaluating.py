"""Periodic re-evaluation: what would be proposed on a day, with the report. Changes nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.commands.health_text import thin_told
from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.files import day_of, write_json
from api.cli.interrupt import Cancelled, interruptible
from api.cli.progress import progress
from solver.errors import Fault

if TYPE_CHECKING:
    from datetime import date

    from expert_pool.reevaluation.appraising import Proposal
    from expert_pool.reevaluation.comparing import Comparison
    from expert_pool.reevaluation.conduct import Reason
    from expert_pool.reevaluation.evaluating import Evaluation
    from expert_pool.reevaluation.measurement.measured import Measured
    from expert_pool.reevaluation.organisations import OrganisationAppraisal
    from expert_pool.reevaluation.recusals import Failures
    from expert_pool.store import Store
    from solver.progress import Reporter

DEFAULT_SCHEME = "own-default"
MOST = 15
"""So many cases, cells and moves are printed; the files have all."""

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE")]
PoolCode = Annotated[str | None, typer.Option("--pool", metavar="CODE")]
OrganiserCode = Annotated[str | None, typer.Option("--organiser", metavar="CODE")]
SchemeName = Annotated[str, typer.Option("--scheme", metavar="SCHEME")]
Replications = Annotated[int, typer.Option("--replications", min=0, max=10_000, metavar="N")]
Seed = Annotated[int, typer.Option("--seed", min=0)]
Policy = Annotated[str | None, typer.Option("--policy", metavar="POLICY")]


def reevaluate(
    context: typer.Context,
    as_of: AsOf = None,
    pool: PoolCode = None,
    organiser: OrganiserCode = None,
    scheme: SchemeName = DEFAULT_SCHEME,
    compare: Annotated[str | None, typer.Option("--compare", metavar="SCHEME")] = None,
    replications: Replications = 0,
    seed: Seed = 0,
    policy: Policy = None,
    organisation_scheme: Annotated[
        str, typer.Option("--organisation-scheme", metavar="SCHEME")
    ] = DEFAULT_SCHEME,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR")] = Path("reevaluation"),
) -> Exit:
    """Appraise pools as of a day and write the report; nothing is decided and nothing recorded."""
    from expert_pool.reevaluation.appraising import POLICY
    from expert_pool.reevaluation.scheme import load_scheme

    face = Face.of(context)
    on = as_of_day(as_of)
    rules, other = load_scheme(scheme), load_scheme(compare) if compare else None
    folder_for(out)
    with face.store() as store, progress(face) as report:
        codes = pools_asked(store, face, pool, organiser)
        organisations = _organisations(store, face, organisation_scheme, on)

        def work(cancelled: Cancelled) -> "list[tuple[Evaluation, list[Path]]]":
            from expert_pool.reevaluation.evaluating import evaluate

            done = []
            for code in codes:
                found = evaluate(
                    store,
                    face.viewer(),
                    code,
                    rules,
                    on,
                    against=other,
                    policy=policy or POLICY,
                    replications=replications,
                    seed=seed,
                    report=report,
                    cancelled=cancelled,
                )
                place = out if len(codes) == 1 else out / code
                done.append((found, _write(face, found, organisations, place, report)))
            return done

        try:
            done = interruptible(work)
        except Fault as fault:
            if fault.code != "runs.cancelled":
                raise
            return Exit.INTERRUPTED
    document = {
        "as_of": on,
        "scheme": {"id": rules.doc.id, "version": rules.doc.version, "sha256": rules.sha256},
        "pools": [_document(found, files) for found, files in done],
        "organisations": [one.document() for one in organisations],
    }
    face.answer(document, *([] if face.json else _human(face, done, organisations)))
    return Exit.OK


def as_of_day(text: str | None) -> "date":
    """The day asked for, by default today. Raises Fault `appraisal.future`, `cli.date_bad`."""
    from expert_pool import clock

    on = day_of(text, "--as-of") if text else clock.today()
    if on > clock.today():
        raise Fault("appraisal.future", "--as-of", as_of=on, today=clock.today())
    return on


def folder_for(out: Path) -> None:
    """Make sure, before long work, that a folder is there to write into."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault("cli.unwritable", str(out), reason=error.strerror or type(error).__name__) from None


def pools_asked(store: "Store", face: Face, pool: str | None, organiser: str | None) -> tuple[str, ...]:
    """The codes of the pools meant: the one named, an organiser's, or every one that a committee draws on.

    Raises Fault `reevaluate.pool_or_organiser`, `reevaluate.no_pool`, `appraisal.organiser_unknown`.
    """
    from sqlalchemy import select

    from expert_pool.reevaluation.appraising import pools_of
    from expert_pool.registry import Committee, Pool
    from expert_pool.viewer import visible

    if pool and organiser:
        raise Fault("reevaluate.pool_or_organiser", "--pool, --organiser")
    if pool:
        return (pool,)
    with store.reading() as session:
        if organiser:
            codes: Sequence[str] = pools_of(session, face.viewer(), organiser)
        else:
            drawn_on = select(Committee.pool_id)
            found = select(Pool.code).where(Pool.id.in_(drawn_on), *visible(face.viewer(), Pool))
            codes = session.scalars(found.order_by(Pool.code)).all()
    if not codes:
        raise Fault("reevaluate.no_pool", organiser=organiser)
    return tuple(codes)


def _organisations(
    store: "Store", face: Face, scheme: str, on: "date"
) -> "tuple[OrganisationAppraisal, ...]":
    from expert_pool.reevaluation.organisation_scheme import load_organisation_scheme
    from expert_pool.reevaluation.organisations import appraise_organisations

    rules = load_organisation_scheme(scheme)
    with store.reading() as session:
        return appraise_organisations(session, face.viewer(), rules, on)


def _write(
    face: Face,
    found: "Evaluation",
    organisations: "Sequence[OrganisationAppraisal]",
    folder: Path,
    report: "Reporter",
) -> list[Path]:
    """The report in the user's language and the documents behind it. An empty pool has none."""
    from expert_pool.documents.reevaluation_report import write_report
    from solver.progress import Progress

    if not len(found.appraisal):
        return []
    folder_for(folder)
    report(Progress("documents"))
    files = list(
        write_report(folder, found.appraisal, found.measured, found.health, organisations, face.lang)
    )
    files.append(write_json(folder / "recusals.json", found.failures.document()))
    if found.comparison is not None:
        files.append(write_json(folder / "comparison.json", found.comparison.document()))
    return [Path(file) for file in files]


def _document(found: "Evaluation", files: Sequence[Path]) -> dict[str, Any]:
    return {
        "pool": found.appraisal.pool,
        "appraisal": found.appraisal.document(),
        "measurement": found.measured.document() if found.measured else None,
        "recusals": found.failures.document(),
        "health": found.health.model_dump(mode="json") if found.health else None,
        "comparison": found.comparison.document() if found.comparison else None,
        "files": [str(file) for file in files],
    }


def _human(
    face: Face,
    done: "Sequence[tuple[Evaluation, list[Path]]]",
    organisations: "Sequence[OrganisationAppraisal]",
) -> list[Any]:
    lines: list[Any] = []
    for found, files in done:
        if lines:
            lines.append("")
        lines += _of_pool(face, found)
        if files:
            lines.append(face.say("cli.reevaluate.files", where=commonpath(files), count=len(files)))
    called = [one for one in organisations if str(one.measure) != "keep"]
    if called:
        rows = [
            (one.committee or one.organiser, one.name, face.say(f"cli.organisation.measure.{one.measure}"))
            for one in called[:MOST]
        ]
        lines += ["", face.say("cli.reevaluate.organisations", shown=len(rows), of=len(called))]
        lines.append(table(_heads(face, "organiser", "name", "measure"), rows))
    lines.append(face.say("cli.reevaluate.nothing_changed"))
    return lines


def _of_pool(face: Face, found: "Evaluation") -> Iterator[Any]:
    appraisal = found.appraisal
    yield face.say(
        "cli.reevaluate.head",
        pool=appraisal.pool,
        experts=len(appraisal),
        as_of=appraisal.as_of.isoformat(),
        scheme=appraisal.scheme.doc.id,
    )
    if not len(appraisal):
        yield face.say("cli.reevaluate.empty", pool=appraisal.pool)
        return
    rows = [(face.say(f"measure.{name}"), f"{number:,}") for name, number in appraisal.counts().items()]
    yield table(_heads(face, "measure", "experts"), rows, numbers=True)
    yield from _gravest(face, found)
    yield from _flags(face, found)
    yield from failures_told(face, found.failures)
    if found.health is not None:
        yield from thin_told(face, found.health)
    if found.comparison is not None:
        yield from compared(face, found.comparison)


def _gravest(face: Face, found: "Evaluation") -> Iterator[Any]:
    appraisal = found.appraisal
    calls = [index for index, measure in enumerate(appraisal.measure.tolist()) if measure > 1]
    calls.sort(key=lambda i: (-int(appraisal.measure[i]), int(appraisal.points[i]), appraisal.experts[i]))
    if not calls:
        return
    rows = []
    for index in calls[:MOST]:
        proposal = appraisal.proposal(index)
        first = next((reason for reason in proposal.reasons if reason.already is None), None)
        rows.append(
            (
                proposal.expert,
                measure_of(face, proposal),
                str(int(appraisal.points[index])),
                reason_of(face, first) if first else "",
                str(len(proposal.records)),
            )
        )
    yield f"\n{face.say('cli.reevaluate.gravest', shown=len(rows), of=len(calls))}"
    yield table(_heads(face, "expert", "measure", "points", "reason", "records"), rows)


def _flags(face: Face, found: "Evaluation") -> Iterator[Any]:
    if found.measured is None:
        yield f"\n{face.say('cli.reevaluate.no_ratings')}"
        return
    yield f"\n{_measured(face, found.measured)}"
    if not found.measured.connected and len(found.measured.raters) > 1:
        yield face.say(
            "cli.reevaluate.not_linked",
            sets=len(found.measured.components),
            alone=sum(one.component is None for one in found.measured.raters),
            overlaps=len(found.measured.overlaps),
        )
    kinds = Counter(str(flag.kind) for flag in found.measured.flags)
    if not kinds:
        yield face.say("cli.reevaluate.no_flags")
        return
    rows = [(face.say(f"flag.{kind}"), str(number)) for kind, number in sorted(kinds.items())]
    yield f"\n{face.say('cli.reevaluate.flags')}"
    yield table(_heads(face, "flag", "experts"), rows, numbers=True)


def _measured(face: Face, measured: "Measured") -> str:
    """How many raters have figures, and why others have none."""
    why = Counter(one.why for one in measured.raters if one.why is not None)
    return face.say(
        "cli.reevaluate.measured",
        measured=len(measured.raters) - why.total(),
        raters=len(measured.raters),
        few=why["measurement.few"],
        at_least=measured.at_least,
        alone=why["measurement.alone"],
        alike=why["measurement.alike"],
    )


def failures_told(face: Face, failures: "Failures") -> Iterator[Any]:
    """Failures to recuse, for people."""
    if not failures.sittings and failures.unchecked:
        yield f"\n{face.say('cli.recusals.unchecked', count=failures.unchecked)}"
    if not failures.found:
        return
    rows = [
        (
            one.expert,
            one.on.isoformat(),
            one.meeting,
            one.against.code,
            face.say("cli.recusals.kind", kind=one.rule.kind, since=one.since, until=one.until),
            face.say(f"cli.recusals.known.{one.known}"),
            one.record or "—",
            "" if one.certain else "?",
        )
        for one in failures.found[:MOST]
    ]
    yield f"\n{face.say('cli.recusals.title', shown=len(rows), of=len(failures.found))}"
    yield table(
        _heads(face, "expert", "on", "meeting", "against", "relation", "known", "record", "sure"), rows
    )


def compared(face: Face, comparison: "Comparison") -> Iterator[Any]:
    """Two schemes on the same pool and day, for people."""
    from expert_pool.reevaluation.scheme import MEASURES

    first, second = comparison.first.scheme.doc.id, comparison.second.scheme.doc.id
    yield f"\n{face.say('cli.reevaluate.compared', first=first, second=second, moved=comparison.moved)}"
    used = [i for i in range(len(MEASURES)) if comparison.matrix[i].any() or comparison.matrix[:, i].any()]
    names = {i: face.say(f"measure.{MEASURES[i]}") for i in used}
    heads = [face.say("cli.reevaluate.matrix", first=first, second=second), *(names[i] for i in used)]
    rows = [(names[a], *(f"{int(comparison.matrix[a, b]):,}" for b in used)) for a in used]
    yield table(heads, rows, numbers=True)
    for code, number in (
        ("only_first", len(comparison.first) - len(comparison.pairs)),
        ("only_second", len(comparison.second) - len(comparison.pairs)),
    ):
        if number:
            yield face.say(f"cli.reevaluate.{code}", count=number, first=first, second=second)
    moves = [
        (
            one.first.expert,
            measure_of(face, one.first),
            measure_of(face, one.second),
            " / ".join(reason_of(face, r) for r in (*one.first.reasons[:1], *one.second.reasons[:1])),
        )
        for one in islice(comparison.moves(), MOST)
    ]
    if moves:
        yield table([*_heads(face, "expert"), first, second, *_heads(face, "reason")], moves)


def measure_of(face: Face, proposal: "Proposal") -> str:
    """A measure in words, with its months."""
    said = face.say(f"measure.{proposal.measure}")
    if proposal.months is None:
        return said
    return face.say("cli.scheme.for_months", measure=said, months=proposal.months)


def reason_of(face: Face, reason: "Reason") -> str:
    """A reason in words."""
    return face.say(reason.code, **{"id": reason.id, **reason.figures})


def _heads(face: Face, *codes: str) -> list[str]:
    return [face.say(f"cli.reevaluate.column.{code}") for code in codes]
