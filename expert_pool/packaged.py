"""Where the data files that come with the package lie: in the wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

from solver.errors import Fault

_HERE = Path(__file__).resolve().parent


def fixture(*parts: str) -> Path:
    """The path of a data file, e.g. `fixture("catalogue", "specialties.csv")`.

    Looks in `expert_pool/fixtures` (where the wheel puts them), then in `fixtures/` of the checkout.
    Raises Fault when it is in neither.
    """
    for folder in (_HERE / "fixtures", _HERE.parent / "fixtures"):
        path = folder.joinpath(*parts)
        if path.exists():
            return path
    raise Fault("packaged.missing", "/".join(parts))
