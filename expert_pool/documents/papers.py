"""The papers of a panel by name: workbook and report in every language, picture as SVG and PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from expert_pool.documents.document import panel_document
from expert_pool.documents.people import Person
from expert_pool.documents.picture import panel_picture
from expert_pool.documents.workbook import panel_workbook
from expert_pool.words import languages
from solver.answer import Answer
from solver.errors import Fault
from solver.problem import Problem

MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "svg": "image/svg+xml",
    "png": "image/png",
}
"""Of each kind of paper, by suffix."""

_WRITERS = {"xlsx": panel_workbook, "docx": panel_document}


def papers(answer: Answer) -> tuple[str, ...]:
    """The names of the papers that there are of a panel; a picture only where somebody sits."""
    written = [f"panel.{lang}.{suffix}" for lang in languages() for suffix in _WRITERS]
    drawn = ["panel.svg", "panel.png"] if answer.members else []
    return (*written, *drawn)


def media_type(name: str) -> str:
    """What kind of file a paper is."""
    return MEDIA_TYPES[name.rpartition(".")[2]]


def paper(name: str, answer: Answer, people: Mapping[str, Person], problem: Problem) -> bytes:
    """One paper. `people` may be empty: pseudonyms show then. Raises Fault `documents.paper_unknown`."""
    if name not in papers(answer):
        raise Fault("documents.paper_unknown", name, known=list(papers(answer)))
    stem, _, suffix = name.rpartition(".")
    with TemporaryDirectory(prefix="expert-pool-") as folder:
        place = Path(folder) / name
        if suffix in _WRITERS:
            _WRITERS[suffix](answer, people, stem.rpartition(".")[2], place, problem)
        else:
            svg, png = place.with_suffix(".svg"), place.with_suffix(".png")
            panel_picture(answer, people, languages()[0], svg, png, problem)
        return place.read_bytes()
