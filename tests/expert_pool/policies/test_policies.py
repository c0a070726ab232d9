"""Policies: presets say what the law book says, overrides are decisions, mistakes are named with their line."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_registry import Tiny

import expert_pool.policies
from expert_pool.facts import facts_on
from expert_pool.policies.load import load, presets
from expert_pool.policies.policy import Override, Policy
from expert_pool.policies.vocabulary import FACTS, KINDS, LEVELS
from expert_pool.viewer import Viewer
from expert_pool.words import known
from solver.errors import Fault
from solver.rules import Rule

JILIN = "cn-title-jilin-2013"
HOUSE = Path(expert_pool.policies.__file__).parent
TEXT = (HOUSE / f"{JILIN}.yaml").read_text(encoding="utf-8")
PARAMETERS = ("private_share", "employer_cap", "renewal_share", "consecutive_max")


def override(parameter: str, value: Any) -> Override:
    return Override(parameter, value, by="office", on=date(2026, 5, 1), why="decided")


def by_id(policy: Policy, level: str = "senior") -> dict[str, Rule]:
    return {rule.id: rule for rule in policy.rules(level)}


def fault_of(text: str, tmp_path: Path) -> Fault:
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Fault) as caught:
        load(tmp_path / "own.yaml")
    return caught.value


def test_there_are_three_presets() -> None:
    """The presets that the first release promises are the ones that come with it."""
    assert presets() == ("cn-nsfc", JILIN, "cn-title-national")


@pytest.mark.parametrize("name", presets())
def test_every_preset_gives_rules_with_a_cited_basis(name: str) -> None:
    """Each rule names its instrument and how sure we are of it; ids are unique; the parameters of P-27 are there."""
    policy = load(name)
    for level in LEVELS:
        rules, goals = policy.rules(level), policy.goals(level)
        ids = [r.id for r in rules] + [g.id for g in goals]
        assert len(ids) == len(set(ids))
        assert all(rule.basis.text and rule.basis.status in ("V1", "V2", "M", "D") for rule in rules)
    assert set(PARAMETERS) <= set(policy.parameters)
    assert policy.procedure == ("compose" if name == JILIN else "draw")
    assert policy.locks_most == (None if name == JILIN else 0)


def test_jilin_says_what_the_rules_of_2013_say() -> None:
    """2:2:6 in principle, 25 and odd, chair and one to three deputies, quorum of two thirds, terms of three years."""
    policy = load(JILIN)
    rules = by_id(policy)
    shown = {
        id: rules[id].model_dump(mode="json")
        for id in ("sector_ratio", "panel_size", "roles", "quorum", "reviewed_rank", "trained")
    }
    assert [(p["name"], p["weight"]) for p in shown["sector_ratio"]["parts"]] == [
        ("central", 2),
        ("grassroots_or_non_public", 2),
        ("provincial", 6),
    ]
    assert (shown["sector_ratio"]["soft"], rules["sector_ratio"].basis.status) == (1, "V2")
    assert [shown["panel_size"][k] for k in ("low", "high", "odd")] == [25, 25, True]
    assert (shown["roles"]["deputies_low"], shown["roles"]["deputies_high"]) == (1, 3)
    assert (shown["quorum"]["least"], rules["quorum"].basis.status) == ("2/3", "M")
    assert shown["trained"]["where"]["value"] == "@meeting"
    assert policy.terms.term_years == policy.terms.filing_years == 3
    seats = policy.seats("senior")
    assert (seats.low, seats.high, seats.group_low, seats.alternates) == (25, 25, 3, 8)


@pytest.mark.parametrize(("level", "rank"), [("senior", 3), ("mid", 2), ("junior", 1)])
def test_members_hold_the_level_they_review(level: str, rank: int) -> None:
    """The least rank of a member follows the committee's level."""
    where = by_id(load(JILIN), level)["reviewed_rank"].model_dump()["where"]
    assert (where["fact"], where["op"], where["value"]) == ("rank", "ge", rank)


def test_no_number_is_invented() -> None:
    """Where no text gives a number the parameter is empty, its rule is left out, and the policy says so."""
    policy = load(JILIN)
    unstated = {u.parameter: u for u in policy.unstated}
    assert set(PARAMETERS) <= set(unstated)
    left_out = {id for u in unstated.values() for id in u.leaves_out}
    assert {"private_share", "employer_cap", "renewal", "consecutive", "credit"} <= left_out
    assert not left_out & set(by_id(policy))
    assert all(u.note["zh"] and u.note["en"] for u in unstated.values())


