"""Run a recipe: every way of asking a teacher uses this one function.

The command line, a pilot, second opinions, the demo, notebooks and the workers of a cluster differ in their seed
problems, in the memory that keeps the answers, and in the sink that receives the outcomes.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from personamath.answers import Grader
from personamath.journal.journaled import JournaledTeacher, Memory
from personamath.methods.work import Runner
from personamath.recipe import Recipe
from personamath.records import Completion, Persona, Problem, Teacher
from personamath.runs.pipeline import Line, Sink
from personamath.teachers.prices import Bill, Caps, Prices
from personamath.teachers.routed import OverHttp, RoutedTeacher
from personamath.teachers.serve import ServedTeacher
from personamath.teachers.slots import Slots
from personamath.teachers.waves import WINDOW, WaveTeacher

# Seed problems in progress beyond the requests in flight, so that no slot is empty while answers are graded.
SPARE = 8

Beside = Callable[[JournaledTeacher], AbstractAsyncContextManager[None]]
"""A context around a run while it asks."""


@asynccontextmanager
async def unwatched(_: object) -> AsyncIterator[None]:
    """Do nothing beside the run."""
    yield


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run asked and paid."""

    asked: int
    """Requests that the teacher answered in this run."""
    replayed: int
    """Requests answered from the journal."""
    reused: int
    """Requests answered from the journals of other runs."""
    bill: Bill
    """The cost of all answers in the run directory."""
    paid_now: float
    """USD paid in this run; 0 if no price is known."""
    answer_s: float | None
    """Mean seconds from sending a request to its whole answer; None if nothing was asked."""


async def run(
    recipe: Recipe,
    seeds: Iterable[tuple[int, Problem]],
    teacher: Teacher,
    memory: Memory,
    sink: Sink,
    *,
    personas: Sequence[Persona] = (),
    concurrency: int | Slots = 256,
    window: int | None = None,
    prices: Prices | None = None,
    caps: Caps | None = None,
    grader: Grader | None = None,
    watch: Beside = unwatched,
    other_runs: Callable[[str], Completion | None] = lambda _: None,
    programs: Runner | None = None,
) -> Asked:
    """Augment seed problems, each with its position, by the recipe's method, and pass the outcomes to `sink`.

    `teacher` is open and stays open. `memory` answers first if it can, and keeps every new answer. At most
    `concurrency` requests are in flight; it may also be the slots of the teacher, or slots shared with others. `window`
    seed problems are in progress, by default a few more than there may be requests in flight: each has at least one
    request under way, and holds its results in memory. A wave teacher sets both itself.
    `other_runs` finds an answer that another run has, by the request's digest. `programs` runs what the teacher writes,
    for a method that needs it.
    Raises the `PersonaMathError` that ends a run, after the requests in flight have arrived.
    """
    waved = isinstance(teacher, WaveTeacher)
    slots = Slots.fixed(sys.maxsize if waved else concurrency) if isinstance(concurrency, int) else concurrency
    room = slots.and_spare(SPARE) if window is None and not waved else Slots.fixed(WINDOW if waved else window or 1)
    asking = JournaledTeacher(
        memory,
        teacher,
        slots,
        prices,
        caps,
        teacher.stop if isinstance(teacher, OverHttp) else None,
        teacher.ready if isinstance(teacher, ServedTeacher) else None,
        other_runs,
    )
    paid_before = asking.bill.usd
    if isinstance(teacher, OverHttp | WaveTeacher):
        teacher.thrown_away = asking.pay_for
        answered = {one.model for one in asking.bill.paid() if one.answers}
        if isinstance(teacher, RoutedTeacher):
            teacher.answered_before(answered)
        elif answered.issuperset(recipe.models):
            teacher.answered_before()
    async with AsyncExitStack() as stack:
        judge = grader if grader else await stack.enter_async_context(Grader())
        if isinstance(teacher, WaveTeacher):
            _watch_waves(teacher, asking, judge)
        await stack.enter_async_context(watch(asking))
        line = Line(
            recipe.method,
            recipe.requests,
            asking,
            judge,
            tuple(personas),
            recipe.rng_seed,
            recipe.keep_reasoning,
            recipe.preference,
            programs,
        )
        await line.augment_all(seeds, room, sink, asking.end)
    paid_now = asking.bill.usd - paid_before
    return Asked(asking.asked, asking.replayed, asking.reused, asking.bill, paid_now, asking.answer_s)


def _watch_waves(teacher: WaveTeacher, asking: JournaledTeacher, grader: Grader) -> None:
    """Let the wave teacher see the work between an answer and the requests that follow from it."""
    teacher.waves.watch(
        running=lambda: asking.in_flight - teacher.waves.waiting + grader.deciding,
        steps=lambda: asking.asked + asking.replayed + asking.reused,
    )
