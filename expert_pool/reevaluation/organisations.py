"""Committees and organisers appraised: rectify, suspend, withdraw. Every figure with its records; nothing happens by itself.

An appraisal is a proposal. What follows is decided by two people (`organisation_decisions`). What a measure was decided on
counts for no second one: figures begin on the day after the appraisal behind the latest measure; a complaint of before that
was upheld since counts too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.days import refuse_too_early
from expert_pool.reevaluation.funnel import Placed, place
from expert_pool.reevaluation.organisation_decisions import InForce, measures_of, shifted
from expert_pool.reevaluation.organisation_figures import Event, Period, Rate, Recorded, Row, figures
from expert_pool.reevaluation.organisation_scheme import (
    MEASURES,
    CountDoc,
    Indicator,
    Measure,
    OrganisationScheme,
    StepDoc,
)
from expert_pool.registry import Committee, OrganisationStep, Organiser
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

DEFAULT_POLICY = "cn-title-national"

_Figures = Mapping[str, int | float | str | list[str] | None]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a measure is proposed: the rule by its id in the scheme, a message (`code`) with its figures, the measure and
    months, the rows behind it, and what would have to be otherwise."""

    code: str
    id: str
    proposal: StepDoc
    figures: Mapping[str, int | float | str | list[str] | None]
    records: tuple[Row, ...]
    otherwise: Mapping[str, int | float | str | None]


@dataclass(frozen=True, slots=True)
class OrganisationAppraisal:
    """One committee, or (`committee` None) one organiser over all its committees. `figures`: the count of each indicator
    with its rows; `rates`: pass rate and complaints among all committees of the level; `measure`: the gravest that anything
    calls for, after the ladder; `standing`: what is in force already; `notes`: message codes of cautions."""

    organiser: str
    committee: str | None
    name: str
    as_of: date
    known_at: datetime
    scheme: str
    scheme_sha256: str
    since: date
    figures: Mapping[Indicator, tuple[int, tuple[Row, ...]]]
    rates: Mapping[Indicator, Placed]
    measure: Measure
    months: int | None
    reasons: tuple[Reason, ...]
    standing: InForce | None
    notes: tuple[str, ...]
    organiser_id: int
    committee_id: int | None
    reply_days: int

    def document(self) -> dict[str, Any]:
        """As JSON (`organisation-appraisal/1`)."""
        return {
            "format": "organisation-appraisal/1",
            "organiser": self.organiser,
            "committee": self.committee,
            "name": self.name,
            "as_of": self.as_of.isoformat(),
            "known_at": self.known_at.isoformat(),
            "scheme": self.scheme,
            "scheme_sha256": self.scheme_sha256,
            "since": self.since.isoformat(),
            "figures": {
                str(indicator): {"number": number, "records": [list(row) for row in rows]}
                for indicator, (number, rows) in self.figures.items()
            },
            "rates": {str(indicator): _placed(one) for indicator, one in self.rates.items()},
            "measure": str(self.measure),
            "months": self.months,
            "reasons": [
                {
                    "code": one.code,
                    "id": one.id,
                    "measure": str(one.proposal.measure),
                    "months": one.proposal.months,
                    "figures": dict(one.figures),
                    "records": [list(row) for row in one.records],
                    "otherwise": dict(one.otherwise),
                }
                for one in self.reasons
            ],
            "standing": None
            if self.standing is None
            else {
                "step": str(self.standing.step),
                "since": self.standing.since.isoformat(),
                "until": self.standing.until.isoformat() if self.standing.until else None,
            },
            "notes": list(self.notes),
            "reply_days": self.reply_days,
        }


def _placed(one: Placed) -> dict[str, Any]:
    return {
        "number": one.passed,
        "of": one.of,
        "rate": one.rate,
        "expected": one.expected,
        "below": one.below,
        "above": one.above,
        "limits_95": list(one.limits[0]),
        "limits_998": list(one.limits[1]),
        "verdict": one.verdict,
        "warning": one.warning,
    }


