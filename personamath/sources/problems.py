"""Seed problems: from GSM8K and MATH in their own columns, or from a file of one's own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from personamath.answers import extract
from personamath.completion import mark_in, read_completion
from personamath.errors import BadInput
from personamath.files import in_one_line, is_unicode, local_path
from personamath.records import Problem
from personamath.sources.tables import HALF_A_PAIR, HubSplit, TableRow, read_file, read_hub

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
COLUMNS: dict[str, tuple[str, str]] = {"gsm8k": ("question", "answer"), "math": ("problem", "solution")}


_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class ProblemSource:
    """One `--problems` argument."""

    name: str
    """`gsm8k` or `math`, or a name of the user's own for other problems."""
    path: Path | None
    """A local file; None for the train split on the Hub."""
    columns: tuple[str, str]
    """Of the question, and of the answer or a solution that holds it."""

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
            f"problems {text!r}: write gsm8k or math; for a local file of theirs gsm8k:PATH or math:PATH; for a file "
            "of your own NAME:PATH:QUESTION_COLUMN:ANSWER_COLUMN, e.g. shop:mine.jsonl:question:answer"
        )

    @property
    def id_prefix(self) -> str:
        """`math-train` for the Hub's split; a file gives its name: `math-demo` for demo.jsonl or math-demo.jsonl."""
        if self.path is None:
            return f"{self.name}-train"
        stem = re.sub(r"-\d{5}-of-\d{5}$", "", self.path.stem)  # the Hub's own shard names
        name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-").removeprefix(f"{self.name}-")
        return f"{self.name}-{name}"

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
        repo, configs = (GSM8K_REPO, GSM8K_CONFIGS) if self.name == "gsm8k" else (MATH_REPO, MATH_CONFIGS)
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
    question, solution = (_text(source, column, row) for column in source.columns)
    subject = row.values.get("type" if source.name == "math" else "subject")
    if not is_unicode(question + solution + str(subject)):
        return Skipped(id, HALF_A_PAIR)
    # Reference solutions are models' work too, with the same remains in them.
    answer = _READERS.get(source.name, _any_answer)(read_completion(solution).answer)
    if not question.strip():
        return Skipped(id, "no question")
    if mark_in(question):
        return Skipped(id, "marks of reasoning or of a chat template in the question")
    if not answer or not answer.strip():
        return Skipped(id, "no reference answer")
    level = re.fullmatch(r"Level (\d)", str(row.values.get("level", "")))
    return Problem(
        id=id,
        source=source.name,
        question=question.strip(),
        answer=answer.strip(),
        level=int(level[1]) if level else None,
        subject=str(subject) if subject and source.name != "gsm8k" else None,
    )


def _text(source: ProblemSource, column: str, row: TableRow) -> str:
    """The text in a column, empty where it is null; in a file of the user's own an answer may be a number."""
    if column not in row.values:
        found, wanted = ", ".join(row.values) or "none", " and ".join(source.columns)
        raise BadInput(f"{row.place}: {source.name} problems need the text columns {wanted}; found {found}")
    value = row.values[column]
    if source.name not in COLUMNS and isinstance(value, int | float) and not isinstance(value, bool):
        return "" if value != value else str(value)  # a table writes its missing numbers as NaN
    if not isinstance(value, str | None):
        raise BadInput(f"{row.place}: {column} is {in_one_line(repr(value), 80)}; it must be text")
    return value or ""


def _gsm8k_answer(solution: str) -> str | None:
    """The line after `####` in GSM8K's answer column; what follows below it says something else."""
    _, marker, answer = solution.rpartition("####")
    return answer.strip().partition("\n")[0] if marker else None


def _any_answer(solution: str) -> str | None:
    """The answer in a column of the user's own: a solution with a box or `####`, or else the bare answer."""
    return extract(solution) or _gsm8k_answer(solution) or solution.strip().strip("$")


_READERS: dict[str, Callable[[str], str | None]] = {"gsm8k": _gsm8k_answer, "math": extract}
