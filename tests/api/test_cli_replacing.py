"""replace, invite and alternatives: files in, files out, exit codes, both languages."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from patience import until

from api.cli.commands.solving import schema_of
from api.cli.main import run
from solver import replace

SMALL = Path(__file__).parents[2] / "fixtures" / "problems" / "small.json"
Said = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The small example without its rule on alternates, so that its people suffice for a replacement; and its panel."""
    folder = tmp_path_factory.mktemp("files")
    plain = json.loads(SMALL.read_text(encoding="utf-8"))
    plain["rules"] = [rule for rule in plain["rules"] if rule["rule"] != "alternates"]
    for group in plain["groups"]:
        group["alternates"] = 0
    problem, panel = folder / "problem.json", folder / "panel.json"
    problem.write_text(json.dumps(plain), encoding="utf-8")
    assert run(["assemble", str(problem), "-o", str(panel), "--json"]) == 0
    return problem, panel


def document(said: Said, name: str | None = None) -> Any:
    """The one document printed, which must keep to the schema of its format."""
    printed, err = said.readouterr()
    assert err == ""
    read = json.loads(printed)
    if name is not None:
        Draft202012Validator(schema_of(name)).validate(read)
    return read


def member(panel: Path, role: str = "member") -> str:
    found = json.loads(panel.read_text(encoding="utf-8"))["members"]
    return str(next(m["expert"] for m in found if m["role"] == role))


def test_replace_writes_a_lawful_panel_and_its_problem(
    files: tuple[Path, Path], tmp_path: Path, capsys: Said
) -> None:
    """The two belong together; the absent person is out, and the document says who goes and who comes."""
    problem, panel = files
    gone = member(panel)
    new, saved = tmp_path / "new.json", tmp_path / "problem.json"
    capsys.readouterr()
    words = ["replace", str(problem), str(panel), "--absent", gone, "--why", "请假"]
    assert run([*words, "-o", str(new), "--save-problem", str(saved), "--json", "--as", "office"]) == 0
    told = document(capsys, "replacement")
    assert told["answer"] == json.loads(new.read_text(encoding="utf-8"))
    assert gone not in {m["expert"] for m in told["answer"]["members"]}
    assert told["changes"][0]["expert"] == gone
    assert told["decisions"][0] | {"on": ""} == {
        "kind": "out",
        "expert": gone,
        "by": "office",
        "on": "",
        "why": "请假",
        "group": None,
    }
    assert told["least"]["proven"]
    assert all(place["substitutes"][0]["rank"] == 1 for place in told["seats"])
    assert run(["check", str(saved), str(new), "--json"]) == 0


def test_several_absences_are_separated_by_spaces_or_commas(
    files: tuple[Path, Path], tmp_path: Path, capsys: Said
) -> None:
    """`--absent A B`, `--absent A,B` and `--absent A --absent B` are one."""
    problem, panel = map(str, files)
    first, second = member(files[1], "chair"), member(files[1])
    capsys.readouterr()
    told = []
    for words in ([first, second], [f"{first},{second}"], [first, "--absent", second]):
        assert run(["replace", problem, panel, "--absent", *words, "--why", "请假", "--json"]) == 0
        told.append(document(capsys, "replacement"))
    assert told[0] == told[1] == told[2]
    assert run(["replace", problem, panel, first]) == 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_replace_and_invite_speak_to_people(files: tuple[Path, Path], lang: str, capsys: Said) -> None:
    """Every sentence is one of ours; the absent person is named."""
    problem, panel = files
    gone = member(panel)
    capsys.readouterr()
    assert run(["replace", str(problem), str(panel), "--absent", gone, "--lang", lang]) == 0
    replaced = capsys.readouterr().out
    words = ["invite", str(problem), str(panel), "--declined", gone, "--on", "2026-04-01"]
    assert run([*words, "--lang", lang]) == 0
    invited = capsys.readouterr().out
    for said in (replaced, invited):
        assert gone in said
        assert "cli." not in said
        assert "replace." not in said


def test_an_absence_nobody_can_fill_is_exit_3(tmp_path: Path, capsys: Said) -> None:
    """With the reason, in the small example as it stands, whose pool is too thin."""
    panel = tmp_path / "panel.json"
    assert run(["assemble", str(SMALL), "-o", str(panel), "--json"]) == 0
    capsys.readouterr()
    gone = member(panel, "chair")
    assert run(["replace", str(SMALL), str(panel), "--absent", gone, "--json"]) == 3
    told = document(capsys, "replacement")
    assert told["answer"]["why_not"]
    assert (told["least"], told["seats"]) == (None, [])


