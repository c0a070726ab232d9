"""The page the picture is drawn on: its measures in pixels, text that must fit, head and foot."""

from __future__ import annotations

from typing import Any

from expert_pool.documents.contents import banners, cases, considered, goals, seats, status
from expert_pool.documents.view import View

FONT = "Noto Sans SC, Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif"
LEFT, WIDE, GAP, NARROW, RIGHT = 170, 634, 284, 264, 48
"""Across: labels, the left charts, labels, the right charts, margin: 1400 in all."""
EDGE = 20
"""Where the text of the page begins."""
TOP, TALL, SPACE, BOTTOM = 154, 288, 84, 86
"""Down: head, the upper charts, a gap with titles, the lower charts, foot: 900 in all."""
INK, FAINT, ALARM = "#1A1A1A", "#5F6368", "#B00020"


Line = tuple[str, int, str]
"""Text, size, colour."""


def head(view: View) -> list[Line]:
    """Title, the panel in one line, and what must be read first."""
    problem = view.answer.problem
    facts = [status(view), considered(view)]
    if view.answer.members:
        facts[1:1] = [seats(view), cases(view)]
    lines = [(f"{problem.title} · {problem.meeting}", 22, INK), (" · ".join(facts), 13, FAINT)]
    warnings = "  ".join(banners(view))
    return [*lines, (warnings, 14, ALARM)] if warnings else lines


def foot(view: View) -> list[Line]:
    """How good it is, and how to replay it."""
    problem = view.answer.problem
    settled = [f"{goal} {text}" for goal, text in goals(view)]
    replay = (
        f"{problem.policy} ({problem.policy_version})",
        f"{view.word('seed')} {problem.seed}",
        f"SHA-256 {problem.sha256}",
    )
    room = LEFT + WIDE + GAP + NARROW - EDGE - 12
    lines = [*fold(" · ".join(settled), room, 11).split("\n"), " · ".join(replay)]
    return [(line, 11, FAINT) for line in lines if line]


def page(chart: dict[str, Any], above: list[Line], below: list[Line]) -> dict[str, Any]:
    """The upper left chart with the whole page behind it, and lines at the top and at the bottom of the page."""
    paper = {
        "x": {"value": -LEFT},
        "x2": {"value": WIDE + GAP + NARROW + RIGHT},
        "y": {"value": -TOP},
        "y2": {"value": TALL + SPACE + TALL + BOTTOM},
    }
    blank = {"data": {"values": [{}]}, "mark": {"type": "rect", "color": "white"}, "encoding": paper}
    bottom = TALL + SPACE + TALL + BOTTOM - 14 - 18 * (len(below) - 1)
    return chart | {
        "layer": [blank, *chart["layer"], *written(above, 36 - TOP, 23), *written(below, bottom, 18)]
    }


def written(lines: list[Line], top: float, step: float, left: float = EDGE - LEFT) -> list[dict[str, Any]]:
    """Lines of text as layers, from `top` downwards, in pixels of the chart they are added to."""
    layers = []
    room = WIDE + GAP + NARROW - left - 10
    for number, (text, size, ink) in enumerate(lines):
        mark = {"type": "text", "align": "left", "baseline": "alphabetic", "fontSize": size, "color": ink}
        place = {
            "x": {"value": left},
            "y": {"value": top + number * step},
            "text": {"value": cut(text, room, size)},
        }
        layers.append({"data": {"values": [{}]}, "mark": mark, "encoding": place})
    return layers


def title(text: str, notes: list[str], left: float = EDGE - LEFT) -> list[dict[str, Any]]:
    """The title of a chart and its notes, above its labels."""
    return [
        *written([(text, 15, INK)], -46, 0, left),
        *written([(note, 11, FAINT) for note in notes], -28, 15, left),
    ]


def width(text: str, size: float) -> float:
    """About how many pixels a line takes."""
    wide = sum(1 for character in text if ord(character) > 0x2E7F or character in "★☆…")
    capitals = sum(1 for character in text if character.isascii() and character.isupper())
    return (wide + 0.68 * capitals + 0.56 * (len(text) - wide - capitals)) * size


def cut(text: str, room: float, size: float) -> str:
    """The text, shortened with … where it would not fit."""
    if width(text, size) <= room:
        return text
    while text and width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def fold(text: str, room: float, size: float, most: int = 2) -> str:
    """The text over at most `most` lines, broken at spaces where it has some; the last line is cut."""
    lines: list[str] = []
    while text and len(lines) < most - 1 and width(text, size) > room:
        end = len(text)
        while end > 1 and width(text[:end], size) > room:
            end -= 1
        at_space = text.rfind(" ", 0, end + 1)
        end = at_space if at_space > 0 else end
        lines.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return "\n".join([*lines, cut(text, room, size)])
