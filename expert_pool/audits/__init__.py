"""The audit of a foreign panel: somebody else's roster, read from a workbook, judged by the rules of a policy.

`read_roster` reads the file, `lay` makes a panel problem of it, `judge` gives each rule its verdict by the rule's own
measures, `audit` does the last two and says it as `audit/1`.
"""

from expert_pool.audits.auditing import audit
from expert_pool.audits.reading import read_roster
from expert_pool.audits.report import Audit
from expert_pool.audits.roster import RosterFaults
from expert_pool.audits.template import write_template

__all__ = ["Audit", "RosterFaults", "audit", "read_roster", "write_template"]
