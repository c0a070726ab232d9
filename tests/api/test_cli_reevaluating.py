"""`expert-pool scheme`, `reevaluate`, `recusals`, `pool health`, `organisation`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import time_machine
from working_office import BEFORE

from api.cli.main import run
from expert_pool.entering import add
from expert_pool.keys import Key
from expert_pool.reevaluation.appraising import appraise
from expert_pool.reevaluation.scheme import load_scheme
from expert_pool.registry import Credit, LedgerEntry, Meeting, Outcome, Pool, Relation, RelationKind, Service
from expert_pool.registry import Role as Seated
from expert_pool.store import open_store
from expert_pool.viewer import Viewer

KEY = Key(bytes(range(32)))
SCHEMES = (
    "nsfc-sanctions",
    "own-default",
    "procurement-tiers",
    "provincial-bid-points",
    "sichuan-bid-grades",
)
Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def registry(tiny_template: Any, tmp_path: Path) -> Path:
    """The small registry: E04 was absent again and again; E05 sat over K1, whose applicant they advised, and nobody knew."""
    path, tiny = tiny_template
    place = tmp_path / "registry.db"
    shutil.copy(path, place)
    ids = tiny.ids["expert"]
    record = {"organiser_id": tiny.organiser_id, "recorded_at": BEFORE, "recorded_by": "office"}
    with open_store(str(place), key=KEY) as store, store.session() as session:
        for month in (2, 4, 6):
            lost = {"event": "缺席", "points": -20, "holds_on": date(2026, month, 1)}
            session.add(Credit(expert_id=ids["E04"], **lost, **record))
        meeting = session.get_one(Meeting, tiny.meeting_id)
        meeting.on = date(2026, 8, 20)
        served = {"season": 2026, "panel": "M1", "role": Seated.MEMBER, "outcome": Outcome.ATTENDED}
        common = {"committee_id": tiny.committee_id, "holds_on": date(2026, 8, 20)}
        session.add(Service(expert_id=ids["E05"], **served, **common, **record))
        session.add(
            Relation(
                expert_id=ids["E05"],
                kind=RelationKind.ADVISOR,
                applicant_id=tiny.ids["applicant"]["AP2"],
                since=date(2015, 9, 1),
                until=date(2018, 7, 1),
                holds_on=date(2026, 8, 25),
                source="举报",
                **record,
            )
        )
        session.add(Pool(code="P0", name="空库", organiser_id=tiny.organiser_id))
    return place


@pytest.fixture
def command(registry: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    monkeypatch.setenv("EXPERT_POOL_KEY", KEY.to_text())
    monkeypatch.chdir(registry.parent)

    def typed(*words: str) -> tuple[int, Any]:
        with time_machine.travel(BEFORE, tick=False):
            code = run([*words, "--database", str(registry), "--json", "--lang", "en"])
        return code, json.loads(capsys.readouterr().out)

    return typed


def entries(registry: Path) -> int:
    with open_store(str(registry), key=KEY) as store, store.reading() as session:
        return session.query(LedgerEntry).count()


def test_the_schemes_are_listed_and_shown_with_their_basis(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scheme", "list", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["schemes"]] == list(SCHEMES)
    for name in SCHEMES:
        assert run(["scheme", "show", name, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)["scheme"]
        assert all(event["basis"]["status"] for event in shown["events"])
        for lang in ("zh", "en"):
            assert run(["scheme", "show", name, "--lang", lang]) == 0
            assert "cli." not in capsys.readouterr().out


def test_a_scheme_of_ones_own_is_judged_with_the_place_of_its_first_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (files("expert_pool.reevaluation") / "schemes" / "own-default.yaml").read_text("utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(text, "utf-8")
    assert run(["scheme", "validate", str(own), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"]
    own.write_text(text.replace("    low: 80\n    high: 90\n", "    low: 80\n    high: 88\n"), "utf-8")
    assert run(["scheme", "validate", str(own), "--lang", "en"]) == 2
    said = capsys.readouterr().err
    assert "own.yaml" in said
    assert "89" in said
    assert run(["scheme", "compare", "own-default", "sichuan-bid-grades", "--lang", "en"]) == 0
    assert "differences" in capsys.readouterr().out


def test_a_pool_is_appraised_with_its_report_and_nothing_is_changed(
    command: Command, registry: Path, tmp_path: Path
) -> None:
    before = entries(registry)
    out = tmp_path / "report"
    words = ("reevaluate", "--pool", "P1", "--compare", "sichuan-bid-grades", "-o", str(out))
    code, said = command(*words)
    assert code == 0, said
    (pool,) = said["pools"]
    assert {k: n for k, n in pool["appraisal"]["counts"].items() if n} == {"keep": 9, "look": 1, "exit": 1}
    assert {one["known"] for one in pool["recusals"]["found"]} == {"meeting", "later"}
    assert pool["comparison"]["moved"] == 1
    assert pool["measurement"] is None
    assert pool["health"]["pool"] == "P1"
    names = {Path(name).name for name in pool["files"]}
    assert {"reevaluation.xlsx", "reevaluation.docx", "recusals.json", "comparison.json"} <= names
    assert all(Path(name).stat().st_size for name in pool["files"])
    assert entries(registry) == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--as-of", "2027-01-01"), "appraisal.future"),
        (("--as-of", "0001-01-01"), "appraisal.too_early"),
        (("--as-of", "soon"), "cli.date_bad"),
        (("--pool", "P9"), "appraisal.pool_unknown"),
        (("--organiser", "XX"), "appraisal.organiser_unknown"),
        (("--pool", "P1", "--organiser", "HR"), "reevaluate.pool_or_organiser"),
        (("--pool", "P0"), "appraisal.no_committee"),
        (("--pool", "P1", "--scheme", "none"), "scheme.unknown"),
        (("--pool", "P1", "-o", "registry.db"), "cli.unwritable"),
    ],
)
def test_what_cannot_be_appraised_is_said(words: tuple[str, ...], code: str, command: Command) -> None:
    ended, said = command("reevaluate", *words)
    assert (ended, said["error"]["code"]) == (2, code)


def test_failures_to_recuse_are_listed_and_not_recorded(command: Command, registry: Path) -> None:
    before = entries(registry)
    code, said = command("recusals", "--pool", "P1")
    assert code == 5
    (one,) = [one for one in said["found"] if one["kind"] == "advisor"]
    assert (one["expert"], one["against"], one["known"]) == ("E05", {"what": "case", "code": "K2"}, "later")
    assert (one["certain"], one["since"], one["record"][:9]) == (False, "2015-09-01", "relation:")
    assert one["proposal"] == {"expert": "E05", "event": "not_recused", "holds_on": "2026-08-20"}
    assert entries(registry) == before
    code, said = command("recusals", "--since", "2026-09-01", "--until", "2026-08-01")
    assert (code, said["error"]["code"]) == (2, "recusals.dates")
    code, said = command("recusals", "--until", "2026-09-02")
    assert (code, said["error"]["code"]) == (2, "appraisal.future")
    assert command("recusals", "--until", "2026-01-01")[0] == 0


def test_a_found_failure_counts_once_a_person_has_recorded_it(command: Command) -> None:
    (one,) = [o for o in command("recusals", "--pool", "P1")[1]["found"] if o["kind"] == "advisor"]
    row = one["proposal"]
    office, scheme = Viewer.system("office"), load_scheme("own-default")
    with time_machine.travel(BEFORE, tick=False), open_store("registry.db", key=KEY) as store:
        with store.session() as session:
            add(session, office, KEY, "credits", {**row, "points": -20}, organiser="HR")
        with store.reading() as session:
            found = appraise(session, office, "P1", scheme, BEFORE.date())
    points = dict(zip(found.experts, found.points.tolist(), strict=True))
    assert (points["E05"], points["E07"]) == (80, 100)


def test_the_health_of_a_pool_is_told_in_words_and_as_a_document(
    command: Command, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = command("pool", "health", "P1")
    assert (code, said["format"], said["members"]) == (0, "pool-health/1", 11)
    with time_machine.travel(BEFORE, tick=False):
        assert run(["pool", "health", "P1", "--database", str(registry), "--lang", "zh"]) == 0
    assert "cli." not in capsys.readouterr().out


def test_an_organisation_is_appraised_and_decided_by_two(command: Command, tmp_path: Path) -> None:
    code, said = command("organisation", "appraise")
    assert (code, [one["committee"] for one in said["organisations"]]) == (0, ["C1", None])
    assert (
        command(
            "organisation",
            "results",
            "C1",
            "2025",
            "--reviewed",
            "40",
            "--passed",
            "20",
            "--on",
            "2026-01-05",
        )[0]
        == 0
    )
    assert (
        command(
            "organisation", "complaint", "C1", "2025", "--reference", "T1", "--on", "2026-02-01", "--upheld"
        )[0]
        == 0
    )
    decide = ("organisation", "decide", "C1", "--step", "rectify", "--months", "3", "--basis", "投诉查实")
    code, decided = command(*decide, "--as", "first")
    assert (code, decided["confirmed"]) == (0, None)
    code, refused = command("organisation", "confirm", decided["code"], "--as", "first")
    assert (code, refused["error"]["code"]) == (2, "organisations.same_person")
    code, early = command("organisation", "confirm", decided["code"], "--as", "second")
    assert (code, early["error"]["code"]) == (2, "organisations.reply_time_runs")
    said = ("organisation", "reply", decided["code"], "--text", "无异议", "--last")
    code, heard = command(*said)
    assert (code, heard["replies"][0]["text"]) == (0, "无异议")
    paper = tmp_path / "letter.docx"
    assert command("organisation", "letter", decided["code"], "-o", str(paper))[0] == 0
    assert paper.read_bytes()[:2] == b"PK"
    code, confirmed = command("organisation", "confirm", decided["code"], "--as", "second")
    assert (code, confirmed["confirmed"]) == (0, True)
    assert command("organisation", "decisions", "--waiting")[1] == {"decisions": []}
    code, wrong = command("organisation", "decide", "C1", "--step", "close", "--basis", "x")
    assert (code, wrong["error"]["code"]) == (2, "cli.organisation.step")
