"""What the dataset folder looks like: configs, files, columns, as its method declares them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from personamath.methods.method import Outline, Step
from personamath.records import Row

CARD = "README.md"
PROVENANCE = "provenance.json"
CHART = "assets/funnel.png"
FORMAT_VERSION = 2
"""Of provenance.json. In format 1 the persona method was the only one: it has no `method`, and rows no such column."""


class Part(NamedTuple):
    """Which rows of a step share a file, so that configs which leave rows out store none twice."""

    overlap: Literal["unchecked", "clean", "overlap"]
    """Whether they overlap with test problems; `unchecked` where they were not compared with any."""
    flagged: bool

    @classmethod
    def of(cls, row: Row, *, compared: bool) -> "Part":
        """The part of a row; `compared` where it was compared with test problems."""
        overlap: Literal["clean", "overlap"] = "overlap" if row.overlap else "clean"
        return cls(overlap if compared else "unchecked", row.flag is not None)

    @property
    def file_name(self) -> str:
        """E.g. `train-clean-sound.parquet`, or where nothing was compared `train-sound.parquet`."""
        words = [] if self.overlap == "unchecked" else [self.overlap]
        return f"train-{'-'.join([*words, 'flagged' if self.flagged else 'sound'])}.parquet"


PARTS = tuple(map(Part._make, product(("unchecked", "clean", "overlap"), (False, True))))
"""In the order in which a config reads them."""

COLUMNS = {
    "id": "Begins with the id of its seed problem: `math-train-00042` is a seed problem, and the id of whatever was "
    "made from it begins with `math-train-00042/`.",
    "problem": "The question.",
    "response": "The solution to train on, with its final answer boxed.",
    "answer": "Reference final answer, which the response's boxed answer equals.",
    "source": "Where the seed problem comes from, e.g. `gsm8k` or `math`.",
    "method": "The method that made the row.",
    "step": "The method's step that made the row.",
    "seed_id": "Id of the seed problem.",
    "seed_problem": "The seed problem's question.",
    "level": "The seed problem's level, e.g. MATH's from 1 to 5; null where its source gives none (GSM8K, and MATH's "
    "`Level ?`).",
    "subject": "The seed problem's subject, e.g. one of MATH's seven; null where its source gives none (GSM8K).",
    "teacher": "The model that wrote the rewrite and the response.",
    "request": "Digest of the request that produced the response, a key of the run's journal.",
    "flag": "What of its seed problem's numbers and LaTeX a rewritten problem lacks or adds, as far as a program can "
    "tell, e.g. `missing 12; new 15`; null where it keeps them and where nothing was rewritten.",
    "overlap": "How the seed problem or the problem overlaps with a test problem: `equal` but for white space, "
    "`masked` (for numbers as well), or `13-gram` (13 words in a row); the first that holds, null where none does.",
}
"""The columns of every dataset, in their order; the method's own come after `subject`."""
COLUMNS_OF_FORMAT_1 = (
    *("id", "problem", "response", "answer", "source", "stage", "step", "seed_id", "seed_problem", "level", "subject"),
    *("persona", "review", "teacher", "request", "flag", "overlap"),
)
NUMBERS = frozenset({"level"})
NULLABLE = frozenset({"level", "subject", "flag", "overlap"})
_METHODS_COLUMNS_AFTER = "subject"
# A few MB: small enough to stream and to filter by, large enough to compress well.
ROW_GROUP_ROWS = 2_000


