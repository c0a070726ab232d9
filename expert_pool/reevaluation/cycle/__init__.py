"""The cycle of re-evaluation: open, compute, notify, hear, decide by two people, execute, tell, hear appeals, close.

Every step may be repeated and changes nothing then; every batch is one transaction with its ledger entry.
"""

from expert_pool.reevaluation.cycle.appealing import appeal, appeal_own, confirm_appeal, decide_appeal
from expert_pool.reevaluation.cycle.carrying import carry
from expert_pool.reevaluation.cycle.computing import Computed, compute, computed, keep, recompute, same
from expert_pool.reevaluation.cycle.deciding import Deciding, confirm, decide, decide_unanswered
from expert_pool.reevaluation.cycle.executing import execute
from expert_pool.reevaluation.cycle.finding import CaseView, CycleView, Decided, Evidence, Said, Step
from expert_pool.reevaluation.cycle.hearing import (
    amend,
    evidence_file,
    notify,
    own_evidence_file,
    reply,
    reply_own,
)
from expert_pool.reevaluation.cycle.letter_contents import (
    KINDS,
    Kind,
    LetterContent,
    letter_of,
    own_letter,
)
from expert_pool.reevaluation.cycle.opening import close, drop, open_
from expert_pool.reevaluation.cycle.reading import case, cases, list_, own_cases, show, was_kept

__all__ = [
    "KINDS",
    "CaseView",
    "Computed",
    "CycleView",
    "Decided",
    "Deciding",
    "Evidence",
    "Kind",
    "LetterContent",
    "Said",
    "Step",
    "amend",
    "appeal",
    "appeal_own",
    "carry",
    "case",
    "cases",
    "close",
    "compute",
    "computed",
    "confirm",
    "confirm_appeal",
    "decide",
    "decide_appeal",
    "decide_unanswered",
    "drop",
    "evidence_file",
    "execute",
    "keep",
    "letter_of",
    "list_",
    "notify",
    "open_",
    "own_cases",
    "own_evidence_file",
    "own_letter",
    "recompute",
    "reply",
    "reply_own",
    "same",
    "show",
    "was_kept",
]
