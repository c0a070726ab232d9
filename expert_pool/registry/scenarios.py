"""What-if questions that were kept, and what came of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Table


class ScenarioRecord(Table):
    """One version of a scenario, as its author wrote it. A change is a new version under the same code.

    `parent_id` is the version that it extends, pinned when it was stored. `committee_id`: of the one meeting it is about;
    None: about meetings of its organiser and those below.
    """

    __tablename__ = "scenario"
    __table_args__ = (UniqueConstraint("code", "version"),)
    code: Mapped[str]
    version: Mapped[int]
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    committee_id: Mapped[int | None] = mapped_column(ForeignKey("committee.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("scenario.id"))
    title_zh: Mapped[str]
    title_en: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[str]


class SimulationRecord(Table):
    """A scenario settled, or on its way: the version, and the moment as known at which the registry is read.

    `code` is that of its first run, `run` that of the latest. `document` is the result (`simulation/1`, JSON, pseudonyms
    only) once a run has ended with one; `complete`: nothing of it is missing.
    """

    __tablename__ = "simulation"
    code: Mapped[str] = mapped_column(unique=True)
    run: Mapped[str] = mapped_column(unique=True)
    scenario_id: Mapped[int] = mapped_column(ForeignKey("scenario.id"), index=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    committee_id: Mapped[int | None] = mapped_column(ForeignKey("committee.id"), index=True)
    known_at: Mapped[datetime]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    inputs_sha256: Mapped[str | None]
    complete: Mapped[bool] = mapped_column(default=False)
    document: Mapped[str | None] = mapped_column(Text, deferred=True)
    ended_at: Mapped[datetime | None]


class SimulationPart(Table):
    """What a simulation has so far: files of its working folder, or pieces of them, by their names in it, until it is complete."""

    __tablename__ = "simulation_part"
    __table_args__ = (UniqueConstraint("simulation_id", "name"),)
    simulation_id: Mapped[int] = mapped_column(ForeignKey("simulation.id"))
    name: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
