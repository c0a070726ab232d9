"""The letters of a cycle as files: plain for the office that sends them, or marked where they leave over the network."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from sqlalchemy import select

from expert_pool.documents.letters import letter_document
from expert_pool.privacy import exports
from expert_pool.privacy.watermark import Stamp, stamp_document
from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.cycle import CaseView, Kind
from expert_pool.reevaluation.cycle.finding import find_cycle
from expert_pool.registry import Expert
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from expert_pool.words import languages
from solver.progress import Progress, Reporter, silent

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True)
class LetterFile:
    """One letter in one language: whose it is (code), and what the file is called."""

    expert: str
    name: str
    lang: str
    content: bytes


@dataclass(frozen=True, slots=True)
class LetterArchive:
    """Letters that left by one export, as a zip file."""

    serial: str
    letters: int
    content: bytes


def kinds_due(case: CaseView) -> tuple[Kind, ...]:
    """The letters that a case has come to."""
    due: list[Kind] = []
    if case.notified_at is not None:
        due.append("proposal")
    if case.executed_at is not None:
        due.append("decision")
    if case.state == "settled":
        due.append("appeal")
    return tuple(due)


def letter_files(
    store: Store,
    viewer: Viewer,
    code: str,
    experts: Sequence[str] | None = None,
    *,
    kind: Kind | None = None,
    report: Reporter = silent,
) -> Iterator[LetterFile]:
    """The letters of a cycle that are due: of some experts (codes; else of all) and of one kind (else of every kind), each
    in every language. The same letters give the same bytes.

    Raises Fault `cycle.unknown`, `cycle.case_unknown`.
    """
    done, after = 0, ""
    while True:
        with store.reading() as session:
            if experts is None:
                cases = cycle.cases(session, viewer, code, after=after)
            else:
                cases = [cycle.case(session, viewer, code, one) for one in experts if not after]
            due = [(case.expert, one) for case in cases for one in kinds_due(case) if kind in (None, one)]
            contents = [(who, one, cycle.letter_of(session, viewer, code, who, one)) for who, one in due]
        if not cases:
            return
        for who, one, content in contents:
            for lang in languages():
                yield LetterFile(who, f"{who}.{one}.{lang}.docx", lang, letter_document(content, lang))
            done += 1
            report(Progress("letters", done))
        after = cases[-1].expert


def letter_marked(
    store: Store, viewer: Viewer, code: str, expert: str, kind: Kind, *, lang: str, purpose: str
) -> LetterFile:
    """One letter with its watermark, told on the ledger. Raises Fault as `cycle.letter_of` and `exports.begin`."""
    with store.reading() as session:
        content = cycle.letter_of(session, viewer, code, expert, kind)
    plain = LetterFile(expert, f"{expert}.{kind}.{lang}.docx", lang, letter_document(content, lang))
    stamp = _begun(store, viewer, code, purpose, "docx", None)
    marked = _marked(plain, stamp)
    _finished(store, viewer, stamp, [marked])
    return marked


def letters_marked(
    store: Store,
    viewer: Viewer,
    code: str,
    *,
    purpose: str,
    kind: Kind | None = None,
    serial: str | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> LetterArchive:
    """All letters of a cycle that are due with their watermark, told on the ledger; fewer where it is `cancelled`.
    `serial`: as `exports.begin`. Raises Fault as `letter_files` and `exports.begin`."""
    stamp = _begun(store, viewer, code, purpose, "papers", serial)
    whole, files = BytesIO(), list[LetterFile]()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for plain in letter_files(store, viewer, code, kind=kind, report=report):
            if cancelled():
                break
            marked = _marked(plain, stamp)
            archive.writestr(zipfile.ZipInfo(marked.name), marked.content)
            files.append(marked)
    _finished(store, viewer, stamp, files)
    return LetterArchive(stamp.serial, len(files), whole.getvalue())


def _begun(store: Store, viewer: Viewer, code: str, purpose: str, form: str, serial: str | None) -> Stamp:
    with store.session() as session:
        owner = find_cycle(session, viewer, code).organiser_id
        return exports.begin(
            session,
            viewer,
            purpose=purpose,
            content=f"cycle/{code}",
            form=form,
            organiser_id=owner,
            serial=serial,
        )


def _marked(file: LetterFile, stamp: Stamp) -> LetterFile:
    return LetterFile(
        file.expert, file.name, file.lang, stamp_document(file.content, ".docx", stamp, file.lang)
    )


def _finished(store: Store, viewer: Viewer, stamp: Stamp, files: Sequence[LetterFile]) -> None:
    with store.session() as session:
        about = session.scalars(select(Expert.id).where(Expert.code.in_({file.expert for file in files})))
        marks = [exports.FileMark.of(file.name, file.content) for file in files]
        exports.finish_hashed(session, viewer, stamp, marks, expert_ids=about.all())
