"""Gather requests into waves, for a teacher that takes many at once in a file.

The stages have no barrier: each seed problem's coroutine asks when it can. A wave is all requests that wait once
nothing runs that could ask for more: no answer is on its way to the journal, no grade is being decided, every coroutine
waits.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from personamath.errors import PersonaMathError, RequestFailed
from personamath.records import Completion, Request
from personamath.teachers.prices import Paid, ThrownAway, not_counted
from personamath.teachers.refusals import Retry

# Seed problems in the stages at once. Each keeps its texts and its coroutines in memory while it waits (see
# docs/BENCHMARKS.md). The paper's 15,000 all fit, so its run is four waves.
WINDOW = 25_000
# After this many turns of the event loop without a step, none will come: from one answer to the next question the
# stages take fewer than ten.
QUIET_TURNS = 50
LOOK_AGAIN_S = 0.005
# Answers that wait in memory to be written and graded; more are read once there are no more than this.
UNDIGESTED = 2_000


@dataclass(slots=True, eq=False)
class Waiting:
    """A request that waits, and the coroutine that waits for it."""

    request: Request
    answer: asyncio.Future[Completion] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    attempts: int = 0
    """How often it was asked since the command started."""

    def give(self, answer: Completion | Exception) -> None:
        """Resume the coroutine with an answer or an error, unless it has ended already."""
        if self.answer.done():
            return
        if isinstance(answer, Completion):
            self.answer.set_result(answer)
        else:
            self.answer.set_exception(answer)


class Waves:
    """Where requests wait until there is a wave of them.

    `watch` lets it see what runs elsewhere; without it, a wave is what is asked within a few turns of the event loop.
    """

    def __init__(self) -> None:
        self._next: list[Waiting] = []
        self._all: set[Waiting] = set()
        self._came = asyncio.Event()
        self._steps_here = 0
        self._reason_to_stop: Exception | None = None
        self._running: Callable[[], int] = lambda: 0
        self._steps: Callable[[], int] = lambda: 0
        self.count = 0
        """Waves so far."""

    @property
    def waiting(self) -> int:
        """Requests that have no answer yet, submitted or not."""
        return len(self._all)

    def watch(self, running: Callable[[], int], steps: Callable[[], int]) -> None:
        """`running` counts the answers that are being written or graded; `steps` grows with each that is done."""
        self._running, self._steps = running, steps

    async def ask(self, request: Request) -> Completion:
        """Wait for the answer; raises the reason once `stop` has given one."""
        if self._reason_to_stop:
            raise self._reason_to_stop
        waiting = Waiting(request)
        self._all.add(waiting)
        self.put(waiting)
        try:
            return await waiting.answer
        finally:
            self._all.discard(waiting)

    def put(self, waiting: Waiting) -> None:
        """Add to the next wave: a new request, or one to be asked again."""
        self._next.append(waiting)
        self._steps_here += 1
        self._came.set()

    async def next(self) -> list[Waiting]:
        """All requests that wait, in the order they came, once nothing can add to them."""
        while True:
            await self._came.wait()
            await self._quiet()
            wave = [waiting for waiting in self._next if not waiting.answer.done()]
            self._next = []
            self._came.clear()
            if wave:
                self.count += 1
                return wave

    async def digested(self) -> None:
        """Wait until at most `UNDIGESTED` answers are still being written and graded."""
        while self._running() > UNDIGESTED:
            await asyncio.sleep(LOOK_AGAIN_S)

    def stop(self, reason: Exception) -> None:
        """Raise `reason` in every coroutine that waits, now or later."""
        if not self._reason_to_stop:
            self._reason_to_stop = reason
        for waiting in list(self._all):
            waiting.give(reason)
            if not waiting.answer.cancelled():
                waiting.answer.exception()  # counts as seen: the first coroutine that ends may cancel the others

    async def _quiet(self) -> None:
        turns = 0
        while turns < QUIET_TURNS:
            before = self._steps_here + self._steps()
            # Only other threads and processes take time; everything else takes turns of the event loop.
            await asyncio.sleep(LOOK_AGAIN_S if self._running() else 0)
            quiet = not self._running() and before == self._steps_here + self._steps()
            turns = turns + 1 if quiet else 0


class WaveTeacher(ABC):
    """A teacher that answers waves while its context lasts."""

    def __init__(self) -> None:
        self.waves = Waves()
        self.retries: Counter[str] = Counter()
        """Tries after which a request was asked again, by reason."""
        self.thrown_away: ThrownAway = not_counted
        """Takes what an answer that is of no use has cost."""

    async def __aenter__(self) -> Self:
        await self._open()
        self._work = asyncio.create_task(self._serve(), name="waves")
        self._work.add_done_callback(self._end)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)
        await self._close()

    async def complete(self, request: Request) -> Completion:
        """The answer, once the wave that holds the request has come back."""
        return await self.waves.ask(request)

    @abstractmethod
    def answered_before(self) -> None:
        """An earlier command got answers from this model: a request that is refused now is refused by itself."""

    async def retried_or_failed(self, waiting: Waiting, why: Retry, attempts: int) -> None:
        """Put a request whose try failed into the next wave, or fail it after so many tries."""
        try:
            if paid := Paid.wasted(waiting.request, why.usage):
                await self.thrown_away(paid)
        except PersonaMathError as reason:  # a cap, or a disk that refuses: of this request, not of the wave
            waiting.give(reason)
            return
        if waiting.attempts < attempts:
            self.retries[why.reason] += 1
            self.waves.put(waiting)
        else:
            waiting.give(RequestFailed(why.reason, str(why)))

    @abstractmethod
    async def _open(self) -> None:
        """Set up what the first wave needs."""

    @abstractmethod
    async def _close(self) -> None:
        """Close what `_open` set up."""

    @abstractmethod
    def waiting_for(self) -> str:
        """For the live line: which wave, and how much of it is done."""

    @abstractmethod
    def left_behind(self) -> str:
        """For a run that ends early: what goes on without it, and how to go on."""

    @abstractmethod
    async def _serve(self) -> None:
        """Answer one wave after another, until cancelled; an error is raised in every request that waits."""

    def _end(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and (error := work.exception()):
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            self.waves.stop(error if isinstance(error, Exception) else RuntimeError(repr(error)))