@dataclass(slots=True)
class StepFile:
    """One parquet file of the folder, measured."""

    step: str
    part: Part
    file_bytes: int
    example: Row
    """Its first row."""
    rows: int = 0
    arrow_bytes: int = 0
    """Size in memory, which `dataset_info` calls num_bytes."""
    sources: Counter[str] = field(default_factory=Counter)
    """Rows by source; the next three by MATH level and subject and by overlap, where they have one."""
    levels: Counter[int] = field(default_factory=Counter)
    subjects: Counter[str] = field(default_factory=Counter)
    overlaps: Counter[str] = field(default_factory=Counter)
    problem_words: Counter[int] = field(default_factory=Counter)
    """Rows by the number of words in their problem; `response_words` in their response."""
    response_words: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Layout:
    """The configs, files and columns of a method's dataset."""

    outline: Outline
    format_version: int = FORMAT_VERSION

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The method's steps."""
        return self.outline.steps

    @cached_property
    def configs(self) -> Mapping[str, tuple[str, ...]]:
        """Every config and the steps whose files it reads, `strict` and `clean` not all of them: see `holds`."""
        all_steps = tuple(step.name for step in self.steps)
        return {
            "default": all_steps,
            "strict": all_steps,
            "clean": all_steps,
            **{name: config.steps for name, config in self.outline.configs.items()},
            **{step: (step,) for step in all_steps},
        }

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Every column with its text for the card."""
        columns: dict[str, str] = {}
        for name, says in COLUMNS.items():
            columns[name] = says
            if name == _METHODS_COLUMNS_AFTER:
                columns |= {own: column.says for own, column in self.outline.columns.items()}
        return {name: columns[name] for name in COLUMNS_OF_FORMAT_1} if self.format_version == 1 else columns

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns' types."""
        numbers = NUMBERS | {name for name, column in self.outline.columns.items() if column.type == "number"}
        return pa.schema([pa.field(name, pa.int32() if name in numbers else pa.string()) for name in self.columns])

    @cached_property
    def required(self) -> frozenset[str]:
        """The columns that are never null."""
        return frozenset(COLUMNS) & frozenset(self.columns) - NULLABLE

    @cached_property
    def files(self) -> tuple[tuple[str, Part], ...]:
        """Step and part of every parquet file that a folder may have, in the order in which a config reads them."""
        return tuple((step.name, part) for step in self.steps for part in PARTS)

    def holds(self, config: str, step: str, part: Part) -> bool:
        """Whether a config reads a file: `strict` has no flagged rows, `clean` none that were not compared."""
        left_out = {"strict": part.flagged, "clean": part.overlap != "clean"}
        return step in self.configs[config] and not left_out.get(config, False)

    def members(self, config: str, files: Iterable[StepFile]) -> list[StepFile]:
        """Those of the files that a config reads."""
        return [file for file in files if self.holds(config, file.step, file.part)]

    def card_configs(self, files: list[StepFile]) -> list[dict[str, Any]]:
        """The card's `configs`: those that have rows, the default first."""
        paths = {name: [part_path(file.step, file.part) for file in self.members(name, files)] for name in self.configs}
        return [
            {"config_name": name, "data_files": [{"split": "train", "path": paths[name]}]}
            | ({"default": True} if name == "default" else {})
            for name in self.configs
            if paths[name]
        ]

    def dataset_info(self, files: list[StepFile]) -> list[dict[str, Any]]:
        """The card's `dataset_info`, counted from the files; `datasets` compares the rows it loads with it."""
        infos = []
        for name in self.configs:
            if read := self.members(name, files):
                arrow_bytes = sum(file.arrow_bytes for file in read)
                split = {"name": "train", "num_bytes": arrow_bytes, "num_examples": sum(file.rows for file in read)}
                infos.append(
                    {
                        "config_name": name,
                        "features": [{"name": column.name, "dtype": str(column.type)} for column in self.schema],
                        "splits": [split],
                        "download_size": sum(file.file_bytes for file in read),
                        "dataset_size": arrow_bytes,
                    }
                )
        return infos

    def table(self, rows: Sequence[Row]) -> pa.Table:
        """Rows as a table in these columns."""
        return pa.table([[row.column(name) for row in rows] for name in self.schema.names], schema=self.schema)


def dataset_folder(source: Path) -> Path:
    """The dataset folder of a run directory; any other folder itself."""
    inside = source / "dataset"
    return inside if inside.is_dir() else source


def part_path(step: str, part: Part) -> str:
    """Where the rows of a part of a step lie in the folder."""
    return f"{step}/{part.file_name}"
