"""The brief: one page that says what the figures say, in both languages, the same every time."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from docx import Document

from expert_pool.documents.policy_brief import LOWEST, TEXT, brief_of, policy_brief, said_height
from expert_pool.packaged import fixture
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.reading import load
from expert_pool.simulation.results import Simulation
from expert_pool.simulation.running import simulate


@pytest.fixture(scope="module")
def found() -> Simulation:
    read = load(fixture("scenarios", "policies.yaml"))
    return simulate(asked(read, problems_of(read)))


def text_of(content: bytes) -> str:
    document = Document(BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


@pytest.mark.parametrize(("lang", "other"), [("zh", 1), ("en", 1), ("en", 2)])
def test_the_brief_says_what_the_figures_say(found: Simulation, lang: str, other: int) -> None:
    assert found.policies is not None
    content = policy_brief(found, other, lang)
    text = text_of(content)
    unlawful = sum(not panel.verdicts[other].lawful for panel in found.policies.panels)
    assert f"{unlawful}/40" in text
    assert found.policies.policies[other].name[lang] in text
    assert found.inputs_sha256[:16] in text
    assert "{" not in text
    assert "—" not in text
    costs = [cost for cost in found.policies.costs if cost.policy == other and cost.first != cost.other]
    for cost in costs[:1]:
        assert str(cost.other) in text
        assert str(cost.first) in text
    brief = brief_of(found, found.policies, other, lang)
    assert len(brief.figures) == 3
    assert bool(brief.unseated) == (other == 2)


def _parts(content: bytes) -> dict[str, bytes]:
    """The parts of a .docx but for the moment of its making."""
    with zipfile.ZipFile(BytesIO(content)) as whole:
        return {name: whole.read(name) for name in whole.namelist() if name != "docProps/core.xml"}


def test_a_brief_holds_its_pictures_and_is_the_same_again(found: Simulation) -> None:
    assert found.policies is not None
    parts = _parts(policy_brief(found, 1, "zh"))
    assert sum(name.startswith("word/media/") for name in parts) == 2
    assert parts == _parts(policy_brief(found, 1, "zh"))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_much_to_say_leaves_less_room_for_pictures(found: Simulation, lang: str) -> None:
    """The page is one page: what is said and what is drawn share it."""
    assert found.policies is not None
    title = {"zh": "很长的题目", "en": "A long title"}
    second = found.policies.policies[1]
    many = second.model_copy(
        update={"differences": [d.model_copy(update={"other": "9" * 150}) for d in second.differences] * 4}
    )
    policies = found.policies.model_copy(update={"policies": [found.policies.policies[0], many]})
    long = found.model_copy(update={"title": title, "policies": policies})
    drawn = [
        sum(shape.height.mm for shape in Document(BytesIO(policy_brief(one, 1, lang))).inline_shapes)
        for one in (found, long)
    ]
    assert long.policies is not None
    room = TEXT - said_height(brief_of(long, long.policies, 1, lang), lang)
    assert drawn[1] <= max(LOWEST, room) + 1
    assert drawn[1] < drawn[0]
