"""Organisers, pools, committees, agendas, cases, employers, specialties over HTTP: read, entered, changed."""

from __future__ import annotations

import threading

import pytest
from working_office import WAIT, done, working

from api.jobs.work.ledger import told
from expert_pool import ledger
from expert_pool.accounts.rights import Role
from expert_pool.viewer import Viewer

API = "/api/v1"

THINGS = {
    "organisers": ({"code": "HR2", "name": "市人社局（虚构）", "parent": "HR"}, {"name": "市局（虚构）"}),
    "pools": ({"code": "P2", "name": "卫生专家库", "organiser": "HR"}, {"name": "卫生库"}),
    "committees": (
        {
            "code": "C2",
            "name": "工程中级评委会",
            "organiser": "HR",
            "pool": "P1",
            "level": "mid",
            "form": "social",
            "series": "01",
        },
        {"form": "alliance"},
    ),
    "employers": ({"code": "G", "legal_person": True, "region": "220100"}, {"region": "220200"}),
    "agendas": (
        {"code": "A2", "committee": "C1", "title": "2027 年度评审", "season": 2027},
        {"season": 2028},
    ),
    "meetings": ({"code": "M2", "agenda": "A1", "on": "2026-10-20"}, {"place": "吉林"}),
    "applicants": ({"code": "AP9", "name": "申报人9（虚构）"}, {"expert": "E12"}),
    "cases": (
        {
            "code": "K9",
            "agenda": "A1",
            "applicant": "AP1",
            "specialty": "0103",
            "employer": "F",
            "level": "senior",
        },
        {"directed": True},
    ),
}
OFFICE = ("agendas", "meetings", "applicants", "cases")


@pytest.fixture
def everybody(both_http):
    """A client that may read and write all of these."""
    return both_http.sign_in(Role.POOL_MANAGER, Role.COMMITTEE_OFFICE)


def test_a_code_in_chinese_is_entered_and_found_where_the_answer_says(http):
    """A header holds ASCII only: such a Location made a 500 of what had been entered."""
    manager, admin = http.sign_in(Role.POOL_MANAGER), http.sign_in(Role.ADMINISTRATOR)
    asked = [
        (manager, "pools", {"code": "卫生 库", "name": "卫生专家库", "organiser": "HR"}),
        (manager, "experts", {"code": "专家#1", "name": "甲", "region": "220000", "pool": "P1"}),
        (admin, "accounts", {"name": "王办"}),
    ]
    for client, things, body in asked:
        made = client.post(f"{API}/{things}", json=body)
        assert made.status_code == 201, made.text
        assert client.get(made.headers["location"]).status_code == 200


def test_every_thing_is_entered_read_listed_and_changed(everybody, both_http):
    for name, (new, change) in THINGS.items():
        made = everybody.post(f"{API}/{name}", json=new)
        assert made.status_code == 201, (name, made.text)
        place = made.headers["location"]
        read = everybody.get(place)
        assert read.headers["etag"] == made.headers["etag"]
        assert {key: read.json()[key] for key in new if key != "specialty"} == {
            key: value for key, value in new.items() if key != "specialty"
        }
        listed = everybody.get(f"{API}/{name}?q={new['code']}").json()["items"]
        assert new["code"] in [item["code"] for item in listed]
        assert everybody.post(f"{API}/{name}", json=new).status_code == 409
        assert everybody.patch(place, json=change).status_code == 428
        done = everybody.patch(place, json=change, headers={"If-Match": made.headers["etag"]})
        assert done.status_code == 200, (name, done.text)
        assert done.json() == {**read.json(), **change}
        assert done.headers["etag"] != made.headers["etag"]
        assert (
            everybody.patch(place, json=change, headers={"If-Match": made.headers["etag"]}).status_code == 412
        )
        assert everybody.get(f"{API}/{name}/NONE").json()["code"] == "entering.thing_unknown"
    told = both_http.sign_in(Role.AUDITOR).get(f"{API}/ledger/entries?limit=500").json()["items"]
    assert [entry["action"] for entry in told[:2]] == ["change", "enter"]
    assert both_http.sign_in(Role.AUDITOR).get(f"{API}/ledger/verification").json()["holds"]


