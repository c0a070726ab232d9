"""The builder and the pages of one panel without a browser: what they show, whom they mask, what they ask for."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from working_office import ASKED, BEFORE, ON_THE_DAY, SMALL, WAIT, Office, asked, clerk, done, working

from expert_pool import opened, panels, recorded
from expert_pool.policies.load import preset
from expert_pool.registry import Expert
from expert_pool.words import languages, say, term
from solver.document import read_problem

SET = "&".join(f"set.{name}={value}" for name, value in SMALL.items())
NEW = f"/panels/new?meeting=M1&policy=cn-title-jilin-2013&{SET}"
PART = NEW.replace("/new?", "/new/preview?")


@pytest.fixture
def office(http: Any) -> Iterator[Office]:
    with time_machine.travel(BEFORE):
        yield working(http)


def names(office: Office) -> list[str]:
    with office.store.reading() as session:
        return list(session.scalars(select(Expert.name)))


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def dangling(shown: str) -> set[str]:
    """What names parts of a page by ids that are not there."""
    named = re.findall(r'aria-labelledby="([^"]+)"', shown)
    return {id_ for ids in named for id_ in ids.split()} - set(re.findall(r'\bid="([^"]+)"', shown))


@pytest.mark.parametrize("lang", languages())
def test_every_control_says_its_name_its_basis_and_whether_it_was_changed(office: Office, lang: str) -> None:
    shown = text(clerk(office).get(f"{NEW}&lang={lang}"))
    assert (
        shown.count('class="control changed"') == len(SMALL) - 1
    )  # the group's least size is the policy's own
    assert 'name="set.panel_low"' in shown
    assert re.search(r'id="p-quorum"[^>]*value="33.33"', shown)
    assert "parameter." not in shown.split("<main")[1]


@pytest.mark.parametrize("lang", languages())
def test_title_ranks_are_chosen_by_their_names(office: Office, lang: str) -> None:
    shown = text(clerk(office).get(f"{NEW}&set.reviewed_rank=4&lang={lang}"))
    for name, value in (("reviewed_rank", 4), ("chair_rank", 4)):
        choice = re.search(rf'<select id="p-{name}".*?</select>', shown, re.DOTALL)
        assert choice
        chosen = re.findall(r'value="(\w+)" selected>([^<]+)', choice[0])
        assert [(one, said.lower()) for one, said in chosen] == [(str(value), term("rank", value, lang))]
        assert f'data-slides="p-{name}"' not in shown


@pytest.mark.parametrize("lang", languages())
def test_an_exact_cost_that_finds_no_panel_says_why_in_words(office: Office, lang: str) -> None:
    narrow = {"parameter": "employer_cap", "value": 1, "why": "one each"}
    sent = {**ASKED, "overrides": [*ASKED["overrides"], narrow]}
    run = clerk(office).post("/api/v1/previews/costs", json=sent, headers=WAIT).json()["run"]
    shown = text(clerk(office).get(f"/runs/{run}?lang={lang}")).split("<main")[1]
    assert say("title.employer_cap", lang) in shown
    assert "employer_cap" not in shown


def test_a_panel_s_page_reads_its_problem_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    code, read = asked(office), list[bytes]()

    def counted(data: bytes) -> Any:
        read.append(data)
        return read_problem(data)

    for module in (panels, recorded, opened):
        monkeypatch.setattr(module, "read_problem", counted)
    with time_machine.travel(ON_THE_DAY):
        assert text(clerk(office).get(f"/panels/{code}"))
    assert len(read) == 1


def test_what_follows_says_the_overrides_that_a_request_will_carry(office: Office) -> None:
    shown = clerk(office).get(PART).text
    told = re.search(r'data-overrides="([^"]*)"', shown)
    assert told
    sent = json.loads(html.unescape(told[1]))
    assert sent == {"panel_low": 3, "panel_high": 3, "alternates": 1, "quorum": "1/3", "deputies_high": 1}
    figures = dict(re.findall(r'data-figure="([^"]+)" data-value="(-?\d+)"', shown))
    assert figures["eligible"] == "11"
    assert {"floor-1", "gate-in_pool", "group-010"} <= set(figures)


def test_a_rule_set_wrong_is_told_in_place_and_nothing_can_be_begun(office: Office) -> None:
    shown = clerk(office).get(PART.replace("panel_high=3", "panel_high=1")).text
    assert 'data-wrong="yes"' in shown
    assert "notice bad" in shown


def test_a_proof_that_no_panel_exists_is_told_at_once(office: Office) -> None:
    shown = text(clerk(office).get(PART + "&set.age_max=20"))
    assert "不可能组成评委会" in shown
    assert 'data-value="0"' in shown


def test_the_list_behind_a_gate_names_nobody(office: Office) -> None:
    for gate in ("", "&gate=in_pool"):
        shown = text(clerk(office).get(NEW.replace("/new?", "/new/barred?") + gate))
        assert not [name for name in names(office) if name in shown]
        assert re.search(r"<(td|li)>P[A-Z2-7]{10}</", shown)


def test_a_sealed_panel_shows_nobody_on_any_of_its_pages(office: Office) -> None:
    code = asked(office)
    client = clerk(office)
    for path in (f"/panels/{code}", f"/panels/{code}/story"):
        shown = text(client.get(path))
        assert not [name for name in names(office) if name in shown]
        assert not re.search(r"\bP[A-Z2-7]{10}\b", shown)
        assert dangling(shown) == set()
    assert client.get(f"/panels/{code}/by-hand").status_code == 403


@pytest.mark.parametrize("lang", languages())
def test_an_open_panel_shows_seats_margins_coverage_and_its_story(office: Office, lang: str) -> None:
    code, other = asked(office), asked(office)
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        shown = text(client.get(f"/panels/{code}?lang={lang}"))
        assert shown.count('class="seat"') == 3
        assert shown.count('class="seat waits"') == 1
        assert 'class="margin' in shown
        assert shown.count('<th scope="row">K') == 4
        assert set(re.findall(r'<td class="(close|broad|recused)">', shown)) >= {"close", "recused"}
        story = text(client.get(f"/panels/{code}/story?lang={lang}"))
        assert "office.li" in story
        assert len(re.findall(r"[0-9a-f]{64}", story)) == 1
        for asked_from, beside in ((code, other), (other, code)):
            differ = client.get(f"/panels/{asked_from}?compare={beside}", follow_redirects=False)
            assert differ.headers["location"] == f"/panels/{code}/differences/{other}"
        assert text(client.get(f"/panels/{code}/differences/{other}?lang={lang}"))


def test_swaps_by_hand_stand_in_the_address_and_undo_is_a_link(office: Office) -> None:
    code = asked(office)
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        seats = re.findall(r"by-hand\?seat=(\w+)", client.get(f"/panels/{code}").text)
        looked = text(client.get(f"/panels/{code}/by-hand?seat={seats[0]}"))
        into = re.findall(rf"swap={seats[0]}~(\w+)", looked)
        assert into
        tried = text(client.get(f"/panels/{code}/by-hand?swap={seats[0]}~{into[0]}"))
        assert re.search(rf'href="/panels/{code}/by-hand"', tried)
        fields = dict(re.findall(r'name="((?:absent|take)\.0\.\w+)" (?:value|data-from)="(\w+)"', tried))
        assert set(fields) == {
            "absent.0.expert",
            "absent.0.why",
            "take.0.expert",
            "take.0.group",
            "take.0.why",
        }
        assert 'data-version="' in tried


def test_under_a_draw_people_are_codes_and_no_swap_is_offered(office: Office) -> None:
    drawn = {
        **ASKED,
        "policy": "cn-title-national",
        "overrides": [one for one in ASKED["overrides"] if one["parameter"] != "alternates"],
    }
    code = str(done(clerk(office).post("/api/v1/panels", json=drawn, headers=WAIT))["panel"])
    with time_machine.travel(ON_THE_DAY):
        client = clerk(office)
        shown = text(client.get(f"/panels/{code}"))
        seats = re.findall(r"by-hand\?seat=(\w+)", shown)
        assert len(seats) == 3
        for page in (
            shown,
            text(client.get(f"/panels/{code}/story")),
            text(client.get(f"/panels/{code}/by-hand?seat={seats[0]}")),
        ):
            assert not [name for name in names(office) if name in page]
            assert "replacements" not in page
            assert "swap=" not in page
        refused = client.get(f"/panels/{code}/by-hand?swap={seats[0]}~{seats[1]}")
        assert refused.status_code == 422


@pytest.mark.parametrize("lang", languages())
def test_a_meeting_without_a_panel_is_told_what_clashes_and_what_each_way_out_costs(
    office: Office, lang: str
) -> None:
    narrow = [{"parameter": "employer_cap", "value": 1, "why": "one each"}]
    client = clerk(office)
    found = done(
        client.post(
            "/api/v1/panels", json={**ASKED, "overrides": [*ASKED["overrides"], *narrow]}, headers=WAIT
        )
    )
    assert found["status"] == "infeasible"
    code = found["panel"]
    none = text(client.get(f"/panels/{code}?lang={lang}"))
    assert f"/api/v1/panels/{code}/diagnoses" in none
    assert dangling(none) == set()
    listed = text(client.get(f"/panels?lang={lang}")).split("<main")[1]
    for page in (none, listed):
        assert f'<span class="badge bad">{say("page.panel.no_panel", lang)}</span>' in page
    assert preset("cn-title-jilin-2013").title[lang] in listed
    run = client.post(f"/api/v1/panels/{code}/diagnoses", json={}, headers=WAIT).json()["run"]
    shown = client.get(f"/runs/{run}?lang={lang}").text
    way = re.search(r'<form data-api="POST /api/v1/panels".*?</form>', shown, re.DOTALL)
    assert way
    fields = re.findall(r'name="([\w.]+)"(?: data-type="json")? (value|data-from)="([^"]*)"', way[0])
    document: dict[str, Any] = {"overrides": {}}
    for name, kind, value in fields:
        part = name.split(".")
        said = "the office agreed" if kind == "data-from" else html.unescape(value)
        if len(part) == 1:
            document[name] = said
        elif part[0] == "overrides":
            own = document["overrides"].setdefault(int(part[1]), {})
            own[part[2]] = json.loads(said) if part[2] == "value" else said
    document["overrides"] = list(document["overrides"].values())
    relaxed = done(client.post("/api/v1/panels", json=document | {"seconds": 20}, headers=WAIT))
    assert relaxed["status"] == "optimal"
