"""From a file to a roster: everything that is wrong with it is found at once, and nothing is guessed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

from expert_pool.audits.identity import Same, same_person
from expert_pool.audits.relating import read_relations
from expert_pool.audits.roster import (
    Application,
    Earlier,
    Known,
    Person,
    PlannedGroup,
    Roster,
    RosterFaults,
    Subject,
    Unit,
    Who,
)
from expert_pool.audits.tables import Faults, Table, tables_of
from expert_pool.audits.titles import rank_of
from expert_pool.audits.values import ALTERNATE, MEMBER, Span, same_text, settled, years_between
from expert_pool.documents.people import RANKS
from expert_pool.imports.read import read_sheets
from solver.answer import Saying
from solver.errors import Fault

_AS_WRITTEN = (
    "sector", "region", "gender", "in_pool", "state", "credit", "available", "consecutive_terms",
    "years_since_served", "seats_this_season", "applicant",
)  # fmt: skip
_DATED = {"born": years_between, "rank_since": years_between, "term_until": settled, "trained_until": settled}
"""How a date that may be a month alone is told apart from the day of the audit."""


def read_roster(path: Path, on: date) -> Roster:
    """The roster in a workbook (or the list of people alone as .csv), its facts as of the day `on`. An empty sheet is one
    that is not given.

    Raises RosterFaults naming everything that is wrong with its sheets, and Fault where the file cannot be read.
    """
    if path.is_dir():
        raise Fault("audit.not_a_file", str(path))
    raws = read_sheets(path)
    errors = Faults()
    found, notes = tables_of(raws, errors)
    if errors.of_headers:
        raise RosterFaults(str(path), errors.sorted())
    tables = {name: table for name, table in found.items() if len(table) or name == "people"}
    people = _people(tables["people"], on, errors, notes)
    planned = _planned(tables["groups"], errors) if "groups" in tables else None
    groups = {group.name for group in planned or ()} | {p.group for p in people if p.group is not None}
    if planned is not None:
        _known_groups(tables["people"], {group.name for group in planned}, errors)
    cases = _cases(tables["cases"], groups, errors) if "cases" in tables else ()
    previous = _previous(tables["previous"], errors) if "previous" in tables else None
    relations = None
    if "relations" in tables:
        relations, outside = read_relations(tables["relations"], people, cases, errors)
        if outside:
            notes.append(Saying(code="audit.note.relations_outside", params={"count": outside}))
    if errors:
        raise RosterFaults(str(path), errors.sorted())
    return Roster(
        file=path.name,
        sha256=sha256(path.read_bytes()).hexdigest(),
        people=people,
        cases=cases or None,
        relations=relations,
        previous=previous or None,
        groups=planned or None,
        columns={name: frozenset(table.columns) for name, table in tables.items()},
        notes=tuple(notes),
    )


def _people(table: Table, on: date, errors: Faults, notes: list[Saying]) -> tuple[Person, ...]:
    people = []
    for row in range(len(table)):
        name = table.get("name", row)
        group = table.get("group", row)
        if "group" in table.columns and group is None:
            table.wrong(errors, row, "group", "audit.group_empty")
        person = Person(
            row=table.numbers[row],
            label=name or "",
            name=name or "",
            code=table.get("code", row),
            role=_role(table, row, errors),
            group=group,
            order=table.get("order", row),
            unit=_unit(table, row),
            subjects=_subjects(table, row, errors),
            facts=_facts(table, row, on, errors),
        )
        people.append(person)
    _distinct(table, people, errors)
    chairs = [row for row, person in enumerate(people) if person.role == "chair"]
    for row in chairs[1:]:
        table.wrong(errors, row, "role", "audit.two_chairs", first=table.numbers[chairs[0]])
    if not any(person.role != ALTERNATE for person in people):
        errors.add(table.title, 1, "", "audit.no_members")
    unknown = sorted({t for row in range(len(table)) if (t := _title_unknown(table, row))})
    if unknown:
        notes.append(Saying(code="audit.note.titles_unknown", params={"titles": unknown}))
    unclear = [person.label for row, person in enumerate(people) if _undated(table, row, on)]
    if unclear:
        notes.append(Saying(code="audit.note.months", params={"people": unclear}))
    if any(p.role == ALTERNATE for p in people) and "order" not in table.columns:
        notes.append(Saying(code="audit.note.order_of_rows"))
    return tuple(_labelled(people))


def _role(table: Table, row: int, errors: Faults) -> str:
    """The role, from the column of roles and the one that says who is an alternate."""
    role, place = table.get("role", row), table.get("seat", row)
    if role is None and place is None:
        table.wrong(errors, row, "role" if "role" in table.columns else "seat", "import.required")
    elif (place == ALTERNATE and role not in (None, MEMBER, ALTERNATE)) or (
        place == MEMBER and role == ALTERNATE
    ):
        table.wrong(errors, row, "seat", "audit.role_contradicts")
    return ALTERNATE if place == ALTERNATE else str(role or MEMBER)


def _unit(table: Table, row: int) -> Unit | None:
    legal, employer = table.get("legal_person", row), table.get("employer", row)
    return Unit(legal, legal=True) if legal else Unit(employer) if employer else None


def _subjects(table: Table, row: int, errors: Faults) -> tuple[Subject, ...]:
    """Sub-specialties with the specialty each belongs to: the one stated beside it, or before it as `specialty/sub`."""
    broad: tuple[str, ...] = table.get("specialty", row) or ()
    subs: tuple[str, ...] = table.get("sub_specialty", row) or ()
    found: list[Subject] = []
    for sub in subs:
        above, slash, own = sub.partition("/")
        if slash and not (above.strip() and own.strip()):
            table.wrong(errors, row, "sub_specialty", "audit.sub_malformed", value=sub)
        alone = broad[0] if len(broad) == 1 else None
        found.append(Subject(own.strip(), above.strip()) if slash else Subject(sub, alone))
    if len(broad) > 1 or not subs:
        named = {subject.broad for subject in found}
        found += [Subject(None, name) for name in broad if name not in named]
    return tuple(found)


def _facts(table: Table, row: int, on: date, errors: Faults) -> dict[str, Known]:
    facts: dict[str, Known | None] = {name: table.get(name, row) for name in _AS_WRITTEN}
    for name in ("term_until", "trained_until"):
        facts[name] = settled(table.get(name, row), on)
    born: Span | None = table.get("born", row)
    facts["age"] = years_between(born, on) if born else table.get("age", row)
    since: Span | None = table.get("rank_since", row)
    facts["rank_years"] = years_between(since, on) if since else table.get("rank_years", row)
    title, rank = table.get("title", row), table.get("rank", row)
    known = rank_of(title) if title else None
    if rank and known and rank != known:
        table.wrong(errors, row, "rank", "audit.rank_contradicts", title=title, rank=rank)
    if rank or known:
        facts["rank"] = RANKS.index(rank or str(known)) + 1
    for name, span in (("born", born), ("rank_since", since)):
        if span and span[0] > on:
            table.wrong(errors, row, name, "audit.after_the_day", on=on.isoformat())
    return {name: value for name, value in facts.items() if value is not None}


def _undated(table: Table, row: int, on: date) -> bool:
    """Whether a month is stated that does not tell how the day stands to the day of the audit."""
    stated = ((table.get(name, row), read) for name, read in _DATED.items())
    return any(span is not None and read(span, on) is None for span, read in stated)


def _title_unknown(table: Table, row: int) -> str | None:
    title = table.get("title", row)
    return title if title and not table.get("rank", row) and rank_of(title) is None else None


def _distinct(table: Table, people: list[Person], errors: Faults) -> None:
    """Nobody stands twice in the list, and nobody can be taken for another."""
    seen: dict[str, list[int]] = {}
    for row, person in enumerate(people):
        keys = {f"name:{same_text(person.name)}"} if person.name else set()
        keys |= {f"code:{person.code}"} if person.code else set()
        alike = sorted({other for key in keys for other in seen.get(key, ())})
        found = [(other, same) for other in alike if (same := same_person(person.who, people[other].who))]
        if found:
            first, same = found[0]
            code = "audit.person_twice" if same is Same.YES else "audit.person_unclear"
            table.wrong(errors, row, "name", code, name=person.name, first=table.numbers[first])
        for key in keys:
            seen.setdefault(key, []).append(row)


def _labelled(people: list[Person]) -> list[Person]:
    times = Counter(same_text(person.name) for person in people)
    labelled = []
    for person in people:
        label = person.name
        if times[same_text(person.name)] > 1:
            label = f"{person.name}（{person.unit.name if person.unit else person.code or person.row}）"
        labelled.append(replace(person, label=label))
    again = Counter(person.label for person in labelled)
    return [
        replace(person, label=f"{person.label}#{person.row}") if again[person.label] > 1 else person
        for person in labelled
    ]


def _planned(table: Table, errors: Faults) -> tuple[PlannedGroup, ...]:
    groups: dict[str, PlannedGroup] = {}
    for row in range(len(table)):
        name = table.get("group", row)
        if name is None:
            continue
        if name in groups:
            table.wrong(errors, row, "group", "audit.group_twice", group=name)
        low, high = table.get("low", row), table.get("high", row)
        if low is not None and high is not None and low > high:
            table.wrong(errors, row, "high", "audit.bounds_crossed", low=low, high=high)
        subs = table.get("sub_specialty", row) or ()
        groups[name] = PlannedGroup(name, subs, low, high, table.get("alternates", row))
    return tuple(groups.values())


def _known_groups(table: Table, known: set[str], errors: Faults) -> None:
    for row in range(len(table)):
        group = table.get("group", row)
        if group is not None and group not in known:
            table.wrong(errors, row, "group", "audit.group_unknown", group=group, known=sorted(known))


def _cases(table: Table, groups: set[str], errors: Faults) -> tuple[Application, ...]:
    found: list[Application] = []
    labels: dict[str, int] = {}
    for row in range(len(table)):
        case, applicant = table.get("case", row), table.get("applicant", row)
        label = case or applicant
        if label is None:
            table.wrong(errors, row, "case" if "case" in table.columns else "applicant", "import.required")
            continue
        if label in labels and case:
            table.wrong(
                errors, row, "case", "audit.case_twice", case=case, first=table.numbers[labels[label]]
            )
        if label in labels:
            label = f"{label}#{table.numbers[row]}"
        labels[label] = row
        group = table.get("group", row)
        if "group" in table.columns:
            if group is None:
                table.wrong(errors, row, "group", "audit.group_empty")
            elif groups and group not in groups:
                table.wrong(errors, row, "group", "audit.group_unknown", group=group, known=sorted(groups))
        subjects = _subjects(table, row, errors)
        if len(subjects) > 1:
            table.wrong(errors, row, "sub_specialty", "audit.case_subjects", count=len(subjects))
        found.append(
            Application(
                table.numbers[row],
                label,
                applicant,
                table.get("code", row),
                _unit(table, row),
                subjects[0] if subjects else None,
                group,
            )
        )
    return tuple(found)


def _previous(table: Table, errors: Faults) -> tuple[Earlier, ...]:
    """The panels before, newest first."""
    members: dict[str, list[Who]] = {}
    days: dict[str, date] = {}
    for row in range(len(table)):
        title, on = table.get("panel", row) or "", table.get("on", row)
        key = title or (on[1].isoformat() if on else "")
        if on is not None and days.setdefault(key, on[1]) != on[1]:
            table.wrong(errors, row, "on", "audit.previous_days", panel=key)
        name = table.get("name", row)
        if name is not None:
            members.setdefault(key, []).append(Who(name, table.get("code", row), _unit(table, row)))
    if len(members) > 1 and len(days) < len(members):
        errors.add(table.title, 1, table.header("on"), "audit.previous_undated")
    newest = sorted(members, key=lambda key: (days.get(key, date.min), key), reverse=True)
    return tuple(Earlier(key, days.get(key), tuple(members[key])) for key in newest)
