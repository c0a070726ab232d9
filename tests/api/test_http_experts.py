"""Experts over HTTP: finding, reading, entering and changing them, their records, standing and conflicts."""

from __future__ import annotations

import pytest

from expert_pool.accounts.rights import Role

API = "/api/v1"


@pytest.fixture
def clerk(both_http):
    """A pool manager, once on each database."""
    return both_http.sign_in(Role.POOL_MANAGER)


def test_experts_are_listed_with_their_employer_and_no_personal_numbers(manager):
    page = manager.get(f"{API}/experts?limit=3").json()
    assert [item["code"] for item in page["items"]] == ["E01", "E02", "E03"]
    assert page["items"][0] == {
        "code": "E01",
        "name": "专家1（虚构）",
        "region": "220000",
        "employer": {"code": "F", "name": "长白机器有限公司（虚构）"},
        "state": None,
    }
    assert page["next"]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("q=专家1", ["E01", "E10", "E11", "E12"]),
        ("q=E0&limit=2", ["E01", "E02"]),
        ("name=专家2（虚构）", ["E02"]),
        ("employer=F", ["E01", "E02", "E03"]),
        ("employer=U&q=E1", ["E10", "E11", "E12"]),
        ("specialty=0102&sort=-code&limit=2", ["E12", "E10"]),
        ("specialty=2024/010&q=E01", ["E01"]),
        ("sector=private", ["E01", "E02", "E03"]),
        ("sector=provincial&q=E11", ["E11"]),
        ("sector=private&employer=F&specialty=01", ["E01", "E02", "E03"]),
        ("pool=P1&state=exited", ["E12"]),
        ("pool=P1&state=active&limit=2", ["E01", "E02"]),
        ("region=110000", []),
    ],
)
def test_experts_are_found_by_what_is_known_of_them(clerk, query, codes):
    page = clerk.get(f"{API}/experts?{query}")
    assert page.status_code == 200, page.text
    assert [item["code"] for item in page.json()["items"]] == codes


def test_a_state_needs_a_pool(manager):
    answer = manager.get(f"{API}/experts?state=active")
    assert (answer.status_code, answer.json()["code"]) == (422, "directory.state_without_pool")


def test_an_expert_is_shown_masked_and_the_birthday_only_to_who_may_change_it(http):
    shown = http.sign_in(Role.POOL_MANAGER).get(f"{API}/experts/E04").json()
    assert shown["national_id"] == "220101************"
    assert shown["born"] == "1969-01-04"
    assert http.sign_in(Role.AUDITOR).get(f"{API}/experts/E04").json()["born"] is None
    assert "pseudonym" not in shown


def test_experts_of_others_are_not_there(http):
    elsewhere = http.sign_in(Role.POOL_MANAGER, organisers=frozenset({999}))
    for path in ("experts/E01", "experts/E01/records", "experts/E01/standing", "experts/E01/trainings"):
        assert elsewhere.get(f"{API}/{path}").status_code == 404, path
    assert elsewhere.get(f"{API}/experts").json() == {"items": [], "next": None}


