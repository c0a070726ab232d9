"""The sheets of written scores (scales, criteria, scores), told by name or headers, and read in pieces of bounded size."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from expert_pool.imports.read import RawSheet
from expert_pool.imports.sheets import EXPLANATION, Column, Kind, Sheet
from expert_pool.imports.typed import spelt
from expert_pool.imports.unpacking import MOST_BYTES, refuse_bombs
from expert_pool.privacy.watermark import MARK_SHEET, is_mark
from expert_pool.registry import Rating, RatingCriterion, RatingScale, RatingSource
from solver.errors import Fault

PIECE = 10_000
"""Rows read and written at once."""
LOWEST, HIGHEST = -1_000, 1_000

_ORGANISER = Column(
    "organiser", "登记单位编码", Kind.REFERENCE, "organiser_id", required=False, to="organisers"
)

SCALES = Sheet(
    "rating_scales",
    "评分量表",
    RatingScale,
    (
        Column("code", "量表编码", Kind.CODE, "code"),
        Column("name", "名称", Kind.TEXT, "name"),
        Column("low", "最低分", Kind.INTEGER, "low", low=LOWEST, high=HIGHEST),
        Column("high", "最高分", Kind.INTEGER, "high", low=LOWEST, high=HIGHEST),
        _ORGANISER,
    ),
    ("code",),
)
CRITERIA = Sheet(
    "rating_criteria",
    "评分指标",
    RatingCriterion,
    (
        Column("code", "指标编码", Kind.CODE, "code"),
        Column("name", "名称", Kind.TEXT, "name"),
        Column("scale", "量表编码", Kind.REFERENCE, "scale_id", to="rating_scales"),
    ),
    ("code",),
)
RATINGS = Sheet(
    "ratings",
    "评分",
    Rating,
    (
        Column("case", "申报编码", Kind.REFERENCE, "case_id", to="cases"),
        Column("rater", "专家编码", Kind.REFERENCE, "rater_id", to="experts"),
        Column("criterion", "指标编码", Kind.REFERENCE, "criterion_id", to="rating_criteria"),
        Column("score", "分数", Kind.INTEGER, "score", low=LOWEST, high=HIGHEST),
        Column("source", "来源", Kind.CHOICE, "source", choices=RatingSource),
        Column("holds_on", "评分日期", Kind.DATE, "holds_on", past=True),
        _ORGANISER,
        Column("recorded_at", "登记时间", Kind.MOMENT, "recorded_at", required=False, past=True),
    ),
    ("case", "rater", "criterion"),
)
SCORE_SHEETS: Mapping[str, Sheet] = {sheet.name: sheet for sheet in (SCALES, CRITERIA, RATINGS)}
"""By name, in the order of writing."""

_TITLES = {spelt(title): sheet for sheet in SCORE_SHEETS.values() for title in (sheet.name, sheet.zh)}


@dataclass(frozen=True, slots=True)
class Source:
    """One sheet of a file, which `pieces` reads anew each time."""

    sheet: Sheet
    path: Path
    title: str

    def pieces(self) -> Iterator[RawSheet]:
        """Its rows, some at a time, each piece with the headers. Raises Fault as `read_sheets`."""
        if self.path.suffix.lower() == ".csv":
            yield from _csv_pieces(self.path)
        else:
            yield from _workbook_pieces(self.path, self.title)


def sources_of(place: Path) -> list[Source]:
    """The sheets of scores at a place, in the order of writing; none when it is something else.

    Raises Fault `ratings.mixed` where scores lie together with other sheets: they come in a file or folder of their own;
    and `ratings.sheet_twice`.
    """
    named = list(_named(place))
    found = [Source(sheet, path, title) for sheet, path, title in named if sheet is not None]
    if found and len(found) < len(named):
        other = next(title for sheet, _, title in named if sheet is None)
        raise Fault("ratings.mixed", str(place), other=other)
    order = list(SCORE_SHEETS)
    found.sort(key=lambda source: order.index(source.sheet.name))
    for one, two in pairwise(found):
        if one.sheet is two.sheet:
            raise Fault("ratings.sheet_twice", str(place), sheet=one.sheet.name)
    return found


def _named(place: Path) -> Iterator[tuple[Sheet | None, Path, str]]:
    """Every sheet at a place: which of ours it is, its file, its title."""
    if place.is_dir():
        for file in sorted(place.iterdir()):
            if file.suffix.lower() == ".csv":
                yield _TITLES.get(spelt(file.stem)), file, file.stem
    elif place.suffix.lower() == ".csv" and place.is_file():
        yield _TITLES.get(spelt(place.stem)) or _by_headers(place), place, place.stem
    elif place.suffix.lower() in {".xlsx", ".xlsm"} and place.is_file():
        for title in _titles(place):
            yield _TITLES.get(spelt(title)), place, title


def _by_headers(path: Path) -> Sheet | None:
    try:
        first = next(_csv_pieces(path, most=1), None)
    except Fault:
        return None  # what is wrong with it, the import of tables says
    headers = {spelt(header) for header in first.headers} if first is not None else set()
    for sheet in SCORE_SHEETS.values():
        names = {spelt(name): column for column in sheet.columns for name in (column.name, column.zh)}
        needed = {column.name for column in sheet.columns if column.required}
        if headers and headers <= names.keys() and needed <= {names[header].name for header in headers}:
            return sheet if sheet is RATINGS else None  # the others look like any table of codes
    return None


def _titles(path: Path) -> list[str]:
    import openpyxl

    refuse_bombs(path, str(path))
    try:
        book = openpyxl.load_workbook(path, read_only=True)
        try:
            skipped = {*EXPLANATION.values(), *MARK_SHEET.values()}
            return [title for title in book.sheetnames if title not in skipped]
        finally:
            book.close()
    except Exception:  # openpyxl lets anything through that a damaged file can cause
        raise Fault("import.damaged", str(path)) from None


def _encoding(path: Path) -> str:
    """How a CSV file is written. Raises Fault `import.encoding`, `import.too_large`."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise Fault("import.too_large", str(path), bytes=size, most=MOST_BYTES)
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    if "\0" in decoder.decode(block):
                        raise Fault("import.encoding", str(path))
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Fault("import.encoding", str(path))


