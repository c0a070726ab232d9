"""Panels whose members even the owner of the host cannot read until k of n supervisors open the seal.

Between request and opening the registry holds no seat, no pseudonym of a member, no seed and no hash of the problem that
could be tried out: all of it lies in the envelope. docs/sealing.md says what that does not cover.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.panels import DEFAULT_POLICY, take_filed
from expert_pool.policies.load import load
from expert_pool.policies.policy import Policy
from expert_pool.privacy.sealing import envelope, supervisors
from expert_pool.recorded import find_panel
from expert_pool.registry import (
    HostSeal,
    PanelRecord,
    PanelState,
    Role,
    SealShare,
    Seat,
    Supervisor,
)
from expert_pool.snapshots import Snapshot
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.answer import Answer
from solver.document import check_problem, problem_bytes
from solver.errors import Fault
from solver.problem import Limits
from solver.progress import Progress, Reporter, silent

FORMAT = "host-seal/1"
CLOSED = b'{"format": "host-seal/1"}'
"""What stands in the place of a sealed panel's problem."""


@dataclass(frozen=True, slots=True)
class SealState:
    """How a seal stands: `shares` by supervisor, True where released."""

    panel_code: str
    needed: int
    shares: Mapping[str, bool]
    made_at: datetime
    opened_at: datetime | None

    @property
    def released(self) -> int:
        return sum(self.shares.values())


