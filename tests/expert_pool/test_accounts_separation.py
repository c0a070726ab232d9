"""管用抽分离: two duties never meet in one account, whether a grant, a move or an import would join them."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from refused import refused
from signed_in_people import OWNER, account
from sqlalchemy import select

from expert_pool.accounts import Role, granting, managing
from expert_pool.accounts.rights import ALONE, APART, DUTIES
from expert_pool.accounts.separation import check_all, structure_changed
from expert_pool.registry import Committee, Form, Level, Organiser, Pool
from expert_pool.store import Store

ORGANISERS = {"HR": None, "A": "HR", "A1": "A", "B": "HR", "B1": "B"}


@pytest.fixture
def tree(tiny: Any) -> Store:
    """HR above A above A1 and B above B1; committee C1 of HR, committee CB of B1 drawing on the pool of A1."""
    store: Store = tiny.store
    with store.session() as session:
        for code, parent in ORGANISERS.items():
            if parent is not None:
                session.add(Organiser(code=code, name=code, parent_id=_id(session, parent)))
                session.flush()
        pool = Pool(code="PA", name="库", organiser_id=_id(session, "A1"))
        session.add(pool)
        session.flush()
        form = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering", "pool_id": pool.id}
        session.add(Committee(code="CB", name="会", organiser_id=_id(session, "B1"), **form))
    return store


def _id(session: Any, code: str) -> int:
    return session.scalars(select(Organiser.id).where(Organiser.code == code)).one()


def give(store: Store, name: str, role: Role, organiser: str | None, committee: str | None = None) -> None:
    with store.session() as session:
        made = managing.find(session, OWNER, name)
        granting.grant(session, OWNER, made, role, organiser=organiser, committee=committee)


def move(store: Store, code: str, parent: str | None) -> None:
    with store.session() as session:
        found = session.scalars(select(Organiser).where(Organiser.code == code)).one()
        found.parent_id = None if parent is None else _id(session, parent)


@pytest.mark.parametrize(("one", "other"), [*product(DUTIES, DUTIES)])
def test_every_pair_of_duties_at_one_organiser(sqlite_tiny: Any, one: Role, other: Role) -> None:
    store = sqlite_tiny.store
    account(store, "xi", (one, "HR"))
    if frozenset({DUTIES[one], DUTIES[other]}) in APART:
        with refused("access.duties_joined", one=str(one), other=str(other), place="HR"):
            give(store, "xi", other, "HR")
    elif one is not other:
        give(store, "xi", other, "HR")


@pytest.mark.parametrize("other", [role for role in Role if role not in ALONE])
def test_an_administrator_holds_no_other_role(sqlite_tiny: Any, other: Role) -> None:
    account(sqlite_tiny.store, "xi", (other, "HR"))
    account(sqlite_tiny.store, "yi", Role.ADMINISTRATOR)
    for name, role in (("xi", Role.ADMINISTRATOR), ("yi", other)):
        with refused("access.duties_joined"):
            give(sqlite_tiny.store, name, role, None)


def test_above_and_below_meet_and_siblings_do_not(tree: Store) -> None:
    account(tree, "xi", (Role.POOL_MANAGER, "A"))
    for code in ("HR", "A", "A1", None):
        with refused("access.duties_joined"):
            give(tree, "xi", Role.COMMITTEE_OFFICE, code)
    account(tree, "yi", (Role.COMMITTEE_OFFICE, "A"))
    give(tree, "yi", Role.DRAW_SUPERVISOR, "B")  # of other committees


def test_managing_a_pool_touches_whoever_draws_on_it(tree: Store) -> None:
    account(tree, "xi", (Role.POOL_MANAGER, "A1"))
    with refused("access.duties_joined", place="CB"):
        give(tree, "xi", Role.COMMITTEE_OFFICE, "B1")


def test_delegated_authority_counts_as_using(tree: Store) -> None:
    account(tree, "xi", (Role.POOL_MANAGER, "A"))
    with refused("access.duties_joined", place="CB"):
        give(tree, "xi", Role.COMMITTEE_OFFICE, None, committee="CB")
    account(tree, "yi", (Role.DRAW_SUPERVISOR, "B"))
    give(tree, "yi", Role.COMMITTEE_OFFICE, None, committee="C1")


def test_a_move_that_would_join_two_duties_is_refused_whole(tree: Store) -> None:
    account(tree, "xi", (Role.COMMITTEE_OFFICE, "A"), (Role.DRAW_SUPERVISOR, "B"))
    with refused("access.duties_joined", account="xi", place="B"):
        move(tree, "B", "A")
    with tree.reading() as session:
        assert _parent(session, "B") == "HR"
    account(tree, "harmless", (Role.COMMITTEE_OFFICE, "A1"))
    move(tree, "A1", None)


def _parent(session: Any, code: str) -> str | None:
    above = select(Organiser.parent_id).where(Organiser.code == code).scalar_subquery()
    return session.scalar(select(Organiser.code).where(Organiser.id == above))


def test_a_committee_that_changes_its_pool_is_checked_too(tree: Store) -> None:
    with tree.session() as session:
        session.add(Organiser(code="Z", name="外省", parent_id=None))
    account(tree, "xi", (Role.COMMITTEE_OFFICE, "Z"), (Role.POOL_MANAGER, "A1"))
    with refused("access.duties_joined", place="CZ"), tree.session() as session:
        pool = session.scalars(select(Pool.id).where(Pool.code == "PA")).one()
        form = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering", "pool_id": pool}
        session.add(Committee(code="CZ", name="会", organiser_id=_id(session, "Z"), **form))


def test_statements_past_the_orm_are_checked_when_they_say_so(tree: Store) -> None:
    account(tree, "xi", (Role.COMMITTEE_OFFICE, "A"), (Role.DRAW_SUPERVISOR, "B"))
    moving = Organiser.__table__.update().where(Organiser.__table__.c.code == "B")
    with refused("access.duties_joined"), tree.session() as session:
        session.connection().execute(moving.values(parent_id=_id(session, "A")))
        structure_changed(session)
    with tree.reading() as session:
        check_all(session)


def test_an_import_that_would_join_two_duties_is_refused(sqlite_tiny: Any, tmp_path: Any) -> None:
    from expert_pool.imports import import_tables

    store = sqlite_tiny.store
    with store.session() as session:
        session.add_all([Organiser(code="A", name="甲", parent_id=None), Organiser(code="B", name="乙")])
    account(store, "xi", (Role.COMMITTEE_OFFICE, "A"), (Role.DRAW_SUPERVISOR, "B"))
    (tmp_path / "organisers.csv").write_text("code,name,parent\nB,乙,A\n", encoding="utf-8")
    with refused("access.duties_joined"):
        import_tables(store, OWNER, tmp_path, organiser="HR", correct=True)


def test_revoking_one_makes_room_for_the_other(tree: Store) -> None:
    account(tree, "xi", (Role.POOL_MANAGER, "A"))
    with tree.session() as session:
        made = managing.find(session, OWNER, "xi")
        granting.revoke(session, OWNER, made, managing.grants_of(session, made)[0].code)
    give(tree, "xi", Role.COMMITTEE_OFFICE, "A")
