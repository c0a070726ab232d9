"""The life cycle of an expert in a pool: one state machine, as data.

The machine has regions that run side by side: the membership, one for each kind of sanction, and the sitting of the
day. `TRANSITIONS` lists, region by region, which event leads from which place to which; an event that a place does
not list changes nothing there. `GRAVITY` names the state that all regions together amount to: the first line that
applies. The same table moves a whole pool at once (`run`) and one expert step by step (`replay`).

Events come from records (`membership_events`, `sanction_events`, `sitting_events`) by these rules:

- A record counts from the day it holds. `until` is the last day it holds: what ends is over on the day after.
- Events of one day are applied in the order in which `Event` lists them: first what ends, then what begins, and a
  departure after an admission. In doubt nobody is let in.
- The term that counts is that of the latest admission; the end of an earlier one no longer matters. A term without
  a last day, or with one further away than the policy allows, ends when the policy's term of years does.
- Sanctions of the same kind that overlap end with the last of them; of different kinds, the gravest names the state
  and the others run on beneath it. A ban outweighs everything, also for one who never was a member; the other
  sanctions show only while the expert is a member, and run on meanwhile.
- A sanction without a last day, such as a ban for life, ends only when a recorded revocation names it. Any sanction
  may be revoked, from the day of the revocation on. Retraining also ends on the day a course is passed, if that is
  later than the day it was ordered. A warning changes no state.
- An expert is seated, or in reserve as an alternate, on the day of the sitting and no longer: before that day seats
  are sealed, and load is a fact of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, product
from typing import Literal, NamedTuple

import numpy as np

from expert_pool.columns import Arrays, add_years
from expert_pool.registry import Sanction, Step
from solver.facts import MISSING, Ints, Mask


class State(StrEnum):
    """What an expert is in a pool on a day; `outside` before anything happened there."""

    OUTSIDE = "outside"
    CANDIDATE = "candidate"
    ACTIVE = "active"
    RESERVE = "reserve"
    SEATED = "seated"
    RESTRICTED = "restricted"
    RETRAIN = "retrain"
    SUSPENDED = "suspended"
    EXITED = "exited"
    BANNED = "banned"


class Event(StrEnum):
    """What moves the machine, in the order in which events of one day are applied."""

    SITTING_OVER = "sitting_over"
    TERM_OVER = "term_over"
    RESTRICTION_OVER = "restriction_over"
    RESTRICTION_REVOKED = "restriction_revoked"
    RETRAINING_OVER = "retraining_over"
    RETRAINING_REVOKED = "retraining_revoked"
    TRAINING_PASSED = "training_passed"
    SUSPENSION_OVER = "suspension_over"
    SUSPENSION_REVOKED = "suspension_revoked"
    BAN_OVER = "ban_over"
    BAN_REVOKED = "ban_revoked"
    CANDIDATE = "candidate"
    ADMITTED = "admitted"
    LEFT = "left"
    RESTRICTED = "restricted"
    RETRAINING_ORDERED = "retraining_ordered"
    SUSPENDED = "suspended"
    BANNED = "banned"
    CALLED = "called"
    SEATED = "seated"


EVENTS = tuple(Event)
NUMBER = {event: number for number, event in enumerate(EVENTS)}

Source = Literal["membership", "discipline", "training", "service", "seat"]
SOURCES: tuple[Source, ...] = ("membership", "discipline", "training", "service", "seat")
"""The tables whose rows are behind events."""


class Transition(NamedTuple):
    """In `region`, `event` leads from any of `sources` to `target`."""

    region: str
    sources: tuple[str, ...]
    event: Event
    target: str


START: Mapping[str, str] = {
    "membership": "outside",
    "ban": "free",
    "suspension": "free",
    "retraining": "free",
    "restriction": "free",
    "sitting": "free",
}
"""The regions, each with the place where it starts."""

TRANSITIONS: tuple[Transition, ...] = (
    Transition("membership", ("outside", "candidate", "exited"), Event.CANDIDATE, "candidate"),
    Transition("membership", ("outside", "candidate", "exited", "member"), Event.ADMITTED, "member"),
    Transition("membership", ("outside", "candidate", "exited", "member"), Event.LEFT, "exited"),
    Transition("membership", ("member",), Event.TERM_OVER, "exited"),
    Transition("ban", ("free", "banned"), Event.BANNED, "banned"),
    Transition("ban", ("banned",), Event.BAN_OVER, "free"),
    Transition("ban", ("banned",), Event.BAN_REVOKED, "free"),
    Transition("suspension", ("free", "suspended"), Event.SUSPENDED, "suspended"),
    Transition("suspension", ("suspended",), Event.SUSPENSION_OVER, "free"),
    Transition("suspension", ("suspended",), Event.SUSPENSION_REVOKED, "free"),
    Transition("retraining", ("free", "retrain"), Event.RETRAINING_ORDERED, "retrain"),
    Transition("retraining", ("retrain",), Event.TRAINING_PASSED, "free"),
    Transition("retraining", ("retrain",), Event.RETRAINING_OVER, "free"),
    Transition("retraining", ("retrain",), Event.RETRAINING_REVOKED, "free"),
    Transition("restriction", ("free", "restricted"), Event.RESTRICTED, "restricted"),
    Transition("restriction", ("restricted",), Event.RESTRICTION_OVER, "free"),
    Transition("restriction", ("restricted",), Event.RESTRICTION_REVOKED, "free"),
    Transition("sitting", ("free", "reserve"), Event.CALLED, "reserve"),
    Transition("sitting", ("free", "reserve", "seated"), Event.SEATED, "seated"),
    Transition("sitting", ("reserve", "seated"), Event.SITTING_OVER, "free"),
)

GRAVITY: tuple[tuple[str, str, State], ...] = (
    ("ban", "banned", State.BANNED),
    ("membership", "outside", State.OUTSIDE),
    ("membership", "candidate", State.CANDIDATE),
    ("membership", "exited", State.EXITED),
    ("suspension", "suspended", State.SUSPENDED),
    ("retraining", "retrain", State.RETRAIN),
    ("sitting", "seated", State.SEATED),
    ("sitting", "reserve", State.RESERVE),
    ("restriction", "restricted", State.RESTRICTED),
    ("membership", "member", State.ACTIVE),
)
"""Region, place there, state: the first that applies names the state."""

Places = Mapping[str, str]
"""Where each region is."""


def step(places: Places, event: Event) -> dict[str, str]:
    """Where the regions are after one event."""
    return {region: _MOVES.get((region, place, event), place) for region, place in places.items()}


def state_of(places: Places) -> State:
    """What the places of all regions amount to."""
    return next(state for region, place, state in GRAVITY if places[region] == place)


_MOVES = {(t.region, source, t.event): t.target for t in TRANSITIONS for source in t.sources}
_PLACES: dict[str, tuple[str, ...]] = {
    region: tuple(dict.fromkeys([start, *(t.target for t in TRANSITIONS if t.region == region)]))
    for region, start in START.items()
}
_SITUATIONS: list[dict[str, str]] = [
    dict(zip(_PLACES, places, strict=True)) for places in product(*_PLACES.values())
]
_INDEX = {tuple(places.values()): number for number, places in enumerate(_SITUATIONS)}
_NEXT = np.array(
    [[_INDEX[tuple(step(places, event).values())] for event in EVENTS] for places in _SITUATIONS],
    dtype=np.int64,
)
"""The whole machine as one array: situation x event -> situation, made from TRANSITIONS."""
_STATE = np.array([list(State).index(state_of(places)) for places in _SITUATIONS], dtype=np.int64)
_MEMBER = np.array([places["membership"] == "member" for places in _SITUATIONS], dtype=bool)
_FIRST = _INDEX[tuple(START.values())]


@dataclass(frozen=True, slots=True)
class Events:
    """Events of many experts as aligned arrays: whose (index), on which day, which (place in EVENTS), and the row
    behind it (`source` in SOURCES, `row` its id)."""

    expert: Ints
    day: Ints
    event: Ints
    source: Ints
    row: Ints

    @staticmethod
    def of(expert: Ints, day: Ints, event: Event, source: Source, row: Ints) -> Events:
        """The same event for many."""
        same = np.ones(len(expert), dtype=np.int64)
        return Events(expert, day, same * NUMBER[event], same * SOURCES.index(source), row)

    @staticmethod
    def joined(parts: Iterable[Events]) -> Events:
        """All events of the parts, in the order in which they are applied."""
        all_parts = list(parts)
        fields = [
            np.concatenate([np.empty(0, dtype=np.int64), *(getattr(part, name) for part in all_parts)])
            for name in Events.__slots__
        ]
        expert, day, event = fields[:3]
        order = np.argsort(((expert << 24) + day + (1 << 23)) * len(EVENTS) + event, kind="stable")
        return Events(*(field[order] for field in fields))


@dataclass(frozen=True, slots=True)
class Situations:
    """Where each expert is in the machine after a run."""

    situation: Ints

    @property
    def state(self) -> Ints:
        """The place of each expert's state in `State`."""
        states: Ints = _STATE[self.situation]
        return states

    @property
    def member(self) -> Mask:
        """Who is a member of the pool, sanctioned or not."""
        members: Mask = _MEMBER[self.situation]
        return members


