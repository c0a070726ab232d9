"""Every kind of background work: the function behind it, its queue, its time."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from api.jobs.job import Work
from solver.errors import Fault

SOLVE, SWEEP, SWEEP_ITEM, IMPORT, CARE = "solve", "sweep", "sweep_item", "import", "care"
QUEUES = (SOLVE, SWEEP, SWEEP_ITEM, IMPORT, CARE)
"""Apart from each other, so that runs which wait for others, or take long, never hold those up."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of run.

    `work` is where its function lives, `module:function`, imported when it is first needed. `seconds` is its deadline
    from the first start. A run that wrote to the ledger before its worker was lost is not begun again but ends with
    those decisions; with `repeats` its function is called again and looks at `Job.decided` itself (or may safely do
    everything twice).
    """

    work: str
    queue: str
    seconds: int = 3600
    repeats: bool = False

    def function(self) -> Work:
        """The function behind the kind, imported now."""
        module, _, name = self.work.partition(":")
        found: Work = getattr(import_module(module), name)
        return found


def _here(place: str, queue: str, *, seconds: int = 3600, repeats: bool = False) -> Kind:
    return Kind(f"api.jobs.work.{place}", queue, seconds, repeats)


KINDS: dict[str, Kind] = {
    "panel.request": _here("panels:request", SOLVE, repeats=True),
    "panel.request_sealed": _here("sealing:request", SOLVE, repeats=True),
    "panel.replace": _here("panels:replace", SOLVE, repeats=True),
    "panel.invite": _here("panels:invite", SOLVE, repeats=True),
    "panel.explain": _here("panels:explain", SOLVE, repeats=True),
    "panel.diagnose": _here("panels:diagnose", SOLVE, repeats=True),
    "panel.preview": _here("previewing:cost", SOLVE, repeats=True),
    "panel.documents": _here("panels:documents", SOLVE, repeats=True),
    "problem.assemble": _here("solving:assemble", SOLVE),
    "problem.check": _here("solving:check", SOLVE),
    "problem.verify": _here("solving:verify", SOLVE),
    "problem.diagnose": _here("solving:diagnose", SOLVE),
    "problem.explain": _here("solving:explain", SOLVE),
    "problem.alternatives": _here("solving:alternatives", SOLVE),
    "problem.replace": _here("solving:replace_", SOLVE),
    "problem.attend": _here("solving:attend", SOLVE),
    "problem.invite": _here("solving:invite", SOLVE),
    "problem.forecast": _here("solving:foretell", SOLVE),
    "problem.compare": _here("solving:compare", SOLVE),
    "roster.audit": _here("rosters:audit", SOLVE, repeats=True),
    "tables.import": _here("tables:import_", IMPORT, seconds=6 * 3600, repeats=True),
    "tables.export": _here("tables:export", IMPORT, seconds=6 * 3600, repeats=True),
    "cycle.compute": _here("reevaluation:compute", SWEEP, repeats=True),
    "cycle.verify": _here("reevaluation:verify", SWEEP, repeats=True),
    "cycle.notify": _here("reevaluation:notify", SWEEP, repeats=True),
    "cycle.decide": _here("reevaluation:decide", SWEEP, repeats=True),
    "cycle.confirm": _here("reevaluation:confirm", SWEEP, repeats=True),
    "cycle.execute": _here("reevaluation:execute", SWEEP, repeats=True),
    "cycle.letters": _here("reevaluation:letters", SWEEP, repeats=True),
    "pool.report": _here("reevaluation:report", SWEEP, repeats=True),
    "pool.health": _here("reevaluation:health", SWEEP, repeats=True),
    "pool.measure": _here("reevaluation:measured", SWEEP, repeats=True),
    "pool.compare": _here("reevaluation:compare", SWEEP, repeats=True),
    "pool.recusals": _here("reevaluation:recusals", SWEEP, repeats=True),
    "simulation.sweep": _here("simulation:sweep", SWEEP, seconds=24 * 3600, repeats=True),
    "simulation.point": _here("simulation:point", SOLVE, repeats=True),
    "ledger.verify": _here("ledger:verify", IMPORT, repeats=True),
    "notices.deliver": _here("delivering:send", CARE, repeats=True),
    "notices.expiries": _here("expiries:look", CARE, repeats=True),
    "privacy.retention": _here("retention:apply", CARE, repeats=True),
    "runs.retention": _here("keeping:forget", CARE, repeats=True),
}


def kind_named(name: str) -> Kind:
    """The kind of that name. Raises Fault `runs.kind_unknown`."""
    if name not in KINDS:
        raise Fault("runs.kind_unknown", name, known=sorted(KINDS))
    return KINDS[name]


def queue_of(name: str) -> str:
    """The queue that runs of this kind wait on. Raises Fault `runs.kind_unknown`."""
    return kind_named(name).queue