def appraise_organisations(
    session: Session,
    viewer: Viewer,
    scheme: OrganisationScheme,
    as_of: date,
    known_at: datetime | None = None,
    *,
    policy: Policy | None = None,
) -> tuple[OrganisationAppraisal, ...]:
    """All committees the viewer sees, by code, then all organisers with committees. `policy` says which filings are due
    (default the national order). Raises Fault `organisations.future`, `appraisal.too_early`."""
    if as_of > clock.today():
        raise Fault("organisations.future", as_of.isoformat(), as_of=as_of, today=clock.today())
    refuse_too_early(as_of)
    moment = known_at or clock.now()
    rows = session.execute(
        select(
            Committee.id,
            Committee.code,
            Committee.name,
            Committee.level,
            Committee.organiser_id,
            Organiser.code.label("organiser"),
            Organiser.name.label("organiser_name"),
        )
        .join(Organiser, Organiser.id == Committee.organiser_id)
        .where(*visible(viewer, Committee, Organiser))
        .order_by(Committee.code)
    ).all()
    period = Period(months_before(as_of, scheme.doc.months), as_of, moment)
    due = policy or load(DEFAULT_POLICY)
    recorded = figures(session, viewer, [row.id for row in rows], period, due, scheme.doc.results_within_days)
    measures = measures_of(session, viewer, as_of, moment)
    judge = _Judge(scheme, period, as_of, moment)
    rates = _rates(rows, recorded)
    found = [
        judge.appraise(
            row, row.organiser, row.code, row.name, row.id, recorded[row.id], rates[row.id],
            measures.get((row.organiser_id, row.id), ()),
        )
        for row in rows
    ]  # fmt: skip
    by_organiser: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_organiser[row.organiser_id].append(row)
    for identity, own in sorted(by_organiser.items(), key=lambda item: item[1][0].organiser):
        together = _together([recorded[row.id] for row in own])
        measured = measures.get((identity, None), ())
        first = own[0]
        found.append(
            judge.appraise(first, first.organiser, None, first.organiser_name, None, together, {}, measured)
        )
    return tuple(found)


@dataclass(frozen=True)
class _Judge:
    scheme: OrganisationScheme
    period: Period
    as_of: date
    known_at: datetime

    def appraise(
        self,
        row: Any,
        organiser: str,
        committee: str | None,
        name: str,
        identity: int | None,
        recorded: Recorded,
        rates: Mapping[Indicator, Placed],
        measures: Sequence[InForce],
    ) -> OrganisationAppraisal:
        since = max([self.period.first, *(one.counted + timedelta(days=1) for one in measures)])
        found_after = max((one.known_at for one in measures), default=None)
        about = "organiser" if committee is None else "committee"
        reasons = [
            reason
            for count in self.scheme.doc.counts
            if count.about == about and (reason := self._count(count, recorded, since, found_after))
        ]
        if committee is not None:
            reasons += self._rates(recorded.passed, rates)
        reasons.sort(key=lambda one: (-MEASURES.index(one.proposal.measure), one.id))
        reasons = [*self._ladder(reasons, measures), *reasons]
        gravest = reasons[0].proposal if reasons else StepDoc(measure=Measure.KEEP)
        standing = next((one for one in reversed(measures) if one.holds(self.as_of)), None)
        return OrganisationAppraisal(
            organiser=organiser,
            committee=committee,
            name=name,
            as_of=self.as_of,
            known_at=self.known_at,
            scheme=self.scheme.doc.id,
            scheme_sha256=self.scheme.sha256,
            since=since,
            figures={
                indicator: _summed(recorded.since(indicator, since, found_after))
                for indicator in Indicator
                if indicator is not Indicator.PASS_RATE
            },
            rates=rates,
            measure=gravest.measure,
            months=gravest.months,
            reasons=tuple(reasons),
            standing=standing,
            notes=tuple(_notes(rates)) if committee is not None else (),
            organiser_id=row.organiser_id,
            committee_id=identity,
            reply_days=self.scheme.doc.reply_days,
        )

    def _count(
        self, count: CountDoc, recorded: Recorded, since: date, found_after: datetime | None
    ) -> Reason | None:
        """The rule, where it is met: in its worst calendar year, or in the whole period."""
        events = recorded.since(count.indicator, since, found_after)
        parts: dict[int | None, list[Event]] = defaultdict(list)
        for event in events:
            parts[event.on.year if count.within == "calendar_year" else None].append(event)
        worst = max(parts.items(), key=lambda item: (_summed(item[1])[0], item[0] or 0), default=None)
        if worst is None or _summed(worst[1])[0] < count.at_least:
            return None
        number, rows = _summed(worst[1])
        said: _Figures = {
            "indicator": str(count.indicator),
            "number": number,
            "at_least": count.at_least,
            "year": worst[0],
            "days": sorted({event.on.isoformat() for event in worst[1]}),
        }
        return Reason(
            "organisations.count", count.id, count.proposal, said, rows, {"at_most": count.at_least - 1}
        )

    def _rates(self, passed: Rate, rates: Mapping[Indicator, Placed]) -> Iterable[Reason]:
        for cap in self.scheme.doc.caps:
            if passed.of >= cap.from_cases and passed.number > cap.above * passed.of:
                most = int(cap.above * passed.of)
                capped: _Figures = {"number": passed.number, "of": passed.of, "cap": float(cap.above)}
                yield Reason(
                    "organisations.cap", cap.id, cap.proposal, capped, passed.rows, {"at_most": most}
                )
        for funnel in self.scheme.doc.funnels:
            one = rates.get(funnel.indicator)
            if one is None or one.verdict not in (
                ("low", "high") if funnel.side == "both" else (funnel.side,)
            ):
                continue
            chance = one.below if one.verdict == "low" else one.above
            said: _Figures = {
                "indicator": str(funnel.indicator),
                "number": one.passed,
                "of": one.of,
                "expected": round(one.expected, 4),
                "chance": float(f"{chance:.3g}"),
            }
            low, high = one.limits[1]
            rows = passed.rows if funnel.indicator is Indicator.PASS_RATE else ()
            yield Reason(
                f"organisations.funnel_{one.verdict}",
                funnel.id,
                StepDoc(measure=funnel.proposal),
                said,
                rows,
                {"low": round(low, 4), "high": round(high, 4)},
            )

    def _ladder(self, reasons: Sequence[Reason], measures: Sequence[InForce]) -> list[Reason]:
        """One rung above the latest measure, where there is new cause for more than a look."""
        ladder = self.scheme.doc.ladder
        if ladder is None or not measures or not reasons or reasons[0].proposal.measure is Measure.LOOK:
            return []
        earliest = months_before(self.as_of, ladder.within_months)
        real = [one for one in measures if one.step is not OrganisationStep.LIFT]
        recent = [one for one in real if one.until is None or one.until >= earliest]
        if not recent:
            return []
        last = recent[-1]
        higher = Measure.SUSPEND if last.step is OrganisationStep.RECTIFY else Measure.WITHDRAW
        if MEASURES.index(higher) <= MEASURES.index(reasons[0].proposal.measure):
            return []
        months = ladder.suspend_months if higher is Measure.SUSPEND else None
        said = {"before": str(last.step), "since": last.since.isoformat(), "rule": reasons[0].id}
        rows = (("organisation_measure", last.row), *reasons[0].records)
        step = StepDoc(measure=higher, months=months)
        return [Reason("organisations.ladder", "ladder", step, said, rows, dict(reasons[0].otherwise))]