def test_another_organisers_things_are_not_there_and_cannot_be_entered_for(http):
    elsewhere = http.sign_in(Role.POOL_MANAGER, Role.COMMITTEE_OFFICE, organisers=frozenset({999}))
    for path in ("pools/P1", "committees/C1", "agendas/A1", "cases/K1", "organisers/HR", "applicants/AP1"):
        assert elsewhere.get(f"{API}/{path}").status_code == 404, path
    assert elsewhere.post(f"{API}/pools", json=THINGS["pools"][0]).status_code in (403, 422)
    assert elsewhere.post(f"{API}/cases", json=THINGS["cases"][0]).status_code == 422
    new = {"code": "X", "name": "x"}
    answer = elsewhere.post(f"{API}/organisers", json=new)
    assert (answer.status_code, answer.json()["code"]) == (403, "import.not_yours")


def test_lists_are_filtered_and_ordered(http):
    client = http.sign_in(Role.COMMITTEE_OFFICE)
    cases = client.get(f"{API}/cases?agenda=A1&employer=F&sort=-code").json()["items"]
    assert [case["code"] for case in cases] == ["K4", "K2"]
    assert client.get(f"{API}/committees?level=senior&pool=P1").json()["items"][0]["code"] == "C1"
    assert client.get(f"{API}/committees?level=mid").json()["items"] == []
    assert client.get(f"{API}/committees?level=none").status_code == 422
    assert client.get(f"{API}/committees?sort=form").status_code == 422
    assert client.get(f"{API}/committees?nothing=1").status_code == 200


def test_an_organiser_cannot_stand_above_itself(http):
    client = http.sign_in(Role.POOL_MANAGER)
    made = client.post(f"{API}/organisers", json=THINGS["organisers"][0])
    tag = client.get(f"{API}/organisers/HR").headers["etag"]
    answer = client.patch(f"{API}/organisers/HR", json={"parent": "HR2"}, headers={"If-Match": tag})
    assert made.status_code == 201
    assert (answer.status_code, answer.json()["code"]) == (422, "import.organiser_cycle")


def test_of_two_clerks_with_one_version_one_is_told_that_it_is_stale(everybody):
    tag = everybody.get(f"{API}/pools/P1").headers["etag"]
    answers = []

    def change(name):
        answers.append(
            everybody.patch(f"{API}/pools/P1", json={"name": name}, headers={"If-Match": tag}).status_code
        )

    clerks = [threading.Thread(target=change, args=(f"库{n}",)) for n in range(6)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]


def test_a_unit_hands_in_for_its_own_employer_only(http):
    own = http.tiny.ids["employer"]["F"]
    unit = http.sign_in(Role.SUBMITTING_UNIT, employer_id=own)
    case = THINGS["cases"][0]
    assert unit.post(f"{API}/cases", json={**case, "employer": "U"}).status_code == 403
    made = unit.post(f"{API}/cases", json=case)
    assert made.status_code == 201, made.text
    tag = {"If-Match": made.headers["etag"]}
    assert unit.patch(f"{API}/cases/K9", json={"employer": "U"}, headers=tag).status_code == 403
    assert (
        unit.patch(f"{API}/cases/K1", json={"directed": True}, headers={"If-Match": "*"}).status_code == 404
    )
    assert unit.get(f"{API}/cases").status_code == 403


def test_filings_are_recorded_and_what_is_missing_is_told(everybody):
    gaps = everybody.get(f"{API}/committees/C1/filing-gaps?on=2026-09-20").json()["gaps"]
    assert [gap for gap in gaps if gap["bars"]] == []
    late = everybody.get(f"{API}/committees/C1/filing-gaps?on=2029-09-20").json()["gaps"]
    assert "committee" in {gap["kind"] for gap in late if gap["bars"]}
    new = {
        "kind": "committee",
        "reference": "备案〔2026〕9号",
        "holds_on": "2026-06-01",
        "until": "2030-01-01",
    }
    made = everybody.post(f"{API}/committees/C1/filings", json=new)
    assert made.status_code == 201, made.text
    assert made.json()["organiser"] == "HR"
    assert len(everybody.get(f"{API}/committees/C1/filings").json()["items"]) == 4


