"""The entry point of `expert-pool`."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.main import get_command

from api.cli.exits import Exit
from api.cli.face import guess_face, take_face
from api.cli.faults import apologise, interrupted, misuse, refuse
from api.cli.help import SpokenCommand, SpokenGroup, spare, speak
from solver.errors import Fault

COMMANDS: dict[str, str | dict[str, str]] = {
    "demo": "demo.demo",
    "generate": "region.generate",
    "import": "tables.import_",
    "export": "tables.export",
    "template": "tables.template",
    "panel": {
        "request": "panel.request",
        "show": "panel.show",
        "approve": "panel.approve",
        "replace": "renewing.replace",
        "invite": "renewing.invite",
        "document": "panel.document",
        "diff": "explaining.diff",
    },
    "expert": {"show": "expert.show", "record": "expert.record"},
    "standing": "expert.standing",
    "conflicts": {"why": "expert.why"},
    "assemble": "solving.assemble",
    "check": "solving.check",
    "proof": {"verify": "solving.verify"},
    "diagnose": "diagnosing.diagnose",
    "replace": "replacing.replace",
    "invite": "inviting.invite",
    "alternatives": "alternatives.alternatives",
    "audit": "auditing.audit",
    "why": "explaining.why",
    "policy": {
        "list": "policy.list_",
        "show": "policy.show",
        "validate": "policy.validate",
        "compare": "policy.compare",
    },
    "scheme": {
        "list": "scheme.list_",
        "show": "scheme.show",
        "validate": "scheme.validate",
        "compare": "scheme.compare",
    },
    "reevaluate": "reevaluating.reevaluate",
    "simulate": "simulating.simulate",
    "recusals": "recusals.recusals",
    "pool": {"health": "pools.health"},
    "organisation": {
        "appraise": "organisations.appraise",
        "decide": "organisations.decide",
        "letter": "organisations.letter",
        "reply": "organisations.reply",
        "confirm": "organisations.confirm",
        "decisions": "organisations.decisions",
        "results": "organisations.results",
        "complaint": "organisations.complaint",
    },
    "cycle": {
        "open": "cycle.open_",
        "compute": "cycle.compute",
        "notify": "cycle.notify",
        "amend": "cycle.amend",
        "reply": "cycle.reply",
        "decide": "cycle.decide",
        "confirm": "cycle.confirm",
        "execute": "cycle.execute",
        "letters": "cycle.letters",
        "appeal": "cycle.appeal",
        "decide-appeal": "cycle.decide_appeal",
        "confirm-appeal": "cycle.confirm_appeal",
        "close": "cycle.close",
        "drop": "cycle.drop",
        "show": "cycle.show",
        "list": "cycle.list_",
    },
    "schema": "solving.schema",
    "account": {
        "create": "accounts.create",
        "list": "accounts.list_",
        "grant": "accounts.grant",
        "revoke": "accounts.revoke",
        "disable": "accounts.disable",
        "reset-password": "accounts.reset_password",
        "reset-totp": "accounts.reset_totp",
    },
    "key": {"rotate": "keys.rotate"},
    "privacy": {
        "unmask": "privacy.unmask",
        "looks": "privacy.looks",
        "scores": "privacy.scores",
        "exports": "privacy.exports",
        "trace": "privacy.trace",
        "erase": "privacy.erase",
        "confirm": "privacy.confirm",
        "refuse": "privacy.refuse",
        "retention": "privacy.retention",
    },
    "seal": {
        "key": "sealing.key",
        "register": "sealing.register",
        "retire": "sealing.retire",
        "request": "sealing.request",
        "show": "sealing.show",
        "box": "sealing.box",
        "share": "sealing.share",
        "release": "sealing.release",
        "open": "sealing.open_",
    },
    "notice": {
        "list": "notices.list_",
        "channels": "notices.channels",
        "deliver": "notices.deliver",
        "expiries": "notices.expiries",
    },
    "ledger": {"verify": "care.verify", "adopt": "care.adopt"},
    "db": {"upgrade": "care.upgrade", "downgrade": "care.downgrade"},
    "backup": "backing_up.backup",
    "restore": "backing_up.restore",
    "serve": "serving.serve",
    "worker": "serving.worker",
}
"""Every command and the function in `api.cli.commands` behind it, which is imported when the command is asked for."""


def command_tree(lang: str) -> Any:
    """The commands, their help in `lang`."""
    app = _group(add_completion=True)
    app.callback()(_options)
    root: Any = get_command(app)
    root.loaders = {name: partial(_load, name, lang) for name in COMMANDS}
    for option in root.params:
        spare(option)
    speak(root, lang)
    return root


def _load(name: str, lang: str) -> Any:
    entry = COMMANDS[name]
    app = _group()
    if isinstance(entry, dict):
        app.callback()(_nothing)
    else:
        entry = {name: entry}
    for part, place in entry.items():
        module, _, function = place.rpartition(".")
        app.command(part, cls=SpokenCommand)(getattr(import_module(f"api.cli.commands.{module}"), function))
    command: Any = get_command(app)
    command.name = name
    speak(command, lang, (name,))
    return command


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; nothing is raised, whatever happens."""
    face = guess_face(arguments, os.environ)
    try:
        try:
            face, left = take_face(arguments, os.environ)
            tree = command_tree(face.lang)
            ended = tree.main(left, prog_name="expert-pool", standalone_mode=False, obj=face)
            return int(ended or Exit.OK)
        except Fault as fault:
            return refuse(face, fault)
        except typer.TyperException as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                print(error.format_message(), file=sys.stderr)
                return Exit.INPUT
            return refuse(face, misuse(error))
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else Exit.FAULT
    except Exception as error:
        return Exit.INTERRUPTED if interrupted(error) else apologise(face, error)


def main() -> None:
    """What the installed command calls."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def _group(*, add_completion: bool = False) -> typer.Typer:
    return typer.Typer(
        cls=SpokenGroup,
        add_completion=add_completion,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def _options(
    lang: Annotated[str | None, typer.Option("--lang", metavar="zh|en")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,
    database: Annotated[str | None, typer.Option("--database", metavar="URL")] = None,
    actor: Annotated[str | None, typer.Option("--as", metavar="ACTOR")] = None,
) -> None:
    """`take_face` has read these already, wherever they stood; here they are for help and completion."""


def _nothing() -> None:
    """A group does nothing by itself."""


if __name__ == "__main__":
    main()
