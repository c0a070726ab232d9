"""What every document of a panel says, in rows of plain text: workbook, report and terminal lay out the same rows."""

from __future__ import annotations

from dataclasses import dataclass

from expert_pool.documents.people import Person
from expert_pool.documents.view import View
from expert_pool.words import cited
from expert_pool.words.sentence import UNKNOWN, written_date
from solver.answer import CaseResult, RuleResult

_ROLES = {"chair": 0, "deputy": 1, "member": 2}


@dataclass(frozen=True, slots=True)
class MemberRow:
    number: int
    group: str
    role: str
    """A role of the registry: chair, deputy, member or alternate."""
    pseudonym: str
    person: Person
    reasons: tuple[str, ...]
    order: int | None = None
    """Alternates: the place in the group's calling order, from 1."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    id: str
    rule: str
    title: str
    says: str
    hard: bool
    holds: bool
    value: int | None
    bounds: str
    margin: int | None
    basis: str
    basis_status: str
    unconfirmed: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    case: str
    group: str
    specialty: str
    close: int
    broad: int
    recused: str
    """Who may not judge it, each with the kinds of conflict; empty when nobody."""
    present: int
    quorum: int | None


@dataclass(frozen=True, slots=True)
class GateRow:
    title: str
    bars: int
    left: int
    basis: str
    basis_status: str
    unconfirmed: bool


def member_rows(view: View) -> list[MemberRow]:
    """Members by group; in each group the chair first, then deputies."""
    order = {group: i for i, group in enumerate(view.groups)}
    seated = sorted(view.answer.members, key=lambda m: (order[m.group], _ROLES[m.role]))
    return [
        MemberRow(
            number,
            view.group(m.group),
            m.role,
            m.expert,
            view.person(m.expert),
            tuple(view.tell(reason) for reason in m.reasons),
        )
        for number, m in enumerate(seated, 1)
    ]


def alternate_rows(view: View) -> list[MemberRow]:
    """Alternates by group, in calling order."""
    order = {group: i for i, group in enumerate(view.groups)}
    waiting = sorted(view.answer.alternates, key=lambda a: (order[a.group], a.order))
    return [
        MemberRow(
            number,
            view.group(a.group),
            "alternate",
            a.expert,
            view.person(a.expert),
            tuple(view.tell(reason) for reason in a.reasons),
            a.order,
        )
        for number, a in enumerate(waiting, 1)
    ]


def rule_rows(view: View) -> list[RuleRow]:
    """Every rule with its margin and basis: broken ones first, then by margin; gates last."""
    ordered = sorted(view.answer.rules, key=lambda r: (r.holds, r.rule == "gate", _margin_order(r)))
    return [
        RuleRow(
            r.id,
            r.rule,
            view.rule(r.id),
            view.tell(r.says),
            r.hard,
            r.holds,
            r.value,
            bounds(r.low, r.high),
            r.margin,
            cited(r.basis, view.lang) or UNKNOWN,
            view.term("basis", r.basis_status),
            r.basis_status == "M",
        )
        for r in ordered
    ]


def case_rows(view: View) -> list[CaseRow]:
    """Every case, in the order of the answer."""
    return [
        CaseRow(
            c.case,
            view.group(c.group),
            view.specialty(c.specialty),
            len(c.close),
            len(c.broad),
            _recused(c, view),
            c.present,
            c.quorum,
        )
        for c in view.answer.cases
    ]


def gate_rows(view: View) -> list[GateRow]:
    """The funnel: how many experts each gate bars, and how many are left."""
    return [
        GateRow(
            view.rule(g.id),
            g.bars,
            g.left,
            cited(g.basis, view.lang) or UNKNOWN,
            view.term("basis", g.basis_status),
            g.basis_status == "M",
        )
        for g in view.answer.funnel
    ]


def summary(view: View) -> list[tuple[str, str]]:
    """Label and text of all that stands above a panel: what for, by which policy, how good, how to replay it."""
    answer, problem = view.answer, view.answer.problem
    return [
        (view.word("agenda"), problem.title),
        (view.word("committee"), problem.committee),
        (view.word("meeting"), problem.meeting),
        (view.word("on"), written_date(problem.on, view.lang)),
        (view.word("procedure"), view.term("procedure", problem.procedure)),
        (
            view.word("policy"),
            view.word("policy_text", policy=problem.policy, version=problem.policy_version),
        ),
        (view.word("status"), status(view)),
        (view.word("fileable"), view.term("filing_force", "fileable" if answer.fileable else "not_fileable")),
        *_who_and_what(view),
        (view.word("objective"), objective(view)),
        *goals(view),
        (view.word("seed"), str(problem.seed)),
        (view.word("sha256"), problem.sha256),
        (view.word("versions"), view.word("semicolon").join(f"{n} {v}" for n, v in answer.versions.items())),
    ]


def _who_and_what(view: View) -> list[tuple[str, str]]:
    pool = (view.word("considered"), considered(view))
    if view.answer.members:
        return [(view.word("seats"), seats(view)), pool, (view.word("cases_label"), cases(view))]
    if view.answer.status in ("optimal", "feasible"):
        return [(view.word("seats"), view.word("sealed")), pool]
    return [pool]


def banners(view: View) -> list[str]:
    """What must stand above everything: a proposal that may not be filed; made data."""
    answer, said = view.answer, []
    if not answer.fileable:
        proposal = answer.problem.procedure == "draw" and bool(answer.members)
        said.append(view.word("proposal" if proposal else "not_fileable"))
    if answer.problem.made:
        said.append(view.word("made"))
    return said


def status(view: View) -> str:
    """The status, and which limit stopped the work if one did."""
    said = view.term("status", view.answer.status)
    stopped = view.answer.stopped_by
    return said if stopped is None else view.word("status_stopped", status=said, stopped=stopped)


def seats(view: View) -> str:
    answer = view.answer
    return view.word(
        "seats_text",
        members=len(answer.members),
        alternates=len(answer.alternates),
        groups=len({m.group for m in answer.members}),
    )


def considered(view: View) -> str:
    answer = view.answer
    left = answer.funnel[-1].left if answer.funnel else answer.considered
    return view.word("considered_text", considered=answer.considered, left=left)


def cases(view: View) -> str:
    recused = sum(1 for c in view.answer.cases if c.recused)
    return view.word("cases_text", cases=len(view.answer.cases), recused=recused)


def objective(view: View) -> str:
    """How the goals were put together, and the objective with its bound and gap where there is one number."""
    answer = view.answer
    gap = None if answer.gap is None else f"{answer.gap * 100:.4g}%"
    return view.word(f"objective_{answer.mode}", objective=answer.objective, bound=answer.bound, gap=gap)


def goals(view: View) -> list[tuple[str, str]]:
    """Each goal: its name with its level, and its cost with the proven bound."""
    return [
        (
            view.word("goal", level=g.level or None, goal=view.rule(g.id)),
            view.word("goal_proven" if g.proven else "goal_open", value=g.value, bound=g.bound),
        )
        for g in view.answer.goals
    ]


def bounds(low: int | None, high: int | None) -> str:
    """The bounds of a measure as one reads them."""
    if low is None and high is None:
        return UNKNOWN
    if low is None:
        return f"≤ {high}"
    if high is None:
        return f"≥ {low}"
    return f"= {low}" if low == high else f"{low}–{high}"


def signed(margin: int | None) -> str:
    """A margin with its sign."""
    if margin is None:
        return UNKNOWN
    return "0" if margin == 0 else f"{margin:+d}".replace("-", "−")


def _margin_order(rule: RuleResult) -> int:
    return 1_000_000 if rule.margin is None else rule.margin


def _recused(case: CaseResult, view: View) -> str:
    said = [
        view.word("recused_one", name=view.person(expert).name, kinds=kinds)
        for expert, kinds in case.recused.items()
    ]
    return view.word("semicolon").join(said)
