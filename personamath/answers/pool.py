"""Grading many answers from asyncio: the cheap rules at once, the rest in worker processes."""

import asyncio
import queue
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from personamath.answers.grading import Grade, grade_cheaply, grade_symbolically
from personamath.answers.symbolic import SymbolicWorker


class Grader:
    """Grades completions without blocking the event loop.

        async with Grader(workers=2) as grader:
            grade = await grader.grade(reference, completion)

    Nearly every pair is decided by the cheap rules, in the calling thread, in tens of microseconds. What they leave
    open goes to one of `workers` processes, where it may take `symbolic.PAIR_LIMIT` seconds of CPU time; then
    it is graded not correct, `timed out`. A process starts with the first pair that it gets, because many runs have
    none. Works in any thread's event loop; leaving ends all processes and threads.
    """

    def __init__(self, workers: int = 1) -> None:
        self._workers = [SymbolicWorker() for _ in range(workers)]
        self._idle: queue.SimpleQueue[SymbolicWorker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="grader")
        self.deciding = 0
        """Pairs that are with the workers, or wait for one."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._close)

    async def grade(self, reference: str, completion: str) -> Grade:
        """The grade of a completion against the reference answer; the same as `personamath.answers.grade`."""
        grade = grade_cheaply(reference, completion)
        if grade is None:
            loop = asyncio.get_running_loop()
            self.deciding += 1
            try:
                grade = await loop.run_in_executor(self._threads, self._decide, reference, completion)
            finally:
                self.deciding -= 1
        return grade

    def _decide(self, reference: str, completion: str) -> Grade:
        worker = self._idle.get()
        try:
            return grade_symbolically(reference, completion, worker)
        finally:
            self._idle.put(worker)

    def _close(self) -> None:
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(cancel_futures=True)
