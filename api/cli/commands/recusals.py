"""Failures to recuse, found afterwards."""

from datetime import timedelta
from typing import Annotated

import typer

from api.cli.commands.reevaluating import failures_told
from api.cli.exits import Exit
from api.cli.face import Face
from api.cli.files import day_of
from api.cli.progress import progress
from solver.errors import Fault
from solver.progress import Progress


def recusals(
    context: typer.Context,
    since: Annotated[str | None, typer.Option("--since", metavar="DATE")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE")] = None,
    pool: Annotated[str | None, typer.Option("--pool", metavar="CODE")] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="POLICY")] = None,
) -> Exit:
    """Who sat in conflict without recusing, at the sittings of a time. Nothing is recorded."""
    from expert_pool import clock
    from expert_pool.policies.load import load
    from expert_pool.reevaluation.days import refuse_too_early
    from expert_pool.reevaluation.evaluating import members_of
    from expert_pool.reevaluation.recusals import EVENT, failures

    face = Face.of(context)
    last = day_of(until, "--until") if until else clock.today()
    if last > clock.today():
        raise Fault("appraisal.future", "--until", as_of=last, today=clock.today())
    refuse_too_early(last, "--until")
    first = day_of(since, "--since") if since else last - timedelta(days=365)
    if first > last:
        raise Fault("recusals.dates", "--since", since=first, until=last)
    rules = load(policy) if policy else None
    viewer = face.viewer()
    with face.store() as store, progress(face) as report, store.reading() as session:
        report(Progress("recusals"))
        people = members_of(session, viewer, pool) if pool else None
        found = failures(session, viewer, people, first, last, clock.now(), policy=rules)
    if not found.found:
        lines = [face.say("cli.recusals.none", sittings=found.sittings), *failures_told(face, found)]
    else:
        example = found.found[0].expert
        lines = [*failures_told(face, found), face.say("cli.recusals.record", expert=example, event=EVENT)]
    face.answer(found.document(), *lines)
    return Exit.FOUND if found.found else Exit.OK
