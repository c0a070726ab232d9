"""The whole picture of a pool, put together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.policies.load import load, preset, presets
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.health import forecasting, serving
from expert_pool.reevaluation.health.cells import cells, fields
from expert_pool.reevaluation.health.demand import demand_on
from expert_pool.reevaluation.health.document import Health
from expert_pool.reevaluation.health.inviting import invitations
from expert_pool.reevaluation.health.people import NEVER, people_of
from expert_pool.reevaluation.health.planning import plan_season, unasked
from expert_pool.registry import Agenda, Committee, Meeting, PanelRecord
from expert_pool.viewer import Viewer, visible
from solver.answer import Saying
from solver.engines.race import Cancelled
from solver.errors import Fault
from solver.facts import MISSING, Ints
from solver.progress import Progress, Reporter, silent

DEFAULT_POLICY = "cn-title-national"

RETIRES_AT = 65
"""The age at which a forecast lets members go, where a policy sets none; science pools know it (Ningxia 2025, art. 4)."""

CHOICE = 3
"""Drawable people for each seat below which a specialty is thin: ours, so that recusals leave something to draw from."""


def picture(
    session: Session,
    viewer: Viewer,
    pool_id: int,
    as_of: date,
    known_at: datetime | None = None,
    *,
    years: int = 5,
    horizon: int = 5,
    season: int | None = None,
    policies: Mapping[str, Policy] | Policy | None = None,
    choice: int = CHOICE,
    retires_at: int | None = None,
    plan_seconds: float = 60.0,
    invite_sector: str | None = "private",
    replications: int = 200,
    seed: int = 0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Health:
    """The health of a pool on a day, as known at a moment (default now).

    `years`: how far back load, trend and past demand go; `horizon`: how many years are forecast; `season`: whose agendas
    are the demand (default the year of `as_of`). `policies`: one for all committees, or by code of the committee; else of
    each the policy of its latest panel, or the national order. `choice`: drawable people for each seat below which a field
    is thin. `retires_at`: an age; default the policy's `age_max`, else 65. `plan_seconds`: how long the recruitment plan may
    take (0: none is made). `invite_sector`: candidates of which sector to list (None: of all).
    Raises Fault: `health.pool_unknown`, `health.future`, `health.no_committee`, `health.years`.
    """
    moment = known_at or clock.now()
    for name, value in (("years", years), ("horizon", horizon), ("choice", choice)):
        if not 1 <= value <= 50:
            raise Fault("health.years", name, name=name, value=value)
    given = _policies(session, viewer, pool_id, policies)
    first = next(iter(given.values()), None) or load(DEFAULT_POLICY)
    retires = retires_at or _age(first)
    report(Progress("health_people"))
    people = people_of(session, viewer, pool_id, as_of, moment, first, retires_at=retires)
    report(Progress("health_demand"))
    demand = demand_on(people, as_of.year if season is None else season, years, given)
    since = serving.years_back(as_of, years)
    rows = serving.served(people)
    report(Progress("health_service"))
    by_field = fields(people, demand, choice)
    plan = (
        plan_season(people, demand.season, given, seconds=plan_seconds, report=report, cancelled=cancelled)
        if plan_seconds > 0
        else unasked(demand.season)
    )
    sector, names = people.category("sector")
    mine = sector[people.member]
    return Health(
        pool=people.code,
        name=people.name,
        as_of=as_of,
        known_at=moment,
        season=demand.season,
        choice=choice,
        retires_at=retires,
        members=int(people.member.sum()),
        drawable=int(people.drawable.sum()),
        states=_counted(people.state, people.facts.facts["state"].names),
        sectors=_counted(mine, names),
        cells=cells(people, demand, choice),
        fields=by_field,
        ages=forecasting.ages(people),
        terms=forecasting.terms(people),
        forecast=forecasting.forecast(people, horizon),
        no_term=int((people.member & (people.term_over == NEVER)).sum()),
        no_birth=int((people.member & (people.born == MISSING)).sum()),
        load=serving.load(people, rows, since, replications=replications, seed=seed),
        concentration=serving.employers(people, rows, since),
        trend=serving.trend(people, rows, years),
        plan=plan,
        invitations=invitations(people, by_field, plan, first, sector=invite_sector, retires_at=retires),
        notes=[*demand.notes, *_cautions(int(people.member.sum()))],
    )


def _cautions(members: int) -> list[Saying]:
    """What a reader must know: small numbers make shares jump."""
    return [Saying(code="health.few_members", params={"members": members})] if members < 30 else []


def _counted(values: Ints, names: tuple[str, ...]) -> dict[str, int]:
    tally: Counter[int] = Counter(values.tolist())
    said = {name: tally[n] for n, name in enumerate(names) if tally[n]}
    return said | ({"unknown": tally[MISSING]} if tally[MISSING] else {})


def _age(policy: Policy) -> int:
    parameter = policy.parameters.get("age_max")
    value = None if parameter is None else parameter.at("senior")
    return value if isinstance(value, int) and not isinstance(value, bool) else RETIRES_AT


def _policies(
    session: Session, viewer: Viewer, pool_id: int, given: Mapping[str, Policy] | Policy | None
) -> dict[str, Policy]:
    """A policy for every committee of the pool, by code."""
    committees = session.execute(
        select(Committee.id, Committee.code)
        .where(Committee.pool_id == pool_id, *visible(viewer, Committee))
        .order_by(Committee.code)
    ).all()
    if isinstance(given, Policy):
        return {row.code: given for row in committees}
    panels = session.execute(
        select(Agenda.committee_id, PanelRecord.policy, PanelRecord.overrides)
        .join_from(PanelRecord, Meeting, Meeting.id == PanelRecord.meeting_id)
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .where(*visible(viewer, PanelRecord))
        .order_by(PanelRecord.requested_at, PanelRecord.id)
    ).all()
    latest = {row.committee_id: row for row in panels if row.policy in presets()}
    found = {}
    for row in committees:
        own = latest.get(row.id)
        if (policy := (given or {}).get(row.code)) is not None:
            found[row.code] = policy
        elif own is None:
            found[row.code] = load(DEFAULT_POLICY)
        else:
            found[row.code] = preset(own.policy, json.loads(own.overrides) if own.overrides else ())
    return found
