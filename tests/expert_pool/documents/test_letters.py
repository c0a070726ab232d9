"""Letters of a cycle: what they must say, what they must not hold, and that the same letter is the same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cycle_office import computed, misbehave, on, person
from docx import Document
from sqlalchemy import select
from tiny_registry import Tiny, entered

from expert_pool import clock
from expert_pool.documents.letters import letter_document
from expert_pool.keys import Key
from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.cycle import Deciding
from expert_pool.reevaluation.cycle.letter_contents import LetterContent
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import Expert, Membership, Notice, Step
from expert_pool.runs.files import Attachment
from expert_pool.store import open_store

KEY = Key(bytes(range(32)))


def text_of(document: bytes) -> str:
    """All that a letter says, tables too."""
    paper = Document(BytesIO(document))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in paper.paragraphs), *cells])


@pytest.fixture(scope="module")
def letters(
    tiny_template: tuple[Path, Tiny], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Tiny, dict[str, LetterContent]]]:
    """The three letters to E05: told in December, decided in January, changed on appeal."""
    path = shutil.copy(tiny_template[0], tmp_path_factory.mktemp("letters"))
    with open_store(f"sqlite:///{path}", key=KEY) as store:
        tiny = replace(tiny_template[1], store=store)
        yield tiny, told(tiny)


def told(tiny: Tiny) -> dict[str, LetterContent]:
    misbehave(tiny)
    clerk, head, other, third = (person(tiny, name) for name in ("clerk", "head", "other", "third"))
    key, code = tiny.store.key, computed(tiny)
    with on(110), tiny.store.session() as session:
        cycle.notify(session, clerk, key, code)
    with on(150), tiny.store.session() as session:
        cycle.decide_unanswered(session, head, code)
        cycle.confirm(session, other, code)
        cycle.execute(session, clerk, key, code)
        cycle.appeal(session, clerk, key, code, "E05", "不服")
        cycle.decide_appeal(session, clerk, code, "E05", Measure.LOWER, 3, reason="情节较轻")
        cycle.confirm_appeal(session, third, key, code, "E05")
        return {kind: cycle.letter_of(session, clerk, code, "E05", kind) for kind in cycle.KINDS}


@pytest.mark.parametrize(
    ("kind", "lang", "said"),
    [
        ("proposal", "zh", ("专家复评告知书", "降低抽取频次 6 个月", "尚未决定", "信用分 70", "2027年1月1日（暂定）", "credit/", "接受后缺席", "-20", "本系统设计")),
        ("proposal", "en", ("Notice of a proposed measure", "1 January 2027 (provisional)", "Nothing is decided yet", "not published yet")),
        ("decision", "zh", ("专家复评决定书", "至2027年7月28日止", "申诉", "未参与本决定的两人", "自本决定次日起", "作出决定前未收到您的答复")),
        ("decision", "en", ("Decision", "until 28 July 2027", "You may appeal until", "No answer of yours had come in")),
        ("appeal", "zh", ("专家复评申诉决定书", "您于2027年1月29日对批次", "改为：降低抽取频次 3 个月", "情节较轻", "有关记录已更正")),
        ("appeal", "en", ("Decision on an appeal", "Your appeal of 29 January 2027", "the records are corrected", "until 28 April 2027")),
    ],
)  # fmt: skip
def test_a_letter_says_what_when_why_and_until_when(
    letters: tuple[Tiny, dict[str, LetterContent]], kind: str, lang: str, said: tuple[str, ...]
) -> None:
    text = text_of(letter_document(letters[1][kind], lang))
    assert [words for words in said if words not in text] == []
    assert "{" not in text
    assert "—" not in text


def test_a_letter_holds_no_id_and_is_the_same_bytes_each_time(
    letters: tuple[Tiny, dict[str, LetterContent]],
) -> None:
    tiny, contents = letters
    with tiny.store.reading() as session:
        expert = session.get_one(Expert, tiny.ids["expert"]["E05"])
        assert expert.national_id_sealed is not None
        national_id = tiny.store.key.open(expert.national_id_sealed)
    for content in contents.values():
        for lang in ("zh", "en"):
            first = letter_document(content, lang)
            assert national_id not in text_of(first)
            with clock.fixed(clock.now() + timedelta(days=1)):
                assert letter_document(content, lang) == first


def test_a_decision_says_which_answers_it_had_and_on_which_record_a_condition_rests(
    sqlite_tiny: Tiny,
) -> None:
    """The notice is written though nobody can be reached yet: it waits under the expert's own record."""
    tiny, key = sqlite_tiny, sqlite_tiny.store.key
    expert = tiny.ids["expert"]["E05"]
    term = Membership(
        expert_id=expert, pool_id=tiny.ids["pool"]["P1"], step=Step.ADMITTED, until=date(2026, 8, 15), reason="",
        holds_on=date(2026, 7, 1), recorded_at=tiny.recorded_at, recorded_by="office",
        organiser_id=tiny.organiser_id,
    )  # fmt: skip
    entered(tiny, [term])
    misbehave(tiny, [("E05", "缺席", date(2026, 6, 1)), ("E05", "缺席", date(2026, 7, 1))])
    clerk, head, other = (person(tiny, name) for name in ("clerk", "head", "other"))
    code = computed(tiny)
    with on(20), tiny.store.session() as session:
        cycle.notify(session, clerk, key, code)
        evidence = [Attachment("病历.pdf", b"ill", "application/pdf")]
        cycle.reply(session, clerk, key, code, "E05", "当天生病", evidence=evidence, last=True)
    with on(21), tiny.store.session() as session:
        cycle.decide(session, head, code, [Deciding("E05")])
        cycle.confirm(session, other, code, ["E05"])
        cycle.execute(session, clerk, key, code, ["E05"])
        found = cycle.letter_of(session, clerk, code, "E05", "decision")
        row = session.scalar(select(Membership.id).where(Membership.until == date(2026, 8, 15)))
        told = session.scalars(select(Notice.cause).where(Notice.expert_id == expert)).all()
    assert [cause.split(":")[3] for cause in told] == ["proposal", "decision"]
    text = text_of(letter_document(found, "zh"))
    assert "您于2026年9月21日作出的答复（附件 1 份）已在作出决定前交作出决定的人员" in text
    assert f"membership/{row}" in text
    assert "Your answer of 21 September 2026 (1 file)" in text_of(letter_document(found, "en"))