def test_an_override_turns_a_rule_on() -> None:
    """A number set by an office is in the rule, in its basis, and in the policy's hash."""
    plain, policy = load(JILIN), load(JILIN, [override("private_share", "30%")])
    rule = by_id(policy)["private_share"]
    assert rule.model_dump(mode="json")["least"] == "3/10"
    assert "override 2026-05-01" in rule.basis.text
    assert "private_share" not in {u.parameter for u in policy.unstated}
    assert policy.sha256 != plain.sha256
    assert policy.overrides[0].by == "office"
    assert load(JILIN).sha256 == plain.sha256


def test_consecutive_terms_count_the_one_to_come() -> None:
    """At most N in a row: whoever has served N - 1 may sit once more."""
    rule = by_id(load(JILIN, [override("consecutive_max", 2)]))["consecutive"]
    assert rule.model_dump()["where"]["value"] == 1
    assert by_id(load("cn-nsfc"))["consecutive"].model_dump()["where"]["value"] == 1


def test_an_override_may_differ_by_level() -> None:
    """A parameter with one value a level may be overridden with one value or with one a level."""
    sizes = [override("panel_low", {"senior": 11}), override("panel_high", {"senior": 11, "mid": 7})]
    policy = load("cn-title-national", sizes)
    assert policy.seats("senior").low == 11
    with pytest.raises(Fault, match=r"policy\.number_needed"):
        policy.seats("mid")
    every = load("cn-title-national", [override("panel_low", 11), override("panel_high", 13)])
    assert every.seats("junior").high == 13


def test_an_overlay_file_is_the_same_policy(tmp_path: Path) -> None:
    """A preset with overrides in a file has the hash of the same overrides given in the call, in any order."""
    (tmp_path / "own.yaml").write_text(
        f"""format: policy/1
preset: {JILIN}
overrides:
  - {{parameter: private_share, value: 3/10, by: office, on: 2026-05-01, why: decided}}
  - {{parameter: employer_cap, value: 2, by: office, on: 2026-05-01, why: decided}}
""",
        encoding="utf-8",
    )
    called = load(JILIN, [override("employer_cap", 2), override("private_share", "3/10")])
    assert load(str(tmp_path / "own.yaml")).sha256 == called.sha256


def test_an_override_with_null_switches_a_rule_off() -> None:
    """An office may decide against a rule of the preset; it is then listed as left out."""
    policy = load(JILIN, [override("group_close_peers", None)])
    assert "group_peers" not in by_id(policy)
    assert "group_close_peers" in {u.parameter for u in policy.unstated}


def test_nsfc_does_not_say_how_many_sit() -> None:
    """Without a number in the text a panel can only be asked for once somebody decides one."""
    with pytest.raises(Fault) as caught:
        load("cn-nsfc").seats()
    assert (caught.value.code, caught.value.params["parameter"]) == ("policy.number_needed", "panel_low")
    assert load("cn-nsfc", [override("panel_low", 9), override("panel_high", 9)]).seats().high == 9


def test_conflicts_of_an_unstated_window_are_left_out() -> None:
    """What the Foundation's Regulations do not name is not derived until somebody sets it."""
    policy = load("cn-nsfc")
    assert "co_author" not in policy.conflicts
    assert policy.conflicts["objection"].most == 3
    assert load("cn-nsfc", [override("co_author_window", 4)]).conflicts["co_author"].window == 4


