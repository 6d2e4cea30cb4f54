"""Read seed problems from the rows of their sources."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from personamath.answers import extract
from personamath.completion import mark_in, read_completion
from personamath.errors import BadInput
from personamath.files import in_one_line, is_unicode
from personamath.records import Problem
from personamath.sources.problems import COLUMNS, ProblemSource
from personamath.sources.tables import HALF_A_PAIR, TableRow


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
