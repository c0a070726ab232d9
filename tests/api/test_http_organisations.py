"""Committees and organisers appraised over HTTP: two accounts decide, and only then a measure holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from working_office import BEFORE, Office, working

from expert_pool import ledger
from expert_pool.accounts.rights import Role
from expert_pool.registry import (
    Committee,
    Complaint,
    Form,
    LedgerEntry,
    Level,
    Organiser,
    OrganisationMeasure,
    Pool,
    ReviewResult,
)

API = "/api/v1"
DECISION = {"code": "C1", "step": "rectify", "months": 3, "basis": "投诉查实"}


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    """The province HR of the small registry, and FAR beside it with a committee of its own."""
    with time_machine.travel(BEFORE, tick=False):
        with http.store.session() as session:
            other = Organiser(code="FAR", name="他省", parent_id=None)
            session.add(other)
            session.flush()
            pool = Pool(code="P9", name="他库", organiser_id=other.id)
            session.add(pool)
            session.flush()
            kind = {"level": Level.SENIOR, "form": Form.SOCIAL, "series": "engineering"}
            session.add(Committee(code="C9", name="他会", organiser_id=other.id, pool_id=pool.id, **kind))
        yield working(http)


def far(office: Office) -> int:
    with office.store.reading() as session:
        return session.scalars(select(Organiser.id).where(Organiser.code == "FAR")).one()


def manager(office: Office, name: str = "pool.a", organiser: int | None = None) -> Any:
    owner = office.http.tiny.organiser_id if organiser is None else organiser
    return office.sign_in(name, Role.POOL_MANAGER, organiser_id=owner)


def test_explore(office: Office) -> None:
    c, d = manager(office), manager(office, "pool.b")
    x = manager(office, "far", far(office))
    def show(tag, a):
        print(tag, a.status_code, dict(a.headers).get("etag"), a.text[:700])
    for q in ("", "?as_of=2027-01-01", "?as_of=0001-01-01", "?as_of=1900-01-01", "?scheme=none", "?scheme=../../x", "?as_of=9999-12-31"):
        show("appraisals" + q, c.get(f"{API}/organisation-appraisals{q}"))
    show("x appraisals", x.get(f"{API}/organisation-appraisals"))
    R = f"{API}/committees/C1/results"
    res = {"season": 2025, "reviewed": 40, "passed": 20, "on": "2026-01-05"}
    show("results", c.post(R, json=res))
    show("results again", c.post(R, json=res))
    show("results correct", c.post(R, json={**res, "passed": 30}))
    show("results wrong", c.post(R, json={**res, "passed": 41}))
    show("results future", c.post(R, json={**res, "on": "2027-01-05"}))
    show("results old", c.post(R, json={**res, "on": "0001-01-01"}))
    show("results season 2030", c.post(R, json={**res, "season": 2030}))
    show("results far", x.post(R, json=res))
    show("results unknown", c.post(f"{API}/committees/C404/results", json=res))
    C = f"{API}/committees/C1/complaints"
    com = {"season": 2025, "reference": "T1", "on": "2026-02-01"}
    show("complaint", c.post(C, json=com))
    show("complaint upheld", c.post(C, json={**com, "upheld": True}))
    show("complaint again", c.post(C, json={**com, "upheld": True}))
    show("complaint blank", c.post(C, json={**com, "reference": " "}))
    show("complaint future", c.post(C, json={**com, "on": "2027-01-01", "reference": "T2"}))
    show("complaint far", x.post(C, json=com))
    D = f"{API}/organisation-decisions"
    show("decide far", x.post(D, json=DECISION))
    show("decide unknown", c.post(D, json={**DECISION, "code": "C404"}))
    show("decide future", c.post(D, json={**DECISION, "as_of": "2027-01-01"}))
    show("decide 1", c.post(D, json={**DECISION, "as_of": "0001-01-01"}))
    show("decide months", c.post(D, json={**DECISION, "months": None}))
    show("withdraw months", c.post(D, json={**DECISION, "step": "withdraw"}))
    show("lift", c.post(D, json={**DECISION, "step": "lift", "months": None}))
    show("blank", c.post(D, json={**DECISION, "basis": "  "}))
    a = c.post(D, json=DECISION)
    show("decide", a)
    show("twice", d.post(D, json=DECISION))
    code = a.json()["code"]
    show("show", c.get(f"{D}/{code}"))
    show("show far", x.get(f"{D}/{code}"))
    show("list far", x.get(D))
    show("list", c.get(D + "?waiting=true"))
    K = f"{D}/{code}/confirmation"
    tag = {"If-Match": a.headers["etag"]}
    show("confirm no tag", d.post(K, json={}))
    show("confirm stale", d.post(K, json={}, headers={"If-Match": '"0"'}))
    show("confirm same", c.post(K, json={}, headers=tag))
    show("confirm far", x.post(K, json={}, headers=tag))
    show("confirm", d.post(K, json={}, headers=tag))
    show("confirm again", d.post(K, json={}, headers=tag))
    show("confirm again tag", d.post(K, json={}, headers={"If-Match": c.get(f"{D}/{code}").headers["etag"]}))
    show("appraisals", c.get(f"{API}/organisation-appraisals"))
    o = c.post(D, json={**DECISION, "about": "organiser", "code": "HR"})
    show("organiser", o)
    show("refuse", d.post(f"{D}/{o.json()['code']}/confirmation", json={"refuse": True}, headers={"If-Match": o.headers["etag"]}))
    for role in (Role.COMMITTEE_OFFICE, Role.AUDITOR, Role.ADMINISTRATOR, Role.DRAW_SUPERVISOR, Role.POLICY_EDITOR):
        k = office.sign_in(f"r.{role}", role)
        print(role, [k.get(f"{API}/organisation-appraisals").status_code, k.post(D, json=DECISION).status_code, k.post(K, json={}).status_code, k.post(R, json=res).status_code, k.post(C, json=com).status_code])
    for day in ("0001-01-01", "1900-01-01", "1850-05-05"):
        show("cycle "+day, c.post(f"{API}/cycles", json={"pool": "P1", "scheme": "own-default", "as_of": day}))
