"""What ends soon, or just ended: trainings, terms, filings; credit that fell low; seals about to open.

Each run looks at everything anew and tells what was not told before, so it may run twice, or not for weeks: the outbox
knows each cause. Of several windows that were passed unseen only the tightest is told. An office gets one digest of a
kind and a run, however many experts it is about; the experts themselves get a notice each.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, records
from expert_pool.columns import years_after
from expert_pool.notices.addresses import To
from expert_pool.notices.cycle_windows import cases_overdue, replies_ending
from expert_pool.notices.pools import Ending, low_credit, terms_ending, trainings_ending
from expert_pool.notices.rules import KindRule, Rules, load_rules
from expert_pool.notices.telling import Telling, keep_out, tell_many, told
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.registry import (
    Committee,
    Expert,
    Filing,
    FilingKind,
    Meeting,
    PanelRecord,
    PanelState,
    Pool,
    Seat,
)
from expert_pool.store import Store
from solver.progress import Progress, Reporter, silent

CHUNK = 2_000
"""Experts told in one transaction."""


@dataclass(frozen=True, slots=True)
class Told:
    """How many notices were written, by kind: to offices, to experts."""

    offices: Mapping[str, int]
    experts: Mapping[str, int]


def tell_expiries(
    store: Store,
    kinds: Iterable[str] | None = None,
    *,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
    rules: Rules | None = None,
) -> Told:
    """Tell everything of these kinds (all of `LOOKS` by default) that is due and was not told yet.

    Commits kind by kind, office by office; what an interrupted run did not come to, the next one does. Raises Fault
    as `load_rules` and `policies.load`.
    """
    known = rules or load_rules()
    policy = load(known.policy)
    offices: dict[str, int] = {}
    experts: dict[str, int] = {}
    wanted = list(LOOKS if kinds is None else kinds)
    for number, kind in enumerate(wanted):
        report(Progress("notices", number, len(wanted)))
        rule = known.kinds[kind]
        with store.reading() as session:
            endings = _untold(session, kind, LOOKS[kind](session, clock.today(), rule, policy))
        by_office: dict[int, list[Ending]] = defaultdict(list)
        for ending in endings:
            by_office[ending.office].append(ending)
        own = {_cause(kind, e, "expert"): e for e in endings if e.expert is not None}
        if "office" in rule.to:
            offices[kind] = 0
            for office, some in sorted(by_office.items()):
                if not cancelled():
                    offices[kind] += _tell_office(store, kind, office, some, known)
        if "expert" in rule.to:
            experts[kind] = 0
            mine = sorted(own.items())
            for start in range(0, len(mine), CHUNK):
                if not cancelled():
                    experts[kind] += _tell_experts(store, kind, mine[start : start + CHUNK], known)
    report(Progress("notices", len(wanted), len(wanted)))
    return Told(offices, experts)


def _cause(kind: str, ending: Ending, to: str) -> str:
    return f"{kind}:{ending.row}:{ending.window}:{to}"


def _for_office(kind: str, ending: Ending) -> str:
    return _cause(kind, ending, f"office:{ending.office}")


def _untold(session: Session, kind: str, endings: Sequence[Ending]) -> list[Ending]:
    """Those of which the office or the expert does not know yet."""
    causes = {_for_office(kind, e) for e in endings}
    causes |= {_cause(kind, e, "expert") for e in endings if e.expert is not None}
    before = told(session, causes)
    return [
        e
        for e in endings
        if _for_office(kind, e) not in before
        or (e.expert is not None and _cause(kind, e, "expert") not in before)
    ]


def _tell_office(store: Store, kind: str, office: int, endings: Sequence[Ending], rules: Rules) -> int:
    with store.session() as session:
        keep_out(session)
        causes = {_for_office(kind, e): e for e in endings}
        before = told(session, causes)
        new = {cause: ending for cause, ending in sorted(causes.items()) if cause not in before}
        if not new:
            return 0
        mark = hashlib.sha256("\n".join(new).encode()).hexdigest()[:24]
        params = _digest(session, sorted(new.values(), key=lambda e: (e.until, e.row)), rules.digest_most)
        telling = Telling(To(office_id=office), f"{kind}:digest:{office}:{mark}", params, tuple(new))
        return tell_many(session, store.key, kind, [telling], rules=rules)


def _digest(session: Session, endings: Sequence[Ending], most: int) -> dict[str, Any]:
    """What a digest says: how many, from when to when, the first by code."""
    shown = endings[:most]
    ids = {e.expert for e in shown if e.expert is not None}
    codes = dict(session.execute(select(Expert.id, Expert.code).where(Expert.id.in_(ids))).all())
    today = clock.today()
    names = [e.name if e.expert is None else codes.get(e.expert, "") for e in shown]
    return {
        "count": len(endings),
        "first": endings[0].until.isoformat(),
        "last": endings[-1].until.isoformat(),
        "ended": sum(e.until < today for e in endings) or None,
        "which": names,
        "more": len(endings) - len(shown) or None,
        "value": endings[0].value,
    }


def _tell_experts(store: Store, kind: str, own: Sequence[tuple[str, Ending]], rules: Rules) -> int:
    today = clock.today()
    tellings = [
        Telling(
            To(expert_id=ending.expert),
            cause,
            {
                "until": ending.until.isoformat(),
                "ended": ending.until < today,
                "about": ending.name,
                "value": ending.value,
            },
        )
        for cause, ending in own
    ]
    with store.session() as session:
        return tell_many(session, store.key, kind, tellings, rules=rules)


def _filings(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """The latest filing of each pool and committee, where it ends in a window."""
    rows = session.execute(
        select(
            Filing.id,
            Filing.kind,
            Filing.reference,
            Filing.holds_on,
            Filing.until,
            Filing.committee_id,
            Committee.code,
            Committee.pool_id,
            Committee.organiser_id,
        )
        .join(Committee, Committee.id == Filing.committee_id)
        .where(
            Filing.kind.in_((FilingKind.POOL, FilingKind.COMMITTEE)),
            records.current(Filing, today),
        )
        .order_by(Filing.id)
    )
    years = policy.terms.filing_years
    latest: dict[tuple[str, int], Ending] = {}
    for row in rows:
        until = row.until if years is None else min(row.until, years_after(row.holds_on, years))
        about = (str(row.kind), row.pool_id if row.kind == FilingKind.POOL else row.committee_id)
        if about not in latest or latest[about].until < until:
            name = f"{row.reference} ({row.code})"
            latest[about] = Ending(row.id, until, -1, row.organiser_id, name=name)
    return [e for ending in latest.values() if (e := ending.inside(rule, today)) is not None]


def _panels(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """Approved panels whose seal opens in a window; nothing about who sits."""
    opens = (
        select(Seat.panel_id, func.max(Seat.open_on).label("on"))
        .where(Seat.open_on >= today)
        .group_by(Seat.panel_id)
        .subquery()
    )
    rows = session.execute(
        select(
            PanelRecord.id, PanelRecord.code, PanelRecord.organiser_id, opens.c.on, Meeting.code.label("m")
        )
        .join(opens, opens.c.panel_id == PanelRecord.id)
        .join(Meeting, Meeting.id == PanelRecord.meeting_id)
        .where(PanelRecord.state == PanelState.APPROVED)
    )
    endings = [Ending(r.id, r.on, -1, r.organiser_id, name=f"{r.code} ({r.m})") for r in rows]
    return [e for ending in endings if (e := ending.inside(rule, today)) is not None]


def _reevaluations(session: Session, today: date, rule: KindRule, policy: Policy) -> list[Ending]:
    """The next yearly re-evaluation of every pool, where it is in a window."""
    if rule.yearly is None:
        return []
    month, in_month = map(int, rule.yearly.split("-"))
    pools = session.execute(select(Pool.id, Pool.code, Pool.organiser_id)).all()
    endings = [
        Ending(pool.id * 10_000 + year, date(year, month, in_month), -1, pool.organiser_id, name=pool.code)
        for pool in pools
        for year in (today.year, today.year + 1)
    ]
    return [e for ending in endings if (e := ending.inside(rule, today)) is not None]


Look = Callable[[Session, date, KindRule, Policy], Sequence[Ending]]
LOOKS: Mapping[str, Look] = {
    "training.expiring": trainings_ending,
    "term.ending": terms_ending,
    "filing.expiring": _filings,
    "credit.low": low_credit,
    "reevaluation.due": _reevaluations,
    "cycle.reply_ending": replies_ending,
    "cycle.overdue": cases_overdue,
    "panel.opens": _panels,
}
"""By kind of notice, what finds the things it tells of."""
