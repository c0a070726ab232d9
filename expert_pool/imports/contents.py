"""What a file of several sheets may hold: the tables, or (in files of their own, for there are many) the written scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from expert_pool.imports.sheets import SHEETS, Sheet

Content = Literal["tables", "scores"]
CONTENTS: tuple[Content, ...] = ("tables", "scores")


def sheets_of(content: Content) -> Mapping[str, Sheet]:
    """The sheets of a content by name, in the order of writing."""
    return SHEETS if content == "tables" else _scores()


def any_sheet(name: str) -> Sheet:
    """A sheet of any content. Raises KeyError."""
    return SHEETS[name] if name in SHEETS else _scores()[name]


def _scores() -> Mapping[str, Sheet]:
    from expert_pool.reevaluation.score_sheets import SCORE_SHEETS  # which reads with this package

    return SCORE_SHEETS


__all__ = ["CONTENTS", "Content", "any_sheet", "sheets_of"]
