"""What the commands that ask a teacher share: the key, the process that asks, its screen and its end."""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

from personamath.errors import BadInput, Interrupted, PersonaMathError
from personamath.runs.funnel import Funnel
from personamath.runs.progress import Asking, show_progress
from personamath.teachers.http import OPENAI_URL, HttpTeacher
from personamath.teachers.waves import WaveTeacher

KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"  # as the OpenAI SDK has it
# Descriptors beside the connections: the journal, the grader's pipes, the dataset's files.
OTHER_DESCRIPTORS = 64
# Asking makes and drops thousands of objects a second, few of them in cycles: at Python's own 700 a tenth of the CPU
# goes into looking for those.
OBJECTS_PER_COLLECTION = 20_000


class Asker(Asking, Protocol):
    """What answers a run's requests: a journaled teacher, or a run on a cluster."""

    replayed: int
    """Requests answered from what the run directory holds."""

    def stop(self, reason: PersonaMathError) -> None:
        """Ask nothing more; end with `reason` once the answers in flight have arrived."""
        ...


def endpoint_key(base_url: Sequence[str]) -> str | None:
    """The key for the endpoints; `BadInput` where there is none and it takes one."""
    key = os.environ.get(KEY_VARIABLE, "").strip() or None
    if key is None and OPENAI_URL in base_url:
        raise BadInput(f"{KEY_VARIABLE} is not set: export it, or name another endpoint with --base-url")
    return key


def ready_process(concurrency: int) -> None:
    """Let this process have so many requests in flight; `BadInput` where the system does not."""
    _allow_descriptors(concurrency + OTHER_DESCRIPTORS)
    gc.set_threshold(OBJECTS_PER_COLLECTION)


@asynccontextmanager
async def shown(
    funnel: Funnel, teacher: Asker, endpoints: HttpTeacher | WaveTeacher | None = None
) -> AsyncIterator[None]:
    """Progress on the screen as long as the context lasts."""
    progress = asyncio.create_task(show_progress(funnel, teacher, standing=endpoints.standing if endpoints else str))
    try:
        yield
    finally:
        progress.cancel()
        await asyncio.gather(progress, return_exceptions=True)


@contextmanager
def clean_interruption(teacher: Asker, endpoints: HttpTeacher | WaveTeacher | None = None) -> Iterator[None]:
    """On SIGINT or SIGTERM let the answers in flight arrive, unless they come in waves; on the second leave them."""
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
            if waited_for := endpoints.interrupt(reasons[0]):
                print(f"\n{name}: waiting for {waited_for}; once more to leave them", file=sys.stderr)
            return
        reasons.append(Interrupted(number, f"{name}: every answer is journaled; the same command goes on from here"))
        sent = (endpoints or teacher).in_flight
        print(f"\n{name}: waiting for {sent} answers in flight; once more to leave them", file=sys.stderr)
        teacher.stop(reasons[0])

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


def _allow_descriptors(wanted: int) -> None:
    """Raise this process's limit on open files, which is often 1,024, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise BadInput(
                f"this system allows {hard} open files: use --concurrency {hard - OTHER_DESCRIPTORS} or less"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
