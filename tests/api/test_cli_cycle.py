"""`expert-pool cycle`: a cycle played through by two people and an expert, repeated, cut off in the middle and carried on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from tiny_registry import Tiny, entered
from working_office import BEFORE

from api.cli.main import run
from expert_pool.keys import Key
from expert_pool.ledger import verify
from expert_pool.reevaluation import cycle as cycles
from expert_pool.registry import Credit, Discipline, LedgerEntry, Membership, Notice
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer

KEY = Key(bytes(range(32)))
CYCLE = "P1-20260901"
Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def registry(sqlite_tiny: Tiny) -> str:
    """The URL of the small registry with three experts who lost points."""
    return furnished(sqlite_tiny)


def furnished(tiny: Tiny) -> str:
    """Enter what three experts did; where the registry is."""
    ids, events = tiny.ids["expert"], [("E04", "缺席", -20), ("E06", "迟到", -10), ("E08", "缺席", -20)]
    new = [
        Credit(
            expert_id=ids[expert],
            organiser_id=tiny.organiser_id,
            event=event,
            points=points,
            holds_on=date(2026, month, 1),
            recorded_at=BEFORE,
            recorded_by="office",
        )
        for expert, event, points in events
        for month in (2, 4, 6)
    ]
    entered(tiny, new)
    return tiny.store.url


@pytest.fixture
def command(registry: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> Command:
    """Runs a command on it as somebody; gives the exit code and the document."""
    return commanding(registry, monkeypatch, capsys, tmp_path)


def commanding(registry: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, folder: Path) -> Command:
    monkeypatch.setenv("EXPERT_POOL_KEY", KEY.to_text())
    monkeypatch.chdir(folder)

    def typed(*words: str, by: str = "first") -> tuple[int, Any]:
        code = run([*words, "--database", registry, "--as", by, "--json", "--lang", "en"])
        return code, json.loads(capsys.readouterr().out)

    return typed


def rows(store: Store) -> tuple[int, ...]:
    """How much there is of everything that a cycle writes."""
    with store.reading() as session:
        tables = (LedgerEntry, Discipline, Membership, Notice)
        return tuple(session.scalar(select(func.count(table.id))) or 0 for table in tables)


def test_a_cycle_is_played_through_and_every_step_repeated(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    """On both databases."""
    registry = furnished(tiny)
    command = commanding(registry, monkeypatch, capsys, tmp_path)

    def twice(*words: str, by: str = "first") -> Any:
        """The first answer; the second time nothing changes."""
        code, first = command("cycle", *words, by=by)
        assert code == 0, first
        with open_store(registry, key=KEY) as store:
            before = rows(store)
            code, again = command("cycle", *words, by=by)
            assert (code, rows(store)) == (0, before), (words, again)
        return first

    with time_machine.travel(BEFORE, tick=False):
        assert twice("open", "P1")["code"] == CYCLE
        computed = twice("compute", CYCLE)
        assert {k: n for k, n in computed["counts"].items() if n} == {"keep": 8, "lower": 1, "exit": 2}
        assert twice("notify", CYCLE)["cases"] == {"notified": 3}
        said = twice("reply", CYCLE, "E04", "--text", "有假条", "--last")
        assert said["said"][0]["text"] == "有假条"
        overturned = ("--measure", "keep", "--reason", "假条属实")
        assert twice("decide", CYCLE, "E04", *overturned)["done"] == 1
    with time_machine.travel(BEFORE + timedelta(days=40), tick=False):
        assert twice("decide", CYCLE, "--unanswered")["done"] == 2
        code, refused = command("cycle", "confirm", CYCLE)
        assert (code, refused["error"]["code"]) == (2, "cycle.same_person")
        code, early = command("cycle", "execute", CYCLE)
        assert (code, early["error"]["code"]) == (2, "cycle.second_person_missing")
        assert twice("confirm", CYCLE, by="second")["done"] == 3
        assert twice("execute", CYCLE)["done"] == 3
        written = twice("letters", CYCLE, "-o", "letters")
        assert len(written["files"]) == 12  # what was proposed and what was decided, in both languages
        assert twice("appeal", CYCLE, "E06", "--text", "记录有误")["state"] == "appealed"
        overturned = ("E06", "--measure", "keep", "--reason", "签到为证")
        twice("decide-appeal", CYCLE, *overturned, by="third")
        code, refused = command("cycle", "confirm-appeal", CYCLE, "E06", by="third")
        assert (code, refused["error"]["code"]) == (2, "cycle.same_person")
        settled = twice("confirm-appeal", CYCLE, "E06", by="fourth")
        assert (settled["state"], bool(settled["corrected"])) == ("settled", True)
        code, shown = command("cycle", "show", CYCLE, "--verify")
        assert (code, shown["same"], len(shown["listed"])) == (0, True, 3)
    with time_machine.travel(BEFORE + timedelta(days=80), tick=False):
        assert twice("close", CYCLE)["state"] == "closed"
        assert [one["code"] for one in command("cycle", "list", "--state", "closed")[1]["cycles"]] == [CYCLE]
        with open_store(registry, key=KEY) as store, store.reading() as session:
            assert verify(session) == []


def test_a_step_cut_off_after_its_first_batch_goes_on_where_it_was(command: Command, registry: str) -> None:
    office = Viewer.system("first")
    with time_machine.travel(BEFORE, tick=False):
        command("cycle", "open", "P1")
        command("cycle", "compute", CYCLE)
        with open_store(registry, key=KEY) as store:
            with store.session() as session:
                assert cycles.notify(session, office, KEY, CYCLE, most=1) == cycles.Step(1, 2)
            with pytest.raises(RuntimeError):
                _notify_and_die(store, office)
        code, done = command("cycle", "notify", CYCLE)
        assert (code, done["done"], done["cases"]) == (0, 2, {"notified": 3})
        with open_store(registry, key=KEY) as store, store.reading() as session:
            assert session.scalar(select(func.count(Notice.id))) == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("open", "P9"), "appraisal.pool_unknown"),
        (("open", "P1", "--as-of", "2026-09-02"), "appraisal.future"),
        (("open", "P1", "--scheme", "owndefault"), "scheme.unknown"),
        (("show", "P9-1"), "cycle.unknown"),
        (("notify", CYCLE), "cycle.not_computed"),
        (("decide", CYCLE), "cli.cycle.whom"),
        (("decide", CYCLE, "E04", "--measure", "fire"), "cli.cycle.measure"),
        (("show", CYCLE, "--state", "gone"), "cli.cycle.state"),
        (("letters", CYCLE, "--kind", "love"), "cli.cycle.letter_kind"),
        (("reply", CYCLE, "E04", "--text", "x", "--evidence", "none.pdf"), "cli.unreadable"),
        (("drop", CYCLE, "--reason", " "), "cycle.reason_missing"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_lost(
    words: tuple[str, ...], code: str, command: Command
) -> None:
    with time_machine.travel(BEFORE, tick=False):
        command("cycle", "open", "P1")
        ended, said = command("cycle", *words)
    assert (ended, said["error"]["code"]) == (2, code)
    assert said["error"]["message"]


def test_people_read_a_cycle_and_a_case_in_words(
    command: Command, registry: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(BEFORE, tick=False):
        for step in (("open", "P1"), ("compute", CYCLE), ("notify", CYCLE)):
            command("cycle", *step)
        for lang, words in (("zh", ("已告知", "降低")), ("en", ("told", "draw less often"))):
            assert run(["cycle", "show", CYCLE, "--database", registry, "--lang", lang]) == 0
            assert all(word in capsys.readouterr().out for word in words[:1])
            assert run(["cycle", "show", CYCLE, "E06", "--database", registry, "--lang", lang]) == 0
            said = capsys.readouterr().out
            assert "cli." not in said
            assert "credit:" in said


def _notify_and_die(store: Store, office: Viewer) -> None:
    with store.session() as session:
        cycles.notify(session, office, KEY, CYCLE, most=1)
        raise RuntimeError("killed before the commit")
