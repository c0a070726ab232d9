"""What rows say about one another and about time: every rule that a single cell cannot break alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from expert_pool.imports.known import KnownThings
from expert_pool.imports.report import Errors
from expert_pool.imports.resolve import Draft, Importer, Resolved
from expert_pool.imports.sheets import Kind
from expert_pool.imports.specialties import Catalogue
from expert_pool.registry import Depth, Sanction

Link = tuple[int, int, date, date | None]
"""An employer, the other it is a part of or merged into, from, until."""


def check(
    resolved: Resolved, known: KnownThings, importer: Importer, links: Sequence[Link], errors: Errors
) -> None:
    """Judge all drafts; `known` and the employer `links` are what the registry holds already."""
    for name, draft in resolved.drafts.items():
        _check_dates(draft, importer, errors)
        if name in _CHECKS:
            _CHECKS[name](draft, errors)
    if (entries := resolved.drafts.get("specialties")) is not None:
        _check_specialties(entries, resolved.catalogue, errors)
    if (experts := resolved.drafts.get("experts")) is not None:
        _check_identities(experts, known.marks, errors)
    if (meetings := resolved.drafts.get("meetings")) is not None:
        _check_meetings(meetings, known.meetings, errors)
    if (drawn := resolved.drafts.get("employer_links")) is not None:
        _check_employer_cycles(drawn, links, errors)


def cycles(links: Sequence[Link]) -> Iterator[int]:
    """The places in `links` of those by which an employer is its own ancestor on some day."""
    import networkx as nx

    graph = nx.DiGraph((below, above) for below, above, _, _ in links)
    tangled = {
        node
        for part in nx.strongly_connected_components(graph)
        if len(part) > 1 or any(graph.has_edge(node, node) for node in part)
        for node in part
    }
    inside = [place for place, link in enumerate(links) if link[0] in tangled and link[1] in tangled]
    found: set[int] = set()
    for day in sorted({links[place][2] for place in inside}):
        alive = [p for p in inside if links[p][2] <= day and ((end := links[p][3]) is None or day <= end)]
        that_day = nx.DiGraph((links[place][0], links[place][1]) for place in alive)
        home = {node: n for n, part in enumerate(nx.strongly_connected_components(that_day)) for node in part}
        size = [0] * len(home)
        for part in home.values():
            size[part] += 1
        for place in alive:
            below, above = links[place][:2]
            if below == above or (home[below] == home[above] and size[home[below]] > 1):
                found.add(place)
    return iter(sorted(found))


def _check_dates(draft: Draft, importer: Importer, errors: Errors) -> None:
    typed = draft.typed
    for column in draft.sheet.columns:
        if not column.past or column.name not in typed.columns:
            continue
        latest: Any = importer.moment if column.kind is Kind.MOMENT else importer.today
        for row, value in enumerate(typed.columns[column.name]):
            if value is not None and value > latest:
                said = value.isoformat()
                errors.add(
                    draft.sheet.name,
                    typed.numbers[row],
                    typed.header(column.name),
                    "import.future",
                    value=said,
                )
    starts = "since" if draft.sheet.name in {"relations", "specialties"} else "holds_on"
    if "until" not in typed.columns:
        return
    for row, (start, end) in enumerate(zip(typed.values(starts), typed.columns["until"], strict=True)):
        if start is not None and end is not None and end < start:
            errors.add(
                draft.sheet.name,
                typed.numbers[row],
                typed.header("until"),
                "import.until_before",
                until=end.isoformat(),
                start=start.isoformat(),
            )


def _check_organisers(draft: Draft, errors: Errors) -> None:
    above = dict(zip(draft.ids, draft.values("parent"), strict=True))
    for row, id_ in enumerate(draft.ids):
        seen = {id_}
        up = above.get(id_)
        while up is not None and up not in seen:
            seen.add(up)
            up = above.get(up)
        if up == id_:
            _add(draft, row, "parent", "import.organiser_cycle", errors, value=_said(draft, row, "parent"))


def _check_specialties(draft: Draft, catalogue: Catalogue, errors: Errors) -> None:
    order = list(Depth)
    rows = zip(draft.values("depth"), draft.values("parent"), draft.values("version"), strict=True)
    for row, (depth, parent, version) in enumerate(rows):
        said = _said(draft, row, "parent")
        if depth is None:
            continue
        if depth is Depth.SERIES:
            if said:
                _add(draft, row, "parent", "import.series_with_parent", errors, value=said)
        elif not said:
            _add(draft, row, "parent", "import.specialty_without_parent", errors)
        elif parent is not None:
            above = catalogue.entry(parent)
            if above.version != version or above.depth not in {order[order.index(depth) - 1], None}:
                _add(draft, row, "parent", "import.specialty_parent", errors, value=said, depth=depth.value)


def _check_mappings(draft: Draft, errors: Errors) -> None:
    for row, (old, new) in enumerate(zip(draft.values("old"), draft.values("new"), strict=True)):
        if old is not None and old == new:
            _add(draft, row, "new", "import.mapping_to_itself", errors, value=_said(draft, row, "new"))


def _check_relations(draft: Draft, errors: Errors) -> None:
    parties = ("other_expert", "applicant", "employer", "case")
    said = zip(*(draft.typed.values(name) for name in parties), strict=True)
    pairs = zip(draft.values("expert"), draft.values("other_expert"), strict=True)
    for row, (others, (expert, other)) in enumerate(zip(said, pairs, strict=True)):
        named = [name for name, code in zip(parties, others, strict=True) if code is not None]
        if len(named) != 1:
            headers = " / ".join(draft.typed.header(name) for name in parties)
            code = "import.relation_without_party" if not named else "import.relation_with_parties"
            _add(
                draft,
                row,
                named[1] if named else "other_expert",
                code,
                errors,
                headers=headers,
                count=len(named),
            )
        elif expert is not None and expert == other:
            _add(draft, row, "other_expert", "import.relation_to_self", errors, value=others[0])


def _check_disciplines(draft: Draft, errors: Errors) -> None:
    for row, (sanction, revokes) in enumerate(
        zip(draft.values("sanction"), draft.typed.values("revokes"), strict=True)
    ):
        if sanction is Sanction.REVOCATION and revokes is None:
            _add(draft, row, "revokes", "import.revocation_of_nothing", errors)
        elif sanction not in {Sanction.REVOCATION, None} and revokes is not None:
            _add(
                draft, row, "revokes", "import.revokes_without_revocation", errors, value=revokes.isoformat()
            )


def _check_identities(draft: Draft, taken: Mapping[str, str], errors: Errors) -> None:
    """One national ID, one expert, in the file and in the registry; and its birth date is the expert's."""
    for row, (number, born) in enumerate(zip(draft.values("national_id"), draft.values("born"), strict=True)):
        if number is not None and born is not None and number[6:14] != f"{born:%Y%m%d}":
            _add(draft, row, "national_id", "import.national_id_born", errors, born=born.isoformat())
    owners = dict(taken)
    codes = draft.typed.values("code")
    for row, (mark, code) in enumerate(zip(draft.fields["national_id_mark"], codes, strict=True)):
        if mark is not None and code is not None and owners.setdefault(mark, code) != code:
            _add(draft, row, "national_id", "import.national_id_twice", errors, other=owners[mark])


