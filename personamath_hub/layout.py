"""What the dataset folder looks like: configs, files, columns."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import pyarrow as pa

from personamath.funnel import STEPS
from personamath.records import Row, Step

CARD = "README.md"
PROVENANCE = "provenance.json"
CHART = "assets/funnel.png"

CONFIGS: dict[str, tuple[Step, ...]] = {
    "default": STEPS,
    "stage1": ("stage1_inference", "stage1_rewrite"),
    "stage2": ("stage2_reflection", "stage2_rewrite"),
    **{step: (step,) for step in STEPS},
}
"""Every dataset config and the steps whose files it reads; no row is stored twice."""

COLUMNS = {
    "id": "Tells the ancestry: `math-train-00042` is a seed problem, `math-train-00042/p0317` the same problem "
    "rewritten for persona 317.",
    "problem": "The question.",
    "response": "The solution to train on, with its final answer boxed; in stage 2 the corrected explanation only.",
    "answer": "Reference final answer, which the response's boxed answer equals.",
    "source": "`gsm8k` or `math`.",
    "stage": "1 (persona diversification) or 2 (reflection).",
    "step": "`stage1_inference`, `stage1_rewrite`, `stage2_reflection` or `stage2_rewrite`.",
    "seed_id": "Id of the seed problem.",
    "seed_problem": "The seed problem's question.",
    "level": "The seed problem's level in MATH, 1 to 5; null in GSM8K and where MATH says `Level ?`.",
    "subject": "The seed problem's subject in MATH; null in GSM8K.",
    "persona": "The persona the problem was rewritten for; null where nothing was rewritten.",
    "review": "Stage 2's review of the incorrect explanation; null in stage 1 and where the teacher wrote none.",
    "teacher": "The model that wrote the rewrite and the response.",
    "request": "Digest of the request that produced the response, a key of the run's journal.",
}

_ARROW_TYPES = {str: pa.string(), str | None: pa.string(), int: pa.int32(), int | None: pa.int32(), Step: pa.string()}
SCHEMA = pa.schema([pa.field(name, _ARROW_TYPES[hint]) for name, hint in get_type_hints(Row).items()])
REQUIRED = frozenset(name for name, hint in get_type_hints(Row).items() if NoneType not in get_args(hint))
"""The columns that are never null."""
# A few MB: small enough to stream and to filter by, large enough to compress well.
ROW_GROUP_ROWS = 2_000


@dataclass(slots=True)
class StepFile:
    """One parquet file of the folder, measured."""

    step: Step
    file_bytes: int
    example: Row
    """Its first row."""
    rows: int = 0
    arrow_bytes: int = 0
    """Size in memory, which `dataset_info` calls num_bytes."""
    sources: Counter[str] = field(default_factory=Counter)
    """Rows by source; likewise by MATH level and subject, where they have one."""
    levels: Counter[int] = field(default_factory=Counter)
    subjects: Counter[str] = field(default_factory=Counter)
    problem_words: Counter[int] = field(default_factory=Counter)
    """Rows by the number of words in their problem; likewise in their response."""
    response_words: Counter[int] = field(default_factory=Counter)


def dataset_folder(source: Path) -> Path:
    """The dataset folder of a run directory; any other folder itself."""
    inside = source / "dataset"
    return inside if inside.is_dir() else source


def step_path(step: Step) -> str:
    """Where a step's rows lie in the folder."""
    return f"{step}/train-00000-of-00001.parquet"


def card_configs(files: list[StepFile]) -> list[dict[str, Any]]:
    """The card's `configs`: those that have rows, the default first."""
    there = {file.step for file in files}
    return [
        {"config_name": name, "data_files": [{"split": "train", "path": [step_path(s) for s in steps if s in there]}]}
        | ({"default": True} if name == "default" else {})
        for name, steps in CONFIGS.items()
        if there.intersection(steps)
    ]


def dataset_info(files: list[StepFile]) -> list[dict[str, Any]]:
    """The card's `dataset_info`, counted from the files; `datasets` holds the rows it loads against it."""
    infos = []
    for name, steps in CONFIGS.items():
        if members := [file for file in files if file.step in steps]:
            arrow_bytes = sum(file.arrow_bytes for file in members)
            split = {"name": "train", "num_bytes": arrow_bytes, "num_examples": sum(file.rows for file in members)}
            infos.append(
                {
                    "config_name": name,
                    "features": [{"name": field.name, "dtype": str(field.type)} for field in SCHEMA],
                    "splits": [split],
                    "download_size": sum(file.file_bytes for file in members),
                    "dataset_size": arrow_bytes,
                }
            )
    return infos
