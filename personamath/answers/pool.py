"""Grading many answers: the cheap rules at once, in the caller's thread; the rest in worker processes."""

import asyncio
import queue
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from personamath.answers.grading import Grade, grade_cheaply, grade_symbolically
from personamath.answers.symbolic import SymbolicWorker


class Workers:
    """The processes that decide what the cheap rules leave open. Every method may be called from any thread.

    A pair may take `symbolic.PAIR_LIMIT` seconds of CPU time; then it is graded not correct, `timed out`. A process
    starts when a pair comes and all that run are busy. Neither threads nor processes survive a fork: the child needs
    workers of its own.
    """

    def __init__(self, count: int) -> None:
        self._workers = [SymbolicWorker() for _ in range(count)]
        # The last one that was busy is the next one: it runs already.
        self._idle: queue.LifoQueue[SymbolicWorker] = queue.LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="grader")

    def decide(self, reference: str, completion: str) -> Future[Grade]:
        """Grade a pair that the cheap rules leave open."""
        return self._threads.submit(self._decide, reference, completion)

    def grade_all(self, pairs: Iterable[tuple[str, str]]) -> list[Grade]:
        """Return the grade of each pair of a reference and a completion; blocks until all are known."""
        known = [grade_cheaply(*pair) or self.decide(*pair) for pair in pairs]
        return [grade.result() if isinstance(grade, Future) else grade for grade in known]

    def close(self) -> None:
        """End all processes and threads."""
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(cancel_futures=True)

    def _decide(self, reference: str, completion: str) -> Grade:
        worker = self._idle.get()
        try:
            return grade_symbolically(reference, completion, worker)
        finally:
            self._idle.put(worker)


class Grader:
    """Grades completions without blocking the event loop.

        async with Grader(workers=2) as grader:
            grade = await grader.grade(reference, completion)

    Nearly every pair is decided by the cheap rules, in the calling thread, in tens of microseconds. What they leave
    open goes to one of `workers` processes. A process starts when a pair comes and all that run are busy, because many
    runs have none. Works in any thread's event loop; leaving ends all processes and threads.
    """

    def __init__(self, workers: int = 1) -> None:
        self._workers = Workers(workers)
        self.deciding = 0
        """Pairs that are with the workers, or wait for one."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._workers.close)

    async def grade(self, reference: str, completion: str) -> Grade:
        """The grade of a completion against the reference answer; the same as `personamath.answers.grade`."""
        grade = grade_cheaply(reference, completion)
        if grade is None:
            self.deciding += 1
            try:
                grade = await asyncio.wrap_future(self._workers.decide(reference, completion))
            finally:
                self.deciding -= 1
        return grade
