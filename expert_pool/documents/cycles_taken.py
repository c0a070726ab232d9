"""What a result says of the cycles of re-evaluation that were taken as in force."""

from __future__ import annotations

from expert_pool.simulation.results import Simulation
from expert_pool.words import say


def cycles_said(found: Simulation, lang: str) -> list[str]:
    """One sentence a cycle: how many it lets go, suspends and so on, and how many of these are decided."""
    return [
        say(
            "cycle_taken" if one.counts else "cycle_taken.none",
            lang,
            cycle=one.code,
            as_of=one.as_of,
            state=one.state,
            decided=one.decided,
            counts=say("words.and", lang).join(
                say("cycle_taken.count", lang, measure=measure, count=count)
                for measure, count in one.counts.items()
            ),
        )
        for one in found.cycles
    ]
