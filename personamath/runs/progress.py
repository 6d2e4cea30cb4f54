"""How a run is coming along: one live line on a terminal, a plain line now and then on a pipe."""

import asyncio
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TextIO

from personamath.errors import PersonaMathError
from personamath.runs.funnel import Funnel
from personamath.teachers.prices import Bill

REFRESH_S = 0.5
# Often enough to see life in a log file, rarely enough to read it afterwards.
PLAIN_EVERY_S = 30.0
# Rates are over this much time, so that a resumed run's journaled minutes are soon forgotten.
RATE_WINDOW_S = 30.0


class Asking(Protocol):
    """Whoever asks, as far as the screen shows it."""

    in_flight: int
    asked: int
    bill: Bill


class Stoppable(Asking, Protocol):
    """Whoever asks, as far as an interruption stops it."""

    def stop(self, reason: PersonaMathError) -> None:
        """Ask nothing more, and end with `reason` once what is in flight has arrived."""
        ...


Watch = Callable[[Stoppable], AbstractAsyncContextManager[None]]
"""What goes on beside a run as long as it asks: a progress line, what an interruption does."""


async def show_progress(
    funnel: Funnel,
    teacher: Asking,
    stream: TextIO | None = None,
    waiting_for: Callable[[], str] = str,
) -> None:
    """Report until cancelled; what the teacher has to say of itself, if anything, comes first."""
    stream = stream or sys.stderr
    live = stream.isatty()
    seen: deque[tuple[float, int, int]] = deque([(time.monotonic(), 0, 0)])
    line = ""
    try:
        while True:
            await asyncio.sleep(REFRESH_S if live else PLAIN_EVERY_S)
            now = time.monotonic()
            seen.append((now, teacher.asked, funnel.done))
            while now - seen[0][0] > RATE_WINDOW_S and len(seen) > 2:
                seen.popleft()
            before, line = line, " · ".join(filter(None, (waiting_for(), _line(funnel, teacher, *_rates(seen)))))
            # A line that wraps cannot be wiped.
            width = shutil.get_terminal_size().columns - 1
            if live or line != before:  # a log need not be told for a day that a batch is out
                stream.write(f"\r\x1b[2K{line[:width]}" if live else f"{line}\n")
                stream.flush()
    finally:
        if live:
            stream.write("\r\x1b[2K")
            stream.flush()


def _rates(seen: deque[tuple[float, int, int]]) -> tuple[float, float]:
    """Requests and seed problems per second between the first and the last look."""
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
    """As hours, minutes and seconds: 1:02:03."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
