"""Help in the chosen language: every text comes from the catalogues, found by the command's path and parameter."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from math import isfinite
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from expert_pool.words import known, say
from solver.errors import Fault

_Formatter: Any = typer.Context.formatter_class
_HEADINGS = {"Arguments": "arguments", "Options": "options", "Commands": "commands"}


class Spoken:
    """A command that speaks `lang`."""

    lang: str


class SpokenCommand(Spoken, TyperCommand):
    """A command whose `--help` is said in its language, and whose numbers are finite."""

    def get_help_option(self, ctx: Any) -> Any:
        return _said_help(self, super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises Fault `cli.not_finite` for a `nan`, which passes every comparison with a least and a most."""
        left = super().parse_args(ctx, args)
        for name, value in ctx.params.items():
            if isinstance(value, float) and not isfinite(value):
                raise Fault("cli.not_finite", ctx.command_path, parameter=f"--{name.replace('_', '-')}")
        return left


class SpokenGroup(Spoken, TyperGroup):
    """A group of commands whose `--help` is said in its language.

    `loaders` make commands by name when they are asked for; the list of commands needs only their words.
    """

    loaders: Mapping[str, Callable[[], Any]] = MappingProxyType({})
    path: tuple[str, ...] = ()

    def list_commands(self, ctx: Any) -> list[str]:
        return [*self.loaders, *(name for name in self.commands if name not in self.loaders)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and cmd_name in self.loaders:
            self.commands[cmd_name] = self.loaders[cmd_name]()
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            rows = [
                (name, _first_sentence(said_of("help", (*self.path, name), self.lang)))
                for name in self.list_commands(ctx)
            ]
            formatter.write_dl(rows)

    def get_help_option(self, ctx: Any) -> Any:
        return _said_help(self, super().get_help_option(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], names, 3)
            raise Fault(
                "cli.command_unknown",
                ctx.command_path,
                command=args[0],
                near=near or None,
                known=names,
            )
        return super().resolve_command(ctx, args)


def speak(command: Any, lang: str, path: tuple[str, ...] = ()) -> None:
    """Give a tree of commands its words: `cli.<path>.help`, and for a parameter `cli.<path>.<name>`, else
    `cli.option.<name>`."""
    command.lang = lang
    command.context_class = _CONTEXTS[lang] if lang in _CONTEXTS else _context(lang)
    command.help = say(".".join(("cli", *path, "help")), lang)
    command.short_help = _first_sentence(command.help)
    command.options_metavar = say("cli.metavar.options", lang)
    for parameter in command.params:
        parameter.help = said_of(parameter.name, path, lang)
    if isinstance(command, SpokenGroup):
        command.path = path
        command.subcommand_metavar = say("cli.metavar.command", lang)
        for name, child in command.commands.items():
            speak(child, lang, (*path, name))
    else:
        command.epilog = say("cli.epilog", lang)


def said_of(parameter: str, path: tuple[str, ...], lang: str) -> str:
    """The help of one parameter."""
    own = ".".join(("cli", *path, parameter))
    return say(own if known(own, lang) else f"cli.option.{parameter}", lang)


def spare(option: Any) -> None:
    """Process an option of typer's only when it was given: it would import pydantic even to leave it alone, which
    doubles the time of a help page."""
    if not isinstance(option.process_value, partial):
        option.process_value = partial(_if_given, option.process_value)


def _if_given(process: Any, context: Any, value: Any) -> Any:
    return process(context, value) if value else value


def _said_help(command: Spoken, option: Any) -> Any:
    if option is not None:
        spare(option)
        option.help = say("cli.option.help", command.lang)
    return option


def _first_sentence(text: str) -> str:
    for end in ("。", ". "):
        head, found, _ = text.partition(end)
        if found:
            return head.strip()
    return text.strip().rstrip(".")


class _Wide(_Formatter):  # type: ignore[misc]
    """A help page that knows its headings' words and that Chinese characters are two columns wide."""

    lang = "zh"

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or say("cli.heading.usage", self.lang) + " ")

    def section(self, name: str) -> AbstractContextManager[None]:
        heading = say(f"cli.heading.{_HEADINGS[name]}", self.lang) if name in _HEADINGS else name
        section: AbstractContextManager[None] = super().section(heading)
        return section

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{heading}\n")

    def write_text(self, text: str) -> None:
        for line in text.splitlines():
            for piece in wrap(line, self.width - self.current_indent):
                self.write(f"{'':>{self.current_indent}}{piece}\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        first = min(max((columns(name) for name, _ in rows), default=0), col_max) + col_spacing
        margin = self.current_indent
        for name, text in rows:
            for sign in ("required", "default"):
                text = text.replace(f"[{sign}", "[" + say(f"cli.{sign}", self.lang))
            self.write(f"{'':>{margin}}{name}")
            used = columns(name)
            if used > first - col_spacing:
                self.write("\n" + " " * margin)
                used = 0
            lines = list(wrap(text, max(self.width - margin - first, 20))) or [""]
            self.write(" " * (first - used) + lines[0] + "\n")
            for line in lines[1:]:
                self.write(" " * (margin + first) + line + "\n")


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def wrap(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns; Chinese may break between any two characters, but not before a stop."""
    line = ""
    for word in _words(text):
        if line and columns(line + word.rstrip()) > width:
            yield line.rstrip()
            line = word.lstrip()
        else:
            line += word
    if line.strip():
        yield line.rstrip()


def _words(text: str) -> Iterator[str]:
    word = ""
    for sign in text:
        wide = unicodedata.east_asian_width(sign) in "WF"
        stop = sign in "，。；：、？！）”’》"
        if word and not stop and (wide or (word[-1] == " " and sign != " ") or columns(word[-1]) == 2):
            opens = word[-1] in "（“‘《"
            if not opens:
                yield word
                word = ""
        word += sign
    if word:
        yield word


_CONTEXTS: dict[str, Any] = {}


def _context(lang: str) -> Any:
    formatter = type("Formatter", (_Wide,), {"lang": lang})
    _CONTEXTS[lang] = type("Context", (typer.Context,), {"formatter_class": formatter})
    return _CONTEXTS[lang]
