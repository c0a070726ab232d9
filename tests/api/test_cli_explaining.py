"""why and panel diff: files in, reasons out, in both languages and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.cli.main import run

SMALL = Path(__file__).parents[2] / "fixtures" / "problems" / "small.json"
Printed = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The panel of the small example."""
    path = tmp_path_factory.mktemp("why") / "panel.json"
    assert run(["assemble", str(SMALL), "-o", str(path), "--json"]) == 0
    return path


@pytest.fixture
def document(panel: Path) -> dict[str, Any]:
    """It as plain data, to be spoiled."""
    plain: dict[str, Any] = json.loads(panel.read_text(encoding="utf-8"))
    return plain


def put(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def printed(capsys: Printed) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(capsys.readouterr().out)
    return plain


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_everybody_is_explained_in_words(lang: str, panel: Path, capsys: Printed) -> None:
    capsys.readouterr()
    assert run(["why", str(SMALL), str(panel), "--lang", lang]) == 0
    said = capsys.readouterr().out
    answer = json.loads(panel.read_text(encoding="utf-8"))
    assert all(seated["expert"] in said for seated in (*answer["members"], *answer["alternates"]))
    assert not any(code in said for code in ("explain.", "reason.", "rule."))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_rules_and_outsiders_are_explained_in_words(lang: str, panel: Path, capsys: Printed) -> None:
    """Whoever is barred with the gate, whoever would clash with the rules that clash, and every rule."""
    capsys.readouterr()
    assert run(["why", str(SMALL), str(panel), "P02", "P09", "--exact", "--rules", "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert "relation:17" in said
    assert not any(code in said for code in ("explain.", "why_not.", "rule."))


def test_json_keeps_to_the_schema(panel: Path, tmp_path: Path, capsys: Printed) -> None:
    """For both formats; what is printed is what is written."""
    capsys.readouterr()
    out = tmp_path / "why.json"
    assert run(["why", str(SMALL), str(panel), "P09", "--rules", "-o", str(out), "--json"]) == 0
    why = printed(capsys)
    assert why == json.loads(out.read_text(encoding="utf-8"))
    (outsider,) = why["outsiders"]
    assert outsider["verdict"] == "barred"
    assert outsider["gates"][0]["says"]["params"] == {
        "fact": "in_pool",
        "op": "eq",
        "than": True,
        "value": False,
    }
    assert run(["panel", "diff", str(panel), str(panel), "-o", str(out), "--json"]) == 0
    diff = printed(capsys)
    assert diff == json.loads(out.read_text(encoding="utf-8"))
    for name, written in (("explanation", why), ("panel-diff", diff)):
        assert run(["schema", name]) == 0
        schema = printed(capsys)
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(written)


def test_without_experts_and_with_rules_only_rules_are_told(panel: Path, capsys: Printed) -> None:
    capsys.readouterr()
    assert run(["why", str(SMALL), str(panel), "--rules", "--json"]) == 0
    why = printed(capsys)
    assert (why["members"], why["outsiders"]) == ([], [])
    assert len(why["rules"]) == len(json.loads(SMALL.read_text(encoding="utf-8"))["rules"])


def test_a_time_limit_is_exit_4(panel: Path, capsys: Printed) -> None:
    capsys.readouterr()
    assert run(["why", str(SMALL), str(panel), "--exact", "--seconds", "0.01", "--json"]) == 4
    assert printed(capsys)["stopped_by"] == "time"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_difference_of_two_panels_is_told(
    lang: str, panel: Path, tmp_path: Path, capsys: Printed
) -> None:
    """Of a roster changed by hand, measured under the problem and as the files say."""
    document = json.loads(panel.read_text(encoding="utf-8"))
    document["members"][0]["expert"], document["alternates"][0]["expert"] = (
        document["alternates"][0]["expert"],
        document["members"][0]["expert"],
    )
    other = put(tmp_path / "other.json", document)
    capsys.readouterr()
    for measured in ([], ["--problem", str(SMALL)]):
        assert run(["panel", "diff", str(panel), str(other), *measured, "--lang", lang]) == 0
        said = capsys.readouterr().out
        assert document["members"][0]["expert"] in said
        assert "diff." not in said
        assert "explain." not in said


def test_unknown_experts_are_refused_with_the_nearest(panel: Path, capsys: Printed) -> None:
    capsys.readouterr()
    assert run(["why", str(SMALL), str(panel), "P001", "--json"]) == 2
    error = printed(capsys)["error"]
    assert error["code"] == "explain.expert_unknown"
    assert "P01" in error["message"]


def test_panels_that_cannot_be_explained_are_refused(
    document: dict[str, Any], panel: Path, tmp_path: Path, capsys: Printed
) -> None:
    """Of another problem, without members, no panel at all, a file that is not there."""
    foreign = put(
        tmp_path / "foreign.json", document | {"problem": document["problem"] | {"sha256": "0" * 64}}
    )
    empty = put(tmp_path / "empty.json", document | {"members": []})
    why, diff = ["why", str(SMALL)], ["panel", "diff", str(panel)]
    for words, code in (
        ([*why, str(foreign)], "explain.other_problem"),
        ([*why, str(empty)], "panel.empty"),
        ([*why, str(SMALL)], "panel.schema"),
        ([*why, str(tmp_path / "no.json")], "cli.unreadable"),
        ([*why, str(panel), "-o", str(tmp_path / "no" / "x.json")], "cli.no_folder"),
        ([*diff, str(empty)], "panel.empty"),
        ([*diff, str(tmp_path / "no.json")], "cli.unreadable"),
        ([*diff, str(panel), "--problem", str(panel)], "problem.schema.literal_error"),
    ):
        capsys.readouterr()
        assert run([*words, "--json"]) == 2, code
        error = printed(capsys)["error"]
        assert error["code"] == code
        assert error["message"] != code
