"""Applications over HTTP: a submitting unit follows its own, sees how far they are, and nothing of who reviews them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from expert_pool.accounts.rights import Role
from expert_pool.registry import Agenda, Expert, Meeting, PanelRecord, PanelState

BEFORE, ON_THE_DAY, AFTER = (datetime(2026, 9, day, 4, tzinfo=UTC) for day in (1, 20, 21))
API = "/api/v1/applications"


def unit(http: Any, employer: str, **more: Any) -> Any:
    """A client of the submitting unit that an employer is."""
    employer_id = http.tiny.ids["employer"][employer]
    return http.sign_in(Role.SUBMITTING_UNIT, actor=f"unit.{employer}", employer_id=employer_id, **more)


def codes(client: Any, **query: Any) -> list[str]:
    answer = client.get(API, params=query)
    assert answer.status_code == 200, answer.text
    return [item["code"] for item in answer.json()["items"]]


def sits(http: Any, state: PanelState = PanelState.APPROVED) -> None:
    """A panel for the meeting of the small registry."""
    with http.store.session() as session:
        session.add(
            PanelRecord(
                code="M1-P1",
                meeting_id=http.tiny.meeting_id,
                organiser_id=http.tiny.organiser_id,
                state=state,
                policy="cn-title-national",
                problem_sha256="0" * 64,
                problem=b"",
                answer="{}",
                fileable=True,
                requested_at=BEFORE,
                requested_by="office",
            )
        )


def test_a_unit_sees_its_own_applications_and_where_they_are(both_http: Any) -> None:
    with time_machine.travel(BEFORE):
        mine = unit(both_http, "U")
        assert codes(mine) == ["K1", "K3"]
        one = mine.get(f"{API}/K1").json()
    assert one == {
        "code": "K1",
        "applicant": "AP1",
        "applicant_name": "申报人1（虚构）",
        "employer": "U",
        "specialty": "2024/0101",
        "level": "senior",
        "directed": False,
        "agenda": "A1",
        "agenda_title": "2026 年度评审",
        "season": 2026,
        "committee": "C1",
        "committee_name": one["committee_name"],
        "state": "scheduled",
        "meets_on": "2026-09-20",
        "reviewed_on": None,
    }


def test_another_units_application_is_not_there(http: Any) -> None:
    mine = unit(http, "U")
    assert "K2" in codes(http.sign_in(Role.COMMITTEE_OFFICE))
    assert (mine.get(f"{API}/K2").status_code, mine.get(f"{API}/K99").status_code) == (404, 404)
    assert mine.get(f"{API}/K2").json()["detail"] == mine.get(f"{API}/K99").json()["detail"].replace(
        "K99", "K2"
    )
    assert codes(mine, agenda="A1") == ["K1", "K3"]


def test_the_grant_bounds_what_a_unit_sees(http: Any) -> None:
    stranger = unit(http, "U", organisers=frozenset({999}))
    assert codes(stranger) == []
    assert stranger.get(f"{API}/K1").status_code == 404


@pytest.mark.parametrize("role", [Role.POOL_MANAGER, Role.AUDITOR, Role.EXPERT, Role.ADMINISTRATOR])
def test_others_have_no_right_to_it(http: Any, role: Role) -> None:
    assert http.sign_in(role).get(API).json()["code"] == "access.denied"


@pytest.mark.parametrize(
    ("day", "panel", "state"),
    [
        (BEFORE, PanelState.APPROVED, "scheduled"),
        (ON_THE_DAY, PanelState.APPROVED, "scheduled"),
        (AFTER, PanelState.APPROVED, "reviewed"),
        (AFTER, PanelState.PROPOSED, "entered"),
    ],
)
def test_whether_it_was_reviewed_shows_after_the_day(
    http: Any, day: datetime, panel: PanelState, state: str
) -> None:
    mine = unit(http, "U")
    with time_machine.travel(BEFORE):
        before = mine.get(f"{API}/K1").text
    sits(http, panel)
    with time_machine.travel(BEFORE):
        assert mine.get(f"{API}/K1").text == before  # a panel on record is no news before its day
    with time_machine.travel(day):
        told = mine.get(f"{API}/K1").json()
        assert told["state"] == state
        assert told["reviewed_on"] == ("2026-09-20" if state == "reviewed" else None)
        others = {"entered", "scheduled", "reviewed"} - {state}
        assert codes(mine, state=state) == ["K1", "K3"]
        assert [codes(mine, state=other) for other in others] == [[], []]


def test_nothing_is_told_of_who_reviews(http: Any) -> None:
    sits(http)
    with http.store.reading() as session:
        secret = {str(w) for row in session.execute(select(Expert.pseudonym, Expert.name)) for w in row}
    with time_machine.travel(AFTER):
        told = unit(http, "U").get(API).text
    assert not [word for word in secret if word in told]
    assert "M1" not in told


def test_an_agenda_without_a_day_leaves_them_entered(http: Any) -> None:
    with http.store.session() as session:
        other = Agenda(code="A2", committee_id=http.tiny.committee_id, title="补充评审", season=2027)
        session.add(other)
        session.flush()
        session.execute(update(Meeting).values(agenda_id=other.id))
    with time_machine.travel(BEFORE):
        assert unit(http, "U").get(f"{API}/K1").json()["state"] == "entered"


def test_the_list_comes_in_pages(http: Any) -> None:
    office = http.sign_in(Role.COMMITTEE_OFFICE)
    seen, cursor = [], None
    while True:
        page = office.get(
            API, params={"limit": 3, "sort": "-season"} | ({"cursor": cursor} if cursor else {})
        )
        seen += [item["code"] for item in page.json()["items"]]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert seen == ["K4", "K3", "K2", "K1"]