def test_cases_conflicts_and_choices_are_options(files: tuple[Path, Path], capsys: Said) -> None:
    """A case less, a case more, a late conflict, and somebody chosen: all in one call."""
    problem, panel = files
    plain = json.loads(problem.read_text(encoding="utf-8"))
    first, second = plain["cases"]["id"][:2]
    group = plain["groups"][plain["cases"]["group"][1]]["id"]
    code = plain["specialties"]["code"][plain["cases"]["specialty"][1]]
    gone, stays = member(panel), member(panel, "chair")
    words = ["--withdraw", first, "--add", f"NEW:{code}:{group}", "--conflict", f"{gone}:{second}:pair"]
    words += ["--take", stays, "--substitutes", "0"]
    capsys.readouterr()
    assert run(["replace", str(problem), str(panel), *words, "--json"]) == 0
    told = document(capsys, "replacement")
    cases = {case["case"] for case in told["answer"]["cases"]}
    assert "NEW" in cases
    assert first not in cases
    assert told["seats"] == []


def test_on_the_day_alternates_are_called(tmp_path: Path, capsys: Said) -> None:
    """Without a search; exit 5 where a rule breaks."""
    panel = tmp_path / "panel.json"
    assert run(["assemble", str(SMALL), "-o", str(panel), "--json"]) == 0
    chair, plain = member(panel, "chair"), json.loads(panel.read_text(encoding="utf-8"))
    capsys.readouterr()
    words = ["replace", str(SMALL), str(panel), "--on-the-day"]
    assert run([*words, "--absent", chair, "--json"]) == 0
    told = document(capsys, "attendance")
    assert told["presides"] == member(panel, "deputy")
    assert len(told["called"]) == 1
    group = next(m["group"] for m in plain["members"] if m["expert"] == chair)
    everybody = [m["expert"] for m in plain["members"] if m["group"] == group]
    assert run([*words, "--absent", ",".join(everybody), "--lang", "en"]) == 5
    assert "stay empty" in capsys.readouterr().out
    assert run([*words, "--absent", "P99", "--json"]) == 2


def test_invitation_rounds_go_on_from_the_state_file(
    files: tuple[Path, Path], tmp_path: Path, capsys: Said
) -> None:
    """Begun, answered, replaced, seated."""
    problem, panel = files
    state, new = tmp_path / "state.json", tmp_path / "new.json"
    plain = json.loads(panel.read_text(encoding="utf-8"))
    everybody = [m["expert"] for m in plain["members"]]
    gone = member(panel)
    start = ["invite", str(problem), str(panel), "--state", str(state), "--json"]
    capsys.readouterr()
    assert run([*start, "--on", "2026-04-01"]) == 0
    begun = document(capsys)
    assert begun["invitations"] == json.loads(state.read_text(encoding="utf-8"))
    assert begun["replacement"] is None
    Draft202012Validator(schema_of("invitations")).validate(begun["invitations"])
    Draft202012Validator(schema_of("forecast")).validate(begun["forecast"])
    rest = ",".join(e for e in everybody if e != gone)
    answers = ["--accepted", rest, "--declined", gone, "--why", "出差", "-o", str(new)]
    assert run([*start, "--on", "2026-04-02", *answers]) == 0
    second = document(capsys)
    assert second["invitations"]["round"] == 2
    assert second["replacement"]["changes"]
    now = {m["expert"] for m in json.loads(new.read_text(encoding="utf-8"))["members"]}
    assert set(everybody) - {gone} <= now
    words = ["invite", str(problem), str(new), "--state", str(state), "--json", "--on", "2026-04-03"]
    assert run([*words, "--accepted", ",".join(now - set(everybody))]) == 0
    last = document(capsys)
    assert last["invitations"]["seated"]
    assert last["forecast"]["rounds"] == 0


def test_who_accepted_stays_through_a_replacement(
    files: tuple[Path, Path], tmp_path: Path, capsys: Said
) -> None:
    """`replace --state` keeps their places, and lets go of somebody who fell ill after accepting."""
    problem, panel = files
    state, new = tmp_path / "state.json", tmp_path / "new.json"
    everybody = [m["expert"] for m in json.loads(panel.read_text(encoding="utf-8"))["members"]]
    words = ["invite", str(problem), str(panel), "--state", str(state), "--on", "2026-04-01", "--json"]
    assert run([*words, "--accepted", ",".join(everybody)]) == 0
    ill = member(panel)
    capsys.readouterr()
    words = ["replace", str(problem), str(panel), "--absent", ill, "--state", str(state), "-o", str(new)]
    assert run([*words, "--substitutes", "0", "--json"]) == 0
    told = document(capsys, "replacement")
    kept = {d["expert"] for d in told["decisions"] if d["kind"] == "in"}
    assert kept == set(everybody) - {ill}
    assert kept <= {m["expert"] for m in told["answer"]["members"]}


