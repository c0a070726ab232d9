"""Scenarios of the registry: texts that came from elsewhere, so nothing in them names a file. They stand on presets, on
meetings the author may see, and on one another by code; a version is never changed."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.accounts.rights import Right
from expert_pool.policies.load import presets
from expert_pool.policies.located import Located, nearest, read
from expert_pool.registry import Organiser, ScenarioRecord
from expert_pool.simulation.reading import DEEPEST, Scenario, cycles_named, understood
from expert_pool.snapshots import find_sitting
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

NAME = "scenario"
"""What faults call a text that has no code yet."""
_REFERENCE = re.compile(r"(?P<code>[^@\s]{1,200})(@(?P<version>[1-9]\d{0,8}))?")
_NOWHERE = Path("/nonexistent")
"""The folder of a scenario that has none."""


def read_text(session: Session, viewer: Viewer, text: str, name: str = NAME) -> Scenario:
    """The scenario that a text says; what it extends is the latest version the viewer sees, or the one named as CODE@N.

    Raises Fault, with `name` and line, for anything that cannot be used, and for whatever would name a file.
    """
    located = _located(text, name)
    parent = _parent(session, viewer, located)
    return _merged(session, located, parent)


def scenario_of(session: Session, row: ScenarioRecord, known_at: datetime | None = None) -> Scenario:
    """A stored scenario with all it extends, as pinned when it was stored; `known_at` is what its meetings are read as."""
    scenario = _merged(session, _located(row.text, f"{row.code}@{row.version}"), _above(session, row))
    if known_at is None:
        return scenario
    base = scenario.doc.base.model_copy(update={"known_at": known_at.isoformat()})
    return replace(scenario, doc=scenario.doc.model_copy(update={"base": base}))


def store(
    session: Session, viewer: Viewer, text: str, *, organiser: str | None = None, code: str | None = None
) -> ScenarioRecord:
    """Keep a text: a new scenario, or the next version of `code`; the same text again is the same version.

    It belongs to the committee of its meeting, else to `organiser` (by code; where the viewer has only one, that one).
    Raises Fault as `read_text`, `scenario.unknown`, `scenario.organiser_needed`, `viewer.not_yours`.
    """
    scenario = read_text(session, viewer, text)
    before = None if code is None else find(session, viewer, code)
    if before is not None:
        viewer.require(before.organiser_id, before.committee_id)
    owner, committee = owner_of(session, viewer, scenario, organiser)
    if before is not None:
        ledger.hold(session, before.organiser_id)
        before = find(session, viewer, before.code)
        if (before.organiser_id, before.committee_id) != (owner, committee):
            raise Fault("scenario.moved", scenario.at("base"), name=before.code)
        if before.text == text:
            return before
    parent = _parent(session, viewer, scenario.located)
    title = scenario.doc.title
    row = ScenarioRecord(
        code=before.code if before else "S" + base64.b32encode(secrets.token_bytes(5)).decode("ascii"),
        version=before.version + 1 if before else 1,
        organiser_id=owner,
        committee_id=committee,
        parent_id=None if parent is None else parent.id,
        title_zh="" if title is None else title.zh,
        title_en="" if title is None else title.en,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        made_at=clock.now(),
        made_by=viewer.actor,
    )
    session.add(row)
    session.flush()
    ledger.append(
        session,
        organiser_id=owner,
        actor=viewer.actor,
        action="scenario.stored",
        subject=row.code,
        payload={"version": row.version, "sha256": row.sha256},
        rows=[row],
    )
    return row


def find(session: Session, viewer: Viewer, code: str, version: int | None = None) -> ScenarioRecord:
    """A version of a scenario (default the latest). Raises Fault `scenario.unknown`."""
    wanted = (
        select(ScenarioRecord)
        .where(ScenarioRecord.code == code, *visible(viewer, ScenarioRecord))
        .order_by(ScenarioRecord.version.desc())
        .limit(1)
    )
    if version is not None:
        wanted = wanted.where(ScenarioRecord.version == version)
    found = session.scalar(wanted)
    if found is None:
        raise Fault("scenario.unknown", code, version=version)
    return found


def list_(session: Session, viewer: Viewer, *, most: int = 100) -> list[ScenarioRecord]:
    """The latest version of every scenario the viewer sees, the newest first."""
    newest = select(ScenarioRecord.code, func.max(ScenarioRecord.version).label("version"))
    latest = newest.group_by(ScenarioRecord.code).subquery()
    return list(
        session.scalars(
            select(ScenarioRecord)
            .join(
                latest,
                (latest.c.code == ScenarioRecord.code) & (latest.c.version == ScenarioRecord.version),
            )
            .where(*visible(viewer, ScenarioRecord))
            .order_by(ScenarioRecord.made_at.desc(), ScenarioRecord.id.desc())
            .limit(most)
        )
    )


def owner_of(
    session: Session, viewer: Viewer, scenario: Scenario, organiser: str | None = None
) -> tuple[int, int | None]:
    """Whose a scenario is: organiser, and committee where it asks about one meeting. Raises Fault as `store`."""
    base = scenario.doc.base
    if base.committee is not None and base.meeting is not None:
        try:
            sitting = find_sitting(session, viewer, base.committee, base.meeting)
        except Fault as fault:
            known = fault.params.get("known")
            where = scenario.at("base", "committee" if known is None else "meeting")
            raise Fault(
                "scenario.meeting_unknown", where, committee=base.committee, meeting=base.meeting, known=known
            ) from None
        viewer.require(sitting.organiser_id, sitting.committee_id)
        return sitting.organiser_id, sitting.committee_id
    there = session.execute(
        select(Organiser.id, Organiser.code, Organiser.parent_id)
        .where(*visible(viewer, Organiser))
        .order_by(Organiser.code)
    ).all()
    owned = [row for row in there if viewer.owns(row.id)]
    if organiser is not None:
        named = next((row for row in owned if row.code == organiser), None)
        if named is None:
            raise Fault("scenario.organiser_unknown", organiser, known=[row.code for row in owned][:20])
        return named.id, None
    ids = {row.id for row in owned}
    tops = [row for row in owned if row.parent_id not in ids]
    if len(tops) != 1:
        raise Fault("scenario.organiser_needed", "organiser", known=[row.code for row in owned][:20])
    return tops[0].id, None


def rights_for(scenario: Scenario) -> frozenset[Right]:
    """What somebody must be allowed to see, beside asking what if, for a scenario that is about panels on record or about
    what cycles of re-evaluation say of experts."""
    doc = scenario.doc.policies
    panels = doc is not None and doc.history.panels == "past"
    needed = ((Right.PANELS_READ, panels), (Right.EXPERTS_READ, bool(cycles_named(scenario))))
    return frozenset(right for right, asked in needed if asked)


def below(session: Session, viewer: Viewer, organiser_id: int) -> Viewer:
    """The viewer, seeing no more than an organiser and those below it: whoever sees the organiser sees them all."""
    parents: dict[int, int | None] = {
        row.id: row.parent_id for row in session.execute(select(Organiser.id, Organiser.parent_id))
    }
    reached = {organiser_id}
    while more := {child for child, parent in parents.items() if parent in reached} - reached:
        reached |= more
    return replace(viewer, organisers=frozenset(filter(viewer.owns, reached)), committees=frozenset())


def _located(text: str, name: str) -> Located:
    located = read(text.encode("utf-8", "surrogatepass"), name)
    if not isinstance(located.data, dict):
        raise Fault("scenario.none", name)
    return located


def _parent(session: Session, viewer: Viewer, located: Located) -> ScenarioRecord | None:
    said = located.data.get("extends")
    if said is None:
        return None
    where = located.at(("extends",))
    found = _REFERENCE.fullmatch(str(said))
    if found is None:
        raise Fault("scenario.extends", where, name=str(said)[:200])
    try:
        version = found["version"]
        return find(session, viewer, found["code"], None if version is None else int(version))
    except Fault:
        raise Fault("scenario.extends", where, name=str(said)) from None


def _above(session: Session, row: ScenarioRecord) -> ScenarioRecord | None:
    return None if row.parent_id is None else session.get_one(ScenarioRecord, row.parent_id)


def _merged(session: Session, located: Located, parent: ScenarioRecord | None) -> Scenario:
    """A text with what its parents say where it says nothing. Raises Fault as `read_text`."""
    data: dict[str, Any] = dict(located.data)
    origin: dict[str, Located] = dict.fromkeys(data, located)
    deep = 1
    while parent is not None:
        deep += 1
        if deep > DEEPEST:
            raise Fault("scenario.circle", located.at(("extends",)), name=parent.code)
        above = _located(parent.text, f"{parent.code}@{parent.version}")
        for name, value in above.data.items():
            if name not in data:
                data[name], origin[name] = value, above
        parent = _above(session, parent)
    scenario = understood(data, origin, located, _NOWHERE)
    _closed(scenario, data)
    return scenario


def _closed(scenario: Scenario, data: dict[str, Any]) -> None:
    """Raises Fault where a scenario names a file, or asks for a region to be made."""
    if scenario.doc.base.problem is not None:
        raise Fault("scenario.file", scenario.at("base", "problem"), name=scenario.doc.base.problem)
    if scenario.doc.base.region is not None:
        raise Fault("scenario.region", scenario.at("base", "region"))
    for path, name in _policies(data, ()):
        if name not in presets():
            known: Sequence[str] = presets()
            raise Fault(
                "scenario.policy_unknown",
                scenario.at(*path),
                name=name,
                nearest=nearest(name, known),
                known=", ".join(known),
            )


_POLICY = frozenset({"policy", "policies", "preset", "presets", "against"})
"""Fields whose text is the name of a policy."""


def _policies(data: Any, path: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    """Every name of a policy anywhere in a scenario, with its place."""
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    found = []
    for step, value in entries:
        here = (*path, step)
        field = next((name for name in reversed(here) if isinstance(name, str)), None)
        if isinstance(value, str) and field in _POLICY:
            found.append((here, value))
        elif isinstance(value, dict | list):
            found += _policies(value, here)
    return found
