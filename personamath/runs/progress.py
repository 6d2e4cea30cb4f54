"""Show the progress of a run: one live line on a terminal, or a plain line from time to time on a pipe."""

import asyncio
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Protocol, TextIO

from personamath.errors import PersonaMathError
from personamath.runs.funnel import Funnel
from personamath.teachers.prices import Bill

REFRESH_S = 0.5
# Often enough to show in a log file that the run is alive, rarely enough to keep the log readable.
PLAIN_EVERY_S = 30.0
# Rates cover this much time, so that the fast journaled part of a resumed run soon stops counting.
RATE_WINDOW_S = 30.0
# Time-outs after which the user is told, if they are more than the answers. A few come at any server that starts.
TIMEOUTS_TOLD = 8


class Asking(Protocol):
    """What the progress line needs to know about the journaled teacher."""

    in_flight: int
    asked: int
    bill: Bill


class Stoppable(Asking, Protocol):
    """What an interruption needs from the journaled teacher."""

    def stop(self, reason: PersonaMathError) -> None:
        """Send no new requests, and end with `reason` after those in flight have arrived."""
        ...


Watch = Callable[[Stoppable], AbstractAsyncContextManager[None]]
"""A context around a run while it asks: it shows progress and handles interruptions."""


async def show_progress(
    funnel: Funnel,
    teacher: Asking,
    stream: TextIO | None = None,
    waiting_for: Callable[[], str] = str,
    retries: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Print progress until cancelled; each line begins with the teacher's own status, if it has one.

    `retries` counts repeated tries by reason. If most of them timed out, a note says so once.
    """
    stream = stream or sys.stderr
    live = stream.isatty()
    seen: deque[tuple[float, int, int]] = deque([(time.monotonic(), 0, 0)])
    line, told = "", False
    try:
        while True:
            await asyncio.sleep(REFRESH_S if live else PLAIN_EVERY_S)
            now = time.monotonic()
            seen.append((now, teacher.asked, funnel.done))
            while now - seen[0][0] > RATE_WINDOW_S and len(seen) > 2:
                seen.popleft()
            if not told and (note := _note_on_timeouts(retries.get("timeout", 0), teacher.asked)):
                told = True
                stream.write(f"\r\x1b[2K{note}\n" if live else f"{note}\n")
            before, line = line, " · ".join(filter(None, (waiting_for(), _line(funnel, teacher, *_rates(seen)))))
            # A line that wraps cannot be erased.
            width = shutil.get_terminal_size().columns - 1
            if live or line != before:  # do not repeat for a day in a log that a batch is in progress
                stream.write(f"\r\x1b[2K{line[:width]}" if live else f"{line}\n")
                stream.flush()
    finally:
        if live:
            stream.write("\r\x1b[2K")
            stream.flush()


def _note_on_timeouts(timeouts: int, answers: int) -> str:
    if timeouts < TIMEOUTS_TOLD or timeouts <= answers:
        return ""
    return (
        f"note: {timeouts:,} requests were not answered in time, {answers:,} were. They are sent again, which may be "
        "billed again: raise --timeout, or lower --concurrency"
    )


def _rates(seen: deque[tuple[float, int, int]]) -> tuple[float, float]:
    """Return requests and seed problems per second between the first and the last sample."""
    (start, asked, done), (now, asked_now, done_now) = seen[0], seen[-1]
    return (asked_now - asked) / (now - start), (done_now - done) / (now - start)


def _line(funnel: Funnel, teacher: Asking, requests_per_s: float, problems_per_s: float) -> str:
    total = funnel.seed_problems.total()
    eta = duration((total - funnel.done) / problems_per_s) if problems_per_s else "?"
    return (
        f"{funnel.done:,}/{total:,} problems · {funnel.rows.total():,} rows kept · {teacher.in_flight} in flight · "
        f"{requests_per_s:,.0f} requests/s · ETA {eta} · {_thousands(teacher.bill.tokens)} tokens"
        + (f" · ${teacher.bill.known_usd:,.2f}" if teacher.bill.known_usd is not None else "")
    )


def _thousands(count: int) -> str:
    return f"{count / 1e6:,.1f}M" if count >= 1e6 else f"{count / 1e3:,.1f}k"


def duration(seconds: float) -> str:
    """Format seconds as hours, minutes and seconds, e.g. 1:02:03."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
