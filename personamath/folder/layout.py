"""The layout of a dataset folder: its configs, files and columns, as the method declares them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from personamath.folder.arrow_arrays import strings, whole_numbers
from personamath.folder.trainer_configs import PREFERENCE, TRAINER_CONFIGS, TrainerConfig
from personamath.methods.method import Outline, Step
from personamath.methods.reflection import WRONG_RESPONSE
from personamath.records import Row

CARD = "README.md"
PROVENANCE = "provenance.json"
CHART = "assets/funnel.png"
FORMAT_VERSION = 3
"""Format of a dataset folder, which its provenance.json states. Format 1 has only the persona method, so neither the
file nor the rows have a `method`. Formats 1 and 2 have no configs for trainers."""
_FIRST_WITH_TRAINER_CONFIGS = 3


class Part(NamedTuple):
    """A group of a step's rows that share a file; so configs that leave rows out need no second copy of the others."""

    overlap: Literal["unchecked", "clean", "overlap"]
    """Whether the rows overlap with test problems; `unchecked` if they were not compared with any."""
    flagged: bool

    @classmethod
    def of(cls, row: Row, *, compared: bool) -> "Part":
        """Return the part of a row; `compared` says whether it was compared with test problems."""
        overlap: Literal["clean", "overlap"] = "overlap" if row.overlap else "clean"
        return cls(overlap if compared else "unchecked", row.flag is not None)

    @property
    def file_name(self) -> str:
        """E.g. `train-clean-sound.parquet`, or `train-sound.parquet` if nothing was compared."""
        words = [] if self.overlap == "unchecked" else [self.overlap]
        return f"train-{'-'.join([*words, 'flagged' if self.flagged else 'sound'])}.parquet"


PARTS = tuple(map(Part._make, product(("unchecked", "clean", "overlap"), (False, True))))
"""All parts, in the order in which a config reads them."""

COLUMNS = {
    "id": "Begins with the id of its seed problem: `math-train-00042` is a seed problem, and the ids of rows made from "
    "it begin with `math-train-00042/`.",
    "problem": "The question.",
    "response": "The solution to train on, with its final answer boxed.",
    "answer": "Reference final answer; the response's boxed answer equals it.",
    "source": "Source of the seed problem, e.g. `gsm8k` or `math`.",
    "method": "The method that made the row.",
    "step": "The method's step that made the row.",
    "seed_id": "Id of the seed problem.",
    "seed_problem": "The seed problem's question.",
    "level": "The seed problem's level, e.g. MATH's from 1 to 5; null if its source gives none (GSM8K, and MATH's "
    "`Level ?`).",
    "subject": "The seed problem's subject, e.g. one of MATH's seven; null if its source gives none (GSM8K).",
    "teacher": "The model that was asked for the rewrite and the response.",
    "request": "Digest of the request that produced the response; a key of the run's journal.",
    "flag": "Numbers and LaTeX of the seed problem that a rewritten problem lacks or adds, as far as a program can "
    "tell, e.g. `missing 12; new 15`; null if it preserves them, or if nothing was rewritten.",
    "overlap": "How the seed problem or the problem overlaps with a test problem: `equal` (except for white space), "
    "`masked` (equal except for white space and numbers) or `13-gram` (13 words in a row in common). The first rule "
    "that holds counts; null if none holds.",
}
"""The columns of every dataset in their order; the method's own columns follow `subject`."""
COLUMNS_OF_FORMAT_1 = (
    *("id", "problem", "response", "answer", "source", "stage", "step", "seed_id", "seed_problem", "level", "subject"),
    *("persona", "review", "teacher", "request", "flag", "overlap"),
)
NUMBERS = frozenset({"level"})
NULLABLE = frozenset({"level", "subject", "flag", "overlap"})
OF_THE_TEACHER = frozenset({"teacher", "request"})
"""Null if the method asks nobody."""
_METHODS_COLUMNS_AFTER = "subject"
# A row group takes a few MB: small enough to stream and filter, large enough to compress well.
ROW_GROUP_ROWS = 2_000


@dataclass(slots=True)
class StepFile:
    """The measurements of one parquet file of the folder."""

    step: str
    part: Part
    file_bytes: int
    example: Row
    """Its first row."""
    rows: int = 0
    arrow_bytes: int = 0
    """Size in memory; `dataset_info` calls it num_bytes."""
    sources: Counter[str] = field(default_factory=Counter)
    """Rows by source; the next three count rows by level, subject and overlap, where they have one."""
    levels: Counter[int] = field(default_factory=Counter)
    subjects: Counter[str] = field(default_factory=Counter)
    overlaps: Counter[str] = field(default_factory=Counter)
    problem_words: Counter[int] = field(default_factory=Counter)
    """Rows by the number of words in their problem."""
    response_words: Counter[int] = field(default_factory=Counter)
    """Rows by the number of words in their response."""


