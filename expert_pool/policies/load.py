"""Reading a policy: a preset or a file, with overrides; every mistake named with its file and line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from expert_pool.policies.document import (
    BasisDoc,
    ConflictDoc,
    OverlayDoc,
    OverrideDoc,
    PolicyDoc,
    SeatsDoc,
    TermsDoc,
    Words,
)
from expert_pool.policies.judging import Judging
from expert_pool.policies.ladder import ladder
from expert_pool.policies.located import Located, Path, nearest, read
from expert_pool.policies.parameters import References, checked, overridden, stood_on
from expert_pool.policies.parsing import misfit, parsed
from expert_pool.policies.policy import (
    Conflict,
    Override,
    Parameter,
    Policy,
    Seating,
    Settled,
    Terms,
    Unstated,
)
from expert_pool.policies.vocabulary import DERIVED, KINDS, LEVELS
from solver.errors import Fault
from solver.rules import Basis

SUFFIX = ".yaml"


@cache
def presets() -> tuple[str, ...]:
    """The ids of the policies that come with the package."""
    names = (entry.name for entry in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)))


def load(name_or_path: str | File, overrides: Sequence[Override | Mapping[str, Any]] = ()) -> Policy:
    """The policy of a preset's id, or of a file (a whole policy, or a preset's name with overrides).

    Raises Fault, naming file and line, for anything that is misspelt, out of range, or not declared.
    """
    if not overrides and str(name_or_path) in presets():
        return _unchanged(str(name_or_path))
    return _settled(_open(name_or_path), overrides)


@cache
def _unchanged(name: str) -> Policy:
    """A preset as it comes with the package, read once in a process: it cannot change."""
    return _settled(_open(name), ())


def preset(name: str, overrides: Sequence[Override | Mapping[str, Any]] = ()) -> Policy:
    """The policy of a preset's id and never of a file: for names that come from elsewhere.

    Raises Fault `policy.unknown` where there is no such preset, and as `load` does for overrides.
    """
    if name not in presets():
        raise _unknown(name, name)
    return load(name, overrides)


def load_text(content: bytes, file: str, overrides: Sequence[Override | Mapping[str, Any]] = ()) -> Policy:
    """The policy that YAML says, as `load` reads it from a file; `file` is the name that faults show."""
    return _settled(read(content, file), overrides)


def _settled(located: Located, overrides: Sequence[Override | Mapping[str, Any]]) -> Policy:
    if not isinstance(located.data, dict):
        raise Fault("policy.not_a_policy", located.file)
    own: list[tuple[OverrideDoc, str]] = []
    if "preset" in located.data:
        overlay = parsed(OverlayDoc, located, (), located.data)
        if overlay.preset not in presets():
            raise _unknown(overlay.preset, located.at(("preset",)))
        own = [(o, located.at(("overrides", i, "value"))) for i, o in enumerate(overlay.overrides)]
        located = _open(overlay.preset)
    return _Reading(located, [*own, *(_given(o) for o in overrides)]).policy()


def _open(name_or_path: str | File) -> Located:
    name = str(name_or_path)
    if name in presets():
        return read(files(__package__).joinpath(name + SUFFIX).read_bytes(), name + SUFFIX)
    path = File(name_or_path)
    try:
        return read(path.read_bytes(), name)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise _unknown(name, name) from None
    except OSError as error:
        raise Fault("policy.unreadable", name, why=error.strerror or type(error).__name__) from None


def _unknown(name: str, where: str) -> Fault:
    known = presets()
    return Fault("policy.unknown", where, name=name, nearest=nearest(name, known), known=", ".join(known))


def _given(override: Override | Mapping[str, Any]) -> tuple[OverrideDoc, str]:
    if isinstance(override, Override):
        override = {key: getattr(override, key) for key in OverrideDoc.model_fields}
    where = f"override {override.get('parameter', '?')}"
    located = Located(where, dict(override), {})
    try:
        return OverrideDoc.model_validate(located.data), where
    except ValidationError as error:
        fault = misfit(OverrideDoc, located, (), error)
        raise Fault(fault.code, where, **fault.params) from None


class _Reading:
    """One policy being read: its document, parameters with overrides, and the instruments it cites."""

    def __init__(self, located: Located, overrides: Sequence[tuple[OverrideDoc, str]]) -> None:
        self.located = located
        self.doc = parsed(PolicyDoc, located, (), located.data)
        self.overrides = tuple(Override(**dict(override)) for override, _ in overrides)
        self.parameters = {name: self.parameter(name) for name in self.doc.parameters}
        self.references = References(located, self.parameters)
        self.left_out: dict[str, dict[str, set[str]]] = {}
        done: set[str] = set()
        for override, (_, where) in zip(self.overrides, overrides, strict=True):
            old = self.references.find(override.parameter, where)
            if override.parameter in done:
                raise Fault("policy.override_twice", where, name=override.parameter)
            done.add(override.parameter)
            self.parameters[old.name] = overridden(old, self.doc.parameters[old.name], override, where)
        self.references.used.clear()

    def policy(self) -> Policy:
        doc = self.doc
        conflicts, terms = self.conflicts(), self.terms()
        by_level: dict[str, Settled] = {level: self.settled(level) for level in LEVELS}
        unused = sorted(self.parameters.keys() - self.references.used)
        if unused:
            raise Fault("policy.parameter_unused", self.located.at(("parameters", unused[0])), name=unused[0])
        return Policy(
            id=doc.id,
            version=doc.version,
            title=doc.title.model_dump(),
            procedure=doc.procedure,
            sha256=self.digest(),
            weighted=doc.mode == "weighted",
            locks_most=0 if doc.procedure == "draw" and doc.locks_most is None else doc.locks_most,
            parameters=self.parameters,
            overrides=self.overrides,
            conflicts=conflicts,
            terms=terms,
            filings={kind: self.basis(b, ("filings", kind)) for kind, b in doc.filings.items()},
            unstated=tuple(self.unstated()),
            by_level=by_level,
        )

    def digest(self) -> str:
        """The hash of what the file says, comments apart, and of the overrides in the order of their names."""
        overrides = [_fields(o) for o in sorted(self.overrides, key=lambda o: o.parameter)]
        canonical = json.dumps(
            {"policy": self.located.data, "overrides": overrides},
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
            default=str,
        )
        return sha256(canonical.encode()).hexdigest()

    def parameter(self, name: str) -> Parameter:
        doc = self.doc.parameters[name]
        path: Path = ("parameters", name)
        value = checked(doc, doc.value, name, self.located.at((*path, "value")))
        return Parameter(
            name, doc.type, value, self.basis(doc.basis, (*path, "basis")), doc.note.model_dump()
        )

    def basis(self, doc: BasisDoc, path: Path) -> Basis:
        """The citation in both languages."""
        instrument = self.doc.instruments.get(doc.instrument)
        if instrument is None:
            known = sorted(self.doc.instruments)
            raise Fault(
                "policy.instrument_unknown",
                self.located.at((*path, "instrument")),
                name=doc.instrument,
                nearest=nearest(doc.instrument, known),
                known=", ".join(known),
            )
        return Basis(text=cited(instrument, doc.at), status=doc.status)

    def settled(self, level: str) -> Settled:
        judging = Judging(self, level)
        rules = judging.rules()
        goals = judging.goals()
        steps = ladder(self, level, rules)
        part = self.references.settle(("seats",), self.doc.seats, level)
        seats = parsed(SeatsDoc, self.located, ("seats",), part.data)
        lacks = next((part.lacking[key,] for key in ("low", "high") if (key,) in part.lacking), "")
        for name in part.lacking.values():
            self.note(name, level, "seats")
        if seats.low is None or seats.high is None:
            return Settled(rules, goals, None, lacks, steps)
        group_low = 1 if seats.group_low is None else seats.group_low
        if not group_low <= seats.low <= seats.high:
            raise Fault(
                "policy.seats_crossed",
                self.located.at(("seats",)),
                group=group_low,
                low=seats.low,
                high=seats.high,
            )
        return Settled(
            rules,
            goals,
            Seating(
                seats.low, seats.high, seats.group_by, group_low, seats.alternates or 0, seats.directed_apart
            ),
            ladder=steps,
        )

    def conflicts(self) -> dict[str, Conflict]:
        found = {}
        for kind, data in self.doc.conflicts.items():
            path: Path = ("conflicts", kind)
            if kind not in KINDS:
                near = nearest(kind, KINDS)
                raise Fault(
                    "policy.kind_unknown",
                    self.located.at(path),
                    kind=kind,
                    nearest=near,
                    known=", ".join(KINDS),
                )
            part = self.references.settle(path, data, None)
            doc = parsed(ConflictDoc, self.located, path, part.data)
            if doc.members and kind in DERIVED:
                raise Fault("policy.members_misplaced", self.located.at((*path, "members")), kind=kind)
            for name in part.lacking.values():
                self.note(name, None, kind)
            basis = stood_on(self.basis(doc.basis, (*path, "basis")), self.parameters, part.names)
            if doc.window is not None and not part.lacking:
                found[kind] = Conflict(kind, doc.window, doc.effect, doc.members, doc.most, basis)
        return found

    def terms(self) -> Terms:
        part = self.references.settle(("terms",), self.doc.terms, None)
        for path, name in part.lacking.items():
            self.note(name, None, f"terms.{path[-1]}")
        return Terms(**parsed(TermsDoc, self.located, ("terms",), part.data).model_dump())

    def note(self, parameter: str, level: str | None, what: str) -> None:
        """Remember that `what` is left out for want of `parameter`."""
        levels = LEVELS if level is None else (level,)
        for each in levels:
            self.left_out.setdefault(parameter, {}).setdefault(each, set()).add(what)

    def unstated(self) -> list[Unstated]:
        found = []
        for name, parameter in self.parameters.items():
            levels = tuple(level for level in LEVELS if parameter.at(level) is None)
            if not levels:
                continue
            noted = self.left_out.get(name, {})
            left = sorted({what for level in levels for what in noted.get(level, ())} - {"seats"})
            at = () if len(levels) == len(LEVELS) else levels
            found.append(Unstated(name, at, tuple(left), parameter.note))
        return found


def cited(instrument: Words, at: str) -> str:
    """An instrument and the place in it, in both languages: article numbers are written out, other places as they are."""
    if not at:
        return f"{instrument.zh} / {instrument.en}"
    if at.replace("-", "").isdigit():
        return f"{instrument.zh}第{at}条 / {instrument.en}, art. {at}"
    return f"{instrument.zh}{at} / {instrument.en}, {at}"


def _fields(override: Override) -> dict[str, Any]:
    return {key: getattr(override, key) for key in OverrideDoc.model_fields}
