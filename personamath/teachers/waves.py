"""Requests gathered into waves, for teachers that are asked many things at once: a batch file, an engine in-process.

The stages have no barrier: each seed problem's coroutine asks when it can. A wave is what waits when nothing runs any
more that could ask: no answer is on its way to the journal, no grade is being decided, every coroutine waits.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from personamath.records import Completion, Request

# Seed problems in the stages at once. Each holds its texts and its coroutines as long as it waits, see
# docs/BENCHMARKS.md for the memory; the paper's 15,000 fit whole, so its run is four waves.
WINDOW = 25_000
# Turns of the event loop without a step, after which none will come: from one answer to the next question the stages
# take fewer than ten.
QUIET_TURNS = 50
LOOK_AGAIN_S = 0.005
# Answers given out at once wait in memory for the journal and the grader; more are read when these are through.
UNDIGESTED = 2_000


@dataclass(slots=True, eq=False)
class Waiting:
    """A request that waits, and the coroutine that waits for it."""

    request: Request
    answer: asyncio.Future[Completion] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    attempts: int = 0
    """How often it was asked, this time."""

    def give(self, answer: Completion | Exception) -> None:
        """Let the coroutine go on; it may have gone already."""
        if self.answer.done():
            return
        if isinstance(answer, Completion):
            self.answer.set_result(answer)
        else:
            self.answer.set_exception(answer)


class Waves:
    """Where requests wait until there is a wave of them.

    `watch` tells it how to see what runs outside it; without, a wave is what is asked in a few turns of the event loop.
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
        """`running` counts answers given out that are being written or graded; `steps` grows with whatever is done."""
        self._running, self._steps = running, steps

    async def ask(self, request: Request) -> Completion:
        """Wait for the answer; raises what `stop` was given once it was."""
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

    async def next(self, enough: int | None = None) -> list[Waiting]:
        """All that waits for a wave, in the order it came, once nothing can add to it or there is `enough`."""
        while True:
            await self._came.wait()
            await self._quiet(enough)
            wave = [waiting for waiting in self._next if not waiting.answer.done()]
            self._next = []
            self._came.clear()
            if wave:
                self.count += 1
                return wave

    async def digested(self, most: int = UNDIGESTED) -> None:
        """Wait until no more than so many answers given out are still being written and graded."""
        while self._running() > most:
            await asyncio.sleep(LOOK_AGAIN_S)

    def stop(self, reason: Exception) -> None:
        """End every coroutine that waits, or comes to wait, with `reason`."""
        if not self._reason_to_stop:
            self._reason_to_stop = reason
        for waiting in list(self._all):
            waiting.give(reason)
            if not waiting.answer.cancelled():
                waiting.answer.exception()  # seen: who waits may be cancelled by the first one that ends

    async def _quiet(self, enough: int | None) -> None:
        turns = 0
        while turns < QUIET_TURNS and not (enough and len(self._next) >= enough):
            before = self._steps_here + self._steps()
            # Only what runs in other threads and processes takes time; the rest takes turns.
            await asyncio.sleep(LOOK_AGAIN_S if self._running() else 0)
            quiet = not self._running() and before == self._steps_here + self._steps()
            turns = turns + 1 if quiet else 0


class WaveTeacher(ABC):
    """A teacher that answers waves: `async with` starts what answers them, and ends it."""

    def __init__(self) -> None:
        self.waves = Waves()
        self.retries: Counter[str] = Counter()
        """Tries after which a request was asked again, by reason."""

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

    def interrupt(self, reason: Exception) -> str | None:
        """End early: whoever waits gets `reason`, at once or when what is returned, in words, has been waited for."""
        self.waves.stop(reason)
        return None

    @abstractmethod
    async def _open(self) -> None:
        """What is needed before the first wave."""

    @abstractmethod
    async def _close(self) -> None:
        """Let go of it."""

    @abstractmethod
    def waiting_for(self) -> str:
        """For the live line: which wave, and how far it is."""

    @abstractmethod
    def left_behind(self) -> str:
        """For a run that ends early: what becomes of what was asked."""

    @abstractmethod
    async def _serve(self) -> None:
        """Answer one wave after another, until cancelled; an error ends whoever waits."""

    def _end(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and (error := work.exception()):
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            self.waves.stop(error if isinstance(error, Exception) else RuntimeError(repr(error)))
