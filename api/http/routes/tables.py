"""The registry's tables as files: what they hold, templates, import with a preview, export with purpose and watermark."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.responses import Response, StreamingResponse

from api.http.accepting import Runs, Work, answers
from api.http.access import allowed
from api.http.files import FILE, Purpose, Purposed, attached, saved_as
from api.http.openapi import CHANGES
from api.http.problems import language_of
from api.http.service import Served
from api.jobs.work.tables import MOST_ERRORS
from expert_pool.accounts.rights import Principal, Right
from expert_pool.imports.contents import CONTENTS, Content, sheets_of
from expert_pool.imports.streaming import csv_pieces, sheet_named, workbook_pieces
from expert_pool.imports.template import write_template
from expert_pool.privacy import exports
from expert_pool.privacy.purposes import purpose_of
from expert_pool.registry import Rating
from expert_pool.runs import Attachment
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible

router = APIRouter(prefix="/tables", tags=["tables"])

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA = {"csv": "text/csv; charset=utf-8", "xlsx": WORKBOOK}
_Reader = Annotated[Principal, Depends(allowed(Right.ORGANISERS_READ))]
_Importer = Annotated[Principal, Depends(allowed(Right.EXPERTS_WRITE))]
_Exporter = Annotated[Principal, Depends(allowed(Right.EXPERTS_EXPORT))]
_SHEET: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {**FILE[200]["content"], "text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class TableColumn(BaseModel):
    """A column of a sheet, as files head it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["holds_on"])
    zh: str = Field(examples=["完成日期"])
    kind: str = Field(examples=["date"])
    required: bool
    refers_to: str | None = Field(description="The sheet whose codes stand here.", examples=[None])
    choices: list[str] = Field(description="The words it takes, where it takes no others.", examples=[[]])