MISTAKES: list[tuple[str, str, str, str | None]] = [
    ("  - rule: quorum", "  - rule: qorum", "policy.rule_unknown", "quorum"),
    ("  - goal: tie_break", "  - goal: tiebreak", "policy.goal_unknown", "tie_break"),
    ("    tolerance: {parameter: ratio_tolerance}", "    tolerence: 0", "policy.field_unknown", "tolerance"),
    ("    grade: broad", "    grade: brod", "policy.field_wrong", None),
    ("where: {fact: in_pool, op: eq", "where: {fact: inpool, op: eq", "policy.fact_unknown", "in_pool"),
    ("value: [active, restricted]", "value: [activ, restricted]", "policy.value_unknown", "active"),
    (
        "    odd: true\n    basis: {instrument: jilin2013",
        "    odd: true\n    basis: {instrument: jilin",
        "policy.instrument_unknown",
        "jilin2013",
    ),
    ("least: {parameter: private_share}", "least: 130%", "policy.share_outside", None),
    ("least: {parameter: private_share}", "least: -5%", "policy.share_outside", None),
    ("least: {parameter: private_share}", "least: 1.3", "policy.field_wrong", None),
    (
        "least: {parameter: private_share}",
        "least: {parameter: privat_share}",
        "policy.parameter_unknown",
        "private_share",
    ),
    (
        "least: {parameter: private_share}",
        "least: {paramter: private_share}",
        "policy.field_unknown",
        "parameter",
    ),
    ("  group_by: specialty", "  group_by: speciality", "policy.field_wrong", None),
    ("  co_author:\n", "  coauthor:\n", "policy.kind_unknown", "co_author"),
    ("  same_employer:\n    window: current", "  same_employer:\n    window: 0", "policy.field_wrong", None),
    (
        "  same_employer:\n    window: current",
        "  same_employer:\n    window: current\n    members: true",
        "policy.members_misplaced",
        None,
    ),
    ("procedure: compose", "procedure: compse", "policy.field_wrong", None),
    ("    id: alternates\n", "    id: quorum\n", "policy.rule_twice", None),
    ("    id: load\n", "    id: quorum\n", "policy.rule_twice", None),
    ("needs: [alternates]", "needs: [alternats]", "policy.parameter_unknown", "alternates"),
    ("    fact: credit\n", "    fact: state\n", "problem.fact_not_integer", None),
    ("value: {parameter: age_max}", "value: old", "problem.fact_compared", None),
    ("    best: 100\n    worst: 60", "    best: 60\n    worst: 60", "problem.range_crossed", None),
    ("format: policy/1", "format: policy/1\nformat: policy/1", "policy.key_twice", None),
    ("mode: lexicographic", "mode: [lexicographic", "policy.unreadable", None),
    ("mode: lexicographic", "mode: &a lexicographic\nelse: *a", "policy.alias", None),
    ("    value: 2/3", "    value: 4/3", "policy.share_outside", None),
    ("    value: 2/3", "    value: most", "policy.share_malformed", None),
    ("    value: 8\n", "    value: -1\n", "policy.parameter_outside", None),
    ("    value: false\n", "    value: perhaps\n", "policy.parameter_wrong", None),
    ("  low: {parameter: panel_low}\n", "  low: 27\n", "policy.seats_crossed", None),
    ("  term_years: {parameter: term_years}\n", "", "policy.parameter_unused", None),
    ("  term_years: {parameter: term_years}\n", "  term_year: 3\n", "policy.field_unknown", "term_years"),
    (
        "credit_base: {parameter: credit_base}",
        "credit_base: {parameter: chair_rank}",
        "policy.level_misplaced",
        None,
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "near"), MISTAKES, ids=[f"{m[2]}-{i}" for i, m in enumerate(MISTAKES)]
)
def test_a_mistake_is_named_with_its_line(
    old: str, new: str, code: str, near: str | None, tmp_path: Path
) -> None:
    """Every mistake is one fault at the file and line where it stands, with the nearest name that is known."""
    assert TEXT.count(old) >= 1
    fault = fault_of(TEXT.replace(old, new, 1), tmp_path)
    assert fault.code == code
    assert fault.params.get("nearest") == near
    path, _, line = fault.where.rpartition(":")
    assert path == str(tmp_path / "own.yaml")
    first = TEXT[: TEXT.index(old)].count("\n") + 1
    if code not in ("policy.parameter_unused", "policy.seats_crossed", "policy.unreadable"):
        above = 6 if code.startswith("problem.") else 0  # found by the rule as a whole
        assert first - above <= int(line) <= first + new.count("\n")
    assert known(code, "zh")
    assert known(code, "en")


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ([override("privat_share", "1/2")], "policy.parameter_unknown"),
        ([override("private_share", "130%")], "policy.share_outside"),
        ([override("employer_cap", "two")], "policy.parameter_wrong"),
        ([override("employer_cap", 0)], "policy.parameter_outside"),
        ([override("employer_cap", 2), override("employer_cap", 3)], "policy.override_twice"),
        (
            [{"parameter": "employer_cap", "value": 2, "by": "", "on": "2026-05-01", "why": "x"}],
            "policy.field_wrong",
        ),
        ([{"parameter": "employer_cap", "value": 2, "by": "me", "why": "x"}], "policy.field_missing"),
        ([override("reviewed_rank", {"high": 3})], "policy.level_unknown"),
    ],
)
def test_a_wrong_override_is_refused(overrides: list[Any], code: str) -> None:
    """An override needs a parameter that exists, a value it may take, a person, a day and a reason."""
    with pytest.raises(Fault) as caught:
        load(JILIN, overrides)
    assert caught.value.code == code
    assert overrides[-1].parameter in caught.value.where if isinstance(overrides[-1], Override) else True


