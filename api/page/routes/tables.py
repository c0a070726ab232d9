"""Tables in and out: an import with everything that is wrong with its rows told beforehand, and exports with a purpose."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from api.http.access import allowed
from api.http.service import Served
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool.accounts import Principal, Right
from expert_pool.imports.sheets import SHEETS

router = pages()
FORM_BYTES = 10_000
"""What the form around a file takes at most."""


@router.get("/tables")
def tables_page(
    request: Request, asks: Annotated[Principal, Depends(allowed(Right.EXPERTS_WRITE))], service: Served
) -> Response:
    """Bringing a file in, and taking everything out."""
    most = service.settings.body_bytes - FORM_BYTES
    return render(request, "tables.html", asks, sheets=list(SHEETS.values()), most=max(most, 0))