def _check_meetings(draft: Draft, held: Mapping[tuple[int, date], str], errors: Errors) -> None:
    there = dict(held)
    rows = zip(draft.typed.values("code"), draft.values("agenda"), draft.values("on"), strict=True)
    for row, (code, agenda, on) in enumerate(rows):
        if None not in (code, agenda, on) and there.setdefault((agenda, on), code) != code:
            _add(draft, row, "on", "import.meeting_twice", errors, other=there[agenda, on], on=on.isoformat())


def _check_employer_cycles(draft: Draft, links: Sequence[Link], errors: Errors) -> None:
    rows = zip(*(draft.values(name) for name in ("employer", "other", "holds_on", "until")), strict=True)
    drawn = [(row, link) for row, link in enumerate(rows) if None not in link[:3]]
    told = [link for _, link in drawn]
    retold = {(employer, holds_on) for employer, _, holds_on, _ in told}
    for place in cycles([*told, *(link for link in links if (link[0], link[2]) not in retold)]):
        if place < len(told):
            row, (employer, other, _, _) = drawn[place]
            code = "import.employer_own_parent" if employer == other else "import.employer_cycle"
            _add(draft, row, "other", code, errors, value=_said(draft, row, "other"))


def _check_results(draft: Draft, errors: Errors) -> None:
    for row, (reviewed, passed) in enumerate(
        zip(draft.values("reviewed"), draft.values("passed"), strict=True)
    ):
        if reviewed is not None and passed is not None and passed > reviewed:
            _add(draft, row, "passed", "import.more_passed", errors, passed=passed, reviewed=reviewed)
    _check_seasons(draft, errors)


def _check_seasons(draft: Draft, errors: Errors) -> None:
    """Nothing is told of a season before it has begun."""
    for row, (season, on) in enumerate(zip(draft.values("season"), draft.values("holds_on"), strict=True)):
        if season is not None and on is not None and season > on.year:
            _add(draft, row, "season", "import.season_ahead", errors, season=season, on=on.isoformat())


def _said(draft: Draft, row: int, name: str) -> Any:
    return draft.typed.values(name)[row]


def _add(draft: Draft, row: int, name: str, code: str, errors: Errors, **params: Any) -> None:
    errors.add(draft.sheet.name, draft.typed.numbers[row], draft.typed.header(name), code, **params)


_CHECKS: Mapping[str, Callable[[Draft, Errors], None]] = {
    "organisers": _check_organisers,
    "specialty_mappings": _check_mappings,
    "relations": _check_relations,
    "disciplines": _check_disciplines,
    "review_results": _check_results,
    "complaints": _check_seasons,
}

__all__ = ["Link", "check", "cycles"]
