"""The catalogues say everything the code can say, in every language, and `say` makes the sentences."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.pofile import read_po
from pydantic import BaseModel, Field, ValidationError

import expert_pool.words
from expert_pool.registry.employers import Sector
from expert_pool.registry.experts import Gender, Rank, Role
from expert_pool.words import because, cited, condition, entries, known, languages, placeholders, say, term
from expert_pool.words.catalogue import parse
from solver.answer import Status, Stopped
from solver.document import SCHEMA_FAULTS
from solver.errors import misfit
from solver.goals import GOALS
from solver.rules import RULES
from solver.rules.base import Status as BasisStatus

ROOT = Path(expert_pool.words.__file__).parent
CHECKOUT = ROOT.parent.parent
CATALOGUES = sorted(ROOT.glob("*/*.po"))
SPEAKING = {
    "Fault": "",
    "say": "",
    "Saying": "",
    "Measure": "",
    "Reason": "",
    "Note": "",
    "Progress": "progress.",
}
"""Calls whose first argument, or `code`, is a message id, and what stands before it."""


@cache
def codes_used() -> tuple[tuple[str, str], ...]:
    """Every place in the code that says something, and what: read once for all languages."""
    return tuple(
        (f"{path.relative_to(CHECKOUT)}:{node.lineno}", code)
        for package in ("solver", "expert_pool", "api")
        for path in sorted((CHECKOUT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for code in _codes_of(node)
    )


def _codes_of(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in SPEAKING:
        return
    said = next((k.value for k in call.keywords if k.arg == "code"), call.args[0] if call.args else None)
    for part in _choices(said):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield SPEAKING[name] + part.value


def _choices(node: ast.expr | None) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from _choices(node.body)
        yield from _choices(node.orelse)
    elif node is not None:
        yield node


@pytest.mark.parametrize("lang", languages())
def test_every_code_in_the_code_has_a_sentence(lang: str) -> None:
    missing = {f"{code} ({place})" for place, code in codes_used() if not known(code, lang)}
    assert not missing


@pytest.mark.parametrize("lang", languages())
def test_every_rule_goal_and_word_of_ours_has_a_name(lang: str) -> None:
    wanted = [f"name.{rule}" for rule in RULES] + [f"goal.{goal}" for goal in GOALS]
    for kind, values in (
        ("sector", Sector),
        ("rank", Rank),
        ("role", Role),
        ("gender", Gender),
        ("status", get_args(Status)),
        ("stopped", get_args(Stopped)),
        ("basis", get_args(BasisStatus)),
    ):
        wanted += [f"{kind}.{value}" for value in values]
    assert [code for code in wanted if not known(code, lang)] == []


@pytest.mark.parametrize("lang", languages())
def test_every_kind_of_schema_fault_has_a_sentence(lang: str) -> None:
    assert [kind for kind in sorted(SCHEMA_FAULTS) if not known(f"problem.schema.{kind}", lang)] == []


def test_all_languages_say_the_same_codes_with_the_same_parameters() -> None:
    first = entries(languages()[0])
    for lang in languages()[1:]:
        other = entries(lang)
        assert first.keys() == other.keys()
        differing = {code for code in first if placeholders(first[code]) != placeholders(other[code])}
        # a word that only one language bends by number, or a range that repeats its bound, adds no parameter
        assert not differing


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_our_reader_reads_a_catalogue_as_babel_does(path: Path) -> None:
    with path.open("rb") as file:
        theirs = {str(m.id): str(m.string) for m in read_po(file, abort_invalid=True) if m.id and m.string}
    assert parse(path.read_text(encoding="utf-8")) == theirs


@pytest.mark.parametrize("lang", languages())
def test_every_sentence_can_be_made_even_when_nothing_is_known(lang: str) -> None:
    for code, entry in entries(lang).items():
        said = say(code, lang, **dict.fromkeys(placeholders(entry)))
        assert said != code
        assert "{" not in said, code


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('msgid "a"\nmsgstr "1"\nmsgid "a"\nmsgstr "2"\n', "said twice"),
        ('msgid "a"\nmsgstr unquoted\n', "not a quoted string"),
        ('msgctxt "a"\n', "cannot be read"),
    ],
)
def test_a_malformed_catalogue_names_the_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=rf"^x\.po:\d+: .*{complaint}"):
        parse(text, "x.po")


def test_lists_are_joined_and_the_unknown_shows_as_a_dash() -> None:
    assert (
        say("reason.close_peer", "zh", cases=3, specialties=["软件", "网络"])
        == "本组 3 项申报的小同行（软件、网络）"
    )
    assert (
        say("reason.close_peer", "en", cases=1, specialties=None) == "close peer of 1 case of the group (—)"
    )


def test_words_of_ours_are_said_and_foreign_ones_kept() -> None:
    assert term("sector", "private", "zh") == "民营企业"
    assert term("sector", "其他", "zh") == "其他"
    assert term("sector", None) == "—"
    assert term("words", True, "en") == "yes"


@pytest.mark.parametrize(
    ("fact", "op", "than", "zh"),
    [
        ("in_pool", "eq", True, "已入本评委库"),
        ("trained_until", "ge", "@meeting", "会议当日培训仍在有效期内"),
        ("sector", "eq", "private", "单位性质为民营企业"),
        ("credit", "ge", 60, "信用分不低于60"),
        ("trained", "eq", False, "不具备“trained”"),
    ],
)
def test_a_test_of_a_fact_is_said_in_words(fact: str, op: str, than: object, zh: str) -> None:
    assert condition(fact, op, than, "zh") == zh


def test_a_basis_in_two_languages_is_cited_in_one() -> None:
    basis = "人社部令第40号第21条 / Order 40, art. 21; recused_counts: 未见条文 / no text found (D)"
    assert cited(basis, "zh") == "人社部令第40号第21条；回避者是否计入出席：未见条文"
    assert cited(basis, "en") == ("Order 40, art. 21; whether the recused count as present: no text found")
    assert cited("《职称评审管理暂行规定》第十条", "en") == "《职称评审管理暂行规定》第十条"
    assert cited("", "zh") == ""
    own = "未见条文 / no text found; employer_cap: override 2026-11-22 (D)"
    assert cited(own, "zh") == "未见条文；同单位人数上限：2026年11月22日改动"
    assert cited(own, "en") == "no text found; cap per employer: changed on 22 November 2026"


def test_format_specifications(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {
        "share": "{share:%}",
        "date": "{on:@}",
        "maybe": "a{group:? in {group}}b",
        "range": "{low:..high}",
        "number": "{n} {n:|case|cases}",
        "plain": "{n:03d} {text:>5}",
    }
    monkeypatch.setattr(
        "expert_pool.words.sentence.entries", lambda lang: made | {"words.range": "{low} to {high}"}
    )
    assert [say("share", "en", share=s) for s in ("3/10", 0.125, Fraction(1, 3), "much")] == [
        "30%",
        "12.5%",
        "33.3%",
        "much",
    ]
    assert say("date", "en", on="2026-05-31") == "31 May 2026"
    assert say("date", "zh", on="2026-05-31") == "2026年5月31日"
    assert say("date", on="soon") == "soon"
    assert (say("maybe", group="X"), say("maybe", group=None), say("maybe", group=False)) == (
        "a in Xb",
        "ab",
        "ab",
    )
    assert (say("range", low=3, high=3), say("range", low=3, high=5)) == ("3", "3 to 5")
    assert (say("number", n=1), say("number", n=2)) == ("1 case", "2 cases")
    assert say("plain", n=7, text="x") == "007 x"


def test_an_unknown_code_or_language_never_raises() -> None:
    assert say("no.such.code", "zh", a=1, b=None) == "no.such.code (a=1, b=—)"
    assert say("no.such.code", "en") == "no.such.code"
    assert say("status.optimal", "fr") == say("status.optimal", "zh")
    assert say("rule.cap", "zh", code="P1", value=object())


def test_saying_something_needs_no_heavy_import() -> None:
    program = "import sys; from expert_pool.words import say; say('status.optimal'); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"babel", "numpy", "pydantic", "sqlalchemy", "rich"} & set(loaded)


@pytest.mark.parametrize("lang", languages())
def test_why_a_value_is_refused_is_said_in_the_reader_s_language(lang: str) -> None:
    class Given(BaseModel):
        least: int = Field(lt=5)

    with pytest.raises(ValidationError) as raised:
        Given.model_validate({"least": 7})
    place, why = misfit(raised.value)
    assert place == "least"
    said = say("notices.rules_malformed", lang, where="x.yaml", place=place, said=why)
    assert {"zh": "应小于 5", "en": "must be less than 5"}[lang] in said
    other = because({"code": "invalid.never_heard"}, lang)
    assert "never_heard" in other
    assert "invalid." not in other


def test_an_alternate_has_one_word() -> None:
    assert [code for code, entry in entries("zh").items() if "候补" in entry or "替补" in entry] == []
