"""Families of rules and goals: each module of a folder that defines a kind joins by itself."""

from __future__ import annotations

import functools
import importlib
import inspect
import operator
import pkgutil
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Discriminator

Kind = TypeVar("Kind", bound=BaseModel)


def gather(package: str, path: Iterable[str], base: type[Kind], tag: str) -> dict[str, type[Kind]]:
    """Every concrete subclass of `base` under `path`, by the literal that its field `tag` holds, in name order."""
    found: dict[str, type[Kind]] = {}
    for module in pkgutil.iter_modules(path):
        imported = importlib.import_module(f"{package}.{module.name}")
        for _, kind in inspect.getmembers(imported, inspect.isclass):
            if issubclass(kind, base) and not inspect.isabstract(kind):
                found[kind.model_fields[tag].default] = kind
    return dict(sorted(found.items()))


def reader(kinds: Iterable[type[Kind]], tag: str) -> Any:
    """The annotated union of `kinds`, told apart by `tag`, for pydantic models and schemas."""
    return Annotated[functools.reduce(operator.or_, kinds), Discriminator(tag)]
