"""Every command speaks both languages, and `--help` is quick because it imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from api.cli.help import columns, said_of, wrap
from api.cli.main import COMMANDS, command_tree, run
from expert_pool.words import entries, known, placeholders

HEAVY = (
    "ortools",
    "numpy",
    "pandas",
    "sqlalchemy",
    "networkx",
    "openpyxl",
    "docx",
    "vl_convert",
    "rich",
    "pydantic",
)
LANGS = ("zh", "en")


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the tree with its path, groups too."""
    yield path, command
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from leaves(command.get_command(None, name), (*path, name))


@pytest.mark.parametrize("lang", LANGS)
def test_every_command_and_parameter_has_its_words(lang: str) -> None:
    """No help text is a bare code."""
    for path, command in leaves(command_tree(lang)):
        assert known(".".join(("cli", *path, "help")), lang), path
        for parameter in command.params:
            assert not said_of(parameter.name, path, lang).startswith("cli."), (path, parameter.name)


def test_both_languages_say_the_same_things() -> None:
    """The same codes with the same parameters."""
    zh, en = ({k: v for k, v in entries(lang).items() if k.startswith("cli.")} for lang in LANGS)
    assert set(zh) == set(en)
    assert {k: placeholders(v) for k, v in zh.items()} == {k: placeholders(v) for k, v in en.items()}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_of_every_command(name: str | None, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` prints and ends well in both languages, wherever --lang stands."""
    path = [] if name is None else [name]
    assert run([*path, "--help", "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert ("Usage:" in said) == (lang == "en")
    assert max(columns(line) for line in said.splitlines()) <= 80


def test_help_imports_nothing_heavy() -> None:
    """Neither the optimiser nor the database nor rich is needed to explain a command."""
    code = "import sys; from api.cli.main import run; run(['--help']); run(['assemble', '--help']); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert not loaded & set(HEAVY)


def test_completion_is_offered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell is told the commands that begin with what was typed."""
    monkeypatch.setenv("_EXPERT_POOL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "expert-pool p")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run([]) == 0
    assert capsys.readouterr().out.split() == ["panel", "proof", "policy", "pool", "privacy"]


def test_lines_break_between_chinese_characters_but_not_before_a_stop() -> None:
    """A wide character takes two columns, and a line never begins with a comma."""
    assert list(wrap("评审组，由专家", 8)) == ["评审组，", "由专家"]
    assert list(wrap("评审组，由专家", 6)) == ["评审", "组，由", "专家"]
    assert list(wrap("one two three", 8)) == ["one two", "three"]
