"""What the registry knows of the people in a roster, on the day of the audit: facts the roster leaves out are taken over.

Somebody is known by code, or by name and an employer held that day; a name alone, or one that fits several, is matched
with nobody and reported. Each look is an entry in the ledger, which attests whom it was at and what for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger, records
from expert_pool.audits.report import RegistryUsed, Unmatched
from expert_pool.audits.roster import Known, Person, Roster, Subject, Unit
from expert_pool.audits.values import ALTERNATE, same_text
from expert_pool.facts import PoolFacts, facts_on
from expert_pool.policies.policy import Policy
from expert_pool.policies.vocabulary import FACTS
from expert_pool.privacy.purposes import purpose_of
from expert_pool.registry import Committee, Employer, EmployerName, Employment, Expert, Look, NameKind
from expert_pool.relations.legal_persons import LegalPersons
from expert_pool.specialties import Catalogue
from expert_pool.store import Store
from expert_pool.viewer import Viewer, counted, visible
from solver.answer import Saying
from solver.errors import Fault
from solver.facts import day
from solver.problem import Previous

FIELD = "facts"
"""What a look for an audit names as its field."""


def completed(
    store: Store, viewer: Viewer, roster: Roster, *, committee: str, policy: Policy, on: date, purpose: str
) -> tuple[Roster, RegistryUsed]:
    """The roster with what the registry adds as of the day `on`, and what was taken from it.

    Facts, specialties, legal persons of employers and, where the roster names no earlier panels, those of the committee.
    A look at each expert who was matched is written down, with its `purpose`, in the transaction that reads; experts
    find it in their own record. Raises Fault `panels.committee_unknown`, `viewer.not_yours`, `privacy.purpose_missing`,
    `privacy.purpose_long`.
    """
    said = purpose_of(purpose)
    known_at = clock.now()
    with store.session() as session:
        body = session.execute(
            select(Committee.id, Committee.organiser_id).where(
                Committee.code == committee, *visible(viewer, Committee)
            )
        ).one_or_none()
        if body is None:
            raise Fault("panels.committee_unknown", committee)
        viewer.require(body.organiser_id)
        ledger.hold(session, body.organiser_id)
        units = _Units(session, viewer, on, known_at)
        names = units.legal_persons(_employers_in(roster))
        matched, unmatched = _match(session, viewer, roster, units, on, known_at)
        facts = facts_on(
            session,
            viewer,
            committee_id=body.id,
            on=on,
            known_at=known_at,
            policy=policy,
            expert_ids=sorted(matched.values()),
        )
        taken = _Taken(facts, matched, units)
        looks = [
            Look(
                organiser_id=body.organiser_id,
                expert_id=expert_id,
                at=known_at,
                actor=viewer.actor,
                fields=FIELD,
                purpose=said,
            )
            for expert_id in sorted(set(matched.values()))
        ]
        session.add_all(looks)
        ledger.append(
            session,
            organiser_id=body.organiser_id,
            actor=viewer.actor,
            action="audit.registry_read",
            subject=committee,
            payload={
                "roster": roster.sha256,
                "on": on,
                "people": len(roster.people),
                "matched": len(matched),
                "purpose": said,
            },
            rows=looks,
            at=known_at,
        )
    used = RegistryUsed(
        committee=committee,
        known_at=known_at.isoformat(),
        matched=len(matched),
        unmatched=[
            Unmatched(label=roster.people[i].label, says=says) for i, says in sorted(unmatched.items())
        ],
    )
    return taken.into(roster, names), used.of_experts(look.expert_id for look in looks)


def _employers_in(roster: Roster) -> set[str]:
    """Every employer's name that the roster compares."""
    written = [p.unit for p in roster.people] + [c.unit for c in roster.cases or ()]
    written += [who.unit for panel in roster.previous or () for who in panel.sat]
    written += [relation.unit for relation in roster.relations or ()]
    return {unit.name for unit in written if unit is not None and not unit.legal}


class _Units:
    """Employers as the registry has them on the day: their names, and the legal person each counts as."""

    def __init__(self, session: Session, viewer: Viewer, on: date, known_at: datetime) -> None:
        self.session, self.viewer, self.on = session, viewer, on
        self.tree = LegalPersons.read(session, viewer, on, known_at)
        rows = session.execute(
            select(EmployerName.employer_id, EmployerName.name, EmployerName.kind, Employer.code)
            .join(Employer, Employer.id == EmployerName.employer_id)
            .where(records.current(EmployerName, on, known_at), *counted(viewer, EmployerName))
            .order_by(EmployerName.holds_on, EmployerName.id)
        )
        self.of_name: dict[str, set[int]] = {}
        self.official: dict[int, str] = {}
        self.by_code: dict[str, int] = {}
        for unit, name, kind, code in rows:
            self.of_name.setdefault(same_text(name), set()).add(unit)
            self.by_code[code] = unit
            if kind is NameKind.OFFICIAL:
                self.official[unit] = name

    def persons(self, unit: int) -> frozenset[int]:
        return self.tree.on_day(unit, day(self.on))

    def named(self, name: str) -> frozenset[int]:
        """The legal persons that a name may mean."""
        units = self.of_name.get(same_text(name), set())
        return frozenset(person for unit in units for person in self.persons(unit))

    def legal_persons(self, names: Iterable[str]) -> dict[str, str]:
        """The official name of the legal person behind each name that has just one."""
        found = {name: self.named(name) for name in names}
        return {
            same_text(name): self.official.get(min(persons), name)
            for name, persons in found.items()
            if len(persons) == 1
        }

    def official_of(self, code: str) -> str:
        return self.official.get(self.by_code.get(code, -1), code)