class TableSheet(BaseModel):
    """A sheet that files may hold."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["trainings"])
    zh: str = Field(examples=["培训"])
    recorded: bool = Field(description="Its rows are records, corrected by new rows.")
    key: list[str] = Field(description="The columns a row is known by.")
    columns: list[TableColumn]


class TableSheets(BaseModel):
    """Every sheet, in the order of writing."""

    model_config = ConfigDict(extra="forbid")

    items: list[TableSheet]


class ExportRequest(Purposed):
    """A whole export: every sheet the caller may see, in the background."""

    form: Literal["csv", "xlsx"] = "xlsx"
    content: Content = Field(default="tables", description="The tables, or the written scores.")


class SheetImported(BaseModel):
    """What an import did, or in a dry run would do, to one sheet: how many rows."""

    model_config = ConfigDict(extra="forbid")

    sheet: str = Field(examples=["trainings"])
    new: int
    same: int
    corrected: int


class RowRefused(BaseModel):
    """What is wrong with a row, or (row 1) with the whole sheet."""

    model_config = ConfigDict(extra="forbid")

    sheet: str = Field(examples=["trainings"])
    row: int = Field(examples=[7])
    column: str = Field(examples=["holds_on"])
    code: str = Field(examples=["import.date"])
    params: dict[str, str]
    message: dict[str, str] = Field(description="The sentence in each language.")


class TablesImported(BaseModel):
    """What an import did to each sheet, or everything that is wrong with the rows; with errors nothing was written."""

    model_config = ConfigDict(extra="forbid")

    ok: bool
    dry_run: bool
    sheets: list[SheetImported]
    error_count: int
    errors: list[RowRefused] = Field(description=f"The first {MOST_ERRORS}.")
    done_before: bool = Field(description="An attempt before wrote the rows, so they count as the same.")


class TablesExported(BaseModel):
    """An export: the serial number of its mark, the rows of each sheet, and the file of the run."""

    model_config = ConfigDict(extra="forbid")

    serial: str
    form: Literal["csv", "xlsx"]
    rows: dict[str, int]
    file: str = Field(examples=["tables.zip"])


@router.get("", response_model=TableSheets, summary="表格说明 · what the sheets hold")
def list_tables(asks: _Reader) -> TableSheets:
    """What stands in each sheet that can be imported and exported."""
    return TableSheets(
        items=[
            TableSheet(
                name=sheet.name,
                zh=sheet.zh,
                recorded=sheet.recorded,
                key=list(sheet.key),
                columns=[
                    TableColumn(
                        name=column.name,
                        zh=column.zh,
                        kind=str(column.kind),
                        required=column.required,
                        refers_to=column.to or None,
                        choices=[word.value for word in column.choices or ()],
                    )
                    for column in sheet.columns
                ],
            )
            for content in CONTENTS
            for sheet in sheets_of(content).values()
        ]
    )


@router.get("/template", response_class=Response, responses=FILE, summary="导入模板 · an empty workbook")
def get_table_template(
    request: Request, asks: _Reader, content: Annotated[Content, Query()] = "tables"
) -> Response:
    """An empty workbook with the headers of every sheet (`content=scores`: those of written scores), in the caller's
    language."""
    with TemporaryDirectory(prefix="expert-pool-") as folder:
        place = FilePath(folder) / "template.xlsx"
        write_template(place, language_of(request), content)
        made = place.read_bytes()
    return attached(made, "template.xlsx", WORKBOOK)


@router.post(
    "/imports", summary="导入 · import a file, or see what it would do", **answers(TablesImported, CHANGES)
)
def import_tables(
    asks: _Importer,
    runs: Runs,
    file: Annotated[UploadFile, File(description="A workbook, a CSV file, or a zip archive of CSV files.")],
    dry_run: Annotated[bool, Form(description="Judge every row and keep nothing.")] = False,
    correct: Annotated[bool, Form(description="Rows may say otherwise than the registry.")] = False,
    organiser: Annotated[
        str | None, Form(max_length=64, description="Who owns records without an owner.")
    ] = None,
) -> Response:
    """Bring a file into the registry, all of it or nothing: a run, whose result says what was done to each sheet or what
    is wrong with each row. With `Prefer: wait=10` a small one is answered at once."""
    params = {"dry_run": dry_run, "correct": correct, "organiser": organiser}
    name = (file.filename or "tables")[:200]
    return runs.take(asks, Work("tables.import", params, [Attachment(name, file.file.read())]))


@router.post("/exports", summary="整库导出 · export every sheet", **answers(TablesExported, CHANGES))
def export_tables(asks: _Exporter, runs: Runs, request: Request, body: ExportRequest) -> Response:
    """Every sheet the caller may see, with a watermark, as a file of a run."""
    params = {
        "form": body.form,
        "content": body.content,
        "purpose": purpose_of(body.purpose),
        "lang": language_of(request),
    }
    return runs.take(asks, Work("tables.export", params))


@router.get(
    "/{sheet}/file",
    response_class=StreamingResponse,
    responses=_SHEET,
    summary="单表导出 · one sheet, streamed",
)
def export_table(
    sheet: str,
    asks: _Exporter,
    service: Served,
    request: Request,
    purpose: Purpose,
    form: Annotated[Literal["csv", "xlsx"], Query()] = "csv",
) -> StreamingResponse:
    """One sheet as a file, sent while it is read; its beginning and its hash are told on the ledger."""
    viewer, spec, lang = asks.viewer(Right.EXPERTS_EXPORT), sheet_named(sheet), language_of(request)
    with service.store.session() as session:
        stamp = exports.begin(session, viewer, purpose=purpose, content=f"tables/{spec.name}", form=form)
    make = csv_pieces if form == "csv" else workbook_pieces
    pieces = make(service.store, viewer, spec, lang=lang, stamp=stamp)
    name = f"{spec.name}.{form}"
    headers = {
        "Content-Disposition": saved_as(name),
        "Cache-Control": "no-store",
    }
    finished = _finished(service.store, viewer, stamp, name, spec.name, pieces)
    return StreamingResponse(finished, media_type=_MEDIA[form], headers=headers)


def _finished(
    store: Store, viewer: Viewer, stamp: Any, name: str, sheet: str, pieces: Iterator[Any]
) -> Iterator[bytes]:
    """The bytes, and at their end the ledger's entry with their hash. A reader that leaves early leaves an export that
    was begun only."""
    digest, size = sha256(), 0
    experts: list[int] = []
    for piece in pieces:
        digest.update(piece.content)
        size += len(piece.content)
        if sheet == "experts":
            experts += piece.ids
        yield piece.content
    with store.session() as session:
        if sheet == "ratings":
            experts += session.scalars(select(Rating.rater_id).where(*visible(viewer, Rating)).distinct())
        mark = exports.FileMark(name, digest.hexdigest(), size)
        exports.finish_hashed(session, viewer, stamp, [mark], expert_ids=experts)
