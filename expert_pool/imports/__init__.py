"""Import and export of every registry table as CSV or a workbook."""

from expert_pool.imports.exporting import export_tables
from expert_pool.imports.importing import import_tables
from expert_pool.imports.report import ImportReport, RowError, SheetReport
from expert_pool.imports.template import write_template

__all__ = ["ImportReport", "RowError", "SheetReport", "export_tables", "import_tables", "write_template"]