def run(events: Events, experts: int, day: int) -> Situations:
    """Where `experts` experts are at the end of a day; `events` in the order of `Events.joined`."""
    past = events.day <= day
    owner, event = events.expert[past], events.event[past]
    situation = np.full(experts, _FIRST, dtype=np.int64)
    if len(owner):
        first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
        count = np.diff(np.append(first, len(owner)))
        for turn in range(int(count.max())):
            moving = first[count > turn] + turn
            who = owner[moving]
            situation[who] = _NEXT[situation[who], event[moving]]
    return Situations(situation)


class Happening(NamedTuple):
    """One step of one expert: on `day`, `event` by the row `row` of the table `source` led to `after`."""

    day: int
    event: Event
    source: Source
    row: int
    before: State
    after: State


def replay(events: Events, day: int) -> tuple[list[Happening], dict[str, str]]:
    """The steps of a single expert until the end of a day, and the place of each region then."""
    places: dict[str, str] = dict(START)
    steps: list[Happening] = []
    rows = zip(*(getattr(events, name).tolist() for name in ("day", "event", "source", "row")), strict=True)
    for when, number, source, row in rows:
        if when > day:
            break
        before, event = state_of(places), EVENTS[number]
        places = step(places, event)
        steps.append(Happening(when, event, SOURCES[source], row, before, state_of(places)))
    return steps, places


