"""Read seed problems from GSM8K and MATH, in their original columns, or from the user's own file."""

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


class Skipped(NamedTuple):
    """A row that cannot be a seed problem."""

    id: str
    reason: str


def read_problems(sources: Sequence[ProblemSource], limit: int | None = None) -> Iterator[Problem | Skipped]:
    """Yield the first `limit` seed problems of each source, in order; unusable rows come as `Skipped`.

    Two rows ask the same question if their texts are equal except for white space; the first one is used. Raises
    `BadInput`, which names the place, for a missing file, wrong columns or an incomplete line.
    """
    prefixes = [source.id_prefix for source in sources]
    for prefix in prefixes:
        if prefixes.count(prefix) > 1:
            raise BadInput(f"two problem sources would get the same ids {prefix}-00000, ...; rename one of the files")
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
    """Return the line after `####` in GSM8K's answer column; lines below it say something else."""
    _, marker, answer = solution.rpartition("####")
    return answer.strip().partition("\n")[0] if marker else None


def _any_answer(solution: str) -> str | None:
    """Return the answer from a user's column: from a solution with a box or `####`, else the column's whole text."""
    return extract(solution) or _gsm8k_answer(solution) or solution.strip().strip("$")


_READERS: dict[str, Callable[[str], str | None]] = {"gsm8k": _gsm8k_answer, "math": extract}
