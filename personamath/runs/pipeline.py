"""Run a method on a bounded window of seed problems, and return the rows in the order of the problems."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import NoReturn, Protocol, Self

from personamath.errors import PersonaMathError, RunDirectoryError
from personamath.journal.file_format import answer_sha256
from personamath.methods import Method
from personamath.methods.contract import checked
from personamath.methods.reasoning import COLUMN, reasoning_of
from personamath.methods.reflection import WRONG_RESPONSE
from personamath.methods.requests import Requests
from personamath.methods.work import Grader, Outcome, Runner, Work
from personamath.records import Completion, Persona, Problem, Row, Solution, Teacher
from personamath.teachers.slots import Slots

_values: Callable[[Row], tuple[object, ...]] = attrgetter(*(each.name for each in fields(Row)))
"""Like `dataclasses.astuple`, which is ten times slower because it copies the values."""


class Sink(Protocol):
    """Receives the outcomes of seed problems, in the order in which they finish."""

    def add(self, position: int, outcome: Outcome) -> None:
        """Take the outcome of the seed problem at this position."""
        ...


class Spool:
    """Stores rows and answer digests on disk until all have arrived, so that one slow problem delays no other.

    It is a scratch SQLite file in the run directory; each run creates it and removes it at its end.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "rows.partial"

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        with ExitStack() as stack, self._refusals():
            self._scratch = stack.enter_context(closing(sqlite3.connect(self._path.absolute(), isolation_level=None)))
            stack.callback(self._path.unlink, missing_ok=True)
            # Scratch: nothing in it survives a crash, or has to.
            self._scratch.execute("pragma journal_mode = off")
            self._scratch.execute("pragma synchronous = off")
            self._scratch.execute("pragma locking_mode = exclusive")
            self._scratch.execute(
                "create table rows (position, number, json, primary key (position, number)) without rowid"
            )
            self._scratch.execute("create table answers (request, sha256)")
            self._scratch.execute("begin")
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, position: int, outcome: Outcome) -> None:
        """Store the rows of the seed problem at this position, and the digests of the answers it used."""
        with self._refusals():
            self._scratch.executemany(
                "insert into rows values (?, ?, ?)",
                ((position, number, json.dumps(_values(row))) for number, row in enumerate(outcome.rows)),
            )
            self._scratch.executemany("insert into answers values (?, ?)", digests(outcome))

    def rows(self) -> Iterator[Row]:
        """Yield all rows in the order of the seed problems."""
        with self._refusals():
            for (text,) in self._scratch.execute("select json from rows order by position, number"):
                yield Row(*json.loads(text))

    def answers(self) -> Iterator[tuple[str, bytes]]:
        """Yield request digest and SHA-256 of every answer used, in any order and possibly twice."""
        with self._refusals():
            yield from self._scratch.execute("select request, sha256 from answers")

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Raise `RunDirectoryError` where the disk refuses."""
        try:
            yield
        except sqlite3.Error as error:
            raise RunDirectoryError(
                f"cannot write {self._path} ({error}); every answer is in the journal: "
                "make room, then run the same command"
            ) from None


class Outcomes:
    """Keeps outcomes in memory, for runs with few seed problems."""

    def __init__(self) -> None:
        self._by_position: dict[int, Outcome] = {}

    def add(self, position: int, outcome: Outcome) -> None:
        """Take the outcome of the seed problem at this position."""
        self._by_position[position] = outcome

    def in_order(self) -> list[Outcome]:
        """Return all outcomes in the order of the seed problems."""
        return [self._by_position[position] for position in sorted(self._by_position)]


def digests(outcome: Outcome) -> Iterator[tuple[str, bytes]]:
    """Yield request digest and SHA-256 of every answer used for a seed problem."""
    for request, completion in outcome.answers.items():
        yield request, answer_sha256(request, completion.finish_reason, completion.text)


def new_first(
    problems: Callable[[], Iterable[Problem]], is_begun: Callable[[Problem], bool]
) -> Iterator[tuple[int, Problem]]:
    """Yield problems with their positions: first those that have not begun, then the others.

    So a resumed run sends new requests at once, and reads the journal's answers later. `problems` is called twice,
    because remembering the problems would cost memory.
    """
    begun = bytearray()
    for position, seed in enumerate(problems()):
        begun.append(is_begun(seed))
        if not begun[-1]:
            yield position, seed
    if any(begun):
        yield from ((position, seed) for position, seed in enumerate(problems()) if begun[position])


@dataclass(frozen=True, slots=True)
class Line:
    """A method and everything that it needs to augment a seed problem."""

    method: Method
    requests: Requests
    teacher: Teacher
    grader: Grader
    personas: tuple[Persona, ...] = ()
    rng_seed: int = 0
    keep_reasoning: bool = False
    preference: bool = False
    programs: Runner | None = None

    async def augment(self, seed: Problem) -> Outcome:
        """Return everything that the method makes from one seed problem."""
        work = Work(self.requests, self.teacher, self.grader, self.personas, self.rng_seed, self.programs)
        outline = self.method.outline
        solutions = checked(await self.method.augment(seed, work), seed, outline, work.outcome)
        fixed = {step.name: step.fixed for step in outline.steps}
        work.outcome.rows = [
            _row(solution, seed, outline.method, self._model(solution, work), fixed[solution.step])
            for solution in solutions
        ]
        if self.keep_reasoning:
            work.outcome.rows = [_with_reasoning(row, work.outcome.answers) for row in work.outcome.rows]
        if self.preference:
            work.outcome.rows = [
                _with(row, WRONG_RESPONSE, work.corrected.get(row.request or "")) for row in work.outcome.rows
            ]
        return work.outcome

    def _model(self, solution: Solution, work: Work) -> str | None:
        """The model that wrote a response; None if nobody was asked."""
        if solution.request is None:
            return None
        return work.models.get(solution.request, self.requests.teacher.model)

    async def augment_all(
        self,
        seeds: Iterable[tuple[int, Problem]],
        room: Slots,
        sink: Sink,
        end: Callable[[PersonaMathError], Awaitable[NoReturn]],
    ) -> None:
        """Augment every seed problem, as many at a time as there is `room` for, and pass the outcomes to `sink`.

        Seeds come with their positions, in any order. Raises the first `PersonaMathError` that ends a run, through
        `end`, which lets what is in flight arrive; a request that failed shows only in the outcome. Any other error
        is the method's, and is raised as it is, with a note that names the seed problem.
        """

        async def work(position: int, seed: Problem) -> None:
            try:
                try:
                    outcome = await self.augment(seed)
                except Exception as error:
                    error.add_note(f"The method {self.method.outline.method!r} was at work on {seed.id}.")
                    raise
                sink.add(position, outcome)
            except PersonaMathError as error:
                await end(error)
            room.give_back()

        try:
            async with asyncio.TaskGroup() as group:
                try:
                    await room.take()
                    for position, seed in seeds:
                        group.create_task(work(position, seed))
                        await room.take()
                except PersonaMathError as error:
                    await end(error)
        except* Exception as errors:
            # The same reason reaches every task; one is enough.
            raise _first(errors) from None


def _row(solution: Solution, seed: Problem, method: str, teacher: str | None, fixed: Mapping[str, str | int]) -> Row:
    problem = solution.problem
    return Row(
        id=problem.id,
        problem=problem.question,
        response=solution.response,
        answer=problem.answer,
        source=problem.source,
        method=method,
        step=solution.step,
        seed_id=seed.id,
        seed_problem=seed.question,
        level=problem.level,
        subject=problem.subject,
        teacher=teacher,
        request=solution.request,
        columns={**fixed, **solution.columns},
    )


def _with_reasoning(row: Row, answers: Mapping[str, Completion]) -> Row:
    """A row with what the teacher thought before its response."""
    answer = answers.get(row.request) if row.request else None
    return _with(row, COLUMN, reasoning_of(answer) if answer else None)


def _with(row: Row, column: str, text: str | None) -> Row:
    """A row with one more column."""
    return replace(row, columns={**row.columns, column: text})


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    """One error of a group: what was raised on purpose, if anything was."""
    on_purpose, _ = errors.split(PersonaMathError)
    error = (on_purpose or errors).exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