def _csv_pieces(path: Path, most: int | None = None) -> Iterator[RawSheet]:
    with path.open(encoding=_encoding(path), newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            yield from _pieces(path.stem, reader, most or PIECE)
        except csv.Error as trouble:
            code = "import.cut_off" if "unexpected end" in str(trouble) else "import.csv_malformed"
            raise Fault(code, f"{path}:{reader.line_num}") from None


def _workbook_pieces(path: Path, title: str) -> Iterator[RawSheet]:
    import openpyxl

    from expert_pool.imports.read import written

    book: Any = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        sheet = book[title]
        sheet.reset_dimensions()
        rows = ([written(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
        for raw in _pieces(title, rows, PIECE):
            width = len(raw.headers)
            even = [[*row, *[""] * (width - len(row))] for row in raw.rows]
            yield RawSheet(raw.title, raw.headers, even, raw.numbers)
    finally:
        book.close()


def _pieces(title: str, rows: Iterator[Sequence[str]], most: int) -> Iterator[RawSheet]:
    headers = [cell.strip() for cell in next(rows, ())]
    while headers and not headers[-1]:
        headers.pop()
    numbered = ((number, row) for number, row in enumerate(rows, 2) if any(row) and not is_mark(row))
    piece = list(islice(numbered, most))
    yield RawSheet(title, headers, [row for _, row in piece], [number for number, _ in piece])
    while len(piece) == most:
        piece = list(islice(numbered, most))
        if piece:
            yield RawSheet(title, headers, [row for _, row in piece], [number for number, _ in piece])


__all__ = ["CRITERIA", "RATINGS", "SCALES", "SCORE_SHEETS", "Source", "sources_of"]