def test_a_forecast_begins_nothing(files: tuple[Path, Path], tmp_path: Path, capsys: Said) -> None:
    """Also under a draw, where there are no rounds."""
    problem, panel = files
    drawn = tmp_path / "drawn.json"
    drawn.write_text(json.dumps(json.loads(problem.read_text(encoding="utf-8")) | {"procedure": "draw"}))
    state = tmp_path / "state.json"
    capsys.readouterr()
    words = ["invite", str(drawn), str(panel), "--state", str(state), "--json"]
    assert run([*words, "--forecast", "--rate", "35"]) == 0
    told = document(capsys, "forecast")
    assert told["default"] == 35
    assert not state.exists()
    assert run(words) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "invitations.draw"


def test_alternatives_are_written_and_lawful(files: tuple[Path, Path], tmp_path: Path, capsys: Said) -> None:
    """Each is a panel of the problem itself, so that any of them may be filed."""
    problem, _ = files
    out = tmp_path / "panels"
    assert run(["alternatives", str(problem), "-k", "3", "--within", "20%", "-o", str(out), "--json"]) == 0
    told = document(capsys, "panels")
    assert told == json.loads((out / "panels.json").read_text(encoding="utf-8"))
    assert len(told["panels"]) == 3
    for i in (1, 2, 3):
        assert run(["check", str(problem), str(out / f"panel-{i}.json"), "--json"]) == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_too_few_alternatives_say_so(files: tuple[Path, Path], lang: str, capsys: Said) -> None:
    """Exit 0: that there are no more is proven."""
    assert run(["alternatives", str(files[0]), "-k", "50", "--within", "0", "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert "50" in said
    assert "several." not in said


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["replace", "{problem}", "{panel}", "--absent", "nobody"], "replace.expert_unknown"),
        (["replace", "{problem}", "{panel}", "--conflict", "P01"], "cli.replace.parts"),
        (["replace", "{problem}", "{panel}", "--conflict", "P01:C1:all"], "cli.replace.effect"),
        (["replace", "{problem}", "{panel}", "--add", "X:"], "cli.replace.parts"),
        (["replace", "{problem}", "{panel}", "--withdraw", "X"], "replace.case_unknown"),
        (["replace", "{problem}", "{panel}", "--on-the-day", "--withdraw", "X"], "cli.replace.only_absent"),
        (["replace", "{problem}", "{panel}", "-o", "no/such/p.json"], "cli.no_folder"),
        (["replace", "{problem}", "{problem}"], "panel.schema"),
        (["invite", "{problem}", "{panel}", "--state", "{panel}"], "invitations.schema"),
        (
            [
                "invite",
                "{problem}",
                "{panel}",
                "--on",
                "2026-04-01",
                "--accepted",
                "P01",
                "--declined",
                "P01",
            ],
            "invitations.both",
        ),
        (["invite", "{problem}", "{panel}", "--on", "2026-04-31"], "cli.date_bad"),
        (["invite", "{problem}", "{panel}", "--on", "2030-01-01"], "invitations.too_late"),
        (["invite", "{problem}", "{panel}", "--rate-fact", "x"], "problem.fact_unknown"),
        (["alternatives", "{problem}", "--within", "two"], "cli.alternatives.within"),
        (["alternatives", "{problem}", "--within", "-5"], "several.number"),
        (["alternatives", "{problem}", "--level", "77"], "several.level"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_cannot_be_done_is_one_sentence(
    files: tuple[Path, Path], words: list[str], code: str, lang: str, capsys: Said
) -> None:
    """Exit 2, one line, one document."""
    problem, panel = map(str, files)
    given = [word.format(problem=problem, panel=panel) for word in words]
    capsys.readouterr()
    assert run([*given, "--json", "--lang", lang]) == 2
    printed, err = capsys.readouterr()
    error = json.loads(printed)["error"]
    assert error["code"] == code
    assert len(err.splitlines()) == 1
    assert code not in error["message"]


def test_ctrl_c_keeps_the_replacement(
    files: tuple[Path, Path], capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while substitutes are looked for: exit 130, and the document has the panel."""
    problem, panel = files
    search, calls = replace.search, []

    def stopped(problem: Any, *, start: Any = None, report: Any, cancelled: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            until(cancelled)
        return search(problem, start=start, report=report, cancelled=cancelled)

    monkeypatch.setattr(replace, "search", stopped)
    assert run(["replace", str(problem), str(panel), "--absent", member(panel), "--json"]) == 130
    told = json.loads(capsys.readouterr().out)
    assert told["answer"]["members"]
    assert {place["ended"] for place in told["seats"]} == {"cancelled"}
