"""What rules, goals and groups are called where there is no panel yet, or none to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from expert_pool.called import called
from expert_pool.documents.view import View
from expert_pool.viewer import Viewer
from solver.answer import Answer, GateResult, Saying
from solver.problem import Problem


def view_without_panel(lang: str, problem: Problem | None = None, gates: Sequence[GateResult] = ()) -> View:
    """The names of a problem's rules, goals and groups; without a problem those that presets use."""
    nothing: dict[str, Any] = {part: [] for part in ("members", "alternates", "rules", "findings", "cases")}
    return View(Answer.model_construct(funnel=list(gates), **nothing), {}, lang, problem)


def goal_named(id_: str, lang: str) -> str:
    """A goal or soft rule in words, several in one level joined."""
    return view_without_panel(lang).rule(id_)


def why_not(result: Mapping[str, Any] | None, lang: str) -> list[str]:
    """Why a run found no panel, in sentences that call rules by their titles."""
    view = view_without_panel(lang)
    return [view.tell(Saying.model_validate(one)) for one in (result or {}).get("why_not", ())]


def employers_told(session: Session, viewer: Viewer, sayings: Iterable[Saying], on: date) -> dict[str, str]:
    """The names, by code, of the employers that sentences speak of."""
    codes = {
        str(one.params["same"])
        for one in sayings
        if one.params.get("fact") == "employer" and "same" in one.params
    }
    return {code: name for (_, code), name in called(session, viewer, {"employers": codes}, on).items()}
