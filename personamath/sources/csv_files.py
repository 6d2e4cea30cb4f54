"""Read the rows of CSV and TSV files. Every value stays the text in its cell: `007`, `1/2`, `TRUE` and `NA` too."""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from personamath.errors import BadInput
from personamath.sources.rows import TableRow
from personamath.sources.texts import lines_of, opened_text

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
"""What may separate the columns of a CSV file; where two are equally frequent in the header, the first one does."""
# Excel writes the separator on a line of its own before the header, and takes it off when it reads the file.
_SAYS_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"?')


def read_csv(path: Path, separator: str | None = None) -> Iterator[TableRow]:
    """Read the rows below the header; without a separator, the most frequent one in the header is it.

    Raises `BadInput`, which names the line that a row begins in, for a row of more or fewer cells than the header and
    for broken quotes.
    """
    with opened_text(path, newline="") as text:
        lines = lines_of(text)
        numbered = enumerate(lines, start=1)
        number, first = next(((number, line) for number, line in numbered if line.strip()), (1, ""))
        if said := _SAYS_SEPARATOR.fullmatch(first.strip("\r\n")):
            number, first = next(numbered, (number + 1, ""))
            separator = said[1]
        separator = separator or _separator_of(first)
        records = _records(path, chain([first], lines), separator, number)
        for start, header in records:
            names = _names(f"{path}:{start}", header)
            break
        for start, cells in records:
            if [cell.strip() for cell in cells] == [cell.strip() for cell in header]:
                raise BadInput(f"{path}:{start}: repeats the header, as if files were joined; remove the line")
            yield _row(f"{path}:{start}", names, cells, separator)


def _separator_of(header: str) -> str:
    outside_quotes = _QUOTED.sub("", header)
    return max(SEPARATORS, key=outside_quotes.count)


def _records(path: Path, lines: Iterator[str], separator: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """The rows with the line that each begins in; empty lines are skipped. `start` is the number of the first line."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = start + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(
                f'{path}:{line}: not a row of CSV ({error}); write a quote inside a quoted cell as "", and close every '
                "quote"
            ) from None
        if any("\0" in cell for cell in cells):
            raise BadInput(f"{path}:{line}: contains a NUL byte; export the file again")
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield line, cells


def _names(place: str, header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise BadInput(f"{place}: two columns are named {twice!r}; rename one of them")
    if not names:
        raise BadInput(f"{place}: the header has no names of columns; write them on the first line")
    return names


def _row(place: str, names: list[str], cells: list[str], separator: str) -> TableRow:
    """Cells of columns without a name are left out."""
    if len(cells) < len(names):
        raise BadInput(f"{place}: only {len(cells)} of {len(names)} cells; is the file cut off, or a quote missing?")
    if any(cells[len(names) :]):
        raise BadInput(
            f"{place}: {len(cells)} cells, the header has {len(names)}; put a cell that contains a "
            f"{SEPARATORS.get(separator, separator)} into quotes"
        )
    return TableRow(place, {name: cell for name, cell in zip(names, cells, strict=False) if name})
