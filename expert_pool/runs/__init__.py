"""The truth about background work: what was asked, who carries it, what came of it.

A face calls `begin`, `find`, `list_runs`, `events`, `outcome`, `cancel`; whoever carries a run calls `claim`, `event`,
`finish`, `fail`, `hand_back` with the `Hold` that `claim` gave, which a later owner makes worthless (`Superseded`).
The job engine only brings runs to workers; no state lives there.
"""

from expert_pool.runs.asking import (
    Happened,
    Outcome,
    begin,
    cancel,
    events,
    find,
    last_progress,
    list_runs,
    made_file,
    outcome,
    submitted,
)
from expert_pool.runs.caring import forget, held_by, lost, take_over, unsubmitted, waiting
from expert_pool.runs.carrying import (
    Asked,
    Decision,
    FencedStore,
    Hold,
    Superseded,
    asked,
    claim,
    event,
    fail,
    finish,
    hand_back,
    standing,
)
from expert_pool.runs.files import Attachment
from expert_pool.runs.workers import Slot, beat, beating, enter, leave, remove, vanished

__all__ = [
    "Asked",
    "Attachment",
    "Decision",
    "FencedStore",
    "Happened",
    "Hold",
    "Outcome",
    "Slot",
    "Superseded",
    "asked",
    "beat",
    "beating",
    "begin",
    "cancel",
    "claim",
    "enter",
    "event",
    "events",
    "fail",
    "find",
    "finish",
    "forget",
    "hand_back",
    "held_by",
    "last_progress",
    "leave",
    "list_runs",
    "lost",
    "made_file",
    "outcome",
    "remove",
    "standing",
    "submitted",
    "take_over",
    "unsubmitted",
    "vanished",
    "waiting",
]
