"""Cells of spreadsheets: the words of a stranger are never run."""

from __future__ import annotations

Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def writable(cell: Cell) -> Cell:
    """A harmless cell without the characters that an Excel file cannot hold."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = harmless(cell)
    return ILLEGAL_CHARACTERS_RE.sub(" ", cell) if isinstance(cell, str) else cell