def _match(
    session: Session, viewer: Viewer, roster: Roster, units: _Units, on: date, known_at: datetime
) -> tuple[dict[int, int], dict[int, Saying]]:
    """The expert (id) of each person that is surely known, and for the others why not."""
    people = roster.people
    rows = session.execute(
        select(Expert.id, Expert.code, Expert.name).where(
            or_(
                Expert.name.in_({p.name for p in people}),
                Expert.code.in_({p.code for p in people if p.code}),
            )
        )
    ).all()
    held: dict[int, set[int]] = {}
    employments = session.execute(
        select(Employment.expert_id, Employment.employer_id).where(
            Employment.expert_id.in_([row.id for row in rows]),
            records.current(Employment, on, known_at),
            or_(Employment.until.is_(None), Employment.until >= on),
            *counted(viewer, Employment),
        )
    )
    for expert, unit in employments:
        held.setdefault(expert, set()).update(units.persons(unit))
    by_code = {row.code: row for row in rows}
    matched: dict[int, int] = {}
    unmatched: dict[int, Saying] = {}
    for number, person in enumerate(people):
        if person.code:
            row = by_code.get(person.code)
            if row is not None and same_text(row.name) == same_text(person.name):
                matched[number] = row.id
            else:
                code = "audit.registry.code_unknown" if row is None else "audit.registry.code_other"
                unmatched[number] = Saying(code=code, params={"code": person.code})
            continue
        if person.unit is None:
            unmatched[number] = Saying(code="audit.registry.no_employer")
            continue
        of = units.named(person.unit.name)
        fitting = [
            r.id for r in rows if same_text(r.name) == same_text(person.name) and held.get(r.id, set()) & of
        ]
        if len(fitting) == 1:
            matched[number] = fitting[0]
        elif fitting:
            unmatched[number] = Saying(code="audit.registry.several", params={"count": len(fitting)})
        else:
            unmatched[number] = Saying(code="audit.registry.unknown")
    return matched, unmatched


@dataclass
class _Taken:
    """The registry's facts, laid over a roster: what that states itself stands."""

    facts: PoolFacts
    matched: Mapping[int, int]
    units: _Units

    def into(self, roster: Roster, names: Mapping[str, str]) -> Roster:
        index = {expert: place for place, expert in enumerate(self.facts.expert_ids.tolist())}
        place = {number: index[expert] for number, expert in self.matched.items()}
        broad = _Names(self.facts.catalogue)
        held: dict[int, list[Subject]] = {}
        for expert, entry in zip(
            self.facts.held.expert.tolist(), self.facts.held.entry.tolist(), strict=True
        ):
            held.setdefault(expert, []).append(broad.subject(entry))
        people = tuple(
            self.person(person, place[number], held) if number in place else person
            for number, person in enumerate(roster.people)
        )
        known: tuple[Previous, ...] | None = None
        if roster.previous is None:
            back = {at: number for number, at in place.items()}
            known = tuple(
                replace(panel, members=frozenset(back[m] for m in panel.members if m in back))
                for panel in self.facts.previous
            )
        members = {number for number, person in enumerate(people) if person.role != ALTERNATE}
        return replace(
            roster,
            people=people,
            previous_known=known,
            unplaced=frozenset(members - place.keys()),
            legal=dict(names),
        )

    def person(self, person: Person, at: int, held: Mapping[int, list[Subject]]) -> Person:
        facts: dict[str, Known] = dict(person.facts)
        sources: dict[str, str] = {}
        for name, kind in FACTS.items():
            value = self.facts.facts[name].show(at)
            if name in facts or value is None or name == "employer":
                continue
            facts[name] = date.fromisoformat(str(value)) if kind == "date" else value
            sources[name] = self.facts.behind[name][0] if name in self.facts.behind else ""
        unit = person.unit
        code = self.facts.facts["employer"].show(at)
        if unit is None and code is not None:
            unit = Unit(self.units.official_of(str(code)), legal=True)
            sources["employer"] = "employment"
        subjects = person.subjects or tuple(held.get(at, ()))
        if subjects and not person.subjects:
            sources["specialties"] = "skill"
        return replace(person, facts=facts, sources=sources, unit=unit, subjects=subjects)


class _Names:
    """Entries of the catalogue as a roster writes them."""

    def __init__(self, catalogue: Catalogue) -> None:
        entries = {entry.id: entry for read in catalogue.read.values() for entry in read}
        self.entries = entries
        self.name = {entry.code: entry.name for entry in entries.values()}

    def subject(self, entry: int) -> Subject:
        found = self.entries[entry]
        if found.code == found.broad:
            return Subject(None, found.name)
        return Subject(found.name, self.name.get(found.broad, found.broad))