def test_an_employer_has_a_place_in_the_tree_names_sectors_and_links(everybody):
    place = everybody.get(f"{API}/employers/UD/tree?on=2026-09-20").json()
    assert [unit["code"] for unit in place["legal_persons"]] == ["U"]
    assert (place["sector"], place["above"][0]["name"]) == ("provincial", "省理工大学（虚构）")
    below = everybody.get(f"{API}/employers/U/tree").json()["below"]
    assert [unit["code"] for unit in below] == ["UD"]
    name = {"kind": "official", "name": "长白智能机器有限公司（虚构）", "holds_on": "2026-01-01"}
    assert everybody.post(f"{API}/employers/F/names", json=name).status_code == 201
    assert everybody.get(f"{API}/employers/F/tree").json()["name"] == name["name"]
    sector = {"sector": "state_owned", "holds_on": "2026-01-01"}
    assert everybody.post(f"{API}/employers/F/sectors", json=sector).status_code == 201
    ring = {"other": "UD", "kind": "part_of", "holds_on": "2026-01-01"}
    answer = everybody.post(f"{API}/employers/U/links", json=ring)
    assert (answer.status_code, answer.json()["code"]) == (422, "import.employer_cycle")


def test_the_catalogue_is_read_by_version(everybody):
    page = everybody.get(f"{API}/specialties?parent=2024/010&limit=2").json()
    assert [entry["code"] for entry in page["items"]] == ["0101", "0102"]
    rest = everybody.get(f"{API}/specialties?parent=2024/010&limit=2&cursor={page['next']}").json()
    assert [entry["code"] for entry in rest["items"]] == ["0103"]
    assert rest["next"] is None
    assert everybody.get(f"{API}/specialties/2024/0101").json()["name"] == "物联网"
    assert everybody.get(f"{API}/specialties/2019/0101").status_code == 404
    assert everybody.get(f"{API}/specialties/mappings").json()["items"] == []


def test_the_ledger_is_listed_for_its_owners_with_heads_and_anchor(both_http):
    auditor = both_http.sign_in(Role.AUDITOR)
    heads = auditor.get(f"{API}/ledger/heads").json()
    assert [head["organiser"] for head in heads["heads"]] == ["HR"]
    whole = auditor.get(f"{API}/ledger/verification?anchor={heads['anchor']}").json()
    assert (whole["holds"], whole["anchor"]) == (True, heads["anchor"])
    other = auditor.get(f"{API}/ledger/verification?anchor={'0' * 64}").json()
    assert [fault["code"] for fault in other["faults"]] == ["ledger.anchor_unmatched"]
    entry = auditor.get(f"{API}/ledger/entries?action=import").json()["items"][0]
    assert (entry["organiser"], entry["subject"]) == ("HR", "tiny")
    elsewhere = both_http.sign_in(Role.AUDITOR, organisers=frozenset({999}))
    assert elsewhere.get(f"{API}/ledger/entries").json()["items"] == []
    assert elsewhere.get(f"{API}/ledger/heads").json()["heads"] == []


def test_the_ledger_is_verified_as_a_run_that_tells_own_faults_only(both_http):
    office = working(both_http)
    auditor = office.sign_in("audit.zhao", Role.AUDITOR)
    anchor = auditor.get(f"{API}/ledger/heads").json()["anchor"]
    found = done(auditor.post(f"{API}/ledger/verification", json={"anchor": anchor}, headers=WAIT))
    assert (found["holds"], found["anchor"], found["faults"]) == (True, anchor, [])
    with both_http.store.engine.begin() as connection:
        its = both_http.tiny.organiser_id
        connection.exec_driver_sql(
            f"update ledger_entry set actor = 'nobody' where sequence = 1 and organiser_id = {its}"
        )
    found = done(auditor.post(f"{API}/ledger/verification", json={}, headers=WAIT))
    assert [(f["code"], f["organiser"], f["sequence"]) for f in found["faults"]] == [
        ("ledger.entry_changed", "HR", 1)
    ]
    stranger = Viewer("audit.qian", frozenset({both_http.tiny.organiser_id + 1}))
    with ledger.settled(both_http.store) as session:
        verdict = ledger.judge(session)
    elsewhere = told(both_http.store, stranger, verdict, "zh")
    assert (elsewhere["holds"], elsewhere["faults"], elsewhere["elsewhere"]) == (False, [], 1)
