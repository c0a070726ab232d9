"""Numbers of a policy that a scenario supposes: the same as the policy file with these numbers written into it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from refused import refused
from scenarios_stored import policy_text
from tiny_registry import Tiny, entered

from expert_pool.policies.load import load as load_policy
from expert_pool.policies.policy import Policy
from expert_pool.registry import Relation, RelationKind
from expert_pool.simulation.asking import asked
from expert_pool.simulation.bases import problems_of
from expert_pool.simulation.histories import recalled
from expert_pool.simulation.reading import Scenario, load
from expert_pool.simulation.running import simulate
from expert_pool.simulation.stored import read_text
from expert_pool.simulation.supposing import base_policy
from expert_pool.simulation.weighing import weigh
from expert_pool.viewer import Viewer
from solver.problem import Problem
from solver.rules import Basis

SWEEP = "sweep:\n  axes:\n    - {parameter: rules.quorum.least, values: [1/4, 1/3]}\n"


def scenario(
    folder: Path, overrides: dict[str, Any], policy: str = "cn-title-jilin-2013", more: str = SWEEP
) -> Scenario:
    base = {"committee": "C1", "meeting": "M1", "policy": policy, "overrides": overrides}
    text = f"format: scenario/1\nbase:\n{_indented(base)}seconds: 600\n{more}"
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    return load(folder / "s.yaml")


def _indented(base: dict[str, Any]) -> str:
    lines = [f"  {key}: {value}\n" for key, value in base.items() if key != "overrides"]
    said = yaml.safe_dump(base["overrides"], allow_unicode=True, sort_keys=False, default_flow_style=False)
    return "".join(lines) + (
        "  overrides:\n" + "".join(f"    {line}\n" for line in said.splitlines()) if base["overrides"] else ""
    )


def rewritten(folder: Path, **changed: dict[str, Any]) -> Policy:
    """The preset with other values written into its file: `parameters` and `windows`."""
    from importlib.resources import files

    data = yaml.safe_load(
        files("expert_pool.policies").joinpath("cn-title-jilin-2013.yaml").read_text("utf-8")
    )
    for name, value in changed.get("parameters", {}).items():
        data["parameters"][name]["value"] = value
    for kind, value in changed.get("windows", {}).items():
        data["conflicts"][kind]["window"] = value
    (folder / "own.yaml").write_text(
        yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8"
    )
    return load_policy(folder / "own.yaml")


def said(policy: Policy) -> list[Any]:
    """All that a policy decides, without what it stands on."""
    nothing = Basis(text="", status="D")
    return [
        {kind: replace(one, basis=nothing) for kind, one in policy.conflicts.items()},
        policy.terms,
        policy.procedure,
        [
            [[rule.model_copy(update={"basis": nothing}) for rule in part.rules], part.goals, part.seating]
            for part in policy.by_level.values()
        ],
        [(one.parameter, one.leaves_out) for one in policy.unstated],
    ]


@pytest.mark.parametrize(
    ("co_author", "advisor", "quorum", "alternates"),
    [
        (None, "current", "1/2", 0),
        ("current", None, "2/3", 9),
        ("cycle", 99, "0.9", 1),
        (1, "cycle", "1/2", 8),
        (99, 1, "100%", 3),
        ("always", "always", "3/4", 2),
    ],
)
def test_an_override_is_the_value_written_into_the_policy(
    tmp_path: Path, co_author: Any, advisor: Any, quorum: str, alternates: int
) -> None:
    own = {"quorum": quorum, "alternates": alternates}
    asked_ = {**own, "conflicts.co_author.window": co_author, "conflicts.advisor.window": advisor}
    found = base_policy(scenario(tmp_path, asked_))
    written = rewritten(
        tmp_path, parameters={**own, "co_author_window": co_author}, windows={"advisor": advisor}
    )
    assert said(found) == said(written)
    by_name = {**own, "co_author_window": co_author, "conflicts.advisor.window": advisor}
    assert said(base_policy(scenario(tmp_path, by_name))) == said(written)


def test_a_shorter_window_forgets_an_old_relation_as_the_written_policy_does(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    tiny = sqlite_tiny
    a, b = tiny.ids["expert"]["E01"], tiny.ids["expert"]["E02"]
    relation = Relation(
        kind=RelationKind.CO_AUTHOR, expert_id=a, other_expert_id=b, until=date(2022, 5, 1),
        holds_on=date(2020, 5, 1), recorded_at=tiny.recorded_at, recorded_by="office", organiser_id=tiny.organiser_id,
    )  # fmt: skip
    entered(tiny, [relation])
    (tmp_path / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    (tmp_path / "narrow.yaml").write_text(policy_text(co_author_window=3), encoding="utf-8")

    def problem(overrides: dict[str, Any], policy: str) -> Problem:
        return problems_of(scenario(tmp_path, overrides, policy), tiny.store, system)[0]

    def pairs(of: Problem) -> list[Any]:
        kinds = [kind.kind for kind in of.conflict_kinds]
        rows = zip(of.between.left, of.between.right, of.between.kind, strict=True)
        return sorted((of.experts[a], of.experts[b], kinds[k]) for a, b, k in rows)

    ever, narrow = problem({}, "policy.yaml"), problem({"co_author_window": 3}, "policy.yaml")
    assert [kind for *_, kind in pairs(ever)] == ["co_author"]
    assert pairs(narrow) == pairs(problem({}, "narrow.yaml")) == []
    assert pairs(problem({"conflicts.co_author.window": 3}, "policy.yaml")) == []
    assert pairs(problem({"conflicts.co_author.window": 5}, "policy.yaml")) == pairs(ever)
    results = [
        simulate(asked(read, problems_of(read, tiny.store, system)))
        for read in (
            scenario(tmp_path, {"co_author_window": 3}, "policy.yaml"),
            scenario(tmp_path, {}, "narrow.yaml"),
            scenario(tmp_path, {"co_author_window": 5}, "policy.yaml"),
        )
    ]
    first, second, _ = ([(p.status, p.goals) for p in found.points] for found in results)
    assert first == second
    assert len({found.inputs_sha256 for found in results}) == 3


def test_two_windows_are_compared_as_two_policies_and_the_brief_names_them(
    sqlite_tiny: Tiny, system: Viewer, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    more = (
        "policies:\n  compare:\n    - {name: {zh: 现行, en: today}}\n"
        "    - {name: {zh: 更严, en: stricter}, overrides: {conflicts.co_author.window: 9, conflicts.stake.window: null}}\n"
    )
    read = scenario(tmp_path, {"co_author_window": 4}, "policy.yaml", more)
    found = simulate(
        asked(read, problems_of(read, sqlite_tiny.store, system), recalled(read, sqlite_tiny.store, system))
    ).policies
    assert found is not None
    told = {
        (d.rule, d.field): (d.first, d.other) for d in found.policies[1].differences if d.kind == "conflict"
    }
    assert told == {("co_author", "window"): ("4", "9"), ("stake", "window"): ("current", None)}
    assert found.policies[0].differences == []


@pytest.mark.parametrize(
    ("override", "code", "line"),
    [
        ({"co_autor_window": 4}, "scenario.override_unknown", 7),
        ({"conflicts.co_autor.window": 4}, "scenario.override_unknown", 7),
        ({"conflicts.co_author.effect": "panel"}, "scenario.override_unknown", 7),
        ({"rules.quorum.least": "1/2"}, "scenario.override_unknown", 7),
        ({"conflicts.advisor.window": 0}, "scenario.window", 7),
        ({"conflicts.advisor.window": "ever"}, "scenario.window", 7),
        ({"conflicts.co_author.window": 100}, "policy.parameter_wrong", 7),
        ({"quorum": "3/2"}, "policy.share_outside", 7),
        ({"alternates": -1}, "policy.parameter_outside", 7),
        ({"co_author_window": 4, "conflicts.co_author.window": 5}, "scenario.twice", 8),
        ({"panel_low": 30}, "problem.size_empty", 6),
        ({"alternates": {"seniors": 3}}, "scenario.field_wrong", 7),
    ],
)
def test_an_override_that_cannot_be_is_refused_with_its_line(
    tmp_path: Path, override: dict[str, Any], code: str, line: int
) -> None:
    with refused(code) as caught:
        base_policy(scenario(tmp_path, override))
    assert caught.value.where == f"{tmp_path / 's.yaml'}:{line}"
    if code == "scenario.override_unknown" and "co_autor" in str(override):
        assert caught.value.params["nearest"] == next(iter(override)).replace("autor", "author")


@pytest.mark.parametrize("base", ["problem: p.json", "region: {experts: 300, committees: 1}"])
def test_a_file_has_no_policy_to_override(tmp_path: Path, base: str) -> None:
    text = f"format: scenario/1\nbase: {{{base}, overrides: {{co_author_window: 4}}}}\n{SWEEP}"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with refused("scenario.overrides_of_registry"):
        load(tmp_path / "s.yaml")


def test_a_text_from_the_network_may_suppose_and_is_weighed_with_it(
    sqlite_tiny: Tiny, system: Viewer, now: datetime
) -> None:
    text = (
        "format: scenario/1\nbase: {committee: C1, meeting: M1, overrides: {co_author_window: 4}}\n"
        "sweep:\n  axes:\n    - {parameter: rules.quorum.least, values: [1/3, 1/2]}\n"
    )
    with sqlite_tiny.store.reading() as session:
        assert weigh(session, system, read_text(session, system, text)).points == 2
        with refused("scenario.override_unknown", nearest="co_author_window"):
            weigh(session, system, read_text(session, system, text.replace("co_author_w", "co_autor_w")))
