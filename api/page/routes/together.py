"""One record for many experts at once: the codes, what is recorded, a dry run, then the writing. It is an import of a table
with a row for each expert, so every rule of importing holds and everything or nothing is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.problems import language_of
from api.page import sheet_forms
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool.accounts import Principal, Right
from expert_pool.imports.sheets import SHEETS
from solver.errors import Fault

router = pages()
KINDS = ("trainings", "credits", "memberships", "absences", "disciplines")
"""What is recorded of many at once: sheets with one row for an expert."""
_MOST = 5_000
_Code = Annotated[str, Field(min_length=1, max_length=129)]


@router.get("/experts-together")
def together_page(
    request: Request,
    asks: Annotated[Principal, Depends(allowed(Right.EXPERTS_WRITE))],
    sheet: Annotated[str | None, Given] = None,
    code: Annotated[list[_Code] | None, Query(max_length=_MOST)] = None,
) -> Response:
    """Experts that were ticked in the list, what is to be recorded of them, and what came of trying it."""
    kind = sheet or KINDS[0]
    if kind not in KINDS:
        raise Fault("page.address", request.url.path)
    return render(
        request,
        "together.html",
        asks,
        kind=kind,
        kinds=KINDS,
        codes=code or [],
        columns=[column.name for column in SHEETS[kind].columns if column.name != "recorded_at"],
        fields=sheet_forms.fields(kind, language_of(request), without=("expert",)),
    )
