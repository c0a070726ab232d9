"""What asks for somebody to look at an expert besides their record of conduct: a flag of the measurement, a sitting over a
conflict without recusal. Neither acts by itself; each becomes a reason with its figures, as plain data that a cycle keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

from expert_pool.reevaluation.conduct import Reason
from expert_pool.reevaluation.scheme import Measure, ProposalDoc, Scheme

if TYPE_CHECKING:
    from expert_pool.reevaluation.recusals import Failure

FLAG = "measurement.flag"
"""The message of a flag, by its kind: `measurement.flag.<kind>`."""
UNRECUSED = "conduct.unrecused"


def only_asks(code: str) -> bool:
    """Whether a reason only asks: of itself it never leads further than the scheme's `measurement.proposal`."""
    return code == UNRECUSED or code.startswith(FLAG)


class Flag(Protocol):
    """One thing a measurement found about one rater: `p` of its own test, `q` after control for their number."""

    @property
    def rater(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def figures(self) -> Mapping[str, Any]: ...
    @property
    def p(self) -> float | None: ...
    @property
    def q(self) -> float | None: ...


class Measured(Protocol):
    """A measurement, as far as an appraisal reads it."""

    @property
    def flags(self) -> Sequence[Flag]: ...
    def document(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody is to look at one expert (code), for a reason."""

    expert: str
    reason: Reason


def asks_of(
    scheme: Scheme, measured: Measured | None = None, recusals: Iterable[Failure] | None = None
) -> tuple[Ask, ...]:
    """Everything that asks, by expert and kind."""
    found = [*_of_flags(scheme, measured), *_of_failures(recusals or ())]
    return tuple(sorted(found, key=lambda ask: (ask.expert, ask.reason.code, ask.reason.id, str(ask.reason))))


def _of_flags(scheme: Scheme, measured: Measured | None) -> Iterator[Ask]:
    for flag in measured.flags if measured else ():
        figures = {"kind": str(flag.kind), **plain(flag.figures), "p": plain(flag.p), "q": plain(flag.q)}
        otherwise = {
            "q_above": scheme.doc.measurement.rate / 100,
            "at_least": scheme.doc.measurement.at_least,
        }
        yield Ask(
            flag.rater, Reason(f"{FLAG}.{flag.kind}", str(flag.kind), scheme.flagged, figures, (), otherwise)
        )


def _of_failures(failures: Iterable[Failure]) -> Iterator[Ask]:
    look = ProposalDoc(measure=Measure.LOOK)
    for failure in failures:
        figures = {
            "committee": failure.committee,
            "meeting": failure.meeting,
            "on": failure.on.isoformat(),
            "relation": failure.rule.kind,
            "known": str(failure.known),
            "certain": failure.certain,
        }
        table, _, row = (failure.record or "").partition(":")
        records = ((table, int(row)),) if row else ()
        yield Ask(
            failure.expert,
            Reason(UNRECUSED, "not_recused", look, figures, records, {"recusal": failure.meeting}),
        )


def plain(value: Any) -> Any:
    """A value of any library as JSON says it."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if isinstance(value, Iterable):
        return [plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else str(value)


def written(reason: Reason) -> dict[str, Any]:
    """A reason as a document says it."""
    return {
        "code": reason.code,
        "id": reason.id,
        "measure": str(reason.proposal.measure),
        "months": reason.proposal.months,
        "decided_by": reason.proposal.decided_by,
        "figures": plain(reason.figures),
        "records": [[table, row] for table, row in reason.records],
        "otherwise": plain(reason.otherwise),
        "already": reason.already,
    }


def read(said: Mapping[str, Any]) -> Reason:
    """What `written` wrote."""
    return Reason(
        said["code"],
        said["id"],
        ProposalDoc(measure=Measure(said["measure"]), months=said["months"], decided_by=said["decided_by"]),
        said["figures"],
        tuple((table, row) for table, row in said["records"]),
        said["otherwise"],
        said["already"],
    )
