"""The progress line, and the note beside it."""

import asyncio
import io
from collections import Counter
from dataclasses import dataclass, field

import pytest

from personamath.runs.funnel import Funnel
from personamath.runs.progress import REFRESH_S, show_progress
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


@pytest.mark.parametrize(
    ("timeouts", "answers", "notes"),
    [(48, 2, 1), (8, 0, 1), (7, 0, 0), (48, 48, 0), (0, 0, 0)],
)
def test_a_run_that_mostly_times_out_says_so_once(timeouts: int, answers: int, notes: int) -> None:
    screen = Terminal()

    async def watch() -> None:
        retries = Counter({"timeout": timeouts, "429": 100})
        shown = asyncio.create_task(show_progress(Funnel.survey([]), Asked(answers), screen, retries=retries))
        await asyncio.sleep(2.5 * REFRESH_S)
        shown.cancel()

    asyncio.run(watch())
    assert screen.getvalue().count("raise --timeout, or lower --concurrency") == notes
    assert f"note: {timeouts:,} requests were not answered in time, {answers:,} were" in screen.getvalue() or not notes
