"""Simulations of the registry: what was asked, what a run has settled so far, and what came of it.

A run works in a folder, as the command does. `Mirror` copies the folder's files into the registry as they come, so that
another worker may go on from there; `so_far` reads a result out of them at any time.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import datetime
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.registry import ScenarioRecord, SimulationPart, SimulationRecord
from expert_pool.simulation.asking import Asked, Gathering
from expert_pool.simulation.results import Part, PointPart, Simulation, Stored
from expert_pool.simulation.running import POINTS, laid_out
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

log = logging.getLogger("expert_pool.simulation")

PLAN = "plan.json"
"""What a result is before anything is settled; among the parts, not in the folder."""
PIECE = "@"
"""A file of lines that grows is kept in pieces: name, this mark, and how many bytes lie before it."""
EVERY = 0.5
"""Seconds between two looks into the folder."""


class Laid(Part):
    """Where a point stands, by what names it."""

    number: int
    base: int
    values: dict[str, str]
    sha256: str


class LaidOut(Part):
    """A result without its points, and the points to come."""

    empty: Simulation
    points: list[Laid]


def begin(
    session: Session, viewer: Viewer, row: ScenarioRecord, run: str, known_at: datetime
) -> SimulationRecord:
    """A simulation that a run begins, with its entry in the ledger."""
    made = SimulationRecord(
        code=run,
        run=run,
        scenario_id=row.id,
        organiser_id=row.organiser_id,
        committee_id=row.committee_id,
        known_at=known_at,
        made_at=clock.now(),
        made_by=viewer.actor,
        complete=False,
    )
    session.add(made)
    session.flush()
    _told(session, viewer, made, row, run)
    return made


def go_on(session: Session, viewer: Viewer, code: str, run: str) -> SimulationRecord:
    """A simulation that another run goes on with. Raises Fault `simulation.unknown`, `simulation.complete`."""
    found = find(session, viewer, code)
    viewer.require(found.organiser_id, found.committee_id)
    if found.complete:
        raise Fault("simulation.complete", code)
    found.run, found.ended_at = run, None
    session.flush()
    _told(session, viewer, found, session.get_one(ScenarioRecord, found.scenario_id), run)
    return found


def _told(session: Session, viewer: Viewer, made: SimulationRecord, row: ScenarioRecord, run: str) -> None:
    ledger.append(
        session,
        organiser_id=made.organiser_id,
        actor=viewer.actor,
        action="simulation.asked",
        subject=made.code,
        payload={
            "run": run,
            "scenario": row.code,
            "version": row.version,
            "sha256": row.sha256,
            "known_at": made.known_at.isoformat(),
        },
    )


def find(session: Session, viewer: Viewer, code: str) -> SimulationRecord:
    """A simulation the viewer sees. Raises Fault `simulation.unknown`."""
    found = session.scalar(
        select(SimulationRecord).where(SimulationRecord.code == code, *visible(viewer, SimulationRecord))
    )
    if found is None:
        raise Fault("simulation.unknown", code)
    return found


def of_run(session: Session, viewer: Viewer, run: str) -> SimulationRecord:
    """The simulation that a run settles. Raises Fault `simulation.unknown`."""
    found = session.scalar(
        select(SimulationRecord).where(
            or_(SimulationRecord.run == run, SimulationRecord.code == run), *visible(viewer, SimulationRecord)
        )
    )
    if found is None:
        raise Fault("simulation.unknown", run)
    return found


def list_(
    session: Session, viewer: Viewer, *, scenario: str | None = None, most: int = 100
) -> list[tuple[SimulationRecord, ScenarioRecord]]:
    """Simulations with their scenarios, the newest first."""
    wanted = (
        select(SimulationRecord, ScenarioRecord)
        .join(ScenarioRecord, ScenarioRecord.id == SimulationRecord.scenario_id)
        .where(*visible(viewer, SimulationRecord))
        .order_by(SimulationRecord.made_at.desc(), SimulationRecord.id.desc())
        .limit(most)
    )
    if scenario is not None:
        wanted = wanted.where(ScenarioRecord.code == scenario)
    return [(row[0], row[1]) for row in session.execute(wanted)]


def document_of(session: Session, made: SimulationRecord) -> Simulation:
    """The result, or what there is of it so far. Raises Fault `simulation.nothing_yet` before anything is laid out."""
    if made.document is not None and made.ended_at is not None:
        return Simulation.model_validate_json(made.document)
    found = so_far(session, made.id)
    if found is None:
        raise Fault("simulation.nothing_yet", made.code)
    return found


def so_far(session: Session, simulation_id: int) -> Simulation | None:
    """What is settled already, as a result that is not complete; None before its points are laid out."""
    parts = dict(
        session.execute(
            select(SimulationPart.name, SimulationPart.text).where(
                SimulationPart.simulation_id == simulation_id
            )
        ).all()
    )
    if PLAN not in parts:
        return None
    plan = LaidOut.model_validate_json(parts[PLAN])
    numbers = {point.sha256: point.number for point in plan.points}
    gathering = Gathering()
    points = []
    for laid in plan.points:
        text = parts.get(f"{POINTS}/{laid.sha256}.json")
        part = None if text is None else _point(text)
        if part is None:
            continue
        points.append(
            PointPart(
                number=laid.number,
                base=laid.base,
                values=laid.values,
                status=part.status,
                stopped_by=part.stopped_by,
                goals=part.goals,
                unique=part.unique,
                how=part.how,
                source=None if part.source is None else numbers.get(part.source),
                panel=gathering.keep_part(part.panel),
                sha256=laid.sha256,
            )
        )
    return plan.empty.model_copy(update={"points": points, "panels": dict(sorted(gathering.panels.items()))})


def _point(text: str) -> Stored | None:
    try:
        return Stored.model_validate_json(text)
    except ValidationError:  # of a version before
        return None


def lay_out(asked: Asked) -> LaidOut:
    """What a result will have, before anything is settled."""
    empty, places = laid_out(asked)
    return LaidOut(
        empty=empty,
        points=[
            Laid(number=number, base=base, values=values, sha256=sha256)
            for number, base, values, sha256 in places
        ],
    )


def restore(session: Session, simulation_id: int, folder: Path) -> None:
    """Writes what earlier runs had into the folder of another."""
    kept = session.execute(
        select(SimulationPart.name, SimulationPart.text).where(
            SimulationPart.simulation_id == simulation_id, SimulationPart.name != PLAN
        )
    ).all()
    for name, text in sorted(kept):
        whole, _, _ = name.partition(PIECE)
        place = folder / whole
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a" if PIECE in name else "w", encoding="utf-8") as file:
            file.write(text)


def finish(session: Session, viewer: Viewer, made: SimulationRecord, result: Simulation) -> None:
    """Keep a result with its entry in the ledger; parts are only kept for another run to go on from."""
    text = result.model_dump_json()
    made.inputs_sha256, made.complete = result.inputs_sha256, result.complete
    made.document, made.ended_at = text, clock.now()
    if result.complete:
        session.execute(delete(SimulationPart).where(SimulationPart.simulation_id == made.id))
    ledger.append(
        session,
        organiser_id=made.organiser_id,
        actor=viewer.actor,
        action="simulation.settled",
        subject=made.code,
        payload={
            "inputs_sha256": result.inputs_sha256,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "complete": result.complete,
        },
    )


class Mirror:
    """A thread that copies a folder's files into the registry while the `with` block lasts, and once at its end.

    Whatever keeps it from writing (a database that is busy, a run that is somebody else's by now) leaves the run alone:
    what is not copied is settled again.
    """

    def __init__(self, store: Store, simulation_id: int, folder: Path) -> None:
        self._store, self._id, self._folder = store, simulation_id, folder
        self._seen = self._files()
        self._grown = {name: size for name, (_, size) in self._seen.items() if name.endswith(".jsonl")}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_again, name="mirror", daemon=True)

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.look()

    def put(self, name: str, text: str) -> None:
        """Keep a part that is no file."""
        with self._store.session() as session:
            _put(session, self._id, name, text)

    def look(self) -> None:
        """Copy what is new. Raises what the store raises."""
        there = self._files()
        new = [name for name, state in there.items() if self._seen.get(name) != state]
        if not new:
            return
        grown = dict(self._grown)
        with self._store.session() as session:
            for name in new:
                if name.endswith(".jsonl"):
                    before = grown.get(name, 0)
                    lines = _whole_lines(self._folder / name, before)
                    if lines:
                        _put(session, self._id, f"{name}{PIECE}{before:012}", lines.decode())
                        grown[name] = before + len(lines)
                else:
                    _put(session, self._id, name, (self._folder / name).read_text(encoding="utf-8"))
        self._seen |= {name: there[name] for name in new}
        self._grown = grown

    def _files(self) -> dict[str, tuple[int, int]]:
        found = {}
        for path in self._folder.rglob("*.json*"):
            if path.suffix in (".json", ".jsonl") and not path.name.startswith("."):
                state = path.stat()
                found[path.relative_to(self._folder).as_posix()] = (state.st_mtime_ns, state.st_size)
        return found

    def _look_again(self) -> None:
        while not self._over.wait(EVERY):
            try:
                self.look()
            except Exception as error:  # the next look does it, or the end of the run says why
                log.warning("parts not copied: %s", getattr(error, "code", type(error).__name__))


def _whole_lines(path: Path, after: int) -> bytes:
    """What was added to a file, up to the end of its last whole line."""
    with path.open("rb") as file:
        file.seek(after)
        added = file.read()
    return added[: added.rfind(b"\n") + 1]


def _put(session: Session, simulation_id: int, name: str, text: str) -> None:
    here = (SimulationPart.simulation_id == simulation_id, SimulationPart.name == name)
    changed = session.execute(
        update(SimulationPart)
        .where(*here)
        .values(text=text)
        .returning(SimulationPart.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if changed is None:
        session.add(SimulationPart(simulation_id=simulation_id, name=name, text=text))
