"""The dataset folder: what is published, complete on disk, and what `load_dataset` opens there as on the Hub."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from personamath.errors import RunDirectoryError
from personamath.funnel import STEPS, Funnel
from personamath.recipe import Recipe
from personamath.records import Row, Step
from personamath_hub.cards import dataset_card
from personamath_hub.layout import SCHEMA, StepFile, step_path

# A few MB: small enough to stream and to filter by, large enough to compress well.
ROW_GROUP_ROWS = 2_000


def write_folder(folder: Path, rows: Iterable[Row], recipe: Recipe, funnel: Funnel) -> list[StepFile]:
    """Write parquet by step and the card computed from it; the folder is replaced as a whole, or not at all.

    Bytes depend on the rows, their order and the parquet writer's version alone. A step without rows has no file and
    no config of its own, because `datasets` refuses empty splits. Raises `RunDirectoryError` where the disk refuses.
    """
    partial = folder.with_name(folder.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        files = _write_parquet(partial, rows)
        (partial / "README.md").write_text(dataset_card(recipe, funnel, files), encoding="utf-8")
        _swap(partial, folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RunDirectoryError(
            f"cannot write {folder} ({error.strerror or error}); every answer is in the journal: "
            "make room, then run the same command"
        ) from None
    return files


def _swap(new: Path, folder: Path) -> None:
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write_parquet(folder: Path, rows: Iterable[Row]) -> list[StepFile]:
    writers: dict[Step, _StepWriter] = {}
    try:
        for row in rows:
            if row.step not in writers:
                writers[row.step] = _StepWriter(folder, row)
            writers[row.step].add(row)
    finally:
        files = {step: writer.close() for step, writer in writers.items()}
    return [files[step] for step in STEPS if step in files]


class _StepWriter:
    """One step's parquet file while it is written, a row group at a time."""

    def __init__(self, folder: Path, first: Row) -> None:
        self._first = first
        self._path = folder / step_path(first.step)
        self._path.parent.mkdir()
        self._rows = 0
        self._arrow_bytes = 0
        self._group: list[Row] = []
        self._writer = pq.ParquetWriter(
            self._path,
            SCHEMA,
            compression="zstd",
            # As `Dataset.to_parquet` does: an edited dataset shares most of its chunks with the version before.
            use_content_defined_chunking=True,
            write_page_index=True,
        )

    def add(self, row: Row) -> None:
        self._rows += 1
        self._group.append(row)
        if len(self._group) == ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        columns = [[getattr(row, name) for row in self._group] for name in SCHEMA.names]
        table = pa.table(columns, schema=SCHEMA)
        self._arrow_bytes += table.nbytes
        self._writer.write_table(table)
        self._group.clear()

    def close(self) -> StepFile:
        if self._group:
            self._flush()
        self._writer.close()
        return StepFile(self._first.step, self._rows, self._arrow_bytes, self._path.stat().st_size, example=self._first)
