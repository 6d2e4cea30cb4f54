"""Count what the parquet files of a dataset folder contain, in one pass with one row group in memory at a time."""

import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from personamath.folder.layout import Files, Layout, Part, StepFile, TrainerFile, part_path
from personamath.folder.trainer_configs import TrainerConfig
from personamath.records import Row
from personamath.sources.tables import opened_parquet


def measure(folder: Path, layout: Layout) -> Files:
    """Measure every parquet file of the folder: step by step, then those for trainers."""
    steps = [part for part in layout.files if (folder / part_path(*part)).is_file()]
    trainers = [config for config in layout.trainer_configs if (folder / config.path).is_file()]
    return Files(
        [measure_file(folder, step, part, layout) for step, part in steps],
        [measure_trainer_file(folder, config) for config in trainers],
    )


def measure_file(folder: Path, step: str, part: Part, layout: Layout) -> StepFile:
    """Measure the file of one part of a step; it must have at least one row."""
    path = folder / part_path(step, part)
    with opened_parquet(path, f"{path} (config {step})") as file:
        first = file.read_row_group(0).slice(0, 1).to_pylist()[0]
        measured = StepFile(step, part, path.stat().st_size, example=Row.of(first))
        for group in range(file.num_row_groups):
            _add(measured, file.read_row_group(group, columns=layout.schema.names))
    return measured


def measure_trainer_file(folder: Path, config: TrainerConfig) -> TrainerFile:
    """Measure the file of a config for trainers."""
    path = folder / config.path
    with opened_parquet(path, f"{path} (config {config.name})") as file:
        rows = file.metadata.num_rows
        arrow_bytes = sum(file.read_row_group(group).nbytes for group in range(file.num_row_groups))
    return TrainerFile(config, path.stat().st_size, rows, arrow_bytes)


def by_step(files: Sequence[StepFile]) -> list[StepFile]:
    """Merge the files of each step into one; it keeps the first file's part and example."""
    steps: dict[str, StepFile] = {}
    for file in files:
        if (one := steps.get(file.step)) is None:
            steps[file.step] = deepcopy(file)
            continue
        for name in ("file_bytes", "rows", "arrow_bytes"):
            setattr(one, name, getattr(one, name) + getattr(file, name))
        for name in ("sources", "levels", "subjects", "overlaps", "problem_words", "response_words"):
            getattr(one, name).update(getattr(file, name))
    return list(steps.values())


def _add(measured: StepFile, rows: pa.Table) -> None:
    measured.rows += rows.num_rows
    measured.arrow_bytes += rows.nbytes
    measured.sources.update(_counts(rows["source"]))
    measured.levels.update(_counts(rows["level"]))
    measured.subjects.update(_counts(rows["subject"]))
    measured.overlaps.update(_counts(rows["overlap"]))
    measured.problem_words.update(_counts(_words(rows["problem"])))
    measured.response_words.update(_counts(_words(rows["response"])))


def _words(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.list_value_length(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(texts)))


def _counts(values: pa.ChunkedArray) -> dict[Any, int]:
    counted = values.drop_null().value_counts()
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))


@dataclass(frozen=True, slots=True)
class Lengths:
    """The lengths of some texts, in words."""

    least: int
    low: int
    """The 5th percentile."""
    median: int
    mean: float
    high: int
    """The 95th percentile."""
    most: int

    @classmethod
    def of(cls, words: Counter[int]) -> "Lengths":
        """Compute exact values from the number of texts of each length."""
        lengths = sorted(words)
        reached = list(accumulate(words[length] for length in lengths))
        mean = sum(length * count for length, count in words.items()) / reached[-1]

        def quantile(share: float) -> int:
            return next(length for length, sofar in zip(lengths, reached, strict=True) if sofar >= share * reached[-1])

        return cls(lengths[0], quantile(0.05), quantile(0.5), mean, quantile(0.95), lengths[-1])


def in_order(text: str) -> list[str | int]:
    """The key that sorts texts with the numbers in them by value: `level 2` before `level 10`."""
    return [int(part) if at % 2 else part for at, part in enumerate(re.split(r"(\d+)", text))]
