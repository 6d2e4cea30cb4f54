"""Seed problems from GSM8K and MATH, in those datasets' own columns."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, cast

from personamath.answers import extract
from personamath.errors import BadInput
from personamath.records import Problem
from personamath.sources.tables import HubSplit, TableRow, read_file, read_hub

Kind = Literal["gsm8k", "math"]

# Where the train splits live on the Hub. MATH has a config for each subject; alphabetical, as its files are ordered.
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
"""What people call the known sources."""
COLUMNS: dict[Kind, tuple[str, ...]] = {"gsm8k": ("question", "answer"), "math": ("problem", "solution")}


@dataclass(frozen=True, slots=True)
class ProblemSource:
    """One `--problems` argument."""

    kind: Kind
    path: Path | None
    """A local file; None for the train split on the Hub."""

    @classmethod
    def parse(cls, text: str) -> "ProblemSource":
        """Read `gsm8k`, `math`, `gsm8k:PATH` or `math:PATH`."""
        kind, colon, path = text.partition(":")
        if kind not in COLUMNS or (colon and not path):
            raise BadInput(f"problems {text!r}: write gsm8k or math, or with a local file gsm8k:PATH or math:PATH")
        return cls(kind, Path(path) if path else None)

    @property
    def id_prefix(self) -> str:
        """`math-train` for the Hub's split; a file gives its name: `math-demo` for demo.jsonl or math-demo.jsonl."""
        if self.path is None:
            return f"{self.kind}-train"
        stem = re.sub(r"-\d{5}-of-\d{5}$", "", self.path.stem)  # the Hub's own shard names
        name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-").removeprefix(f"{self.kind}-")
        return f"{self.kind}-{name}"

    def rows(self) -> Iterator[TableRow]:
        """The source's rows, in its own columns."""
        if self.path is not None:
            yield from read_file(self.path)
            return
        for split in self.hub_splits():
            yield from read_hub(split)

    def hub_splits(self, split: str = "train") -> list[HubSplit]:
        """Where its rows, or those of another split, lie on the Hub, in order; none for a local file."""
        if self.path is not None:
            return []
        repo, configs = (GSM8K_REPO, GSM8K_CONFIGS) if self.kind == "gsm8k" else (MATH_REPO, MATH_CONFIGS)
        return [HubSplit(repo, config, split) for config in configs]


def source_label(source: str) -> str:
    """What people call a source."""
    return SOURCES.get(source, source)


class Skipped(NamedTuple):
    """A row that cannot be a seed problem."""

    id: str
    reason: str


def read_problems(sources: Sequence[ProblemSource], limit: int | None = None) -> Iterator[Problem | Skipped]:
    """Seed problems of all sources in order, the first `limit` of each; rows that cannot serve come as `Skipped`.

    Two rows ask the same question when their texts agree but for white space; the first stands.
    Raises `BadInput` for a missing file, wrong columns or a torn line, naming the place.
    """
    prefixes = [source.id_prefix for source in sources]
    for prefix in prefixes:
        if prefixes.count(prefix) > 1:
            raise BadInput(f"two problem sources would both make ids {prefix}-00000, ...; rename one of the files")
    seen: set[int] = set()
    for source, prefix in zip(sources, prefixes, strict=True):
        for number, row in enumerate(source.rows()):
            if number == limit:
                break
            problem = _problem(source, f"{prefix}-{number:05}", row)
            if isinstance(problem, Problem):
                text = hash(" ".join(problem.question.split()))
                if text in seen:
                    problem = Skipped(problem.id, "repeats an earlier question")
                seen.add(text)
            yield problem


def _problem(source: ProblemSource, id: str, row: TableRow) -> Problem | Skipped:
    question_column, solution_column = COLUMNS[source.kind]
    texts = [row.values.get(question_column, 0), row.values.get(solution_column, 0)]
    if not all(isinstance(text, str | None) for text in texts):
        found = ", ".join(row.values) or "none"
        raise BadInput(
            f"{row.place}: {source.kind} problems need the text columns {question_column} and {solution_column}; "
            f"found {found}"
        )
    question, solution = (cast(str | None, text) or "" for text in texts)
    if not _is_unicode(question + solution):
        return Skipped(id, "half a surrogate pair")
    answer = _gsm8k_answer(solution) if source.kind == "gsm8k" else extract(solution)
    if not question.strip():
        return Skipped(id, "no question")
    if not answer or not answer.strip():
        return Skipped(id, "no reference answer")
    level = re.fullmatch(r"Level (\d)", str(row.values.get("level", "")))
    return Problem(
        id=id,
        source=source.kind,
        question=question.strip(),
        answer=answer.strip(),
        level=int(level[1]) if level else None,
        subject=str(row.values["type"]) if source.kind == "math" and row.values.get("type") else None,
    )


def _is_unicode(text: str) -> bool:
    """JSON may escape half of a surrogate pair, which no file and no request can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _gsm8k_answer(solution: str) -> str | None:
    """What stands after `####` in GSM8K's answer column."""
    _, marker, answer = solution.rpartition("####")
    return answer if marker else None
