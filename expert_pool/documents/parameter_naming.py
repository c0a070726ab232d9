"""What the parameters of a scenario, their values and its goals are called: in charts, pages, terminal and brief."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expert_pool.documents.rule_naming import rule_title
from expert_pool.simulation.naming import Named
from expert_pool.simulation.results import GoalNamed
from expert_pool.simulation.spreading import is_share
from expert_pool.words import known, say, term
from expert_pool.words.sentence import percent


def goal_name(id_: str, lang: str, goals: Mapping[str, GoalNamed] | None = None) -> str:
    """The goals of a level by their titles; without one by what sort of goal it is, and the fact it goes by. `goals` as in a
    result; what is in none of these is called by its id."""
    return " + ".join(_one_goal(part, lang, (goals or {}).get(part)) for part in id_.split("+"))


def _one_goal(id_: str, lang: str, named: GoalNamed | None) -> str:
    if known(f"title.{id_}", lang):
        return say(f"title.{id_}", lang)
    if named is not None and known(f"goal.{named.kind}", lang):
        return say(f"goal.{named.kind}", lang, fact=named.fact)
    if named is not None and known(f"name.{named.kind}", lang):
        return say(f"name.{named.kind}", lang, fact=named.fact)
    return id_.replace("_", " ")


def rule_called(named: Named, id_: str, lang: str) -> str:
    """A rule of the problems by its title, or by its kind and what it tests; what they do not have by its id."""
    rule = named.rules.get(id_)
    if rule is None:
        return say(f"title.{id_}", lang) if known(f"title.{id_}", lang) else id_
    return rule_title(id_, rule.kind, rule.model_dump(mode="json"), lang).strip(" :：")


def parameter_name(named: Named, parameter: str, lang: str) -> str:
    """What varies: as the scenario calls it, else the rule, goal or group and its field in words."""
    own = _axis(named, parameter)
    title = own.get("title") or next(
        (t["title"] for t in named.scenario.get("tipping") or () if t.get("parameter") == parameter), None
    )
    if title:
        return str(title[lang])
    if own.get("options") is not None:
        return say("parameter.options", lang, number=int(parameter) + 1 if parameter.isdigit() else parameter)
    kind, id_, field = _parts(parameter)
    said = term("parameter.field", field, lang)
    if kind == "goals":
        return say("parameter.named", lang, name=goal_name(id_, lang, named.goals), field=said)
    if kind == "groups":
        name = None if id_ == "*" else named.groups.get(id_, id_)
        return say("parameter.seats", lang, group=name, every=name is None, field=said)
    if kind == "rules" and (id_ in named.rules or known(f"title.{id_}", lang)):
        return say("parameter.named", lang, name=rule_called(named, id_, lang), field=said)
    return parameter


def parameter_in_full(named: Named, parameter: str, lang: str) -> str:
    """The name with the one that scenarios write behind it, for the one place where a reader looks it up."""
    name = parameter_name(named, parameter, lang)
    if name == parameter or not written_in_scenarios(parameter):
        return name
    return say("parameter.in_full", lang, name=name, parameter=parameter)


def written_in_scenarios(axis: str) -> bool:
    """Whether a scenario writes this as a parameter; options are called by their titles alone."""
    return axis.partition(".")[0] in ("rules", "goals", "groups") and axis.count(".") >= 2


def value_name(named: Named, parameter: str, value: str | None, lang: str) -> str:
    """A value of it in words: a share as a percentage, yes or no, a word of ours, an option by its title."""
    own = _axis(named, parameter)
    for option in own.get("options") or ():
        if option["name"] == value and option.get("title"):
            return str(option["title"][lang])
    if value is None:
        return term("parameter.value", value, lang)
    kind, id_, field = _parts(parameter)
    if value in ("True", "False"):
        return term("words", value == "True", lang)
    if kind == "rules" and id_ in named.rules and is_share(named.rules[id_].kind, field):
        return percent(value.removesuffix("%")) if not value.endswith("%") else value
    if field == "grade":
        return term("grade", value, lang)
    if field == "fact":
        return term("fact", value, lang)
    return percent(value) if "/" in value else term("parameter.value", value, lang)


def standing_at(named: Named, values: Mapping[str, str], lang: str) -> str:
    """Where a point stands, in words: every parameter with its value."""
    return say("words.clause", lang).join(
        say(
            "parameter.at",
            lang,
            name=parameter_name(named, parameter, lang),
            value=value_name(named, parameter, value, lang),
        )
        for parameter, value in values.items()
    )


def field_value(field: str | None, value: str | None, lang: str) -> str:
    """A field of a rule that two policies state otherwise; of `soft` whether it must hold; None: the rule is not there."""
    if field == "soft":
        return say("brief.hard", lang) if value is None else say("brief.soft", lang, level=value)
    if value is None:
        return say("brief.absent", lang)
    if field == "window":
        return (
            say("lens.window.years", lang, years=int(value))
            if value.isdigit()
            else term("lens.window", value, lang)
        )
    if value in ("True", "False"):
        return term("words", value == "True", lang)
    if field in ("grade", "fact"):
        return term(field, value, lang)
    return percent(value) if "/" in value else term("parameter.value", value, lang)


def facts_said(facts: Mapping[str, Any], lang: str) -> str | None:
    """What people are to be like, in words; None where nothing is asked."""
    said = (
        say("parameter.at", lang, name=term("fact", name, lang), value=term(name, value, lang))
        for name, value in facts.items()
    )
    return say("words.and", lang).join(said) or None


def _parts(parameter: str) -> tuple[str, str, str]:
    kind, _, rest = parameter.partition(".")
    id_, _, field = rest.rpartition(".")
    return kind, id_, field


def _axis(named: Named, axis: str) -> Mapping[str, Any]:
    """The axis as the scenario says it; empty where it says none of this name."""
    told = (named.scenario.get("sweep") or {}).get("axes") or []
    for at, one in enumerate(told):
        title = one.get("title") or {}
        if one.get("parameter") == axis or (
            one.get("parameter") is None and axis in (title.get("en"), str(at))
        ):
            return dict(one)
    return {}