STEPS = tuple(Step)
"""The order in which steps of membership are numbered in arrays."""

_STEP_EVENT = {Step.CANDIDATE: Event.CANDIDATE, Step.ADMITTED: Event.ADMITTED, Step.LEFT: Event.LEFT}


def membership_events(rows: Arrays, term_years: int | None) -> list[Events]:
    """Events of steps of membership, in parts: arrays expert, day, until, step (place in STEPS), row."""
    parts = [
        Events.of(rows["expert"][mask], rows["day"][mask], event, "membership", rows["row"][mask])
        for kind, event in _STEP_EVENT.items()
        for mask in [rows["step"] == STEPS.index(kind)]
    ]
    last = terms(rows, term_years)
    ends = np.where(last == MISSING, MISSING, np.maximum(last, rows["day"]))
    admitted = np.flatnonzero(rows["step"] == STEPS.index(Step.ADMITTED))
    admitted = admitted[np.lexsort((rows["row"][admitted], rows["day"][admitted], rows["expert"][admitted]))]
    day, expert, end = rows["day"][admitted], rows["expert"][admitted], ends[admitted]
    renewed = np.zeros(len(admitted), dtype=bool)
    renewed[:-1] = (expert[1:] == expert[:-1]) & (day[1:] <= end[:-1])
    over = (end != MISSING) & ~renewed
    ending = rows["row"][admitted][over]
    parts.append(Events.of(expert[over], end[over] + 1, Event.TERM_OVER, "membership", ending))
    return parts


def terms(rows: Arrays, term_years: int | None) -> Ints:
    """The last day of the term of each step of membership: as recorded, but no later than the policy's years allow;
    MISSING when neither sets one."""
    if term_years is None:
        return rows["until"]
    longest = add_years(rows["day"], term_years) - 1
    return np.where(rows["until"] == MISSING, longest, np.minimum(rows["until"], longest))


class Decision(NamedTuple):
    """A row of discipline that stands. `expert` is an index, `until` the last day (None: without end)."""

    row: int
    expert: int
    sanction: Sanction
    day: int
    until: int | None
    revokes: int | None


class Hold(NamedTuple):
    """A sanction in force from `day` up to but not on `end` (None: without end), and what ends it."""

    expert: int
    sanction: Sanction
    day: int
    row: int
    end: int | None
    ended_by: Event | None
    ending: tuple[Source, int] | None


