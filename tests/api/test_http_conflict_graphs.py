"""The conflict graph over HTTP: who may look, what an edge says, filters that move nothing, the look on the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from expert_pool import records
from expert_pool.accounts.rights import Role
from expert_pool.registry import LedgerEntry, Organiser, Relation, RelationKind
from expert_pool.viewer import Viewer


@pytest.fixture
def related(http: Any) -> Any:
    """E01 wrote with E02 (2020 to 2021), is a relative of the applicant of K1, and taught E03 as another organiser knows."""
    ids, hr = http.tiny.ids, http.tiny.organiser_id
    with http.store.session() as session:
        other = Organiser(code="X", name="另一单位（虚构）")
        session.add(other)
        session.flush()

        def relation(kind: RelationKind, organiser: int, **more: Any) -> None:
            row = Relation(
                kind=kind,
                expert_id=ids["expert"]["E01"],
                organiser_id=organiser,
                holds_on=date(2025, 1, 2),
                **more,
            )
            records.record(session, Viewer.system("office"), row)

        relation(
            RelationKind.CO_AUTHOR,
            hr,
            other_expert_id=ids["expert"]["E02"],
            since=date(2020, 1, 1),
            until=date(2021, 1, 1),
        )
        relation(RelationKind.RELATIVE, hr, applicant_id=ids["applicant"]["AP1"])
        relation(RelationKind.ADVISOR, other.id, other_expert_id=ids["expert"]["E03"])
    return http


def graph(client: Any, path: str, **params: Any) -> Any:
    answer = client.get(f"/api/v1/conflict-graphs{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def edges(found: Any) -> dict[tuple[str, str], Any]:
    return {(edge["target"], edge["kind"]): edge for edge in found["edges"] if edge["source"] == "expert:E01"}


def test_an_edge_is_a_record_with_its_dates_and_whether_it_counts(related: Any) -> None:
    manager = related.sign_in(Role.POOL_MANAGER, organisers=frozenset({related.tiny.organiser_id}))
    found = graph(manager, "/experts/E01", on="2026-09-01")
    mine = edges(found)
    wrote = mine["expert:E02", "co_author"]
    assert (wrote["since"], wrote["until"]) == ("2020-01-01", "2021-01-01")
    assert wrote["record"].startswith("relation:")
    assert mine["applicant:AP1", "relative"]["counts"] is True
    works = next(edge for (target, kind), edge in mine.items() if kind == "employed")
    assert works["counts"] is None
    names = {node["id"]: node["name"] for node in found["nodes"]}
    assert names["expert:E02"]
    assert found["left_out"] == 0


def test_what_another_organiser_recorded_is_an_edge_without_dates(related: Any) -> None:
    mine = related.sign_in(Role.POOL_MANAGER, organisers=frozenset({related.tiny.organiser_id}))
    taught = edges(graph(mine, "/experts/E01", on="2026-09-01"))["expert:E03", "advisor"]
    assert (taught["withheld"], taught["since"], taught["record"]) == (True, None, None)
    everybody = related.sign_in(Role.POOL_MANAGER)
    taught = edges(graph(everybody, "/experts/E01", on="2026-09-01"))["expert:E03", "advisor"]
    assert taught["withheld"] is False
    assert taught["record"]


def test_filters_take_edges_away_and_move_nothing(related: Any) -> None:
    client = related.sign_in(Role.POOL_MANAGER)
    whole = graph(client, "/experts/E01", on="2026-09-01")
    some = graph(client, "/experts/E01", on="2026-09-01", kind="relative")
    assert {edge["kind"] for edge in some["edges"]} == {"relative"}
    assert some["kinds"] == whole["kinds"]
    places = {node["id"]: (node["x"], node["y"]) for node in whole["nodes"]}
    assert all(places[node["id"]] == (node["x"], node["y"]) for node in some["nodes"])
    late = graph(client, "/experts/E01", on="2026-09-01", since="2022-01-01")
    assert ("expert:E02", "co_author") not in edges(late)


def test_a_look_is_an_entry_and_strangers_have_none(related: Any) -> None:
    manager = related.sign_in(Role.POOL_MANAGER)
    graph(manager, "/cases/K1")
    with related.store.reading() as session:
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
    assert (last.action, last.subject, last.actor) == ("conflicts.looked", "K1", "clerk")
    office = related.sign_in(Role.COMMITTEE_OFFICE)
    assert office.get("/api/v1/conflict-graphs/experts/E01").status_code == 403
    assert manager.get("/api/v1/conflict-graphs/panels/M1-P1").status_code == 403
    assert manager.get("/api/v1/conflict-graphs/experts/E99").status_code == 404
    assert office.get("/api/v1/conflict-graphs/panels/nobody").status_code == 404


def test_a_case_leads_to_its_applicant_its_employer_and_who_works_there(related: Any) -> None:
    found = graph(related.sign_in(Role.AUDITOR), "/cases/K1")
    kinds = {node["what"] for node in found["nodes"]}
    assert kinds == {"case", "applicant", "employer", "expert"}
    assert [node["id"] for node in found["nodes"] if node["hops"] == 0] == ["case:K1"]


def test_no_more_than_the_most_nodes_are_drawn_and_the_rest_is_counted(related: Any) -> None:
    found = graph(related.sign_in(Role.POOL_MANAGER), "/experts/E01", most=10, hops=3)
    assert len(found["nodes"]) <= 10
    assert found["left_out"] > 0
