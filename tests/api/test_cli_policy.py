"""policy list, show and validate."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from api.cli.main import run

PRESETS = ("cn-nsfc", "cn-title-jilin-2013", "cn-title-national")


def preset(name: str) -> str:
    return (files("expert_pool.policies") / f"{name}.yaml").read_text(encoding="utf-8")


def test_the_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With their procedure, which decides whether a panel may be filed."""
    assert run(["policy", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["policies"]
    assert {p["id"]: p["procedure"] for p in listed} == dict(
        zip(PRESETS, ("draw", "compose", "draw"), strict=True)
    )


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("level", ["senior", "mid", "junior"])
def test_every_rule_of_a_preset_is_shown_with_its_basis(
    name: str, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what no text gives a number for."""
    assert run(["policy", "show", name, "--level", level, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert all(rule["basis"]["text"] for rule in shown["rules"])
    assert all(p["note"] for p in shown["unstated"])
    assert run(["policy", "show", name, "--level", level, "--lang", "en"]) == 0
    assert "cli." not in capsys.readouterr().out


def test_a_copy_of_a_preset_is_valid(tmp_path: Path) -> None:
    """The starting point of one's own policy."""
    own = tmp_path / "own.yaml"
    own.write_text(preset("cn-title-jilin-2013"), encoding="utf-8")
    assert run(["policy", "validate", str(own), "--json"]) == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  - rule: quorum\n", "  - rule: quorom\n"),
        ("procedure: compose", "procedure: guess"),
        ("    value: 25\n", "    value: many\n"),
        ("rules:\n", "rules: [\n"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    old: str, new: str, lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, one line with file and line number, and the nearest known name for a misspelt one."""
    text = preset("cn-title-jilin-2013")
    assert old in text
    own = tmp_path / "own.yaml"
    own.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert run(["policy", "validate", str(own), "--lang", lang]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    line = text[: text.index(old)].count("\n") + 1
    assert any(f"own.yaml:{n}" in err for n in range(line, line + 6)) or "[" in new
    assert "policy." not in err
    if "quorom" in new:
        assert "quorum" in err


def test_an_unknown_policy_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """By mistake one types cn-nfsc."""
    assert run(["policy", "show", "cn-nfsc", "--lang", "en"]) == 2
    assert "cn-nsfc" in capsys.readouterr().err
