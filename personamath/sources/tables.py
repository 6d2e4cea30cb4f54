"""Read the rows of a file or of a folder of `save_to_disk`, one at a time, each with its place for errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import folder_for_libraries, in_one_line
from personamath.sources.csv_files import read_csv
from personamath.sources.json_files import read_json, read_jsonl
from personamath.sources.rows import TableRow

PACKED = (".gz", ".zst")
# Rows of long texts in one batch of Arrow take little memory.
_BATCH_ROWS = 1_000
# What `save_to_disk` writes into the folder of a Dataset, and of a DatasetDict.
_SAVED, _SAVED_SPLITS = "dataset_info.json", "dataset_dict.json"
_USE = "use .jsonl, .json, .csv, .tsv (each also with .gz or .zst after it) or .parquet, or a folder of save_to_disk"


def read_file(path: Path) -> Iterator[TableRow]:
    """Read the rows of a file by its suffix, or of a folder that `save_to_disk` of `datasets` wrote.

    Raises `BadInput`, which names the place, for what cannot be read, also later at a single row, and if there are no
    rows.
    """
    empty = True
    for row in _reader_of(path)(path):
        empty = False
        yield row
    if empty:
        raise BadInput(f"{path}: contains no rows")


def form_of(path: Path) -> str:
    """The suffix that says what is in a file, e.g. `.csv` of `mine.csv.gz`; empty if there is none."""
    return (path.with_suffix("") if path.suffix.lower() in PACKED else path).suffix.lower()


def stem_of(path: Path) -> str:
    """The name of a table without its suffixes, e.g. `mine` of `mine.csv.gz`."""
    return (path.with_suffix("") if path.suffix.lower() in PACKED else path).stem


def stored_files(path: Path) -> list[Path]:
    """The file of a table, or all files of its folder in the order of their names."""
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


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


def _reader_of(path: Path) -> Callable[[Path], Iterator[TableRow]]:
    if path.is_dir():
        return _read_saved
    form = form_of(path)
    if form == ".parquet" and path.suffix.lower() in PACKED:
        raise BadInput(f"{path}: parquet is compressed by itself; unpack the file first")
    if form not in _READERS:
        kind = f"unknown file type {form!r}" if form else "a name without a suffix does not say what is in the file"
        raise BadInput(f"{path}: {kind}; {_USE}")
    return _READERS[form]


def _read_parquet(path: Path) -> Iterator[TableRow]:
    if not path.exists():
        raise BadInput(f"{path}: no such file")
    with opened_parquet(path) as file:
        names = file.schema_arrow.names
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise BadInput(f"{path}: two columns are named {twice!r}; rename one of them")
        yield from _numbered(path, file.iter_batches(batch_size=_BATCH_ROWS))


def _read_saved(path: Path) -> Iterator[TableRow]:
    if (path / _SAVED_SPLITS).is_file():
        splits = sorted(split.name for split in path.iterdir() if split.is_dir())
        raise BadInput(
            f"{path}: a DatasetDict of the splits {', '.join(splits)}; name one of their folders, e.g. "
            f"{path / splits[0]}"
            if splits
            else f"{path}: a DatasetDict without splits"
        )
    if not (path / _SAVED).is_file():
        raise BadInput(f"{path}: a folder that save_to_disk did not write; name a file in it, or {_USE}")
    import datasets

    with folder_for_libraries(path) as folder:
        try:
            saved = datasets.load_from_disk(str(folder))
        except Exception as error:  # the remedy is the same for every error of the library
            raise BadInput(f"{path}: not a readable folder of save_to_disk ({in_one_line(error)})") from None
        # Arrow's values: `datasets` would decode images and sounds.
        yield from _numbered(path, saved.with_format("arrow").iter(_BATCH_ROWS))


def _numbered(path: Path, batches: Iterator[Any]) -> Iterator[TableRow]:
    number = 0
    for batch in batches:
        for values in batch.to_pylist():
            yield TableRow(f"{path}: row {number}", values)
            number += 1


_READERS: dict[str, Callable[[Path], Iterator[TableRow]]] = {
    ".jsonl": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": partial(read_csv, separator="\t"),
    ".parquet": _read_parquet,
}
