"""Format the cells of a table for people: each column gets as many decimal places as it needs."""

import math
from typing import NamedTuple

from personamath.report.analysis.result import Cell, Table

# Enough to distinguish values, and no more than small samples support.
SIGNIFICANT_DIGITS = 3
MOST_PLACES = 4
EMPTY = "–"


class ForPeople(NamedTuple):
    """A table as people read it."""

    columns: list[str]
    rows: list[list[str]]
    numbers: list[bool]
    """Whether each column holds numbers."""


def for_people(table: Table) -> ForPeople:
    """Format a table: without columns that have no value, and with each interval behind its value."""
    table = without_empty_columns(table)
    texts, columns, numbers = (
        shown(table),
        list(table.columns),
        [is_number(at, table) for at in range(len(table.columns))],
    )
    for at in reversed(range(len(columns) - 2)):
        if columns[at + 1].startswith("low") and columns[at + 2].startswith("high"):
            columns[at : at + 3] = [columns[at]]
            numbers[at : at + 3] = [numbers[at]]
            for row in texts:
                value, low, high = row[at : at + 3]
                row[at : at + 3] = [value if EMPTY in (low, high) else f"{value} ({low} to {high})"]
    return ForPeople(columns, texts, numbers)


def is_number(column: int, table: Table) -> bool:
    """Whether a column contains at least one number and nothing else."""
    cells = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and not any(isinstance(cell, str) for cell in cells)


def without_empty_columns(table: Table) -> Table:
    """Return the table without columns that have no value, as shares of too few rows have."""
    filled = [at for at in range(len(table.columns)) if any(row[at] is not None for row in table.rows)]
    rows = tuple(tuple(row[at] for at in filled) for row in table.rows)
    return Table(tuple(table.columns[at] for at in filled), rows)


def shown(table: Table) -> list[list[str]]:
    """Return the rows of the table as texts."""
    columns = [
        _column([row[at] for row in table.rows], share=heading.endswith("%"))
        for at, heading in enumerate(table.columns)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(cells: list[Cell], share: bool) -> list[str]:
    numbers = [abs(cell) * (100 if share else 1) for cell in cells if isinstance(cell, float) and math.isfinite(cell)]
    places = 1 if share else _places(max(numbers, default=0.0))
    return [_text(cell, places, share) for cell in cells]


def _places(largest: float) -> int:
    """Return the decimal places that show the significant digits of a column's largest number."""
    if largest == 0:
        return 0
    return min(MOST_PLACES, max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest))))


def _text(cell: Cell, places: int, share: bool) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return EMPTY
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) and not share:
        return f"{cell:,}"
    return f"{cell * (100 if share else 1):,.{places}f}"
