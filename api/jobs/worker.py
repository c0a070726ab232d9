"""A worker: a process of its own that carries runs until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

from api.jobs.carrier import Carrier
from api.jobs.durable import DurableEngine, land, launch
from api.jobs.kinds import KINDS, SOLVE, SWEEP_ITEM
from api.jobs.pulse import Pulse
from api.jobs.reaper import Reaper
from api.jobs.schedules import SCHEDULES, Schedule
from api.settings import Settings
from api.tracing import trace_transactions
from expert_pool import runs
from expert_pool.engines import CONNECTIONS
from expert_pool.store import Store, open_store

log = logging.getLogger("expert_pool.jobs")

GIVEN_UP = 75
"""The exit code of a worker whose runs others took over (EX_TEMPFAIL of sysexits.h: start it again)."""
_LOOK = 0.5


class _Hurry(Exception):
    """Asked to stop a second time."""


def worker_main(
    settings: Settings,
    *,
    parent: int | None = None,
    ready: Callable[[], None] | None = None,
    schedules: Sequence[Schedule] = SCHEDULES,
) -> int:
    """Carry runs until SIGTERM or SIGINT (or until the process `parent` is gone); the exit code.

    Then nothing new is begun; what is under way may end within `Settings.grace_seconds` (a second signal: at once), and
    what has not is handed back to other workers. Call it on the main thread. `ready` is called once it carries.
    Raises Fault as `store.open_store` and `jobs.in_memory`.
    """
    told = threading.Event()
    draining = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if draining.is_set():
            draining.clear()
            raise _Hurry
        told.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with open_store(settings.database, connections=CONNECTIONS + 2 * settings.solves) as store:
            trace_transactions(store.engine)
            left = _carry(store, settings, told, draining, parent, ready, schedules)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if left:  # threads that cannot be ended; what they carried is in other hands
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


def _carry(
    store: Store,
    settings: Settings,
    told: threading.Event,
    draining: threading.Event,
    parent: int | None,
    ready: Callable[[], None] | None,
    schedules: Sequence[Schedule],
) -> bool:
    """From the slot to its end; whether work is left in threads of this process."""
    engine = DurableEngine(store)
    engine.register({SOLVE: settings.solves, SWEEP_ITEM: settings.solves})
    with store.session() as session:
        slot = runs.enter(session)
    carrier = Carrier(store, settings, slot)
    with Pulse(store, slot, on_lost=_given_up) as pulse:
        with Reaper(store, engine, slot, carrier, schedules):
            _warm()
            launch(store, slot.name, carrier.carry)
            log.info("worker %s carries runs", slot.name)
            if ready is not None:
                ready()
            while not told.wait(_LOOK):
                if parent is not None and os.getppid() != parent:
                    break
        pulse.draining = True
        try:
            draining.set()
            land(settings.grace_seconds if carrier.carrying else 0)
            draining.clear()
        except _Hurry:
            log.warning("worker %s stops at once", slot.name)
        handed_back = carrier.hand_back()
    with store.session() as session:  # after the last beat, which would take it for being given up
        runs.leave(session, slot)
    for code in handed_back:
        _deliver(store, engine, code)
    engine.close()
    log.info("worker %s has stopped", slot.name)
    return bool(carrier.carrying)


def _warm() -> None:
    """Load what the first solve needs, so that it begins as soon as every other."""
    import expert_pool.panels  # noqa: F401
    import solver.assemble  # noqa: F401
    from solver.engines.processes import warm
    from solver.engines.race import engines_for

    warm(engines_for(workers=1))


def _deliver(store: Store, engine: DurableEngine, code: str) -> None:
    """Bring a run that was handed back to another worker now, instead of when its care finds it."""
    try:
        with store.reading() as session:
            kind = runs.find(session, None, code).kind
        engine.deliver(code, KINDS[kind].queue)
        with store.session() as session:
            runs.submitted(session, code)
    except Exception as error:
        log.warning("run %s waits for care: %s", code, type(error).__name__)


def _given_up() -> None:
    """Others have taken this worker for dead and its runs with it: end at once, so that nothing is done twice."""
    logging.shutdown()
    os._exit(GIVEN_UP)
