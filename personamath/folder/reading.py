"""Reading a dataset folder back: its provenance and its rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import read_json
from personamath.folder.layout import PROVENANCE, Layout
from personamath.folder.provenance import layout_of
from personamath.records import Row
from personamath.sources.tables import opened_parquet


def read_provenance(folder: Path) -> dict[str, Any]:
    """The content of a folder's provenance.json; `BadInput` where it is missing."""
    return read_json(folder / PROVENANCE, "give a run directory, a dataset folder or owner/name@v1.0.0")


def read_rows(folder: Path) -> tuple[Row, ...]:
    """All rows of a dataset folder, step after step; `BadInput` where there are none, or unreadable ones."""
    layout = layout_of(read_provenance(folder), folder / PROVENANCE)
    paths = [path for step in layout.steps for path in sorted((folder / step.name).glob("*.parquet"))]
    rows = tuple(row for path in paths for row in _rows(path, layout))
    if not rows:
        raise BadInput(f"{folder}: no rows in it; is it a dataset folder?")
    if unknown := {row.step for row in rows} - {step.name for step in layout.steps}:
        raise BadInput(f"{folder}: {PROVENANCE} does not have the steps {', '.join(sorted(unknown))} of its rows")
    return rows


def _rows(path: Path, layout: Layout) -> Iterator[Row]:
    try:
        with opened_parquet(path) as file:
            if unknown := set(file.schema_arrow.names) - set(layout.columns):
                raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
            for batch in file.iter_batches():
                yield from map(Row.of, batch.to_pylist())
    except TypeError as error:
        raise BadInput(f"{path}: its columns are not this version's ({error}); write the folder again") from None
