"""The progress line, and the note beside it."""

import asyncio
import io
import re
from collections import Counter, deque
from dataclasses import dataclass, field

import pytest

from personamath.runs.funnel import Funnel
from personamath.runs.progress import REFRESH_S, Sample, _figures, _forget, _line, show_progress
from personamath.teachers.prices import Bill


@dataclass
class Asked:
    """A teacher that has answered this often."""

    asked: int
    in_flight: int = 48
    bill: Bill = field(default_factory=lambda: Bill(None))


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


TIMED_OUT = [(48, 2, 1), (8, 0, 1), (7, 0, 0), (48, 48, 0), (0, 0, 0)]
"""Time-outs, answers, and notes about them."""


@pytest.mark.slow
def test_a_run_that_mostly_times_out_says_so_once() -> None:
    screens = [Terminal() for _ in TIMED_OUT]

    async def watch(screen: Terminal, timeouts: int, answers: int) -> None:
        retries = Counter({"timeout": timeouts, "429": 100})
        shown = asyncio.create_task(show_progress(Funnel.survey([]), Asked(answers), screen, retries=retries))
        await asyncio.sleep(2.5 * REFRESH_S)
        shown.cancel()

    async def watch_all() -> None:  # together: each takes as long as two refreshes of the screen
        await asyncio.gather(*(watch(screen, *row[:2]) for screen, row in zip(screens, TIMED_OUT, strict=True)))

    asyncio.run(watch_all())
    for screen, (timeouts, answers, notes) in zip(screens, TIMED_OUT, strict=True):
        said = screen.getvalue()
        assert said.count("raise --timeout, or lower --concurrency") == notes, (timeouts, answers)
        assert f"note: {timeouts:,} requests were not answered in time, {answers:,} were" in said or not notes


def figures(seen: list[Sample], total: int = 1000, usd: float | None = 12.34) -> list[tuple[str, str]]:
    funnel = Funnel.survey([])
    funnel.seed_problems["gsm8k"], funnel.rows["gsm8k", "stage1"] = total, 61
    funnel.done = seen[-1].done
    samples: deque[Sample] = deque()
    for sample in seen:
        samples.append(sample)
        _forget(samples)
    return _figures(funnel, Asked(seen[-1].asked), samples)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (None, "61 rows kept · ETA ? · 48 in flight · 0/1,000 problems · 0.0 requests/s · 0.0k tokens"),
        (85, "61 rows kept · ETA ? · 48 in flight · 0/1,000 problems · 0.0 requests/s · 0.0k tokens"),
        (70, "61 rows · ETA ? · 48 in flight · 0/1,000 · 0.0/s · 0.0k tokens"),
        (50, "61 rows · ETA ? · 48 in flight · 0/1,000 · 0.0/s"),
        (20, "61 rows · ETA ?"),
        (5, "61 ro"),
    ],
)
def test_a_narrow_terminal_drops_words_before_figures(width: int | None, line: str) -> None:
    assert _line("", figures([Sample(0, 0, 0), Sample(1, 0, 0)]), width) == line


def test_until_a_first_row_is_kept_the_line_counts_answers() -> None:
    samples = deque([Sample(0, 0, 0), Sample(60, 1_234, 0)])
    assert next(name for name, _ in _figures(Funnel.survey([]), Asked(1_234), samples)) == "1,234 answers"


def test_what_the_run_waits_for_comes_first() -> None:
    line = _line("waiting for the endpoint", figures([Sample(0, 0, 0), Sample(1, 0, 0)]), 60)
    assert line == "waiting for the endpoint · 61 rows · ETA ? · 48 in flight"


@pytest.mark.parametrize(
    ("seen", "eta"),
    [
        ([(0, 0, 0), (60, 90, 0)], "?"),  # nothing has ended yet
        ([(0, 0, 0), (100, 90, 10)], "2:45:00"),
        ([(0, 0, 0), (5, 0, 500), (6, 0, 600), (16, 10, 610)], "0:06:30"),  # 600 of them came from the journal
        # After 5 minutes at one problem a second, the endpoint slows down to one in 10 s: 16 of them make the pace.
        ([(0, 0, 0), (300, 900, 300), *((300 + 10 * n, 900 + n, 300 + n) for n in range(1, 41))], "1:50:00"),
        ([(0, 0, 0), (600, 900, 600), (630, 1000, 700)], "0:01:30"),  # and speeds up: the last 30 s
    ],
)
def test_the_time_left_follows_the_recent_pace(seen: list[tuple[float, int, int]], eta: str) -> None:
    shown = {figure for figure, _ in figures([Sample(*sample) for sample in seen])}
    assert [figure for figure in shown if re.match("ETA", figure)] == [f"ETA {eta}"]
