"""With everything known the audit and the checker say the same; with something unknown the audit never says too much."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit_rosters import book_of, policy_of, renamed, verdicts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import SECTORS, every_panel, problems, rule

from solver.check import judge
from solver.facts import Column
from solver.panel import Panel
from solver.problem import ConflictKind

KINDS = (
    ConflictKind("co_author", "pair", "test", "D"),
    ConflictKind("stake", "panel", "test", "D"),
    ConflictKind("relative", "group", "test", "D"),
)
NO_SHOWS = "alternates"
"""Its finding names the first rule that no-shows break; the audit looks first at rules that hold without them."""
PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
RULES = (
    rule("gate", id="age", where={"fact": "age", "op": "lt", "value": 70}),
    rule("barred"),
    rule("peer_grade", grade="broad"),
    rule("panel_size", low=2, high=4, odd=True),
    rule("roles", chair=[{"fact": "age", "op": "ge", "value": 40}], deputies_low=0, deputies_high=1),
    rule("apart"),
    rule("cap", fact="employer", most=1),
    rule("cap", id="cap_of_group", fact="sector", most=1, scope="group"),
    rule("share", where=[PRIVATE], least="1/3", most="2/3"),
    rule("share", id="share_of_group", where=[PRIVATE], least="1/4", scope="group"),
    rule(
        "ratio",
        parts=[
            {"name": s, "where": [{"fact": "sector", "op": "eq", "value": s}], "weight": w}
            for s, w in zip(SECTORS, (1, 1, 2), strict=True)
        ],
        tolerance=1,
    ),
    rule("newcomers", least="1/3"),
    rule("group_peers", least=1),
    rule("quorum", least="2/3"),
    rule("quorum", id="quorum_of_group", least="1/2", of="group"),
    rule("case_peers", least=1, soft=1),
    rule("case_peers", id="broad_peers", least=1, grade="broad"),
    rule("alternates"),
)


@st.composite
def panels(draw: st.DrawFn, alternates: bool = True) -> Panel:
    """Some panel of a random tiny problem in which every age is known, lawful or not."""
    problem = renamed(draw(problems(experts=(4, 7), alternates=alternates, rules=RULES)), KINDS)
    ages = Column.integers(
        draw(st.lists(st.integers(30, 75), min_size=7, max_size=7))[: len(problem.experts)]
    )
    problem = replace(problem, facts={**problem.facts, "age": ages}, specialties=problem.specialties)
    every = []
    for panel in every_panel(problem):
        every.append(panel)
        if len(every) == 60:
            break
    if not every:
        short = replace(
            problem, groups=tuple(replace(g, low=1, high=1, alternates=1) for g in problem.groups)
        )
        every = [next(every_panel(short))]
        every = [replace(every[0], problem=problem)]
    return draw(st.sampled_from(every))


def audited(panel: Panel, book: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return book.audited(Path(folder), policy_of(panel.problem), panel.problem.on)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(panels())
def test_with_all_known_the_audit_finds_what_the_checker_finds(panel: Panel) -> None:
    """Every rule is judged, with the same verdict, numbers and findings."""
    results, findings = judge(panel)
    done = audited(panel, book_of(panel))
    verdict = {True: "kept", False: "broken"}
    assert [(r.id, r.verdict) for r in done.rules] == [(r.id, verdict[r.holds]) for r in results]
    assert [(r.id, r.margin, r.low, r.high) for r in done.rules if r.id != NO_SHOWS] == [
        (r.id, r.margin, r.low, r.high) for r in results if r.id != NO_SHOWS
    ]
    assert sorted(
        (f.rule, f.value_low, sorted(f.people), f.cases) for f in done.findings if f.rule != NO_SHOWS
    ) == sorted(
        (f.rule, f.says.params["value"], sorted(f.experts), f.cases) for f in findings if f.rule != NO_SHOWS
    )


HIDEABLE = ("年龄", "单位性质", "单位", "细分专业")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(panels(), st.data())
def test_what_is_unknown_never_makes_a_verdict_that_the_truth_denies(
    panel: Panel, data: st.DataObject
) -> None:
    """Cells, columns and sheets are taken away: what is still called kept is kept, what is called broken is broken."""
    truth = {r.id: r.holds for r in judge(panel)[0]}
    book = book_of(panel)
    for sheet in data.draw(st.sets(st.sampled_from(["申报", "利害关系", "往届"]), max_size=1)):
        del book.sheets[sheet]
    for column in data.draw(st.sets(st.sampled_from(HIDEABLE), max_size=3)):
        for row in book.sheets["名单"]:
            if data.draw(st.booleans()):
                for name in ("工作单位", "法人单位") if column == "单位" else (column,):
                    row[name] = None
    if "申报" in book.sheets and data.draw(st.booleans()):
        data.draw(st.sampled_from(book.sheets["申报"]))["细分专业"] = None
    if "往届" in book.sheets and data.draw(st.booleans()):
        book.drop("往届", "法人单位")
    for rule_, verdict in verdicts(audited(panel, book)).items():
        assert verdict == "not_judged" or truth[rule_] == (verdict == "kept"), rule_
