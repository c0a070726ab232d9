"""The papers of a panel: workbook, report, picture and terminal view, each in Chinese and English."""

from expert_pool.documents.document import panel_document
from expert_pool.documents.people import Person, people_in
from expert_pool.documents.picture import panel_picture, panel_spec
from expert_pool.documents.text import panel_text
from expert_pool.documents.workbook import panel_workbook

__all__ = [
    "Person",
    "panel_document",
    "panel_picture",
    "panel_spec",
    "panel_text",
    "panel_workbook",
    "people_in",
]
