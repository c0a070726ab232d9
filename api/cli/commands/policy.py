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
    from expert_pool.policies.told import brief

    face = Face.of(context)
    policies = [load(name) for name in presets()]
    headers = [face.say(f"cli.policy.column.{code}") for code in ("id", "version", "procedure", "title")]
    rows = [(p.id, p.version, face.say(f"cli.procedure.{p.procedure}"), p.title[face.lang]) for p in policies]
    face.answer({"policies": [brief(policy).model_dump() for policy in policies]}, table(headers, rows))
    return Exit.OK


def show(
    context: typer.Context,
    policy: Annotated[str, typer.Argument()],
    level: Annotated[str, typer.Option("--level", metavar="senior|mid|junior")] = "senior",
) -> Exit:
    """Every rule and parameter of a policy with its basis."""
    from expert_pool.policies.load import load
    from expert_pool.policies.told import told

    face = Face.of(context)
    read = load(policy)
    face.answer(told(read, level).model_dump(), *_human(face, read, level))
    return Exit.OK


def validate(context: typer.Context, path: Annotated[Path, typer.Argument()]) -> Exit:
    """Whether a file is a policy; the first mistake with its line otherwise."""
    from expert_pool.policies.load import load
    from expert_pool.policies.told import brief

    face = Face.of(context)
    read = load(path)
    document = brief(read).model_dump() | {"valid": True}
    face.answer(document, face.say("cli.policy.valid", id=read.id, sha256=read.sha256))
    return Exit.OK


def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A")],
    second: Annotated[str, typer.Argument(metavar="B")],
    level: Annotated[str, typer.Option("--level", metavar="senior|mid|junior")] = "senior",
) -> Exit:
    """What two policies say differently."""
    from expert_pool.policies.load import load
    from expert_pool.policies.told import compare as differing

    face = Face.of(context)
    found = differing(load(first), load(second), level)
    heads = [face.say("cli.policy.column.what"), face.say("cli.policy.column.id"), first, second]
    kinds = ("parameters", "rules", "goals", "conflicts", "filings")
    rows = [
        (
            face.say(f"cli.policy.{kind}"),
            one.name,
            _said(face, kind, one.first),
            _said(face, kind, one.second),
        )
        for kind in kinds
        for one in getattr(found, kind)
    ]
    last = face.say("cli.policy.differences", count=found.count, level=level)
    face.answer(found.model_dump(), table(heads, rows), last)
    return Exit.OK


def _said(face: Face, kind: str, value: Any) -> str:
    """What one side says; null is nothing at all, or a parameter without a number."""
    if value is None:
        return "—"
    if not isinstance(value, dict):
        return face.say("words.true") if value is True else str(value)
    return ", ".join(f"{key}={each}" for key, each in value.items() if each not in (None, [], {}, ""))


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
