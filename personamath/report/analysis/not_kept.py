"""What a run did not keep: rejected rewrites, wrong solutions and unrecovered reflections, each with its reason.

A dataset has only the rows that were kept. The rest is in the run's journal, and so is everything that a method needs
to decide again: the run is replayed from the journal, and each request is noted with what became of it. Nothing is
asked and nothing is written.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from personamath.answers import Grader
from personamath.completion import read_completion
from personamath.errors import NotAsked
from personamath.journal.reader import JournalReader, reading
from personamath.methods.draw import rank
from personamath.methods.work import PASSED, UNANSWERED, Work
from personamath.recipe import Recipe
from personamath.records import Completion, Dropped, Persona, Problem, Request, Row, Solution, Teacher

# Most examples of each kind of request and reason. A reader looks at dozens of each. At the paper's size, 200 of each
# make the page about an eighth larger; all of them would double it.
MOST_OF_EACH = 200
# Any number: it only fixes which seed problems come first where there are more than `MOST_OF_EACH` examples.
RNG_SEED = 0
# How the id of a rewritten problem names its persona.
PERSONA_IN_ID = re.compile(r"/p(\d{4,})$")


@dataclass(frozen=True, slots=True)
class NotKept:
    """A request whose answer led to no row and to no usable rewrite."""

    id: str
    """Of the problem that it was asked for, e.g. `math-train-00042/p0317`; a row and several requests may share it."""
    seed: Problem
    kind: str
    """Of request, e.g. `stage1_rewrite: rewrite`."""
    reason: str
    """As the funnel counts it, e.g. `wrong answer`."""
    problem: str | None
    """The question that the answer was graded for; None for a request that was not graded."""
    answer: str
    """The reference answer of that question, else of the seed problem."""
    persona: str | None
    prompt: str
    """As it was sent."""
    text: str
    """The teacher's answer, without its reasoning."""
    teacher: str
    request: str
    """Digest of the request, a key of the journal."""


class Lost(NamedTuple):
    """What a run did not keep."""

    shown: tuple[NotKept, ...]
    """In the order of the seed problems; at most `MOST_OF_EACH` of each kind of request and reason."""
    counts: Mapping[tuple[str, str], int]
    """By kind of request and reason, how many there are; requests without an answer are not among them."""


def read_lost(
    run: Path,
    recipe: Recipe,
    seeds: Sequence[Problem],
    personas: Sequence[Persona],
    rows: Iterable[Row],
    requests: Mapping[str, Mapping[str, int]],
    most: int = MOST_OF_EACH,
) -> Lost:
    """Replay a run from its journal; `requests` counts its requests by kind and outcome, as provenance.json does.

    At most `most` examples of each kind and reason are shown. Which ones is a function of the run.
    Raises `RunDirectoryError` if the journal cannot be read.
    """
    counts = {
        (kind, reason): count
        for kind, outcomes in requests.items()
        for reason, count in outcomes.items()
        if reason not in (*PASSED, *UNANSWERED)
    }
    wanted = Counter({each: min(count, most) for each, count in counts.items()})
    kept = {(row.id, row.request) for row in rows}
    with reading(run) as journal:
        replay = _Replay(recipe, _FromJournal(journal), personas, kept)
        found = asyncio.run(_examples(replay, sorted(seeds, key=lambda seed: rank(seed.id, RNG_SEED)), wanted))
    order = {seed.id: place for place, seed in enumerate(seeds)}
    return Lost(tuple(sorted(found, key=lambda one: order[one.seed.id])), counts)


