"""Asserting that input is refused."""

from __future__ import annotations

from typing import Any

import pytest

from solver.errors import Fault


def refused(code: str, **params: Any) -> Any:
    """A block that must raise the Fault `code`, with at least these `params`."""
    return pytest.raises(
        Fault, check=lambda fault: fault.code == code and params.items() <= fault.params.items()
    )
