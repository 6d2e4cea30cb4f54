"""Read a dataset folder: its provenance and its rows."""

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
    """Read a folder's provenance.json; raise `BadInput` if it is missing."""
    return read_json(folder / PROVENANCE, "give a run directory, a dataset folder or owner/name@v1.0.0")


def read_rows(folder: Path) -> tuple[Row, ...]:
    """Read all rows of a dataset folder, step by step; raise `BadInput` if there are none or one is unreadable."""
    layout = layout_of(read_provenance(folder), folder / PROVENANCE)
    paths = [path for step in layout.steps for path in sorted((folder / step.name).glob("*.parquet"))]
    rows = tuple(row for path in paths for row in _rows(path, layout))
    if not rows:
        raise BadInput(f"{folder}: contains no rows; is it a dataset folder?")
    if unknown := {row.step for row in rows} - {step.name for step in layout.steps}:
        raise BadInput(
            f"{folder}: {PROVENANCE} lacks the steps {', '.join(sorted(unknown))} of its rows; write the folder again"
        )
    return rows


def _rows(path: Path, layout: Layout) -> Iterator[Row]:
    try:
        with opened_parquet(path) as file:
            if unknown := set(file.schema_arrow.names) - set(layout.columns):
                raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
            for batch in file.iter_batches():
                yield from map(Row.of, batch.to_pylist())
    except TypeError as error:
        raise BadInput(f"{path}: its columns do not match this version's ({error}); write the folder again") from None
