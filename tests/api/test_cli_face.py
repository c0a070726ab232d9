"""Global options may stand anywhere, and defaults come from the environment in the order that help promises."""

from __future__ import annotations

import json

import pytest

from api.cli.face import Face, take_face
from api.cli.main import run
from solver.errors import Fault


def test_global_options_are_taken_before_and_after_the_command() -> None:
    """What is left is the command's own."""
    face, left = take_face(["--json", "check", "a.json", "--lang=en", "b.json", "--as", "office"], {})
    assert face == Face("en", json=True, actor="office")
    assert left == ["check", "a.json", "b.json"]


def test_nothing_is_taken_after_two_dashes() -> None:
    """`--` ends the options."""
    face, left = take_face(["check", "--", "--json"], {})
    assert not face.json
    assert left == ["check", "--", "--json"]


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, "zh"),
        ({"LANG": "C.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "EXPERT_POOL_LANG": "en"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "zh"),
    ],
)
def test_language_of_the_environment(environment: dict[str, str], lang: str) -> None:
    """EXPERT_POOL_LANG, then the locale, then Chinese."""
    assert take_face([], environment)[0].lang == lang


def test_an_unspoken_language_is_refused() -> None:
    """The fault names those that are spoken."""
    with pytest.raises(Fault) as caught:
        take_face(["--lang", "fr"], {})
    assert caught.value.params["known"] == ["zh", "en"]


def test_actor_and_database_come_from_the_environment() -> None:
    """$USER acts, EXPERT_POOL_DATABASE is opened."""
    face, _ = take_face([], {"USER": "li", "EXPERT_POOL_DATABASE": "sqlite:///x.db"})
    assert (face.actor, face.database) == ("li", "sqlite:///x.db")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["panl"], "cli.command_unknown"),
        (["panel", "reqest"], "cli.command_unknown"),
        (["check", "a.json", "b.json", "--deep"], "cli.option_unknown"),
        (["check", "a.json"], "cli.parameter_missing"),
        (["check", "a", "b", "c"], "cli.too_many"),
        (["assemble", "a.json", "--workers", "many"], "cli.value_bad"),
        (["assemble", "a.json", "--workers", "0"], "cli.value_bad"),
        (["assemble", "a.json", "--gap", "3"], "cli.value_bad"),
        (["assemble", "a.json", "--seconds"], "cli.value_missing"),
        (["diagnose", "a.json", "--seconds", "nan"], "cli.not_finite"),
        (["standing", "E1", "--on", "31.3.2026"], "cli.date_bad"),
        (["standing", "E1", "--known-at", "noon"], "cli.moment_bad"),
        (["schema", "panelz"], "format.unknown"),
        (["standing", "E1", "--database", "nowhere.db"], "cli.database_missing"),
        (["panel", "request", "C", "M", "--override", "panel_low"], "cli.override_why"),
        (["panel", "request", "C", "M", "--override", "panel_low", "--why", "x"], "cli.override_malformed"),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_misuse_is_one_sentence_and_exit_2(
    words: list[str], code: str, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stderr, one JSON document with --json, never a traceback."""
    assert run([*words, "--json", "--lang", lang]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["code"] == code
    assert len(err.splitlines()) == 1
    assert error["message"] in err
    assert "Traceback" not in err


def test_a_number_out_of_range_names_the_range(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it can be mended without the manual."""
    assert run(["assemble", "a.json", "--workers", "0", "--lang", "en"]) == 2
    assert "at least 1, at most 64" in capsys.readouterr().err


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with the exit code of bad input."""
    assert run(["--lang", "en"]) == 2
    assert "Usage:" in capsys.readouterr().err


def test_a_fault_of_ours_is_an_apology_with_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """Exit 1; the trace is in a file that only the user may read."""
    import stat
    import tempfile
    from pathlib import Path

    def broken(*_: object) -> object:
        raise RuntimeError("inside")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("api.cli.commands.solving.schema_of", broken)
    assert run(["schema", "panel", "--lang", "en"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    (log,) = Path(str(tmp_path)).glob("expert-pool-*.log")
    assert str(log) in err
    assert "RuntimeError: inside" in log.read_text(encoding="utf-8")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_ctrl_c_wrapped_by_python_is_still_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a class is being made, Python turns it into a RuntimeError."""

    def broken(*_: object) -> object:
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    monkeypatch.setattr("api.cli.commands.solving.schema_of", broken)
    assert run(["schema", "panel"]) == 130
