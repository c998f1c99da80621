"""Making hostile text safe: one module for each place that it is shown in.

Emitted code is no such place: there a value is quoted or refused (`reconciler.quoting`).
"""

from reconciler.escape.csv import csv_cell
from reconciler.escape.html import html_data, html_text
from reconciler.escape.markdown import markdown_cell, markdown_code, markdown_fence, markdown_text
from reconciler.escape.sarif import sarif_text
from reconciler.escape.terminal import terminal_text
from reconciler.escape.workflow import log_text, workflow_data, workflow_property
from reconciler.escape.xml import xml_text

__all__ = [
    "csv_cell",
    "html_data",
    "html_text",
    "log_text",
    "markdown_cell",
    "markdown_code",
    "markdown_fence",
    "markdown_text",
    "sarif_text",
    "terminal_text",
    "workflow_data",
    "workflow_property",
    "xml_text",
]
