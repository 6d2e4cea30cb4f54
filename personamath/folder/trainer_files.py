"""Compute the files of the configs for trainers from the rows' files, with few row groups in memory at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from personamath.folder.layout import ROW_GROUP_ROWS, Layout, part_path
from personamath.folder.parquet_writer import parquet_writer
from personamath.folder.trainer_configs import TrainerConfig
from personamath.sources.tables import opened_parquet


def write_trainer_files(folder: Path, layout: Layout) -> None:
    """Write the file of each config for trainers that has examples, beside the rows' files, which are complete."""
    for config in layout.trainer_configs:
        groups = examples(folder, layout, config)
        if (first := next(groups, None)) is None:
            continue
        with parquet_writer(folder / config.path, config.schema) as writer:
            writer.write_table(first)
            for group in groups:
                writer.write_table(group)


def examples(folder: Path, layout: Layout, config: TrainerConfig) -> Iterator[pa.Table]:
    """Compute the examples of a config in the order of the rows' files; each table is a row group of its file."""
    return _in_groups(config.examples(_rows(folder, layout, config)))


def _rows(folder: Path, layout: Layout, config: TrainerConfig) -> Iterator[pa.Table]:
    """Read the columns that a config is computed from, one row group after another."""
    paths = (folder / part_path(step, part) for step, part in layout.files_for(config))
    for path in paths:
        if path.is_file():
            with opened_parquet(path) as file:
                for group in range(file.num_row_groups):
                    yield file.read_row_group(group, columns=list(config.reads))


def _in_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables, and cut them into row groups."""
    rest: pa.Table | None = None
    for table in tables:
        rest = table if rest is None else pa.concat_tables([rest, table])
        while rest.num_rows >= ROW_GROUP_ROWS:
            yield rest.slice(0, ROW_GROUP_ROWS).combine_chunks()
            rest = rest.slice(ROW_GROUP_ROWS)
    if rest is not None and rest.num_rows:
        yield rest.combine_chunks()
