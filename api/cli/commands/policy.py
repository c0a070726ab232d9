"""Policies: which there are, what one says, whether a file is one."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.exits import Exit
from api.cli.face import Face, table
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.policies.policy import Override, Policy


def list_(context: typer.Context) -> Exit:
    """The policies that come with the package."""
    from expert_pool.policies.load import load, presets

    face = Face.of(context)
    policies = [load(name) for name in presets()]
    headers = [face.say(f"cli.policy.column.{code}") for code in ("id", "version", "procedure", "title")]
    rows = [(p.id, p.version, face.say(f"cli.procedure.{p.procedure}"), p.title[face.lang]) for p in policies]
    face.answer({"policies": [_brief(policy) for policy in policies]}, table(headers, rows))
    return Exit.OK


def show(
    context: typer.Context,
    policy: Annotated[str, typer.Argument()],
    level: Annotated[str, typer.Option("--level", metavar="senior|mid|junior")] = "senior",
) -> Exit:
    """Every rule and parameter of a policy with its basis."""
    from expert_pool.policies.load import load

    face = Face.of(context)
    read = load(policy)
    face.answer(_document(read, level), *_human(face, read, level))
    return Exit.OK


def validate(context: typer.Context, path: Annotated[Path, typer.Argument()]) -> Exit:
    """Whether a file is a policy; the first mistake with its line otherwise."""
    from expert_pool.policies.load import load

    face = Face.of(context)
    read = load(path)
    face.answer(_brief(read) | {"valid": True}, face.say("cli.policy.valid", id=read.id, sha256=read.sha256))
    return Exit.OK


def overrides_of(words: list[str], reasons: list[str], actor: str, on: date) -> tuple["Override", ...]:
    """Overrides as typed: `name=value`, and why; one reason serves all. Raises Fault for a malformed one, or one
    without its reason."""
    from expert_pool.policies.policy import Override

    if words and len(reasons) not in (1, len(words)):
        raise Fault("cli.override_why", "--why", overrides=len(words), reasons=len(reasons))
    found = []
    for i, word in enumerate(words):
        name, given, value = word.partition("=")
        if not given or not name.strip():
            raise Fault("cli.override_malformed", "--override", value=word)
        why = reasons[i if len(reasons) == len(words) else 0]
        found.append(Override(name.strip(), _setting(value.strip()), actor, on, why))
    return tuple(found)


def _setting(text: str) -> int | str | bool | None:
    match text.lower():
        case "none" | "null" | "":
            return None
        case "true" | "false" as word:
            return word == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def _brief(policy: "Policy") -> dict[str, Any]:
    return {
        "id": policy.id,
        "version": policy.version,
        "title": dict(policy.title),
        "procedure": policy.procedure,
        "sha256": policy.sha256,
    }


def _document(policy: "Policy", level: str) -> dict[str, Any]:
    from dataclasses import asdict

    return _brief(policy) | {
        "level": level,
        "parameters": [
            {"name": p.name, "value": p.at(level), "basis": p.basis.model_dump(), "note": dict(p.note)}
            for p in policy.parameters.values()
        ],
        "rules": [rule.model_dump(mode="json") for rule in policy.rules(level)],
        "goals": [goal.model_dump(mode="json") for goal in policy.goals(level)],
        "conflicts": [asdict(c) | {"basis": c.basis.model_dump()} for c in policy.conflicts.values()],
        "filings": {kind: basis.model_dump() for kind, basis in policy.filings.items()},
        "unstated": [asdict(unstated) | {"note": dict(unstated.note)} for unstated in policy.unstated],
    }


def _human(face: Face, policy: "Policy", level: str) -> list[Any]:
    def headers(*codes: str) -> list[str]:
        return [face.say(f"cli.policy.column.{code}") for code in codes]

    rules = [
        (
            f"{rule.id} ({rule.rule})",
            face.say("cli.policy.hard" if rule.soft is None else "cli.policy.soft", level=rule.soft),
            rule.basis.text,
            rule.basis.status,
        )
        for rule in policy.rules(level)
    ]
    parameters = [
        (
            p.name,
            face.say("cli.policy.unstated") if p.at(level) is None else str(p.at(level)),
            p.basis.text,
            p.basis.status,
        )
        for p in policy.parameters.values()
    ]
    notes = [f"{unstated.parameter}: {unstated.note.get(face.lang, '')}" for unstated in policy.unstated]
    procedure = face.say(f"cli.procedure.{policy.procedure}")
    return [
        f"{policy.id} {policy.version}  {policy.title[face.lang]}  ({procedure})",
        f"\n{face.say('cli.policy.rules')}",
        table(headers("rule", "strength", "basis", "status"), rules),
        f"\n{face.say('cli.policy.parameters')}",
        table(headers("parameter", "value", "basis", "status"), parameters),
        *([f"\n{face.say('cli.policy.left_out')}", *notes] if notes else []),
    ]
