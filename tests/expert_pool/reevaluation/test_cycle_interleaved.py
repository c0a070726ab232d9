"""Whatever people do in whatever order, and wherever a step is killed: the cycle stays sound."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY
from cycle_office import AS_OF, misbehave, on, person, sound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tiny_registry import Tiny, build_tiny

from expert_pool.reevaluation import cycle
from expert_pool.reevaluation.cycle.finding import rows_in
from expert_pool.reevaluation.scheme import Measure, load_scheme
from expert_pool.registry import (
    CaseState,
    Cycle,
    CycleAppeal,
    CycleCase,
    CycleDecision,
    CycleState,
    Discipline,
    Membership,
    Notice,
    Verdict,
)
from expert_pool.store import Store, open_store
from expert_pool.viewer import Viewer
from solver.errors import Fault

PEOPLE = ("ann", "bob", "cyd", "dan")
EXPERTS = ("E02", "E03", "E04", "E05")
CODE = "P1-20260831"
SCHEME = load_scheme("own-default")
STEPS = (
    "open", "compute", "notify", "reply", "last", "decide", "milder", "unanswered", "confirm", "confirm_all", "refuse",
    "execute", "execute_one", "appeal", "stands", "overturn", "lighter", "confirm_appeal", "refuse_appeal", "amend",
    "drop", "close",
)  # fmt: skip


class Killed(Exception):
    """The process ended in the middle of a transaction."""


def act(step: str, session: Session, viewer: Viewer, expert: str) -> Any:
    """One step by one person."""
    decide, appeal = cycle.decide, cycle.decide_appeal
    acts: dict[str, Callable[[], Any]] = {
        "open": lambda: cycle.open_(session, viewer, "P1", SCHEME, AS_OF),
        "compute": lambda: cycle.compute(session, viewer, CODE),
        "notify": lambda: cycle.notify(session, viewer, KEY, CODE, most=3),
        "reply": lambda: cycle.reply(session, viewer, KEY, CODE, expert, "有说明"),
        "last": lambda: cycle.reply(session, viewer, KEY, CODE, expert, "无补充", last=True),
        "decide": lambda: decide(session, viewer, CODE, [cycle.Deciding(expert)]),
        "milder": lambda: decide(session, viewer, CODE, [cycle.Deciding(expert, Measure.LOWER, 1, "从轻")]),
        "unanswered": lambda: cycle.decide_unanswered(session, viewer, CODE, most=2),
        "confirm": lambda: cycle.confirm(session, viewer, CODE, [expert]),
        "confirm_all": lambda: cycle.confirm(session, viewer, CODE, most=2),
        "refuse": lambda: cycle.confirm(session, viewer, CODE, [expert], refuse="再查"),
        "execute": lambda: cycle.execute(session, viewer, KEY, CODE, most=2),
        "execute_one": lambda: cycle.execute(session, viewer, KEY, CODE, [expert]),
        "appeal": lambda: cycle.appeal(session, viewer, KEY, CODE, expert, "不服"),
        "stands": lambda: appeal(session, viewer, CODE, expert, reason="事实清楚"),
        "overturn": lambda: appeal(session, viewer, CODE, expert, Measure.KEEP, reason="证据不足"),
        "lighter": lambda: appeal(session, viewer, CODE, expert, Measure.LOWER, 1, reason="从轻"),
        "confirm_appeal": lambda: cycle.confirm_appeal(session, viewer, KEY, CODE, expert),
        "refuse_appeal": lambda: cycle.confirm_appeal(session, viewer, KEY, CODE, expert, refuse="再查"),
        "amend": lambda: cycle.amend(session, viewer, CODE, expert, Measure.SUSPEND, 3, "另有情节"),
        "drop": lambda: cycle.drop(session, viewer, CODE, "误开"),
        "close": lambda: cycle.close(session, viewer, CODE),
    }
    return acts[step]()


def check(session: Session) -> None:
    """What must hold after every step."""
    for case in session.scalars(select(CycleCase)):
        decided = session.scalars(select(CycleDecision).where(CycleDecision.case_id == case.id)).all()
        first = [one for one in decided if one.appeal_id is None]
        later = [one for one in decided if one.appeal_id is not None]
        held = [one for one in first if one.verdict is Verdict.CONFIRMED]
        assert len(held) <= 1
        for one in decided:
            assert one.verdict is not Verdict.CONFIRMED or one.answered_by not in (None, one.by)
            assert case.decided_by == "two_persons"
        hands = {name for one in first for name in (one.by, one.answered_by)}
        assert not hands & {name for one in later for name in (one.by, one.answered_by)} - {None}
        past = (CaseState.DECIDED, CaseState.EXECUTED, CaseState.APPEALED, CaseState.SETTLED)
        assert bool(held) == (case.state in past)
        assert (case.executed is not None) == (case.state in past[1:])
        appeal = session.scalar(select(CycleAppeal).where(CycleAppeal.case_id == case.id))
        assert (appeal is not None) == (case.state in past[2:])
        settled = [one for one in later if one.verdict is Verdict.CONFIRMED]
        assert len(settled) == (case.state is CaseState.SETTLED)
        if case.executed is not None:
            final = (settled or held)[-1]
            standing = [row for row in _standing(session, case.expert_id) if row.void is False]
            assert sorted(type(row).__name__ for row in standing) == sorted(_wanted(Measure(final.measure)))
        else:
            assert _standing(session, case.expert_id) == []
    whole = session.scalar(select(Cycle))
    if whole is not None and whole.state is CycleState.CLOSED:
        assert set(session.scalars(select(CycleCase.state))) <= {CaseState.EXECUTED, CaseState.SETTLED}
    causes = session.scalars(select(Notice.cause)).all()
    assert len(causes) == len(set(causes))


def _standing(session: Session, expert_id: int) -> list[Any]:
    """The records of a cycle about an expert that nothing corrects or revokes."""
    found: list[Any] = []
    written = [row for case in session.scalars(select(CycleCase)) for row in rows_in(case.executed)]
    written += [row for case in session.scalars(select(CycleCase)) for row in rows_in(case.corrected)]
    for table, number in dict.fromkeys(written):
        kind: Any = {"discipline": Discipline, "membership": Membership}[table]
        row = session.get_one(kind, number)
        taken = session.scalar(select(func.count()).select_from(kind).where(kind.corrects_id == number))
        revoked = table == "discipline" and session.scalar(
            select(func.count()).select_from(Discipline).where(Discipline.revokes_id == number)
        )
        revokes = getattr(row, "revokes_id", None) is not None
        if row.expert_id == expert_id and not taken and not revoked and not row.void and not revokes:
            found.append(row)
    return found


def _wanted(measure: Measure) -> list[str]:
    return {
        Measure.KEEP: [],
        Measure.EXIT: ["Membership"],
        Measure.BAN: ["Discipline", "Membership"],
    }.get(measure, ["Discipline"])


@pytest.fixture(scope="module")
def prepared(sqlite_template: Path) -> Iterator[tuple[Path, Tiny]]:
    """A small registry with something on record, to copy."""
    folder = Path(tempfile.mkdtemp(prefix="expert-pool-cycle-"))
    shutil.copy(sqlite_template, folder / "begun.db")
    with open_store(f"sqlite:///{folder / 'begun.db'}", key=KEY) as store:
        tiny = build_tiny(store)
        misbehave(tiny)
        with store.engine.connect() as connection:
            connection.connection.execute("pragma wal_checkpoint(truncate)")
    yield folder / "begun.db", tiny
    shutil.rmtree(folder)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.sampled_from(PEOPLE),
        st.sampled_from(EXPERTS),
        st.booleans(),
        st.integers(0, 12),
    ),
    min_size=10,
    max_size=30,
)


def play(store: Store, tiny: Tiny, moves: list[tuple[str, str, str, bool, int]], day: int = 0) -> None:
    """Play moves from a day on, killing where asked; whatever is refused changes nothing."""
    for step, who, expert, killed, later in moves:
        day += later
        with on(day), contextlib.suppress(Fault, Killed), store.session() as session:
            act(step, session, person(tiny, who), expert)
            if killed:
                raise Killed
        with store.reading() as session:
            check(session)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=MOVES)
def test_no_order_of_steps_and_kills_leaves_an_unsound_cycle(
    prepared: tuple[Path, Tiny], moves: list[tuple[str, str, str, bool, int]]
) -> None:
    """Four people, four experts, any step at any time; then the cycle is carried to its end, and verifies."""
    begun, tiny = prepared
    with tempfile.TemporaryDirectory(prefix="expert-pool-cycle-") as folder:
        shutil.copy(begun, Path(folder) / "played.db")
        with open_store(f"sqlite:///{Path(folder) / 'played.db'}", key=KEY) as store:
            opening = [("open", "ann", "E02", False, 0), ("compute", "ann", "E02", False, 0)]
            play(store, tiny, [*opening, *moves])
            finish(store, tiny, 12 * len(moves) + 30)
            with store.reading() as session:
                check(session)
                sound(session)


def finish(store: Store, tiny: Tiny, day: int) -> None:
    """Bring every case to its end, whoever still may; an appeal of which all have had a hand stays open."""
    steps = ("notify", "decide", "confirm", "execute", "stands", "confirm_appeal")
    for round_ in range(2):
        with on(day + 40 * round_), store.session() as session:
            for step, who, expert in itertools.product(steps, PEOPLE, EXPERTS):
                with contextlib.suppress(Fault), session.begin_nested():
                    act(step, session, person(tiny, who), expert)
    with on(day + 300), store.session() as session:
        with contextlib.suppress(Fault):
            cycle.close(session, person(tiny, "ann"), CODE)
        state = session.scalar(select(Cycle.state).order_by(Cycle.id))
        left = set(session.scalars(select(CycleCase.state)))
        assert state in (CycleState.CLOSED, CycleState.DROPPED) or CaseState.APPEALED in left
