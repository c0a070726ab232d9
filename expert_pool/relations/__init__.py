"""Relations are stored, conflicts are derived: per policy and date, each with the record behind it."""

from expert_pool.relations.conflicts import Conflicts, derive
from expert_pool.relations.reasons import Place, Reason, why

__all__ = ["Conflicts", "Place", "Reason", "derive", "why"]
