"""Write the dataset folder: everything to publish, complete on disk; `load_dataset` opens it as it would on the Hub."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from personamath.errors import RunDirectoryError
from personamath.folder.card import FolderFacts, dataset_card
from personamath.folder.flags import describe_drift
from personamath.folder.funnel_chart import draw_funnel
from personamath.folder.layout import CARD, CHART, PROVENANCE, ROW_GROUP_ROWS, Layout, Part, part_path
from personamath.folder.overlap import TestProblems, strongest
from personamath.folder.parquet_writer import parquet_writer
from personamath.folder.provenance import Origins, provenance
from personamath.folder.trainer_files import write_trainer_files
from personamath.recipe import Recipe
from personamath.records import Row

# The rows of a seed problem follow one another, and each looks up the same seed problem.
CACHED_TEXTS = 64


def write_folder(
    folder: Path,
    rows: Iterable[Row],
    recipe: Recipe,
    counts: Mapping[str, Any],
    origins: Origins | None = None,
    journal: Mapping[str, Any] | None = None,
) -> None:
    """Write the parquet files, provenance.json, the chart and the card; replace the whole folder or nothing.

    `counts` is the run's funnel as a dict, `journal` the digest of the answers it used. The bytes depend only on the
    arguments, the order of the rows and the package versions. A step without rows has no file and no config, because
    `datasets` refuses empty splits. This function fills the columns `flag` and `overlap`. Without `origins`,
    provenance.json only names the recipe's sources, and the rows are not compared with test problems. Raises
    `RunDirectoryError` if the disk refuses.
    """
    origins = origins or Origins.named(recipe)
    layout = Layout(recipe.outline)
    occupations: Counter[str] = Counter()
    checked = _counted(_checked(rows, origins.test_problems, layout), origins.occupations, occupations)
    compared = origins.test_problems is not None
    write_checked(
        folder, checked, layout, lambda: provenance(recipe, counts, origins, journal, occupations), compared=compared
    )


def write_checked(
    folder: Path, rows: Iterable[Row], layout: Layout, facts_of: Callable[[], Mapping[str, Any]], *, compared: bool
) -> None:
    """Write a dataset folder from rows whose `flag` and `overlap` are known; replace the whole folder or nothing.

    `facts_of` returns the content of provenance.json, once all rows are written. `compared` says whether the rows were
    compared with test problems. Raises `RunDirectoryError` if the disk refuses.
    """
    partial = folder.with_name(folder.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / CHART).parent.mkdir(parents=True)
        _write_parquet(partial, rows, layout, compared=compared)
        write_trainer_files(partial, layout)
        facts = facts_of()
        text = (
            json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
        )  # keys are not sorted: the order of columns and configs matters
        (partial / PROVENANCE).write_text(text, encoding="utf-8")
        (partial / CHART).write_bytes(draw_funnel(facts["funnel"]["requests"], layout.outline))
        (partial / CARD).write_text(dataset_card(FolderFacts.read(partial)), encoding="utf-8")
        _swap(partial, folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RunDirectoryError(
            f"cannot write {folder} ({error.strerror or error}): make room or choose another --output, then run the "
            "same command; no answer and no earlier dataset is lost"
        ) from None


def _checked(rows: Iterable[Row], test_problems: TestProblems | None, layout: Layout) -> Iterator[Row]:
    """Fill in the rows' `flag` (differences from the seed problem) and `overlap` (with test problems)."""
    reworded = {step.name for step in layout.steps if step.rewrites}
    look_up = lru_cache(CACHED_TEXTS)(test_problems.overlap) if test_problems else lambda _: None
    for row in rows:
        persona = str(row.columns.get("persona") or "") or None
        flag = describe_drift(row.seed_problem, row.problem, persona) if row.step in reworded else None
        yield replace(row, flag=flag, overlap=strongest(look_up(row.seed_problem), look_up(row.problem)))


def _counted(rows: Iterable[Row], occupation_of: Mapping[str, str], occupations: Counter[str]) -> Iterator[Row]:
    """Pass the rows through, and count them by their persona's occupation, if known."""
    for row in rows:
        if occupation := occupation_of.get(str(row.columns.get("persona"))):
            occupations[occupation] += 1
        yield row


def _swap(new: Path, folder: Path) -> None:
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write_parquet(folder: Path, rows: Iterable[Row], layout: Layout, *, compared: bool) -> None:
    writers: dict[str, _PartWriter] = {}
    try:
        for row in rows:
            path = part_path(row.step, Part.of(row, compared=compared))
            if path not in writers:
                writers[path] = _PartWriter(folder / path, layout)
            writers[path].add(row)
    finally:
        for writer in writers.values():
            writer.close()


class _PartWriter:
    """Writes one parquet file, one row group at a time."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._layout = layout
        self._group: list[Row] = []
        self._writer = parquet_writer(path, layout.schema)

    def add(self, row: Row) -> None:
        self._group.append(row)
        if len(self._group) == ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(self._layout.table(self._group))
        self._group.clear()

    def close(self) -> None:
        if self._group:
            self._flush()
        self._writer.close()
