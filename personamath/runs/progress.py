"""Show the progress of a run: one live line on a terminal, or a plain line from time to time on a pipe."""

import asyncio
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import NamedTuple, Protocol, TextIO

from personamath.errors import PersonaMathError
from personamath.runs.funnel import Funnel
from personamath.teachers.prices import Bill

REFRESH_S = 0.5
# Often enough to show in a log file that the run is alive, rarely enough to keep the log readable.
PLAIN_EVERY_S = 30.0
# Rates cover this much time at least: long enough to be steady, short enough to follow the endpoint's pace.
RATE_WINDOW_S = 30.0
# They also cover this many finished problems: a slow teacher finishes many at once, and then none for minutes.
RATE_PROBLEMS = 16
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


class Sample(NamedTuple):
    """How far a run was at one time."""

    at: float
    """Of the monotonic clock, in seconds."""
    asked: int
    """Requests answered by the endpoint, without those from the journal."""
    done: int
    """Finished seed problems."""


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
    seen: deque[Sample] = deque([Sample(time.monotonic(), teacher.asked, funnel.done)])
    line, told = "", False
    try:
        while True:
            await asyncio.sleep(REFRESH_S if live else PLAIN_EVERY_S)
            now = time.monotonic()
            seen.append(Sample(now, teacher.asked, funnel.done))
            _forget(seen)
            if not told and (note := _note_on_timeouts(retries.get("timeout", 0), teacher.asked)):
                told = True
                stream.write(f"\r\x1b[2K{note}\n" if live else f"{note}\n")
            # A line that wraps cannot be erased.
            width = shutil.get_terminal_size().columns - 1 if live else None
            before, line = line, _line(waiting_for(), _figures(funnel, teacher, seen), width)
            if live or line != before:  # do not repeat for a day in a log that a batch is in progress
                stream.write(f"\r\x1b[2K{line}" if live else f"{line}\n")
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


def _forget(seen: deque[Sample]) -> None:
    """Drop the samples that are too old for rates, and those from before a resumed run asked for the first time."""
    while len(seen) > 2 and (
        seen[1].asked == seen[0].asked == 0
        or (seen[-1].at - seen[1].at >= RATE_WINDOW_S and seen[-1].done - seen[1].done >= RATE_PROBLEMS)
    ):
        seen.popleft()


def _figures(funnel: Funnel, teacher: Asking, seen: deque[Sample]) -> list[tuple[str, str]]:
    """Return what the line shows, most important first; each long, and short without its word."""
    first, last = seen[0], seen[-1]
    passed_s = last.at - first.at
    total, requests_per_s = funnel.seed_problems.total(), (last.asked - first.asked) / passed_s
    finished = last.done - first.done
    eta = duration((total - funnel.done) * passed_s / finished) if finished and last.asked else "?"
    tokens, usd, kept = _thousands(teacher.bill.tokens), teacher.bill.known_usd, funnel.rows.total()
    return [
        *([] if usd is None else [(f"${usd:,.2f}",) * 2]),
        # A row counts once its problem is finished. With a slow teacher that takes minutes, and 0 would look wrong.
        (f"{kept:,} rows kept", f"{kept:,} rows") if kept else (f"{teacher.asked:,} answers",) * 2,
        (f"ETA {eta}", f"ETA {eta}"),
        (f"{teacher.in_flight} in flight", f"{teacher.in_flight} in flight"),
        (f"{funnel.done:,}/{total:,} problems", f"{funnel.done:,}/{total:,}"),
        (f"{requests_per_s:,.1f} requests/s", f"{requests_per_s:,.1f}/s"),
        (f"{tokens} tokens", f"{tokens} tokens"),
    ]


def _line(status: str, figures: list[tuple[str, str]], width: int | None) -> str:
    """Join the figures into a line of at most `width` characters: words go first, then the last figures."""
    begin = [status] if status else []
    longer, shorter = ([*begin, *column] for column in zip(*figures, strict=True))
    lines = [longer, *(shorter[:count] for count in range(len(shorter), 0, -1))]
    joined = [" · ".join(parts) for parts in lines]
    return next((line for line in joined if width is None or len(line) <= width), joined[-1][:width])


def _thousands(count: int) -> str:
    return f"{count / 1e6:,.1f}M" if count >= 1e6 else f"{count / 1e3:,.1f}k"


def duration(seconds: float) -> str:
    """Format seconds as hours, minutes and seconds, e.g. 1:02:03."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
