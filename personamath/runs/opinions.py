"""Second opinions: solve rewrites again blindly, and count in RUN/second_opinion.json how often the answer is the same.

Blind solving is a method too: its seed problems are the rewrites, and it makes no rows.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from personamath.errors import BadInput, RunDirectoryError
from personamath.files import read_json, written_whole
from personamath.methods.method import Kind, Method, Outline, Step
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.requests import Requests
from personamath.methods.work import KEPT, NO_ANSWER, WRONG, Outcome, Work
from personamath.records import Problem, Request, Row, Solution

FILE_NAME = "second_opinion.json"
STEP = "second_opinion"


class Opinion(NamedTuple):
    """Counts of the blind solves of one rewrite."""

    request: str | None
    """`Row.request` of the rewritten row; a row that is made again under the same id has another one."""
    solves: int
    """Completions that the model ended itself; a completion that was cut short says nothing about the problem."""
    right: int
    """Solves that reach the answer of the seed problem."""


class Tally(NamedTuple):
    """Counts over many opinions."""

    solved: int
    """Rewrites with at least one solve."""
    majority: int
    """Rewrites for which more than half of the solves are right."""
    none: int
    """Rewrites for which no solve is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSolves(Method):
    """Solve each problem `times` times, without knowing the answer."""

    times: int

    prompts: ClassVar[Mapping[str, Prompt]] = {"inference": INFERENCE}
    outline: ClassVar[Outline] = Outline(
        method=STEP,
        title="blind solves",
        how="",
        cite="",
        steps=(Step(STEP, "second opinion", "none"),),
        kinds=(Kind(STEP, "solve a rewrite again", STEP, "solve"),),
    )

    def first_request(self, seed: Problem, requests: Requests) -> Request:
        """Return the first blind solve. Sample 0 is skipped: it made the row's own solution, right by selection."""
        return requests.solve(STEP, seed.question, sample=1)

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """Solve and keep no row; the outcome's counts show how often the answer is right."""
        await asyncio.gather(*(work.solve(seed, STEP, sample) for sample in range(1, self.times + 1)))
        return []


def as_problem(row: Row) -> Problem:
    """Return the problem of a row, to solve it again."""
    return Problem(row.id, row.source, row.problem, row.answer, row.level, row.subject)


def opinion_of(row: Row, outcome: Outcome) -> Opinion:
    """Count the blind solves of a row's problem."""
    ended = sum(outcome.counts[STEP, reason] for reason in (KEPT, WRONG, NO_ANSWER))
    return Opinion(row.request, ended, outcome.counts[STEP, KEPT])


def tally(opinions: Iterable[Opinion]) -> Tally:
    """Count opinions."""
    some = [one for one in opinions if one.solves]
    return Tally(len(some), sum(2 * one.right > one.solves for one in some), sum(not one.right for one in some))


def write_opinions(run: Path, opinions: Iterable[tuple[Row, Opinion]]) -> None:
    """Write the whole file; raise `RunDirectoryError` if the disk refuses."""
    content = {row.id: {"flag": row.flag, **opinion._asdict()} for row, opinion in opinions}
    path = run / FILE_NAME
    try:
        with written_whole(path) as partial:
            partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {error.strerror}") from None


def read_opinions(run: Path) -> Mapping[str, Opinion] | None:
    """Read opinions by row id; None if there is no file. Raises `BadInput` for a foreign file."""
    path, remedy = run / FILE_NAME, "run the same `personamath opinion` command again"
    if not path.exists():
        return None
    try:
        return {
            id: Opinion(str(one["request"]), int(one["solves"]), int(one["right"]))
            for id, one in read_json(path, remedy).items()
        }
    except (ValueError, TypeError, LookupError, AttributeError):
        raise BadInput(f"{path}: PersonaMath did not write this file; {remedy}") from None
