"""panel replace and panel invite on the registry: documents, both languages, seals and exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from tiny_registry import Tiny

from api.cli.commands import panel, renewing
from api.cli.main import run
from expert_pool import clock
from expert_pool.registry import Expert, PanelRecord, Seat

Said = pytest.CaptureFixture[str]
POLICY = ["--policy", "cn-title-jilin-2013", "--why", "small"]
for override in (
    "panel_low=3",
    "panel_high=3",
    "group_low=3",
    "alternates=1",
    "quorum=1/3",
    "deputies_high=1",
):
    POLICY += ["--override", override]


@pytest.fixture
def office(sqlite_tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiny]:
    """The small registry as this user's database, before its meeting; and a panel in it."""
    monkeypatch.setenv("EXPERT_POOL_DATABASE", sqlite_tiny.store.url)
    monkeypatch.setenv("EXPERT_POOL_KEY", sqlite_tiny.store.key.to_text())
    for module in (panel, renewing):  # the clock is held in this thread only
        monkeypatch.setattr(module, "interruptible", lambda work: work(lambda: False))
    with clock.fixed(datetime(2026, 9, 1, 4, tzinfo=UTC)):
        assert run(["panel", "request", "C1", "M1", *POLICY, "--json"]) == 0
        yield sqlite_tiny


def seated(tiny: Tiny, code: str) -> list[str]:
    """Who is in a panel, those first who are easily replaced: the firm has only three experts."""
    with tiny.store.reading() as session:
        found = session.scalars(
            select(Expert.code)
            .join(Seat, Seat.expert_id == Expert.id)
            .join(PanelRecord, PanelRecord.id == Seat.panel_id)
            .where(PanelRecord.code == code)
        ).all()
    return sorted(found, key=lambda expert: (expert <= "E03", expert))


def ask(capsys: Said, *words: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run([*words, *POLICY, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_replace_records_a_new_panel(office: Tiny, capsys: Said) -> None:
    """And says who goes and who comes, by name."""
    gone = seated(office, "M1-P1")[0]
    words = ["panel", "replace", "C1", "M1", "--absent", gone, "--reason", "住院", "--substitutes", "1"]
    told = ask(capsys, *words, "--open-seals")
    assert (told["panel"], told["replaces"]) == ("M1-P2", "M1-P1")
    assert gone not in seated(office, "M1-P2")
    change = told["replacement"]["changes"][0]
    assert "虚构" in told["names"][change["expert"]]
    assert told["replacement"]["decisions"][0]["why"] == "住院"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_both_commands_speak_to_people(office: Tiny, lang: str, capsys: Said) -> None:
    """In whole sentences, with names and not pseudonyms."""
    people = seated(office, "M1-P1")
    with office.store.reading() as session:
        named = dict(session.execute(select(Expert.code, Expert.name)).all())
        pseudonyms = session.scalars(select(Expert.pseudonym)).all()
    capsys.readouterr()
    words = ["panel", "invite", "C1", "M1", "--declined", people[0], "--reason", "出差", "--open-seals"]
    assert run([*words, *POLICY, "--lang", lang]) == 0
    said = capsys.readouterr().out
    words = ["panel", "replace", "C1", "M1", "--absent", people[1], "--reason", "x", "--open-seals"]
    assert run([*words, *POLICY, "--lang", lang]) == 0
    said += capsys.readouterr().out
    assert named[people[0]] in said
    assert named[people[1]] in said
    assert "M1-P3" in said
    assert not any(pseudonym in said for pseudonym in pseudonyms)
    assert not any(code in said for code in ("cli.", "replace.", "panels."))


def test_invitations_go_round_by_round(office: Tiny, capsys: Said) -> None:
    """Begun, answered, seated; the forecast comes with each but the last."""
    people = seated(office, "M1-P1")
    invite = ["panel", "invite", "C1", "M1", "--open-seals"]
    begun = ask(capsys, *invite)
    assert begun["forecast"]["format"] == "forecast/1"
    second = ask(capsys, *invite, "--accepted", ",".join(people[1:]), "--declined", people[0])
    assert (second["panel"], second["invitations"]["round"]) == ("M1-P2", 2)
    new = set(seated(office, "M1-P2")) - set(people)
    last = ask(capsys, *invite, "--accepted", ",".join(new))
    assert last["invitations"]["seated"]
    assert (last["replacement"], last["forecast"]) == (None, None)


def test_what_is_refused_and_what_cannot_be(office: Tiny, capsys: Said) -> None:
    """Sealed names, an impossible replacement, a missing reason."""
    replace = ["panel", "replace", "C1", "M1"]
    sealed = ask(capsys, *replace, "--absent", "E01", "--reason", "x", code=2)
    assert sealed["error"]["code"] == "panels.seals_closed"
    everybody = ",".join(f"E{n:02}" for n in range(1, 12))
    none = ask(capsys, *replace, "--absent", everybody, "--reason", "x", "--open-seals", code=3)
    assert none["replacement"]["answer"]["why_not"]
    assert none["replaces"] is None
    assert ask(capsys, *replace, "--absent", "E01", code=2)["error"]["code"] == "cli.parameter_missing"
