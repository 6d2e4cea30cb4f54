"""Sources of seed problems: GSM8K and MATH on the Hub, local copies of them, and files of the user's own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from personamath.errors import BadInput
from personamath.files import local_path
from personamath.sources.tables import HubSplit, TableRow, read_file, read_hub

# Repositories of the train splits on the Hub. MATH has one config per subject, in alphabetical order like its files.
GSM8K_REPO, GSM8K_CONFIGS = "openai/gsm8k", ("main",)
MATH_REPO = "EleutherAI/hendrycks_math"
MATH_CONFIGS = (
    "algebra",
    "counting_and_probability",
    "geometry",
    "intermediate_algebra",
    "number_theory",
    "prealgebra",
    "precalculus",
)
SOURCES: dict[str, str] = {"gsm8k": "GSM8K", "math": "MATH"}
"""Display names of the known sources."""
COLUMNS: dict[str, tuple[str, str]] = {"gsm8k": ("question", "answer"), "math": ("problem", "solution")}


_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class ProblemSource:
    """One `--problems` argument."""

    name: str
    """`gsm8k` or `math`, or a name chosen by the user for other problems."""
    path: Path | None
    """A local file; None for the train split on the Hub."""
    columns: tuple[str, str]
    """Names of two columns: the question, and the answer or a solution that contains it."""

    @classmethod
    def parse(cls, text: str) -> "ProblemSource":
        """Read `gsm8k`, `math`, `gsm8k:PATH`, `math:PATH` or `NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN`."""
        name, colon, rest = text.partition(":")
        if name in COLUMNS and (not colon or rest):
            path = local_path(rest) if rest else None
            if path is None or ":" not in path.name or path.exists():  # a path may have a colon of its own
                return cls(name, path, COLUMNS[name])
        place, *columns = rest.rsplit(":", 2)
        if name not in COLUMNS and _NAME.fullmatch(name) and len(columns) == 2 and place and all(columns):
            return cls(name, local_path(place), (columns[0], columns[1]))
        raise BadInput(
            f"problems {text!r}: write gsm8k or math; for a local copy of either gsm8k:PATH or math:PATH; for your own "
            "file NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN, e.g. shop:mine.jsonl:question:answer"
        )

    @property
    def id_prefix(self) -> str:
        """`math-train` for the split on the Hub; from the file name otherwise, e.g. `math-demo` for math-demo.jsonl."""
        if self.path is None:
            return f"{self.name}-train"
        stem = re.sub(r"-\d{5}-of-\d{5}$", "", self.path.stem)  # the Hub's own shard names
        name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-").removeprefix(f"{self.name}-")
        return f"{self.name}-{name}"

    def rows(self) -> Iterator[TableRow]:
        """Yield the source's rows in their original columns."""
        if self.path is not None:
            yield from read_file(self.path)
            return
        for split in self.hub_splits():
            yield from read_hub(split)

    def hub_splits(self, split: str = "train") -> list[HubSplit]:
        """Return the places of its rows on the Hub, in order, or of another split; empty for a local file."""
        if self.path is not None:
            return []
        repo, configs = (GSM8K_REPO, GSM8K_CONFIGS) if self.name == "gsm8k" else (MATH_REPO, MATH_CONFIGS)
        return [HubSplit(repo, config, split) for config in configs]


def source_label(source: str) -> str:
    """Return the display name of a source."""
    return SOURCES.get(source, source)