def _summed(events: Sequence[Event]) -> tuple[int, tuple[Row, ...]]:
    return sum(event.number for event in events), tuple(event.row for event in events)


def _together(parts: Sequence[Recorded]) -> Recorded:
    found = Recorded()
    for part in parts:
        for indicator, events in part.events.items():
            found.events[indicator] += events
    for events in found.events.values():
        events.sort(key=lambda event: (event.on, event.row))
    return found


def _rates(rows: Sequence[Any], recorded: Mapping[int, Recorded]) -> dict[int, dict[Indicator, Placed]]:
    """Pass rates and upheld complaints of each committee against those of all committees of its level together."""
    levels: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        levels[row.level].append(row)
    found: dict[int, dict[Indicator, Placed]] = {row.id: {} for row in rows}
    for peers in levels.values():
        of = sum(recorded[row.id].passed.of for row in peers)
        if not of:
            continue
        passed = sum(recorded[row.id].passed.number for row in peers)
        upheld = sum(_upheld(recorded[row.id]) for row in peers)
        for row in peers:
            own = recorded[row.id]
            if own.passed.of:
                found[row.id][Indicator.PASS_RATE] = place(own.passed.number, own.passed.of, passed / of)
                number = min(_upheld(own), own.passed.of)
                found[row.id][Indicator.COMPLAINTS_UPHELD] = place(
                    number, own.passed.of, min(1.0, upheld / of)
                )
    return found


def _upheld(recorded: Recorded) -> int:
    return _summed(recorded.events.get(Indicator.COMPLAINTS_UPHELD, ()))[0]


def _notes(rates: Mapping[Indicator, Placed]) -> Iterable[str]:
    if Indicator.PASS_RATE not in rates:
        yield "organisations.no_results"
    elif rates[Indicator.PASS_RATE].verdict == "too_few":
        yield "organisations.few_cases"


def months_before(on: date, months: int) -> date:
    """The first of so many whole months that end on a day."""
    return shifted(on, -months) + timedelta(days=1)
