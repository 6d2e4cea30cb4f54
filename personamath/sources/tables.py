"""Read the rows of a JSONL, JSON or parquet file, one at a time, each with its place for errors."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.files import TEXT, in_one_line

HALF_A_PAIR = "half a surrogate pair"
"""Why a row is left out whose text JSON may escape, but no file and no request can hold."""


class TableRow(NamedTuple):
    """One row and its place."""

    place: str
    """Its place for error messages, e.g. `train.jsonl:17` or `openai/gsm8k row 17`."""
    values: dict[str, Any]


def read_file(path: Path) -> Iterator[TableRow]:
    """Read the rows of a file by its suffix; raise `BadInput` for an unreadable file or a row that is not an object."""
    readers = {".jsonl": _read_jsonl, ".json": _read_json, ".parquet": _read_parquet}
    if path.suffix not in readers:
        raise BadInput(f"{path}: unknown file type {path.suffix!r}; use .jsonl, .json or .parquet")
    try:
        yield from readers[path.suffix](path)
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None


def _read_jsonl(path: Path) -> Iterator[TableRow]:
    with path.open(encoding=TEXT) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _row(f"{path}:{number}", line)


def _row(place: str, line: str) -> TableRow:
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:  # its own text counts lines from this one
        raise BadInput(f"{place}: not a complete line of JSON ({error.msg}); mend or remove it") from None
    except ValueError as error:  # a number of too many digits
        raise BadInput(f"{place}: not a line of JSON that can be read ({in_one_line(error)}); mend it") from None
    if not isinstance(values, dict):
        raise BadInput(f"{place}: expected an object of columns, found {type(values).__name__}")
    return TableRow(place, values)


def _read_json(path: Path) -> Iterator[TableRow]:
    try:
        rows = json.loads(path.read_text(encoding=TEXT))
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{error.lineno}: not valid JSON ({error.msg})") from None
    if not isinstance(rows, list):
        raise BadInput(f"{path}: expected a list of objects, found {type(rows).__name__}")
    for number, values in enumerate(rows):
        if not isinstance(values, dict):
            raise BadInput(f"{path}: row {number}: expected an object of columns, found {type(values).__name__}")
        yield TableRow(f"{path}: row {number}", values)


def _read_parquet(path: Path) -> Iterator[TableRow]:
    number = 0
    with opened_parquet(path) as file:
        for batch in file.iter_batches():
            for values in batch.to_pylist():
                yield TableRow(f"{path}: row {number}", values)
                number += 1


@contextmanager
def opened_parquet(path: Path, place: str | None = None) -> Iterator[Any]:
    """Open a parquet file as a `pyarrow.parquet.ParquetFile` for the duration of the context.

    Raises `BadInput`, which names `place` or else the path, for an unreadable file, also if the error appears only
    while reading it.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        # Absolute: pyarrow would read `run-15:30/x` as a URL.
        with pyarrow.parquet.ParquetFile(path.absolute()) as file:
            yield file
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{place or path}: not a readable parquet file ({in_one_line(error)})") from None