async def _examples(replay: "_Replay", seeds: Iterable[Problem], wanted: Counter[tuple[str, str]]) -> list[NotKept]:
    """The first examples of each kind and reason, until there are as many as wanted."""
    found: list[NotKept] = []
    async with Grader() as grader:
        for seed in seeds:
            if not wanted.total():
                break
            for one in await replay.of(seed, grader):
                if wanted[one.kind, one.reason] > 0:
                    wanted[one.kind, one.reason] -= 1
                    found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class _Replay:
    recipe: Recipe
    teacher: Teacher
    personas: Sequence[Persona]
    kept: Collection[tuple[str, str | None]]
    """The rows of the dataset, by id and request."""

    async def of(self, seed: Problem, grader: Grader) -> list[NotKept]:
        """What was not kept of one seed problem, in the order in which it was asked."""
        recipe = self.recipe
        work = _Traced(recipe.requests, self.teacher, grader, tuple(self.personas), recipe.rng_seed)
        await recipe.method.augment(seed, work)
        return list(self._not_kept(seed, work))

    def _not_kept(self, seed: Problem, work: "_Traced") -> Iterator[NotKept]:
        for asked in work.asked:
            answered = work.outcome.answers.get(asked.request.digest)
            if asked.reason in (None, *PASSED, *UNANSWERED) or answered is None:
                continue
            if (asked.id, asked.request.digest) in self.kept:  # an earlier version, which made the rows, kept it
                continue
            problem = asked.problem or seed
            yield NotKept(
                id=asked.id,
                seed=seed,
                kind=asked.request.purpose,
                reason=str(asked.reason),
                problem=asked.problem.question if asked.problem else None,
                answer=problem.answer,
                persona=self._persona(asked.id),
                prompt=asked.request.prompt,
                text=read_completion(answered.text).answer.strip() or answered.text,
                teacher=asked.request.model,
                request=asked.request.digest,
            )

    def _persona(self, id: str) -> str | None:
        found = PERSONA_IN_ID.search(id)
        place = int(found[1]) if found else len(self.personas)
        return self.personas[place].description if place < len(self.personas) else None


@dataclass(slots=True)
class _Asked:
    """A request, and what became of its answer."""

    id: str
    request: Request
    task: asyncio.Task[Any] | None
    """The task that asked; what it counts next is this request."""
    reason: str | None = None
    problem: Problem | None = None


class _Traced(Work):
    """The work on one seed problem, which also notes what became of each request."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[_Asked] = []

    async def ask(self, request: Request, problem_id: str) -> Completion | Dropped:
        """Note the request, and ask it."""
        self.asked.append(_Asked(problem_id, request, asyncio.current_task()))
        return await super().ask(request, problem_id)

    async def judge(self, problem: Problem, request: Request, response: str) -> Solution:
        """Note the problem, and grade the response."""
        for asked in self._with(request.digest, problem.id):
            asked.problem = problem
        return await super().judge(problem, request, response)

    def count(self, purpose: str, reason: str, requests: Collection[str] | None = None) -> None:
        """Count, and note the reason."""
        super().count(purpose, reason, requests)
        if requests is None:
            task = asyncio.current_task()
            last = (asked for asked in reversed(self.asked) if asked.task is task and asked.request.purpose == purpose)
            self._note(last, reason)
        else:
            for digest in requests:
                self._note(self._with(digest), reason)

    def recount(self, purpose: str, reason: str, solution: Solution) -> None:
        """Count anew, and note the other reason."""
        super().recount(purpose, reason, solution)
        for asked in self._with(solution.request, solution.problem.id):
            asked.reason = reason

    def _with(self, digest: str | None, id: str | None = None) -> Iterator[_Asked]:
        return (asked for asked in self.asked if asked.request.digest == digest and id in (None, asked.id))

    @staticmethod
    def _note(among: Iterator[_Asked], reason: str) -> None:
        """Note the reason of the first of these that has none yet."""
        if asked := next((asked for asked in among if asked.reason is None), None):
            asked.reason = reason


@dataclass(frozen=True, slots=True)
class _FromJournal:
    """A teacher that only knows the answers of a run."""

    journal: JournalReader

    async def complete(self, request: Request) -> Completion:
        """Return the answer in the journal. Raises `NotAsked` if the journal has no answer to this request."""
        completion = self.journal.get(request.digest)
        if completion is None:
            raise NotAsked("not in the journal")
        return completion
