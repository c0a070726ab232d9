"""What rules, groups of people, meetings and chances are called in the charts, the brief and the terminal."""

from __future__ import annotations

from expert_pool.simulation.dividing import UNKNOWN
from expert_pool.simulation.lens_results import CONFLICT
from expert_pool.simulation.results import Simulation
from expert_pool.words import known, say, term


def rule_name(id_: str, kind: str, lang: str) -> str:
    """A rule by its title; without one by its kind and id. Of kind CONFLICT: a kind of conflict."""
    if kind == CONFLICT:
        return say("lens.conflict", lang, kind=id_)
    if known(f"lens.{id_}", lang):
        return say(f"lens.{id_}", lang)
    if known(f"title.{id_}", lang):
        return say(f"title.{id_}", lang)
    return (
        id_
        if kind == "gate" or not known(f"name.{kind}", lang)
        else say(
            "lens.rule_other",
            lang,
            name=say(f"name.{kind}", lang, fact=None).replace("—", "").strip(" :："),
            id=id_,
        )
    )


def cell_name(by: str, of: str | None, values: int, lang: str) -> str:
    """A group of people by the value they share."""
    if of is None:
        return say("lens.small", lang, values=values)
    if of == UNKNOWN:
        return say("lens.unknown", lang)
    return term(by, of, lang)


def fact_name(by: str, lang: str) -> str:
    """A fact by its word of ours."""
    return say("lens.specialty", lang) if by == "specialty" else term("fact", by, lang)


def meeting_name(simulation: Simulation, base: int) -> str:
    return simulation.bases[base].meeting


def share(value: float, digits: int = 1) -> str:
    """A probability as a percentage; what is not quite 0 or 1 does not look as if it were."""
    text = f"{100 * value:.{digits}f}%"
    if value < 1 and text.startswith("100"):
        return f">{100 - 10**-digits:.{digits}f}%"
    if value > 0 and float(text[:-1]) == 0:
        return f"<{10**-digits:.{digits}f}%"
    return text
