"""Watch a run on a terminal: show a progress line, and end cleanly on Ctrl-C."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from personamath.errors import Interrupted
from personamath.runs.funnel import Funnel
from personamath.runs.progress import Asking, Stoppable, Watch, show_progress
from personamath.teachers.routed import OverHttp
from personamath.teachers.waves import WaveTeacher


def on_terminal(funnel: Funnel, endpoints: OverHttp | WaveTeacher | None = None) -> Watch:
    """Return a `Watch` that shows progress and lets SIGINT and SIGTERM end the run cleanly."""

    @asynccontextmanager
    async def watch(asking: Stoppable) -> AsyncIterator[None]:
        async with shown(funnel, asking, endpoints):
            with clean_interruption(asking, endpoints):
                yield

    return watch


@asynccontextmanager
async def shown(funnel: Funnel, asking: Asking, endpoints: OverHttp | WaveTeacher | None = None) -> AsyncIterator[None]:
    """Show progress on the screen for the duration of the context."""
    told = (endpoints.waiting_for, endpoints.retries) if endpoints else ()
    progress = asyncio.create_task(show_progress(funnel, asking, None, *told))
    try:
        yield
    finally:
        progress.cancel()
        await asyncio.gather(progress, return_exceptions=True)


@contextmanager
def clean_interruption(asking: Stoppable, endpoints: OverHttp | WaveTeacher | None = None) -> Iterator[None]:
    """Wait for answers in flight on the first SIGINT or SIGTERM, unless they come in waves; drop them on the second."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    reasons: list[Interrupted] = []

    def interrupt(number: int) -> None:
        if reasons:
            task.cancel()
            return
        name = signal.Signals(number).name
        if isinstance(endpoints, WaveTeacher):
            left = endpoints.left_behind()
            reasons.append(Interrupted(number, f"{name}: every answer is journaled; {left}"))
            endpoints.waves.stop(reasons[0])
            return
        reasons.append(Interrupted(number, f"{name}: every answer is journaled; the same command continues from here"))
        sent = (endpoints or asking).in_flight
        print(f"\n{name}: waiting for {sent} answers in flight; interrupt again to leave them", file=sys.stderr)
        asking.stop(reasons[0])

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)
    try:
        yield
    except asyncio.CancelledError:
        if reasons:
            raise reasons[0] from None
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