@dataclass(frozen=True, slots=True)
class TrainerFile:
    """The measurements of the file of a config for trainers."""

    config: TrainerConfig
    file_bytes: int
    rows: int
    arrow_bytes: int


class Files(NamedTuple):
    """The measured parquet files of a folder."""

    steps: list[StepFile]
    trainers: list[TrainerFile]


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
        """Every config of rows and its steps; `strict` and `clean` read only some of a step's files, see `holds`."""
        all_steps = tuple(step.name for step in self.steps)
        return {
            "default": all_steps,
            "strict": all_steps,
            "clean": all_steps,
            **{name: config.steps for name, config in self.outline.configs.items()},
            **{step: (step,) for step in all_steps},
        }

    @cached_property
    def trainer_configs(self) -> tuple[TrainerConfig, ...]:
        """The configs for trainers that the folder may have; `preference` needs its column."""
        if self.format_version < _FIRST_WITH_TRAINER_CONFIGS:
            return ()
        return tuple(one for one in TRAINER_CONFIGS if one != PREFERENCE or WRONG_RESPONSE in self.outline.columns)

    def files_for(self, config: TrainerConfig) -> tuple[tuple[str, Part], ...]:
        """Step and part of every possible file whose rows a config for trainers takes: none that overlap."""
        steps = [step.name for step in self.steps if config.takes(step)]
        return tuple((step, part) for step, part in self.files if step in steps and part.overlap != "overlap")

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Every column with its description for the card."""
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
        nobody = frozenset() if self.outline.kinds else OF_THE_TEACHER
        return frozenset(COLUMNS) & frozenset(self.columns) - NULLABLE - nobody

    @cached_property
    def files(self) -> tuple[tuple[str, Part], ...]:
        """Step and part of every possible parquet file, in the order in which a config reads them."""
        return tuple((step.name, part) for step in self.steps for part in PARTS)

    def holds(self, config: str, step: str, part: Part) -> bool:
        """Whether a config reads a file: `strict` skips flagged rows; `clean` skips overlapping and unchecked rows."""
        left_out = {"strict": part.flagged, "clean": part.overlap != "clean"}
        return step in self.configs[config] and not left_out.get(config, False)

    def members(self, config: str, files: Iterable[StepFile]) -> list[StepFile]:
        """Return the files that a config reads."""
        return [file for file in files if self.holds(config, file.step, file.part)]

    def card_configs(self, files: Files) -> list[dict[str, Any]]:
        """Return the card's `configs`: all configs with rows, the default first."""
        paths: dict[str, str | list[str]] = {
            name: [part_path(file.step, file.part) for file in self.members(name, files.steps)] for name in self.configs
        }
        paths |= {file.config.name: file.config.path for file in files.trainers}
        return [
            {"config_name": name, "data_files": [{"split": "train", "path": path}]}
            | ({"default": True} if name == "default" else {})
            for name, path in paths.items()
            if path
        ]

    def dataset_info(self, files: Files) -> list[dict[str, Any]]:
        """Return the card's `dataset_info`, counted from the files; `datasets` checks the rows it loads against it."""
        read = {name: self.members(name, files.steps) for name in self.configs}
        infos = [_info(name, self.schema, members) for name, members in read.items() if members]
        return infos + [_info(file.config.name, file.config.schema, [file]) for file in files.trainers]

    def table(self, rows: Sequence[Row]) -> pa.Table:
        """Return the rows as a table with these columns."""
        arrays = [_array([row.column(field.name) for row in rows], field.type) for field in self.schema]
        return pa.Table.from_arrays(arrays, schema=self.schema)


def dataset_folder(source: Path) -> Path:
    """Return the dataset folder of a run directory, or any other folder unchanged."""
    inside = source / "dataset"
    return inside if inside.is_dir() else source


def part_path(step: str, part: Part) -> str:
    """Return the path, inside the folder, of the file with one part of a step."""
    return f"{step}/{part.file_name}"


def _info(config: str, schema: pa.Schema, files: Sequence[StepFile | TrainerFile]) -> dict[str, Any]:
    arrow_bytes = sum(file.arrow_bytes for file in files)
    split = {"name": "train", "num_bytes": arrow_bytes, "num_examples": sum(file.rows for file in files)}
    return {
        "config_name": config,
        "features": list(map(_feature, schema)),
        "splits": [split],
        "download_size": sum(file.file_bytes for file in files),
        "dataset_size": arrow_bytes,
    }


def _array(values: list[Any], of: pa.DataType) -> pa.Array:
    return whole_numbers(values) if of == pa.int32() else strings(values)


def _feature(field: pa.Field) -> dict[str, Any]:
    """Describe a column as `datasets` does on cards."""
    if pa.types.is_list(field.type):
        return {"name": field.name, "list": list(map(_feature, field.type.value_type.fields))}
    return {"name": field.name, "dtype": str(field.type)}
