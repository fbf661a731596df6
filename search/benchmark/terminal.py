"""A report's tables for the terminal."""

from __future__ import annotations

from rich import box
from rich.markup import escape
from rich.table import Table

from search.benchmark import tables


def rendered(table: tables.Table) -> Table:
    """As rich draws it: the first column and wordy ones to the left, numbers to the right, no markup in the data."""
    shown = Table(title=escape(table.title), title_justify="left", box=box.SIMPLE_HEAD, caption_justify="left")
    for place, column in enumerate(table.columns):
        shown.add_column(escape(column), justify="right" if place and column not in table.wordy else "left")
    for row in table.rows:
        shown.add_row(*(escape(cell.text) for cell in row))
    if table.note:
        shown.caption = escape(table.note)
    return shown
