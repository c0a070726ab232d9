"""Letters of a cycle: what they must say, what they must not hold, and that the same letter is the same bytes."""

from __future__ import annotations

import time
from io import BytesIO

import pytest
from cycle_office import computed, misbehave, on, person
from docx import Document
from tiny_registry import Tiny

from expert_pool import clock
from expert_pool.documents.letters import letter_document
from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.cycle.letters import LetterContent
from expert_pool.reevaluation.scheme import Measure
from expert_pool.registry import Expert


def text_of(document: bytes) -> str:
    """All that a letter says, tables too."""
    paper = Document(BytesIO(document))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in paper.paragraphs), *cells])


@pytest.fixture
def letters(sqlite_tiny: Tiny) -> tuple[Tiny, dict[str, LetterContent]]:
    """The three letters to E05: told in December, decided in January, changed on appeal."""
    tiny = sqlite_tiny
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
        return tiny, {kind: cycle.letter_of(session, clerk, code, "E05", kind) for kind in cycle.KINDS}


@pytest.mark.parametrize(
    ("kind", "lang", "said"),
    [
        ("proposal", "zh", ("专家复评告知书", "降低抽取频次 6 个月", "尚未决定", "信用分 70", "2027年1月1日（暂定）", "credit/", "接受后缺席", "-20", "本系统设计")),
        ("proposal", "en", ("Notice of a proposed measure", "1 January 2027 (provisional)", "Nothing is decided yet", "not published yet")),
        ("decision", "zh", ("专家复评决定书", "至2027年7月28日止", "申诉", "未参与本决定的两人")),
        ("decision", "en", ("Decision", "until 28 July 2027", "You may appeal until")),
        ("appeal", "zh", ("专家复评申诉决定书", "改为：降低抽取频次 3 个月", "情节较轻", "有关记录已更正")),
        ("appeal", "en", ("Decision on an appeal", "the records are corrected", "until 28 April 2027")),
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
            time.sleep(0)
            with clock.fixed(clock.now()):
                assert letter_document(content, lang) == first