def request_sealed(
    store: Store,
    viewer: Viewer,
    *,
    committee: str,
    meeting: str,
    holders: Sequence[str],
    needed: int,
    policy: Policy | str | None = None,
    open_on: date | None = None,
    limits: Limits | None = None,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> SealState:
    """Ask for a panel as `panels.request` does, from a secret random seed, and close who sits in it for `holders` (codes
    of supervisors), any `needed` of whom open it. The names are in the memory of this process until it returns, and
    are not given back.

    Raises Fault: `seal.threshold`, `seal.supervisor_unknown`, `seal.no_panel` (no legal panel: nothing is recorded), and
    as `panels.request`.
    """
    rules = policy if isinstance(policy, Policy) else load(policy or DEFAULT_POLICY)
    if not 1 <= needed <= len(holders):
        raise Fault("seal.threshold", "needed", needed=needed, count=len(holders), most=len(holders))
    known_at = clock.now()
    report(Progress("snapshot"))
    with store.reading() as session:
        supervisors.find(session, viewer, holders)
        seed = secrets.randbelow(2**53)
        taken, _ = take_filed(session, viewer, committee, meeting, rules, known_at, seed=seed, limits=limits)
    check_problem(taken.problem)

    from solver.assemble import assemble

    answer, _ = assemble(taken.problem, report=report, cancelled=cancelled)
    if not answer.members:
        raise Fault("seal.no_panel", meeting, status=answer.status)
    report(Progress("record"))
    with store.session() as session:
        return _put_down(
            session, viewer, taken, answer, rules, holders, needed, known_at, open_on or taken.sitting.on
        )


def seal_of(session: Session, viewer: Viewer, panel_code: str) -> SealState:
    """How a panel's seal stands. Raises Fault `panels.panel_unknown`, `seal.not_sealed`."""
    seal = _seal(session, viewer, panel_code)
    shares = session.execute(
        select(Supervisor.code, SealShare.released)
        .join(Supervisor, Supervisor.id == SealShare.supervisor_id)
        .where(SealShare.seal_id == seal.id)
        .order_by(SealShare.number)
    )
    state = {code: released is not None for code, released in shares}
    return SealState(panel_code, seal.needed, state, seal.made_at, seal.opened_at)


def box_for(session: Session, viewer: Viewer, panel_code: str, supervisor: str) -> envelope.Box:
    """The box of a supervisor's share, to be opened where their private key is. Raises Fault as `seal_of`,
    `seal.not_holder`."""
    return _box(_share(session, _seal(session, viewer, panel_code), supervisor))


def release(session: Session, viewer: Viewer, panel_code: str, supervisor: str, share: bytes) -> SealState:
    """Take a supervisor's share and write that down. Raises Fault as `box_for`, `seal.opened_already`,
    `seal.share_wrong` (not the share of that box)."""
    seal = _seal(session, viewer, panel_code)
    ledger.hold(session, seal.organiser_id)
    session.refresh(seal)
    if seal.opened_at is not None:
        raise Fault("seal.opened_already", panel_code)
    row = _share(session, seal, supervisor)
    if not envelope.is_share(_box(row), panel_code, share):
        raise Fault("seal.share_wrong", supervisor)
    if row.released is None:
        row.released, row.released_at = share, clock.now()
        session.flush()
        ledger.append(
            session,
            organiser_id=seal.organiser_id,
            actor=viewer.actor,
            action="seal.share_released",
            subject=panel_code,
            payload={"supervisor": supervisor, "number": row.number},
            rows=[row],
        )
    return seal_of(session, viewer, panel_code)


def open_seal(session: Session, viewer: Viewer, panel_code: str) -> SealState:
    """Open a seal with the shares released so far: the seats, the answer and the problem come to stand where those of any
    other panel do, sealed for accounts until their day.

    Raises Fault as `seal_of`, `seal.opened_already`, `seal.too_few_shares`, `seal.shares_wrong`, `seal.content_changed`.
    """
    seal = _seal(session, viewer, panel_code)
    ledger.hold(session, seal.organiser_id)
    session.refresh(seal)
    if seal.opened_at is not None:
        raise Fault("seal.opened_already", panel_code)
    rows = session.scalars(select(SealShare).where(SealShare.seal_id == seal.id)).all()
    shares = {row.number: row.released for row in rows if row.released is not None}
    closed = envelope.Envelope(seal.needed, seal.commitment, seal.content, ())
    content = json.loads(envelope.open_envelope(closed, panel_code, shares))
    panel = find_panel(session, viewer, panel_code)
    panel.problem = base64.b64decode(content["problem"])
    panel.answer = content["answer"]
    panel.problem_sha256 = content["problem_sha256"]
    seats = [
        Seat(
            panel_id=panel.id,
            expert_id=each["expert_id"],
            group=each["group"],
            role=Role(each["role"]),
            call_order=each["call_order"],
            open_on=date.fromisoformat(content["open_on"]),
        )
        for each in content["seats"]
    ]
    session.add_all(seats)
    seal.opened_at, seal.opened_by = clock.now(), viewer.actor
    session.flush()
    ledger.append(
        session,
        organiser_id=seal.organiser_id,
        actor=viewer.actor,
        action="seal.opened",
        subject=panel_code,
        payload={"shares": sorted(shares), "needed": seal.needed},
        rows=[seal, panel, *seats],
    )
    return seal_of(session, viewer, panel_code)


def concealed(answer: Answer, commitment: str) -> Answer:
    """What of an answer may stand open while its panel is sealed: that there is one, and by which policy."""
    reference = answer.problem.model_copy(update={"sha256": commitment, "seed": 0})
    nothing: dict[str, Any] = {
        name: [] for name in ("goals", "members", "alternates", "rules", "findings", "cases")
    }
    numbers = {"objective": None, "bound": None, "gap": None}
    return answer.model_copy(update={"problem": reference, **nothing, **numbers})


def _put_down(
    session: Session,
    viewer: Viewer,
    taken: Snapshot,
    answer: Answer,
    policy: Policy,
    holders: Sequence[str],
    needed: int,
    known_at: datetime,
    open_on: date,
) -> SealState:
    sitting = taken.sitting
    ledger.hold(session, sitting.organiser_id)
    rows = supervisors.find(session, viewer, holders)
    before = session.scalar(
        select(func.count(PanelRecord.id)).where(PanelRecord.meeting_id == sitting.meeting_id)
    )
    code = f"{sitting.meeting}-P{(before or 0) + 1}"
    content = _content(taken, answer, open_on)
    closed = envelope.close(content, code, [row.public_key for row in rows], needed)
    commitment = sha256(os.urandom(32) + content).hexdigest()
    panel = PanelRecord(
        code=code,
        meeting_id=sitting.meeting_id,
        organiser_id=sitting.organiser_id,
        state=PanelState.PROPOSED,
        policy=policy.id,
        problem_sha256=commitment,
        problem=zlib.compress(CLOSED),
        answer=concealed(answer, commitment).model_dump_json(),
        fileable=answer.fileable,
        requested_at=known_at,
        requested_by=viewer.actor,
        approved_at=None,
        approved_by=None,
        overrides=_overrides(policy),
    )
    session.add(panel)
    session.flush()
    seal = HostSeal(
        panel_id=panel.id,
        organiser_id=sitting.organiser_id,
        needed=needed,
        commitment=closed.commitment,
        content=closed.content,
        made_at=clock.now(),
        opened_at=None,
        opened_by=None,
    )
    session.add(seal)
    session.flush()
    shares = [
        SealShare(
            seal_id=seal.id,
            supervisor_id=row.id,
            number=box.number,
            share_sha256=box.share_sha256,
            box=box.box,
            released=None,
            released_at=None,
        )
        for row, box in zip(rows, closed.boxes, strict=True)
    ]
    session.add_all(shares)
    session.flush()
    ledger.append(
        session,
        organiser_id=sitting.organiser_id,
        actor=viewer.actor,
        action="panel.requested_sealed",
        subject=code,
        payload={
            "status": answer.status,
            "fileable": answer.fileable,
            "known_at": known_at,
            "open_on": open_on,
            "needed": needed,
            "supervisors": [row.code for row in rows],
        },
        rows=[panel, seal, *shares],
    )
    return seal_of(session, viewer, code)


def _content(taken: Snapshot, answer: Answer, open_on: date) -> bytes:
    ids = taken.expert_ids
    seats = [
        {"expert_id": ids[m.expert], "group": m.group, "role": m.role, "call_order": None}
        for m in answer.members
    ]
    seats += [
        {"expert_id": ids[a.expert], "group": a.group, "role": str(Role.ALTERNATE), "call_order": a.order}
        for a in answer.alternates
    ]
    problem = zlib.compress(problem_bytes(taken.problem), 6)
    return json.dumps(
        {
            "format": FORMAT,
            "problem": base64.b64encode(problem).decode("ascii"),
            "problem_sha256": answer.problem.sha256,
            "answer": answer.model_dump_json(),
            "seats": seats,
            "open_on": open_on.isoformat(),
        }
    ).encode()


def _seal(session: Session, viewer: Viewer, panel_code: str) -> HostSeal:
    panel = find_panel(session, viewer, panel_code)
    found = session.scalar(select(HostSeal).where(HostSeal.panel_id == panel.id))
    if found is None:
        raise Fault("seal.not_sealed", panel_code)
    return found


def _share(session: Session, seal: HostSeal, supervisor: str) -> SealShare:
    found = session.scalar(
        select(SealShare)
        .join(Supervisor, Supervisor.id == SealShare.supervisor_id)
        .where(SealShare.seal_id == seal.id, Supervisor.code == supervisor)
    )
    if found is None:
        raise Fault("seal.not_holder", supervisor)
    return found


def _box(row: SealShare) -> envelope.Box:
    return envelope.Box(row.number, row.box, row.share_sha256)


def _overrides(policy: Policy) -> str | None:
    """The overrides of a policy, as `recorded.policy_of` reads them."""
    if not policy.overrides:
        return None
    said = [asdict(override) | {"on": override.on.isoformat()} for override in policy.overrides]
    return json.dumps(said, ensure_ascii=False)
