"""Questions of what-if to start from: the same in every language but for their titles, filled in for one meeting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expert_pool.words import languages, say

HEAD = """format: scenario/1
title: {{{titles}}}
base: {{committee: {committee}, meeting: {meeting}, policy: {policy}}}
seconds: 60
"""
BODIES: dict[str, str] = {
    "quorum": """sweep:
  axes:
    - {{parameter: rules.quorum.least, values: [1/2, 2/3, 3/4, 4/5]}}
tipping:
  - {{parameter: rules.quorum.least, from: 50%, to: 100%}}
""",
    "sizes": """sweep:
  axes:
    - title: {{zh: 人数, en: seats}}
      options:
        - {{name: as it is, title: {{zh: 不变, en: as it is}}}}
        - {{name: one more each, title: {{zh: 多一人, en: one more each}}, change: [{{group: {group}, set: {{low: {low}, high: {high}}}}}]}}
""",
    "recruits": """sweep:
  axes:
    - title: {{zh: 专家库, en: pool}}
      options:
        - {{name: as it is, title: {{zh: 不变, en: as it is}}}}
        - name: ten recruits
          title: {{zh: 增补十人, en: ten recruits}}
          change:
            - join:
                - {{count: 10, skills: {{"{specialty}": 3}}, facts: {{sector: private, age: 45}}}}
""",
    "goals": """pareto: {{goals: [{goals}], seconds: 120}}
""",
    "robustness": """robustness:
  no_shows: {{fact: no_show_rate, default: 5}}
  declines: {{fact: decline_rate, default: 20}}
  notice: {{days: 10, round: 5}}
""",
    "fairness": """fairness:
  by: [sector, age]
  near: {{panels: 4, within: 5%}}
  draw: {{procedure: repair, panels: 50}}
""",
    "policies": """policies:
  compare:
    - name: {{zh: 现行, en: today}}
    - name: {{zh: 拟改, en: proposed}}
      change: [{{rule: quorum, set: {{least: 3/4}}}}]
  history: {{panels: optimum}}
  by: sector
""",
    "years": """years:
  seasons: 5
  replications: 10
""",
}
"""What each asks, as YAML for `str.format`."""
NEEDS = {"quorum": "quorum", "policies": "quorum", "goals": "goals"}
"""What a policy must have for a question to be asked: the rule of that name, or two goals."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a question is asked about: the meeting, its policy, and of them a group with its size, a sub-specialty, the
    rules and the goals there are."""

    committee: str
    meeting: str
    policy: str
    group: str
    low: int
    high: int
    specialty: str
    rules: frozenset[str]
    goals: Sequence[str]


def asked(ground: Ground) -> list[str]:
    """The questions that can be asked about it."""
    found = []
    for name in BODIES:
        need = NEEDS.get(name)
        if need == "goals" and len(ground.goals) < 2:
            continue
        if need not in (None, "goals") and need not in ground.rules:
            continue
        found.append(name)
    return found


def written(name: str, ground: Ground) -> str:
    """A question as a scenario's text."""
    titles = ", ".join(f"{lang}: {say(f'page.whatif.question.{name}', lang)}" for lang in languages())
    return (HEAD + BODIES[name]).format(
        titles=titles,
        committee=ground.committee,
        meeting=ground.meeting,
        policy=ground.policy,
        group=f'"{ground.group}"',
        low=ground.low + 1,
        high=ground.high + 1,
        specialty=ground.specialty,
        goals=", ".join(ground.goals[:2]),
    )
