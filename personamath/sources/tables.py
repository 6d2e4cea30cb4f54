"""Rows of a JSONL, JSON or parquet file, or of a Hub dataset, one at a time, with the place of each for messages.

And the keys and values of a YAML file.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.files import TEXT, in_one_line

HALF_A_PAIR = "half a surrogate pair"
"""Why a row is left out whose text JSON may escape, but no file and no request can hold."""


class TableRow(NamedTuple):
    """One row and where it stands."""

    place: str
    """E.g. `train.jsonl:17` or `openai/gsm8k row 17`, for messages."""
    values: dict[str, Any]


class HubSplit(NamedTuple):
    """A split of a dataset on the Hub."""

    repo: str
    config: str | None
    """None: the dataset's only one."""
    split: str


def read_file(path: Path) -> Iterator[TableRow]:
    """Rows of a file, by its ending; a torn line, an unreadable file or a row that is no object is a `BadInput`."""
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


def read_hub(split: HubSplit) -> Iterator[TableRow]:
    """Rows of a Hub dataset, through `datasets` and its cache."""
    for number, values in enumerate(_load(split)):
        yield TableRow(f"{split.repo} row {number}", values)


def resolved_commit(split: HubSplit) -> str | None:
    """The commit of the Hub that the cached rows of this split were loaded from; None where `datasets` does not tell.

    Asks the cache, not the Hub, whose newest commit need not be the one that was read.
    """
    return cached_commit(_load(split))


def cached_commit(rows: Any) -> str | None:
    """The commit of a loaded `datasets.Dataset`: it keeps what it loads from the Hub in a folder named after it."""
    folders = {Path(file["filename"]).parent.name for file in rows.cache_files}
    name = folders.pop() if len(folders) == 1 else ""
    return name if re.fullmatch(r"[0-9a-f]{40}", name) else None


def _load(split: HubSplit) -> Any:
    import datasets

    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(split.repo, split.config, split=split.split)
    except Exception as error:  # whatever the Hub's client raises, the user can do the same two things
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(
            f"cannot load {split.repo} from the Hub ({reason}); check the name and the network, or give a local file"
        ) from error


def _read_jsonl(path: Path) -> Iterator[TableRow]:
    with path.open(encoding=TEXT) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _row(f"{path}:{number}", line)


def _row(place: str, line: str) -> TableRow:
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:  # its own text counts lines from this one
        raise BadInput(f"{place}: not a whole line of JSON ({error.msg}); mend or remove it") from None
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
    """A parquet file, a `pyarrow.parquet.ParquetFile`, as long as the context lasts.

    Raises `BadInput`, which names `place` or else the path, for a file that cannot be read, also when that shows only
    while it is read.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        # Absolute: pyarrow would read `run-15:30/x` as a URL.
        with pyarrow.parquet.ParquetFile(path.absolute()) as file:
            yield file
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{place or path}: not a readable parquet file ({in_one_line(error)})") from None
