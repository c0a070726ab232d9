"""Care of the registry: the ledger's proof, the tables' version."""

from typing import Annotated

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from api.cli.progress import progress
from solver.progress import Progress


def verify(
    context: typer.Context,
    anchor: Annotated[str | None, typer.Option("--anchor", metavar="SHA256")] = None,
) -> Exit:
    """Whether every ledger entry, and every row an entry attests, is as it was written."""
    from dataclasses import asdict

    from expert_pool import ledger
    from expert_pool.accounts.adopting import KINDS, adoptions
    from expert_pool.privacy.erasure import erased_rows

    face = Face.of(context)
    with face.store() as store, progress(face) as report, ledger.settled(store) as session:
        report(Progress("ledger"))
        verdict = ledger.judge(session, anchor=anchor, report=report)
        erased = list(erased_rows(session))
        adopted = adoptions(session)
    faults, entries, now = verdict.faults, verdict.entries, verdict.anchor
    said = [face.say(fault.code, **fault.params) for fault in faults]
    code = "cli.ledger.broken" if faults else "cli.ledger.whole"
    document = {
        "holds": not faults,
        "entries": entries,
        "anchor": now,
        "faults": [asdict(f) | {"message": text} for f, text in zip(faults, said, strict=True)],
        "erased": [asdict(row) | {"message": face.say("ledger.row_erased", **row.params)} for row in erased],
        "adopted": [asdict(one) for one in adopted],
    }
    if erased:
        people = len({row.expert for row in erased})
        said.append(face.say("cli.ledger.erased", rows=len(erased), experts=people))
    said += [
        face.say("cli.ledger.adoption", **asdict(one) | {"at": f"{one.at:%Y-%m-%d %H:%M}"}) for one in adopted
    ]
    kinds = {table.__tablename__ for table in KINDS}
    if any(fault.code == "ledger.row_unattested" and fault.table in kinds for fault in faults):
        said.append(face.say("cli.ledger.may_adopt"))
    last = face.say(code, count=len(faults), entries=entries, chains=len(verdict.heads), anchor=now)
    face.answer(document, *said, last)
    return Exit.FOUND if faults else Exit.OK


def adopt(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
) -> Exit:
    """Have the ledger speak for accounts, roles and tokens from before it attested them."""
    from dataclasses import asdict

    from expert_pool.accounts import adopting

    face = Face.of(context)
    with face.store() as store, store.session() as session:
        found = adopting.adoptable(session) if dry_run else adopting.adopt(session, face.viewer().actor)
    headers = [face.say(f"cli.ledger.column.{name}") for name in ("row", "account", "what", "at", "by")]
    rows = [[f"{r.table} {r.row_id}", r.account, r.what, f"{r.at:%Y-%m-%d %H:%M}", r.by] for r in found]
    code = "nothing_to_adopt" if not found else "adoptable" if dry_run else "adopted"
    said = face.say(f"cli.ledger.{code}", rows=len(found))
    face.answer(
        {"dry_run": dry_run, "rows": [asdict(row) for row in found]},
        *([table(headers, rows)] if found else []),
        said,
    )
    return Exit.OK


def upgrade(context: typer.Context, revision: Annotated[str, typer.Argument()] = "head") -> Exit:
    """Bring the tables to a newer version."""
    from expert_pool import store as stores

    face = Face.of(context)
    with stores.open_store(face.url(), upgrade=False) as store:
        stores.upgrade(store, revision)
        place = store.engine.url.render_as_string(hide_password=True)
    face.answer({"database": place, "revision": revision}, face.say("cli.db.upgraded", where=place))
    return Exit.OK


def downgrade(context: typer.Context, revision: Annotated[str, typer.Argument()]) -> Exit:
    """Bring the tables back to an older version."""
    from expert_pool import store as stores

    face = Face.of(context)
    with face.store(upgrade=False) as store:
        stores.downgrade(store, revision)
        place = store.engine.url.render_as_string(hide_password=True)
    face.answer({"database": place, "revision": revision}, face.say("cli.db.downgraded", where=place))
    return Exit.OK
