"""Organisers with their pools and committees: who stands where, and forms for new ones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from api.http.access import allowed
from api.http.problems import language_of
from api.http.resources import version_of
from api.http.service import Served
from api.http.shapes import shape
from api.page import sheet_forms
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool import rows
from expert_pool.accounts import Principal, Right
from expert_pool.imports.sheets import SHEETS
from expert_pool.viewer import visible
from solver.errors import Fault

router = pages()
SHOWN = ("organisers", "pools", "committees")
_Reader = Annotated[Principal, Depends(allowed(Right.ORGANISERS_READ))]
_MOST = 500


@router.get("/organisers")
def organisers_page(request: Request, asks: _Reader, service: Served) -> Response:
    """The organisers the caller may see, their pools and committees."""
    viewer, lang = asks.viewer(Right.ORGANISERS_READ), language_of(request)
    parts = []
    with service.store.reading() as session:
        for name in SHOWN:
            tells = rows.telling(name)
            ordered = tells.statement.where(*visible(viewer, tells.table)).order_by(tells.table.code)
            found = session.execute(ordered.limit(_MOST)).all()
            told = [rows.told(row, tells.sheet, service.store.key) for row in found]
            parts.append({"name": name, "sheet": tells.sheet, "rows": told})
    return render(
        request,
        "organisers.html",
        asks,
        parts=parts,
        form=lambda name: sheet_forms.fields(name, lang),
        label=lambda column: sheet_forms.label(column, lang),
        value=lambda column, given: sheet_forms.value(column, given, lang),
    )


@router.get("/organisers/{sheet}/{code}")
def organiser_page(request: Request, sheet: str, code: str, asks: _Reader, service: Served) -> Response:
    """One of them, to be looked at and, where the caller may, changed."""
    if sheet not in SHOWN:
        raise Fault("page.nowhere", request.url.path)
    viewer, lang = asks.viewer(Right.ORGANISERS_READ), language_of(request)
    with service.store.reading() as session:
        row = rows.find_thing(session, viewer, sheet, code)
        told = rows.told(row, SHEETS[sheet], service.store.key)
    changing = set(shape(sheet).change.model_fields)
    columns = SHEETS[sheet].columns
    fixed = [column for column in columns if column.name not in changing]
    shown: dict[str, Any] = {
        "facts": [(sheet_forms.label(c, lang), sheet_forms.value(c, told[c.name], lang)) for c in fixed],
        "fields": sheet_forms.fields(sheet, lang, without={column.name for column in fixed}),
    }
    return render(
        request, "organiser.html", asks, sheet=sheet, code=code, given=told, etag=version_of(row), **shown
    )