_BEGINS = {
    Sanction.RESTRICTION: Event.RESTRICTED,
    Sanction.RETRAINING: Event.RETRAINING_ORDERED,
    Sanction.SUSPENSION: Event.SUSPENDED,
    Sanction.BAN: Event.BANNED,
}
_RUNS_OUT = {
    Sanction.RESTRICTION: Event.RESTRICTION_OVER,
    Sanction.RETRAINING: Event.RETRAINING_OVER,
    Sanction.SUSPENSION: Event.SUSPENSION_OVER,
    Sanction.BAN: Event.BAN_OVER,
}
_REVOKED = {
    Sanction.RESTRICTION: Event.RESTRICTION_REVOKED,
    Sanction.RETRAINING: Event.RETRAINING_REVOKED,
    Sanction.SUSPENSION: Event.SUSPENSION_REVOKED,
    Sanction.BAN: Event.BAN_REVOKED,
}


def holds(decisions: Sequence[Decision], passed: Mapping[int, Sequence[tuple[int, int]]]) -> list[Hold]:
    """The sanctions that were ever in force, with their ends.

    `passed`: per expert the days on which a course was passed with their rows, earliest first; needed for those who
    were ordered to retrain.
    """
    subjects = {decision.row: decision.expert for decision in decisions}
    revoked: dict[int, Decision] = {}
    for decision in sorted(decisions, key=lambda d: (d.day, d.row)):
        named = decision.revokes
        if decision.sanction is Sanction.REVOCATION and named and subjects.get(named) == decision.expert:
            revoked.setdefault(named, decision)
    found = []
    for d in decisions:
        if d.sanction not in _BEGINS:
            continue
        ends: list[tuple[int, Event, tuple[Source, int]]] = []
        if d.until is not None:
            ends.append((d.until + 1, _RUNS_OUT[d.sanction], ("discipline", d.row)))
        if d.row in revoked:
            by = revoked[d.row]
            ends.append((by.day, _REVOKED[d.sanction], ("discipline", by.row)))
        if d.sanction is Sanction.RETRAINING:
            passes = ((day, row) for day, row in passed.get(d.expert, ()) if day > d.day)
            ends += [
                (day, Event.TRAINING_PASSED, ("training", row))
                for day, row in [next(passes, (-1, -1))]
                if row >= 0
            ]
        end, ended_by, ending = min(ends) if ends else (None, None, None)
        if end is None or end > d.day:
            found.append(Hold(d.expert, d.sanction, d.day, d.row, end, ended_by, ending))
    return found


def sanction_events(found: Sequence[Hold]) -> Events:
    """Events of sanctions: each begins; those of one kind end together, when none of them is in force any more."""
    rows: list[tuple[int, int, Event, Source, int]] = []
    ordered = sorted(found, key=lambda h: (h.expert, h.sanction, h.day, h.row))
    for _, group in groupby(ordered, key=lambda h: (h.expert, h.sanction)):
        last: Hold | None = None
        for hold in group:
            if last is not None and last.end is not None and hold.day > last.end:
                rows.append(_end_of(last))
                last = None
            rows.append((hold.expert, hold.day, _BEGINS[hold.sanction], "discipline", hold.row))
            if last is None or hold.end is None or (last.end is not None and hold.end > last.end):
                last = hold
        if last is not None and last.end is not None:
            rows.append(_end_of(last))
    return _events(rows)


def sitting_events(rows: Iterable[tuple[int, int, bool, Source, int]]) -> Events:
    """Events of sittings: expert, day, whether in reserve only, and the row behind it."""
    made: list[tuple[int, int, Event, Source, int]] = []
    for expert, day, reserve, source, row in rows:
        made.append((expert, day, Event.CALLED if reserve else Event.SEATED, source, row))
        made.append((expert, day + 1, Event.SITTING_OVER, source, row))
    return _events(made)


def _end_of(hold: Hold) -> tuple[int, int, Event, Source, int]:
    assert hold.end is not None
    assert hold.ended_by is not None
    assert hold.ending is not None
    return (hold.expert, hold.end, hold.ended_by, *hold.ending)


def _events(rows: Sequence[tuple[int, int, Event, Source, int]]) -> Events:
    numbers = [(e, day, NUMBER[event], SOURCES.index(source), row) for e, day, event, source, row in rows]
    table = np.array(numbers, dtype=np.int64).reshape(-1, 5)
    return Events(*(table[:, column] for column in range(5)))
