"""Running a recipe: the one function that every way of asking a teacher goes through.

The command line, a pilot, second opinions, the demo, notebooks and the workers of a cluster differ in which seed
problems they bring, in what remembers the answers and in what takes the outcomes.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from personamath.answers import Grader
from personamath.journal.journaled import JournaledTeacher, Memory
from personamath.recipe import Recipe
from personamath.records import Persona, Problem, Teacher
from personamath.runs.pipeline import Line, Sink
from personamath.teachers.http import HttpTeacher
from personamath.teachers.prices import Bill, Caps, Prices
from personamath.teachers.waves import WINDOW, WaveTeacher

Beside = Callable[[JournaledTeacher], AbstractAsyncContextManager[None]]
"""What goes on beside a run as long as it asks."""


@asynccontextmanager
async def unwatched(_: object) -> AsyncIterator[None]:
    """Nothing goes on beside the run."""
    yield


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run asked, and what it cost."""

    asked: int
    """Requests answered by the teacher, this time."""
    replayed: int
    """Requests answered from the journal."""
    bill: Bill
    """Of all answers in the run directory."""
    paid_now: float
    """USD, for what was asked this time; 0 where no price is known."""
    answer_s: float | None
    """Mean seconds from asking to the whole answer; None where nothing was asked."""


async def run(
    recipe: Recipe,
    seeds: Iterable[tuple[int, Problem]],
    teacher: Teacher,
    memory: Memory,
    sink: Sink,
    *,
    total: int,
    personas: Sequence[Persona] = (),
    concurrency: int | asyncio.Semaphore = 256,
    window: int = 256,
    prices: Prices | None = None,
    caps: Caps | None = None,
    grader: Grader | None = None,
    watch: Beside = unwatched,
) -> Asked:
    """Take `total` seed problems, each with its position, through the recipe's method, and give the outcomes to `sink`.

    `teacher` is open and stays open. `memory` is asked before the teacher, and keeps every new answer. At most
    `concurrency` requests are in flight and `window` seed problems at work; a teacher that is asked in waves sets both
    itself. Raises the `PersonaMathError` that ends a run, after what was in flight has arrived.
    """
    waved = isinstance(teacher, WaveTeacher)
    asking = JournaledTeacher(
        memory,
        teacher,
        sys.maxsize if waved else concurrency,
        prices,
        caps,
        teacher.stop if isinstance(teacher, HttpTeacher) else None,
    )
    paid_before = asking.bill.usd
    if isinstance(teacher, HttpTeacher | WaveTeacher):
        teacher.thrown_away = asking.pay_for
        if any(one.answers and one.model == recipe.teacher for one in asking.bill.paid()):
            teacher.answered_before()
    async with AsyncExitStack() as stack:
        judge = grader if grader else await stack.enter_async_context(Grader())
        if isinstance(teacher, WaveTeacher):
            _watch_waves(teacher, asking, judge)
        await stack.enter_async_context(watch(asking))
        line = Line(recipe.method, recipe.requests, asking, judge, tuple(personas), recipe.rng_seed)
        await line.augment_all(seeds, min(WINDOW if waved else window, total), sink, asking.end)
    return Asked(asking.asked, asking.replayed, asking.bill, asking.bill.usd - paid_before, asking.answer_s)


def _watch_waves(teacher: WaveTeacher, asking: JournaledTeacher, grader: Grader) -> None:
    """Let waves see what goes on between an answer and the questions that follow from it."""
    teacher.waves.watch(
        running=lambda: asking.in_flight - teacher.waves.waiting + grader.deciding,
        steps=lambda: asking.asked + asking.replayed,
    )