def test_an_unknown_policy_names_the_nearest(tmp_path: Path) -> None:
    """Neither a preset nor a file: the fault says what was meant, most likely."""
    with pytest.raises(Fault) as caught:
        load("cn-title-jilin")
    assert (caught.value.code, caught.value.params["nearest"]) == ("policy.unknown", JILIN)
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(Fault, match=r"policy\.not_a_policy"):
        load(tmp_path / "empty.yaml")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_a_fault_or_a_policy(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is cut, doubled or changed in a preset, reading it ends in a policy or in one fault."""
    lines = TEXT.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        how = data.draw(st.sampled_from(["drop", "double", "indent", "cut", "word", "swap"]))
        line = lines[at]
        if how == "drop":
            lines[at] = ""
        elif how == "double":
            lines[at] = line + "\n" + line
        elif how == "indent":
            lines[at] = "  " + line
        elif how == "cut":
            lines[at] = line[: data.draw(st.integers(0, len(line)))]
        elif how == "word":
            value = data.draw(
                st.sampled_from(["null", "[]", "{}", "-1", "yes", "[1, [2]]", "3/0", "2026-13-01", "é"])
            )
            lines[at] = re.sub(r":.*", f": {value}", line, count=1)
        else:
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
    path = tmp_path_factory.mktemp("damaged") / "own.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    fault = None
    try:
        policy = load(path)
    except Fault as caught:
        fault = caught
    if fault is None:
        assert policy.rules()
    else:
        assert known(fault.code, "en"), fault
        assert "own.yaml" in fault.where


def test_every_name_used_in_a_preset_has_words() -> None:
    """Rules, goals and kinds of conflict have a title in both languages, also those that are left out."""
    for lang in ("zh", "en"):
        for name in presets():
            text = (HOUSE / f"{name}.yaml").read_text(encoding="utf-8")
            ids = re.findall(r"^    id: (\w+)$", text, re.MULTILINE)
            assert len(ids) > 15
            assert [id for id in ids if not known(f"title.{id}", lang)] == []
            left = [what for u in load(name).unstated for what in u.leaves_out]
            assert [what for what in left if not known(f"title.{what}", lang)] == []
        assert [kind for kind in (*KINDS, "indirect") if not known(f"kind.{kind}", lang)] == []


def test_every_code_of_this_room_has_words() -> None:
    """Whatever the code can say of policies, agendas and relations is said in both languages."""
    house = HOUSE.parent
    sources = [*HOUSE.glob("*.py"), *(house / "relations").glob("*.py"), house / "agendas.py"]
    codes = {
        code
        for source in sources
        for code in re.findall(
            r'"((?:policy|agenda|relations)\.[a-z_.]+)"', source.read_text(encoding="utf-8")
        )
    }
    assert len(codes) > 30
    for lang in ("zh", "en"):
        assert [code for code in sorted(codes) if not known(code, lang)] == []


def test_the_guide_tells_what_is_so(tmp_path: Path) -> None:
    """The overlay in the guide is a policy, and the guide names every preset with its procedure."""
    guide = (HOUSE.parent.parent / "docs" / "policies.md").read_text(encoding="utf-8")
    overlay = next(
        block for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "preset:" in block
    )
    (tmp_path / "own.yaml").write_text(overlay, encoding="utf-8")
    assert {"private_share", "employer_cap"} <= set(by_id(load(tmp_path / "own.yaml")))
    for name in presets():
        assert re.search(rf"^\| `{name}` \|.*\| {load(name).procedure} \|$", guide, re.MULTILINE)


def test_policies_speak_of_the_facts_there_are(sqlite_tiny: Tiny, system: Viewer) -> None:
    """Every fact a policy may name is one the registry gives, of the same type, and has a name in both languages."""
    with sqlite_tiny.store.session() as session:
        pool = facts_on(
            session,
            system,
            committee_id=sqlite_tiny.committee_id,
            on=sqlite_tiny.meets_on,
            policy=load(JILIN),
        )
    assert {name: column.type for name, column in pool.facts.items()} == FACTS
    assert [f for f in FACTS if not known(f"fact.{f}", "zh") or not known(f"fact.{f}", "en")] == []
