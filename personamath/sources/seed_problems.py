"""Read seed problems from the rows of their sources."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from personamath.completion import mark_in, read_completion
from personamath.errors import BadInput
from personamath.files import in_one_line, is_unicode, is_visible
from personamath.records import Problem
from personamath.sources.problems import COLUMNS, ProblemSource
from personamath.sources.reference_answers import read_answer
from personamath.sources.rows import HALF_A_PAIR, TableRow

# The largest whole number that the column `level` of a dataset holds.
MOST_LEVEL = 2**31 - 1
_LEVEL = re.compile(r"(?:Level )?0*([1-9]\d{0,9})(?:\.0)?")
"""MATH's `Level 3`, or a number; a table of pandas with gaps makes 3.0 of it."""
# A slash would read as a rewrite of another problem, and white space would break commands that name a row.
_UNSAFE = re.compile(r"[^\w.+-]+")


class Skipped(NamedTuple):
    """A row that cannot be a seed problem."""

    id: str
    reason: str


def read_problems(
    sources: Sequence[ProblemSource], limit: int | None = None, *, solutions: bool = False
) -> Iterator[Problem | Skipped]:
    """Yield the first `limit` seed problems of each source, in order; unusable rows come as `Skipped`.

    Two rows ask the same question if their texts are equal except for white space; the first one is used. A row of the
    user's own with a column `id` is named by it, and any other row by its number. The problems carry their `solutions`
    only if asked to. Raises `BadInput`, which names the
    place, for a missing file, wrong columns or an incomplete line.
    """
    prefixes = [source.id_prefix for source in sources]
    for prefix in prefixes:
        if prefixes.count(prefix) > 1:
            raise BadInput(
                f"two problem sources would get the same ids {prefix}-00000, ...; rename one of the files, or give "
                "one source another NAME"
            )
    questions: set[int] = set()
    ids: set[int] = set()
    for source, prefix in zip(sources, prefixes, strict=True):
        for number, row in enumerate(source.rows()):
            if number == limit:
                break
            problem = _problem(source, f"{prefix}-{number:05}", row)
            if isinstance(problem, Problem):
                if solutions:
                    problem = replace(problem, solution=read_completion(solution_of(source, row)).answer)
                id, question = hash(problem.id), hash(" ".join(problem.question.split()))
                if id in ids:
                    problem = Skipped(f"{prefix}-{number:05}", "repeats the id of an earlier row")
                elif question in questions:
                    problem = Skipped(problem.id, "repeats an earlier question")
                else:
                    ids.add(id)
                    questions.add(question)
            yield problem


def as_text(value: str | int | float | Decimal) -> str:
    """A cell's text; empty for NaN, by which a table says that a number is missing, and without a needless `.0`."""
    if isinstance(value, (str, bool)):
        return str(value)
    if value != value:
        return ""
    if isinstance(value, (float, Decimal)) and abs(value) != float("inf"):
        text = f"{Decimal(str(value)):f}"
        return text.removesuffix(".0")
    return str(value)


def _problem(source: ProblemSource, numbered: str, row: TableRow) -> Problem | Skipped:
    question_column, answer_column = source.columns
    question = row.cell(question_column)
    if not isinstance(question, str | None):
        raise BadInput(f"{row.place}: {question_column} is {_shown(question)}; it must be text")
    question = question or ""
    solution, subject, own_id = solution_of(source, row), _subject(source, row), _own_id(source, row)
    if own_id == "":
        return Skipped(numbered, "no id in column id")
    id = numbered if own_id is None else f"{source.name}-{own_id}"
    if not is_unicode(question + solution + (subject or "") + id):
        return Skipped(numbered, HALF_A_PAIR)
    if not is_visible(question):
        return Skipped(id, f"no question in column {question_column}")
    if mark_in(question):
        return Skipped(id, "marks of reasoning or of a chat template in the question")
    # Reference solutions are models' work too, with the same remains in them.
    found = read_answer(source.name, read_completion(solution).answer)
    if found.answer is None:
        return Skipped(id, f"{found.why} in column {answer_column}")
    return Problem(
        id=id,
        source=source.name,
        question=question.strip(),
        answer=found.answer,
        level=_level(row.values.get("level")),
        subject=subject,
    )


def _is_own(source: ProblemSource) -> bool:
    """Whether these are the user's own problems, in columns of any kind."""
    return source.name not in COLUMNS


def solution_of(source: ProblemSource, row: TableRow) -> str:
    """The text with the answer, empty where it is null; in a file of the user's own it may be a number."""
    column = source.columns[1]
    value = row.cell(column)
    if isinstance(value, str | None):
        return value or ""
    if _is_own(source) and isinstance(value, (int, float, Decimal)):
        return as_text(value)
    wanted = "text or a number" if _is_own(source) else "text"
    raise BadInput(f"{row.place}: {column} is {_shown(value)}; it must be {wanted}")


def _level(value: Any) -> int | None:
    found = _LEVEL.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    return int(found[1]) if found and int(found[1]) <= MOST_LEVEL else None


def _subject(source: ProblemSource, row: TableRow) -> str | None:
    if source.name == "gsm8k":
        return None
    columns = ("type",) if source.name == "math" else ("subject", "type")
    value = next((row.values[column] for column in columns if row.values.get(column) is not None), None)
    return as_text(value).strip() or None if isinstance(value, (str, int, float)) else None


def _own_id(source: ProblemSource, row: TableRow) -> str | None:
    """The id in a row of the user's own, in characters that an id may have; None if the table has no column of ids."""
    if not _is_own(source) or "id" not in row.values:
        return None
    value = row.values["id"]
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadInput(f"{row.place}: id is {_shown(value)}; it must be text or a whole number")
    return _UNSAFE.sub("-", as_text(value).strip()).strip("-")


def _shown(value: Any) -> str:
    return in_one_line(repr(value), 80)
