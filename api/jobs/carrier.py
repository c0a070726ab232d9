"""Carrying runs: from the claim through the work to the end, whatever engine brought the run here."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from opentelemetry.trace import Span, SpanKind

from api.jobs.announcing import announce
from api.jobs.attendant import Attendant, Stop
from api.jobs.job import Job, Result
from api.jobs.kinds import Kind, kind_named
from api.settings import Settings
from api.tracing import failed, span, untraced
from expert_pool import runs
from expert_pool.accounts.rights import Principal, Right
from expert_pool.store import Store
from solver.errors import Fault

log = logging.getLogger("expert_pool.jobs")

Value = TypeVar("Value")

PASSING = frozenset({"store.busy", "store.unusable"})
"""Faults of the database's moment, not of the request."""
HOLD_OUT = 120.0
"""Seconds that the beginning and the end of a run wait for a database that is busy or away."""


class Carrier:
    """Carries runs for one worker, each in the thread that calls `carry`."""

    def __init__(self, store: Store, settings: Settings, slot: runs.Slot) -> None:
        self._store, self._settings, self._slot = store, settings, slot
        self._holds: dict[str, runs.Hold] = {}
        self._lock = threading.Lock()

    @property
    def carrying(self) -> frozenset[str]:
        """The codes of the runs under way."""
        with self._lock:
            return frozenset(self._holds)

    def carry(self, code: str) -> None:
        """Do the run, unless somebody else does it or did it. Never raises for what happens inside the work.

        Raises Fault of a database that stays away: then the run stays as it is, and care is taken of it later.
        """
        hold = lasting(lambda: self._claim(code))
        if hold is None:
            return
        with self._lock:
            self._holds[code] = hold
        try:
            self._work(hold)
        except runs.Superseded:
            log.info("run %s: somebody else has it", code)
        finally:
            with self._lock:
                self._holds.pop(code, None)

    def hand_back(self) -> list[str]:
        """Put everything under way back among the waiting runs; the codes. Its work can write nothing any more."""
        with self._lock:
            holds = list(self._holds.values())
        back = []
        for hold in holds:
            try:
                with self._store.session() as session:
                    runs.hand_back(session, hold)
                back.append(hold.code)
            except runs.Superseded:  # it ended just now
                continue
        return back

    def _claim(self, code: str) -> runs.Hold | None:
        with self._store.session() as session:
            return runs.claim(session, code, self._slot.token)

    def _work(self, hold: runs.Hold) -> None:
        """Do what is asked, in a span of the trace that it was asked in. Raises Superseded."""
        try:
            with self._store.reading() as session:
                asked = runs.asked(session, hold, key=self._store.key)
            kind = kind_named(asked.kind)
        except runs.Superseded:
            raise
        except Exception as error:
            self._ended_badly(hold, error, None)
            return
        params, context = untraced(asked.params)
        attributes = {"run_kind": asked.kind, "run_queue": kind.queue, "run_code": hold.code}
        with span(
            f"run {asked.kind}", SpanKind.CONSUMER, context=context, run_attempt=hold.attempt, **attributes
        ) as made:
            self._carry_out(hold, replace(asked, params=params), kind, made)

    def _carry_out(self, hold: runs.Hold, asked: runs.Asked, kind: Kind, made: Span) -> None:
        """From the work to the end of the run, and how it ended onto its span: `done`, `cancelled`, `failed`,
        `handed_back`, `superseded`, or `unfinished` where the database stayed away."""
        stop: Stop | None = None
        outcome = "unfinished"
        try:
            if asked.decisions and not kind.repeats:
                lasting(lambda: self._finish(hold, _decided(asked), None))
                outcome = "done"
                return
            deadline = asked.started_at + timedelta(seconds=kind.seconds)
            with Attendant(self._store, hold, deadline) as attendant:
                try:
                    attendant.look()
                    result = self._do(hold, asked, attendant)
                finally:
                    stop = attendant.stop
            if stop is Stop.SUPERSEDED:
                raise runs.Superseded(hold.code)
            lasting(lambda: self._finish(hold, result, stop))
            outcome = "cancelled" if stop is Stop.CANCELLED else "done"
        except runs.Superseded:
            outcome = "superseded"
            raise
        except Exception as error:
            outcome = self._ended_badly(hold, error, stop)
            failed(made, error.code if isinstance(error, Fault) else type(error).__qualname__)
        finally:
            made.set_attribute("run.outcome", outcome)

    def _ended_badly(self, hold: runs.Hold, error: Exception, stop: Stop | None) -> str:
        """End the run with what was raised, or hand it back where that is of the moment; how. Raises Superseded."""
        if isinstance(error, Fault) and error.code in PASSING:
            log.warning("run %s: %s, handed back", hold.code, error.code)
            lasting(lambda: self._return(hold))
            return "handed_back"
        if isinstance(error, Fault):
            fault = error
        else:
            frames = "".join(traceback.format_tb(error.__traceback__))  # its message may hold personal data
            log.error("run %s broke: %s\n%s", hold.code, type(error).__name__, frames)
            fault = Fault("runs.broke", hold.code, kind=type(error).__name__)
        lasting(lambda: self._fail(hold, fault, stop))
        return "cancelled" if stop is Stop.CANCELLED else "failed"

    def _do(self, hold: runs.Hold, asked: runs.Asked, attendant: Attendant) -> Result:
        store = runs.FencedStore(self._store.engine, self._store.key, self._store.url, hold)
        job = Job(
            code=hold.code,
            kind=asked.kind,
            store=store,
            settings=self._settings,
            principal=self._principal(asked),
            organiser_id=asked.organiser_id,
            params=asked.params,
            attachments=asked.attachments,
            decided=asked.decisions,
            report=attendant.report,
            cancelled=attendant.cancelled,
        )
        return kind_named(asked.kind).function()(job)

    def _principal(self, asked: runs.Asked) -> Principal | None:
        """Who asked, with the rights of now, no more of them than the token had that was used."""
        if asked.account_id is None:
            return None
        from expert_pool.accounts.principals import principal_of

        with self._store.reading() as session:
            principal = principal_of(session, asked.account_id)
        if asked.scopes is None:
            return principal
        return replace(principal, scopes=frozenset(Right(scope) for scope in asked.scopes))

    def _finish(self, hold: runs.Hold, result: Result, stop: Stop | None) -> None:
        with self._store.session() as session:
            runs.finish(
                session,
                hold,
                key=self._store.key,
                result=result.document,
                files=result.files,
                cancelled=stop is Stop.CANCELLED,
                data={"stopped": str(stop)} if stop else None,
            )
            announce(session, self._store.key, hold.code)

    def _fail(self, hold: runs.Hold, fault: Fault, stop: Stop | None) -> None:
        key, cancelled = self._store.key, stop is Stop.CANCELLED
        with self._store.session() as session:
            runs.fail(session, hold, key=key, fault=fault, cancelled=cancelled)
            announce(session, key, hold.code)

    def _return(self, hold: runs.Hold) -> None:
        with self._store.session() as session:
            runs.hand_back(session, hold, lost=True)


def lasting(do: Callable[[], Value], *, seconds: float = HOLD_OUT) -> Value:
    """Do it, again and again while the database is busy or away, for `seconds`. Raises the last Fault then."""
    until = time.monotonic() + seconds
    pause = 0.2
    while True:
        try:
            return do()
        except Fault as fault:
            if fault.code not in PASSING or time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 5.0)


def _decided(asked: runs.Asked) -> Result:
    decisions = [{"action": each.action, "subject": each.subject} for each in asked.decisions]
    return Result({"decisions": decisions})
