"""A bounded window of seed problems through the stages, and their rows back in the order of the problems."""

import asyncio
import dataclasses
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import NoReturn, Protocol, Self

from personamath.errors import PersonaMathError, RunDirectoryError
from personamath.runs.funnel import Funnel
from personamath.records import Problem, Row
from personamath.methods.persona.stages import Stages

_values: Callable[[Row], tuple[object, ...]] = attrgetter(*(field.name for field in dataclasses.fields(Row)))
"""As `dataclasses.astuple`, which also copies the values and takes ten times as long."""


class RowSink(Protocol):
    """What takes the rows of seed problems, in whatever order they are done."""

    def add(self, position: int, rows: Iterable[Row]) -> None:
        """Put the rows of the seed problem at this position."""
        ...


class Spool:
    """Rows on disk until all are there, so that one slow problem holds up neither the others nor the memory.

    A scratch SQLite file in the run directory, made anew by each run and removed at its end.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "rows.partial"

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        self._rows = sqlite3.connect(self._path, isolation_level=None)
        # Scratch: nothing in it survives a crash, or has to.
        self._rows.execute("pragma journal_mode = off")
        self._rows.execute("pragma synchronous = off")
        self._rows.execute("pragma locking_mode = exclusive")
        self._rows.execute("create table rows (position, number, json, primary key (position, number)) without rowid")
        self._rows.execute("begin")
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()
        self._path.unlink(missing_ok=True)

    def add(self, position: int, rows: Iterable[Row]) -> None:
        """Put the rows of the seed problem at this position."""
        try:
            self._rows.executemany(
                "insert into rows values (?, ?, ?)",
                ((position, number, json.dumps(_values(row))) for number, row in enumerate(rows)),
            )
        except sqlite3.Error as error:
            raise RunDirectoryError(
                f"cannot write {self._path} ({error}); every answer is in the journal: "
                "make room, then run the same command"
            ) from None

    def rows(self) -> Iterator[Row]:
        """All rows, in the order of the seed problems."""
        for (text,) in self._rows.execute("select json from rows order by position, number"):
            yield Row(*json.loads(text))


def new_first(
    problems: Callable[[], Iterable[Problem]], is_begun: Callable[[Problem], bool]
) -> Iterator[tuple[int, Problem]]:
    """Problems with their positions: those that are not begun yet, then the others.

    So a run that goes on asks at once, and reads what it has from the journal when everything else is asked. `problems`
    is called twice, because to remember the problems would cost memory.
    """
    begun = bytearray()
    for position, seed in enumerate(problems()):
        begun.append(is_begun(seed))
        if not begun[-1]:
            yield position, seed
    if any(begun):
        yield from ((position, seed) for position, seed in enumerate(problems()) if begun[position])


async def augment(
    stages: Stages,
    problems: Iterable[tuple[int, Problem]],
    window: int,
    sink: RowSink,
    funnel: Funnel,
    end: Callable[[PersonaMathError], Awaitable[NoReturn]],
) -> None:
    """Take every seed problem through the stages, `window` of them at a time; fills `sink` and `funnel`.

    Problems come with their positions, in any order. Raises the first `PersonaMathError` that ends a run, by way of
    `end`, which lets what is in flight arrive; a request that failed only shows in the funnel.
    """
    waiting = iter(problems)

    async def work() -> None:
        try:
            for position, seed in waiting:
                outcome = await stages.augment(seed)
                sink.add(position, outcome.rows)
                funnel.add(outcome)
                await asyncio.sleep(0)  # a problem answered from the journal alone has not let anyone else run
        except PersonaMathError as error:
            await end(error)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(window):
                group.create_task(work())
    except* PersonaMathError as errors:
        # The same reason reaches every task; one line is enough.
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[PersonaMathError]) -> PersonaMathError:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
