"""A row of a table: its place for errors, and its columns."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.files import in_one_line, nearest

HALF_A_PAIR = "half a surrogate pair"
"""Why a row is left out whose text JSON may escape, but no file and no request can hold."""
# Enough names of columns to find the right one; a file without a header gives its first row as names.
SHOWN_CHARACTERS = 200
_MISSING = object()


class TableRow(NamedTuple):
    """One row and its place."""

    place: str
    """Its place for error messages, e.g. `train.jsonl:17` or `openai/gsm8k row 17`."""
    values: dict[str, Any]

    def cell(self, column: str) -> Any:
        """The value in a column; `row.question.text` reaches into objects, unless a column has that whole name.

        Raises `BadInput`, which names the place and the nearest column, if there is no such column.
        """
        value = _reach(self.values, column)
        if value is _MISSING:
            raise BadInput(f"{self.place}: no column {column!r}; {_found(column, list(_names(self.values)))}")
        return value


def _found(column: str, names: list[str]) -> str:
    """The columns that there are, with the nearest one first; it may be near by chance only, as `solution` is."""
    if not names:
        return "it has no columns"
    near, columns = nearest(column, names), ", ".join(names)
    text = near if near.endswith(columns) else f"{near}, and its columns are {columns}"
    return in_one_line(text, SHOWN_CHARACTERS)


def _reach(values: Mapping[str, Any], column: str) -> Any:
    if column in values:
        return values[column]
    for at, character in enumerate(column):
        if character == "." and (head := column[:at]) in values:
            inner = values[head]
            if inner is None:  # how a table writes that an object is missing
                return None
            if isinstance(inner, Mapping) and (found := _reach(inner, column[at + 1 :])) is not _MISSING:
                return found
    return _MISSING


def _names(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The names of all columns, also of those inside objects."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _names(value, f"{before}{name}.")
        else:
            yield f"{before}{name}"
