"""What a kind of work is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expert_pool.accounts.rights import Principal, Right
from expert_pool.runs import Attachment, Decision
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.progress import Progress

if TYPE_CHECKING:
    from api.settings import Settings

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at a run.

    `store`: its writing sessions raise Superseded, and keep nothing, once the run is somebody else's; always use it.
    `principal`: who asked, with the rights they have now; None: a schedule. `report` may be called from any thread and
    as often as wanted: an event with an incumbent is always written down, of the others the latest. `cancelled` is
    true once somebody asked for the end, or the time is up: keep the best and return it soon.
    `decided`: the ledger entries that an earlier attempt of this run wrote before its worker was lost. Only kinds with
    `repeats` are called again then; they must not decide the same twice.
    """

    code: str
    kind: str
    store: Store
    settings: Settings
    principal: Principal | None
    organiser_id: int | None
    params: Mapping[str, Any]
    attachments: tuple[Attachment, ...]
    decided: tuple[Decision, ...]
    report: Report
    cancelled: Callable[[], bool]

    @property
    def attachment(self) -> Attachment | None:
        """The file that came with the request; None where none did."""
        return self.attachments[0] if self.attachments else None

    def already(self, action: str) -> str | None:
        """What an earlier attempt did of this kind, by the subject of its first such entry in the ledger."""
        return next((one.subject for one in self.decided if one.action == action), None)

    def viewer(self, right: Right) -> Viewer:
        """The viewer this job is for something that asks for `right`. Raises Fault `access.denied`."""
        return self.principal.viewer(right) if self.principal else Viewer.system("schedule")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: a JSON document, and files."""

    document: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[Attachment] = ()


Work = Callable[[Job], Result]
