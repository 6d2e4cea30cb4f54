"""Reading a dataset folder back: its provenance and its rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line, read_json
from personamath.folder.layout import PROVENANCE
from personamath.folder.provenance import layout_of
from personamath.records import Row


def read_provenance(folder: Path) -> dict[str, Any]:
    """The content of a folder's provenance.json; `BadInput` where it is missing."""
    return read_json(folder / PROVENANCE, "give a run directory, a dataset folder or owner/name@v1.0.0")


def read_rows(folder: Path) -> tuple[Row, ...]:
    """All rows of a dataset folder, step after step; `BadInput` where there are none, or unreadable ones."""
    steps = [step.name for step in layout_of(read_provenance(folder), folder / PROVENANCE).steps]
    rows = tuple(row for step in steps for path in sorted((folder / step).glob("*.parquet")) for row in _rows(path))
    if not rows:
        raise BadInput(f"{folder}: no rows in it; is it a dataset folder?")
    return rows


def _rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from map(Row.of, batch.to_pylist())
    except TypeError as error:
        raise BadInput(f"{path}: its columns are not this version's ({error}); write the folder again") from None
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: not a readable parquet file ({in_one_line(error)})") from None
