"""Programs beside an event loop: a few run at a time, and each once."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self

from personamath.programs.reading import Program
from personamath.programs.sandbox import Isolation, Result, isolation, run_program


class Results(Protocol):
    """What keeps the results of programs, by their digests."""

    def get(self, digest: str) -> Result | None:
        """The result of the program with this digest, or None."""
        ...

    def put(self, digest: str, result: Result) -> None:
        """Keep a result."""
        ...


class Programs:
    """Runs programs without blocking the event loop.

        async with Programs(results) as programs:
            result = await programs.run(program)

    As many run at a time as the machine has cores. A program with a known result does not run again; equal programs
    that meet run once. Leaving ends the threads.
    """

    def __init__(self, results: Results, workers: int | None = None) -> None:
        self._results = results
        self._threads = ThreadPoolExecutor(workers or os.cpu_count(), thread_name_prefix="program")
        self._running: dict[str, asyncio.Future[Result]] = {}
        self.ran = 0
        """Programs that ran, this time."""
        self.replayed = 0
        """Programs whose results were known."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What runs ends within seconds, by its limits.
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    @property
    def isolation(self) -> Isolation:
        """The walls between a program and this machine."""
        return isolation()

    async def run(self, program: Program) -> Result:
        """What becomes of a program. Raises `SandboxFailed` if it cannot be started."""
        digest = program.digest
        if digest in self._running:
            return await asyncio.shield(self._running[digest])
        if known := self._results.get(digest):
            self.replayed += 1
            return known
        # In the pool's own threads: a jail ends with the thread that started it.
        running = asyncio.wrap_future(self._threads.submit(run_program, program.source))
        self._running[digest] = running
        try:
            result = await asyncio.shield(running)
            self._results.put(digest, result)
        finally:
            del self._running[digest]
        self.ran += 1
        return result
