"""What the dataset folder looks like: configs, files, columns."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

import pyarrow as pa

from personamath.records import Overlap, Row, Step
from personamath.runs.funnel import STEPS

CARD = "README.md"
PROVENANCE = "provenance.json"
CHART = "assets/funnel.png"

CONFIGS: dict[str, tuple[Step, ...]] = {
    "default": STEPS,
    "strict": STEPS,
    "clean": STEPS,
    "stage1": ("stage1_inference", "stage1_rewrite"),
    "stage2": ("stage2_reflection", "stage2_rewrite"),
    **{step: (step,) for step in STEPS},
}
"""Every dataset config and the steps whose files it reads, `strict` and `clean` not all of them: see `holds`."""


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
    "flag": "What of its seed problem's numbers and LaTeX a rewritten problem lacks or adds, as far as a program can "
    "tell, e.g. `missing 12; new 15`; null where it keeps them and where nothing was rewritten.",
    "overlap": "How the seed problem or the problem overlaps with a test problem: `equal` but for white space, "
    "`masked` (for numbers as well), or `13-gram` (13 words in a row); the first that holds, null where none does.",
}

_ARROW_TYPES = {str: pa.string(), str | None: pa.string(), int: pa.int32(), int | None: pa.int32(), Step: pa.string()}
_ARROW_TYPES[Overlap | None] = pa.string()
SCHEMA = pa.schema([pa.field(name, _ARROW_TYPES[hint]) for name, hint in get_type_hints(Row).items()])
REQUIRED = frozenset(name for name, hint in get_type_hints(Row).items() if NoneType not in get_args(hint))
"""The columns that are never null."""
# A few MB: small enough to stream and to filter by, large enough to compress well.
ROW_GROUP_ROWS = 2_000


@dataclass(slots=True)
class StepFile:
    """One parquet file of the folder, measured."""

    step: Step
    part: Part
    file_bytes: int
    example: Row
    """Its first row."""
    rows: int = 0
    arrow_bytes: int = 0
    """Size in memory, which `dataset_info` calls num_bytes."""
    sources: Counter[str] = field(default_factory=Counter)
    """Rows by source; likewise by MATH level and subject and by overlap, where they have one."""
    levels: Counter[int] = field(default_factory=Counter)
    subjects: Counter[str] = field(default_factory=Counter)
    overlaps: Counter[str] = field(default_factory=Counter)
    problem_words: Counter[int] = field(default_factory=Counter)
    """Rows by the number of words in their problem; likewise in their response."""
    response_words: Counter[int] = field(default_factory=Counter)


def dataset_folder(source: Path) -> Path:
    """The dataset folder of a run directory; any other folder itself."""
    inside = source / "dataset"
    return inside if inside.is_dir() else source


def part_path(step: Step, part: Part) -> str:
    """Where the rows of a part of a step lie in the folder."""
    return f"{step}/{part.file_name}"


FILES = tuple((step, part) for step in STEPS for part in PARTS)
"""Every parquet file that a folder may have, in the order in which a config reads them."""


def holds(config: str, step: Step, part: Part) -> bool:
    """Whether a config reads a file: `strict` leaves flagged rows out, `clean` has none that were not compared."""
    left_out = {"strict": part.flagged, "clean": part.overlap != "clean"}
    return step in CONFIGS[config] and not left_out.get(config, False)


def members(config: str, files: Iterable[StepFile]) -> list[StepFile]:
    """Those of the files that a config reads."""
    return [file for file in files if holds(config, file.step, file.part)]


def card_configs(files: list[StepFile]) -> list[dict[str, Any]]:
    """The card's `configs`: those that have rows, the default first."""
    paths = {name: [part_path(file.step, file.part) for file in members(name, files)] for name in CONFIGS}
    return [
        {"config_name": name, "data_files": [{"split": "train", "path": paths[name]}]}
        | ({"default": True} if name == "default" else {})
        for name in CONFIGS
        if paths[name]
    ]


def dataset_info(files: list[StepFile]) -> list[dict[str, Any]]:
    """The card's `dataset_info`, counted from the files; `datasets` holds the rows it loads against it."""
    infos = []
    for name in CONFIGS:
        if read := members(name, files):
            arrow_bytes = sum(file.arrow_bytes for file in read)
            split = {"name": "train", "num_bytes": arrow_bytes, "num_examples": sum(file.rows for file in read)}
            infos.append(
                {
                    "config_name": name,
                    "features": [{"name": field.name, "dtype": str(field.type)} for field in SCHEMA],
                    "splits": [split],
                    "download_size": sum(file.file_bytes for file in read),
                    "dataset_size": arrow_bytes,
                }
            )
    return infos
