"""A panel's papers as they leave the house: with a purpose, a watermark, and two entries in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from expert_pool import panels
from expert_pool.documents.papers import paper, papers
from expert_pool.documents.people import Person
from expert_pool.opened import open_panel, people_of, require_readable
from expert_pool.privacy.exports import FileMark, begin, finish_hashed
from expert_pool.privacy.purposes import purpose_of
from expert_pool.privacy.watermark import stamp_document
from expert_pool.recorded import committee_of, find_panel, problem_of
from expert_pool.registry import Expert
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from expert_pool.words import languages
from solver.answer import Answer
from solver.errors import Fault
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent


@dataclass(frozen=True)
class Readable:
    """A panel as far as somebody may print it. `people` behind its pseudonyms: empty while it is sealed for them."""

    code: str
    sealed: bool
    answer: Answer
    problem: Problem
    people: Mapping[str, Person]

    @property
    def papers(self) -> tuple[str, ...]:
        """The names of all its papers."""
        return papers(self.answer)


@dataclass(frozen=True)
class Printed:
    """Papers by name, and the export they left by."""

    serial: str
    files: Mapping[str, bytes]


def readable(store: Store, viewer: Viewer, code: str) -> Readable:
    """A panel for the readers of its papers, who see names from the day its seal opens.

    Raises Fault `panels.panel_unknown`, `panels.shares_closed`.
    """
    found = panels.show(store, viewer, code)
    with store.reading() as session:
        require_readable(session, find_panel(session, viewer, code))
        problem = problem_of(session, viewer, code)
    return Readable(code, found.sealed, found.answer, problem, found.names)


def unsealed(store: Store, viewer: Viewer, code: str) -> Readable:
    """A panel with all its names for a viewer who opens seals; the look is told in the ledger. Raises Fault as
    `open_panel`."""
    opened = open_panel(store, viewer, code)
    people = {who: known.person for who, known in people_of(store, viewer, opened).items()}
    return Readable(code, opened.sealed, opened.answer, opened.problem, people)


def print_papers(
    store: Store,
    viewer: Viewer,
    panel: Readable,
    names: Sequence[str],
    *,
    purpose: str,
    serial: str | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> Printed:
    """Papers of a panel with their watermark; fewer where it is `cancelled`. `serial`: as `exports.begin`.

    Raises Fault `documents.paper_unknown`, `privacy.purpose_missing`, `privacy.purpose_long`, `viewer.not_yours`.
    """
    for name in names:
        if name not in panel.papers:
            raise Fault("documents.paper_unknown", name, known=list(panel.papers))
    purpose_of(purpose)
    content = f"panel/{panel.code}"
    with store.session() as session:
        found = find_panel(session, viewer, panel.code)
        stamp = begin(
            session,
            viewer,
            purpose=purpose,
            content=content,
            form=names[0].rpartition(".")[2] if len(names) == 1 else "papers",
            organiser_id=found.organiser_id,
            committee_id=committee_of(session, found),
            serial=serial,
        )
    files: dict[str, bytes] = {}
    for done, name in enumerate(names):
        report(Progress("documents", done, len(names)))
        if cancelled():
            break
        plain = paper(name, panel.answer, panel.people, panel.problem)
        stem, _, suffix = name.rpartition(".")
        spoken = stem.rpartition(".")[2]
        lang = spoken if spoken in languages() else languages()[0]
        files[name] = stamp_document(plain, f".{suffix}", stamp, lang)
    with store.session() as session:
        named = session.scalars(select(Expert.id).where(Expert.pseudonym.in_(panel.people)))
        marks = [FileMark.of(name, file) for name, file in files.items()]
        finish_hashed(session, viewer, stamp, marks, expert_ids=named)
    return Printed(stamp.serial, files)