def test_an_expert_is_entered_as_a_candidate_and_changed_by_who_knows_the_version(clerk, both_http):
    new = {"code": "E90", "name": "新人（虚构）", "region": "220000", "pool": "P1", "phone": "13900000001"}
    made = clerk.post(f"{API}/experts", json=new)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{API}/experts/E90"
    assert made.json()["phone"] == "139******01"
    steps = clerk.get(f"{API}/experts/E90/memberships").json()["items"]
    assert [(step["step"], step["pool"]) for step in steps] == [("candidate", "P1")]

    tag = made.headers["etag"]
    assert clerk.get(f"{API}/experts/E90").headers["etag"] == tag
    assert clerk.patch(f"{API}/experts/E90", json={"name": "甲"}).status_code == 428
    changed = clerk.patch(f"{API}/experts/E90", json={"name": "甲（虚构）"}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["phone"]) == ("甲（虚构）", "139******01")
    late = clerk.patch(f"{API}/experts/E90", json={"name": "乙"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "version.stale")
    verified = both_http.sign_in(Role.AUDITOR).get(f"{API}/ledger/verification").json()
    assert verified["holds"], verified


def test_what_an_expert_may_not_be_is_told_by_its_column(manager):
    new = {"code": "E91", "name": "甲", "region": "220000", "pool": "P1", "national_id": "123"}
    answer = manager.post(f"{API}/experts", json=new)
    assert (answer.status_code, answer.json()["where"]) == (422, "national_id")
    assert "123" not in answer.json()["detail"]
    assert manager.post(f"{API}/experts", json={**new, "code": "E01", "national_id": None}).status_code == 409
    assert manager.post(f"{API}/experts", json={**new, "pool": "P9"}).status_code == 404


def test_a_record_is_added_corrected_by_a_new_row_and_withdrawn(clerk):
    course = {"course": "2026 培训", "passed": True, "holds_on": "2026-01-10", "until": "2028-01-09"}
    made = clerk.post(f"{API}/experts/E01/trainings", json=course)
    assert made.status_code == 201, made.text
    number = made.json()["number"]
    assert made.json()["recorded_by"] == "clerk"
    twice = clerk.post(f"{API}/experts/E01/trainings", json=course)
    assert (twice.status_code, twice.json()["code"]) == (409, "entering.known_already")

    place = f"{API}/experts/E01/trainings/{number}"
    right = clerk.post(f"{place}/correction", json={"passed": False})
    assert right.status_code == 201, right.text
    assert (right.json()["corrects"], right.json()["passed"], right.json()["course"]) == (
        number,
        False,
        "2026 培训",
    )
    again = clerk.post(f"{place}/correction", json={"passed": False})
    assert (again.status_code, again.json()["code"]) == (409, "record.already_corrected")
    back = clerk.post(f"{API}/experts/E01/trainings/{right.json()['number']}/withdrawal")
    assert back.json()["void"]
    assert [r["course"] for r in clerk.get(f"{API}/experts/E01/trainings").json()["items"]] == ["2025 培训"]
    assert len(clerk.get(f"{API}/experts/E01/trainings?standing=false").json()["items"]) == 4


def test_every_kind_of_record_can_be_added(clerk):
    day = {"holds_on": "2026-02-01"}
    rows = {
        "memberships": {**day, "pool": "P1", "step": "left", "reason": "本人申请"},
        "qualifications": {**day, "series": "01", "rank": "full_senior"},
        "employments": {**day, "employer": "UD", "main": False},
        "skills": {**day, "specialty": "2024/0103", "proficiency": 3},
        "credits": {**day, "event": "缺席", "points": -10},
        "disciplines": {**day, "sanction": "ban", "basis": "决定1号"},
        "services": {
            **day,
            "committee": "C1",
            "season": 2025,
            "panel": "M0",
            "role": "member",
            "outcome": "attended",
        },
        "absences": {**day, "until": "2026-03-01"},
        "relations": {**day, "kind": "advisor", "other_expert": "E02"},
    }
    for kind, row in rows.items():
        made = clerk.post(f"{API}/experts/E05/{kind}", json=row)
        assert made.status_code == 201, (kind, made.text)
    lifted = {"sanction": "revocation", "basis": "决定2号", "holds_on": "2026-03-01", "revokes": "2026-02-01"}
    assert clerk.post(f"{API}/experts/E05/disciplines", json=lifted).status_code == 201
    recorded = {record["kind"] for record in clerk.get(f"{API}/experts/E05/records").json()["records"]}
    assert len(recorded) == 10
    other_end = clerk.get(f"{API}/experts/E02/relations").json()["items"]
    assert [row["expert"] for row in other_end] == ["E05"]


@pytest.mark.parametrize(
    ("kind", "row", "code"),
    [
        ("skills", {"specialty": "9999", "proficiency": 1}, "entering.reference_unknown"),
        ("relations", {"kind": "advisor"}, "import.relation_without_party"),
        ("relations", {"kind": "advisor", "other_expert": "E01"}, "import.relation_to_self"),
        ("disciplines", {"sanction": "revocation", "basis": "x"}, "import.revocation_of_nothing"),
        ("trainings", {"course": "x", "passed": True, "until": "2020-01-01"}, "import.until_before"),
        ("credits", {"event": "x\u0007", "points": 1}, "import.control_character"),
    ],
)
def test_what_a_record_may_not_say_is_refused_as_import_does(manager, kind, row, code):
    answer = manager.post(f"{API}/experts/E01/{kind}", json={"holds_on": "2026-01-10", **row})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_a_record_of_another_expert_is_not_reached_through_this_one(manager):
    number = manager.get(f"{API}/experts/E02/credits").json()["items"][0]["number"]
    answer = manager.post(f"{API}/experts/E01/credits/{number}/withdrawal")
    assert (answer.status_code, answer.json()["code"]) == (404, "entering.record_unknown")


def test_standing_is_told_on_a_day_as_known_at_a_moment(clerk):
    stands = clerk.get(f"{API}/experts/E01/standing?on=2026-09-20").json()
    assert (stands["state"], stands["committee"], stands["may_sit"]) == ("active", "C1", True)
    assert all(reason["message"] for reason in stands["reasons"])
    before = clerk.get(f"{API}/experts/E12/standing?on=2026-09-20&known_at=2026-02-01T00:00:00Z").json()
    after = clerk.get(f"{API}/experts/E12/standing?on=2026-09-20").json()
    assert (before["state"], after["state"]) == ("active", "exited")
    assert clerk.get(f"{API}/experts/E01/standing?known_at=2026-02-01").status_code == 422
    assert clerk.get(f"{API}/experts/E99/standing").json()["code"] == "standing.expert_unknown"
    assert clerk.get(f"{API}/experts/E01/standing?policy=none").status_code == 404


def test_a_conflict_is_explained(clerk):
    told = clerk.get(f"{API}/conflicts?a=E01&b=K2&on=2026-09-20").json()
    assert told["conflict"]
    reason = next(reason for reason in told["reasons"] if reason["counts"])
    assert (reason["kind"], reason["rule"]["effect"]) == ("same_employer", "pair")
    assert reason["rule"]["basis"]
    assert [station["code"] for station in reason["path"]][::2] == ["E01", "K2"]
    assert not clerk.get(f"{API}/conflicts?a=E01&b=E02&on=2026-09-20").json()["conflict"]
    assert clerk.get(f"{API}/conflicts?a=E01&b=nobody").json()["code"] == "relations.party_unknown"
