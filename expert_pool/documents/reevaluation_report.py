"""The whole report of a re-evaluation as files: workbook, paper, charts with their data, and everything as JSON.

The same appraisal gives the same bytes. Experts appear by code, as in the documents the report is made of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from expert_pool.columns import as_date
from expert_pool.documents.files import put
from expert_pool.documents.picture import SCALE, VERSION, fonts
from expert_pool.documents.reevaluation_charts import charts
from expert_pool.documents.reevaluation_contents import Happening, Report
from expert_pool.documents.reevaluation_document import report_document
from expert_pool.documents.reevaluation_workbook import report_workbook
from expert_pool.reevaluation.conduct import UNLISTED
from expert_pool.words import say
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.reevaluation.appraising import Appraisal
    from expert_pool.reevaluation.health.document import Health
    from expert_pool.reevaluation.measurement.measured import Measured
    from expert_pool.reevaluation.organisations import OrganisationAppraisal

LINES = 16
"""Experts whose records are told day by day: those with the gravest proposals."""

_FIRST = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""
_WRITTEN = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")
_NO_TIME = b"2000-01-01T00:00:00Z"


def write_report(
    folder: Path,
    appraisal: Appraisal,
    measured: Measured | None,
    health: Health | None,
    organisations: Sequence[OrganisationAppraisal],
    language: str,
) -> list[Path]:
    """Write `reevaluation.xlsx`, `.docx` and `.json`, and the folder `charts` (specification with data, SVG, PNG each);
    gives the paths. What is not there is left out. Raises Fault `documents.cannot_write`."""
    report = report_of(appraisal, measured, health, organisations, language)
    drawn = charts(report)
    place = folder / "charts"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault("documents.cannot_write", str(place), reason=error.strerror or str(error)) from error
    files, pictures = [], {}
    for name, spec in drawn.items():
        svg, png = picture_of(spec)
        pictures[name] = png
        files += [
            put(place / f"{name}.vl.json", _json(spec)),
            put(place / f"{name}.svg", svg),
            put(place / f"{name}.png", png),
        ]
    files.append(put(folder / "reevaluation.xlsx", timeless(report_workbook(report))))
    files.append(put(folder / "reevaluation.docx", timeless(report_document(report, pictures))))
    files.append(put(folder / "reevaluation.json", _json(_whole(report))))
    return files


def report_of(
    appraisal: Appraisal,
    measured: Measured | None,
    health: Health | None,
    organisations: Sequence[OrganisationAppraisal],
    language: str,
) -> Report:
    """What there is to tell, in a language."""
    doc = appraisal.scheme.doc
    return Report(
        lang=language,
        appraisal=appraisal.document(),
        title=doc.title.zh if language == "zh" else doc.title.en,
        grade_bounds=[(grade.grade, grade.low, grade.high) for grade in doc.grades],
        measured=None if measured is None else measured.document(),
        health=health,
        organisations=[one.document() for one in organisations],
        happened=list(_happened(appraisal, language)),
    )


def _happened(appraisal: Appraisal, language: str) -> Iterator[Happening]:
    """The records of the experts with the gravest proposals, by expert and day."""
    events = appraisal.scheme.doc.events
    titles = [event.title.zh if language == "zh" else event.title.en for event in events]
    happened = appraisal.conduct.happened
    lost = np.zeros(len(appraisal.conduct.points), dtype=np.int64)
    np.minimum.at(lost, happened.expert, happened.points)
    gravest = sorted(
        (i for i in range(len(appraisal)) if appraisal.measure[i] and lost[appraisal.who[i]] < 0),
        key=lambda i: (-int(appraisal.measure[i]), int(appraisal.points[i]), appraisal.experts[i]),
    )[:LINES]
    for index in gravest:
        for row in (happened.expert == appraisal.who[index]).nonzero()[0].tolist():
            event = int(happened.event[row])
            yield Happening(
                appraisal.experts[index],
                as_date(int(happened.day[row])).isoformat(),
                say("report.unlisted", language) if event == UNLISTED else titles[event],
                int(happened.points[row]),
                bool(appraisal.conduct.counted[row]),
            )


def picture_of(spec: dict[str, Any]) -> tuple[bytes, bytes]:
    """A chart as SVG and PNG."""
    import vl_convert

    fonts()
    drawn = vl_convert.vegalite_to_svg(spec, vl_version=VERSION)
    return drawn.encode(), vl_convert.svg_to_png(drawn, scale=SCALE)


def _whole(report: Report) -> dict[str, Any]:
    return {
        "format": "reevaluation/1",
        "appraisal": report.appraisal,
        "measurement": report.measured,
        "health": None if report.health is None else report.health.model_dump(mode="json"),
        "organisations": list(report.organisations),
    }


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def timeless(package: bytes) -> bytes:
    """The same Office file with no time of writing in it."""
    whole = BytesIO()
    with ZipFile(BytesIO(package)) as old, ZipFile(whole, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _WRITTEN.sub(rb"\g<1>" + _NO_TIME + rb"\g<2>", content)
            entry = ZipInfo(name, _FIRST)
            entry.compress_type = ZIP_DEFLATED
            new.writestr(entry, content)
    return whole.getvalue()
