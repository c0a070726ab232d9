"""The made region: people, employers and committees that do not exist, true to the policies' figures."""

from expert_pool.region.committee_rows import Called
from expert_pool.region.problem import problems
from expert_pool.region.world import TODAY
from expert_pool.region.write import RegionFiles, generate

__all__ = ["TODAY", "Called", "RegionFiles", "generate", "problems"]
