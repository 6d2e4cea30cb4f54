"""What a run leaves, for those who started it. Imports nothing heavy, so that a finished run is recognised quickly."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from personamath.runs.funnel import Funnel
from personamath.runs.progress import Watch
from personamath.teachers.prices import Bill

if TYPE_CHECKING:
    from personamath.teachers.routed import OverHttp
    from personamath.teachers.waves import WaveTeacher

Watched = Callable[[Funnel, "OverHttp | WaveTeacher | None"], Watch]
"""Builds the `Watch` of a run from its counts and its teacher; the teacher is None on a cluster."""


class AskedCounts(Protocol):
    """What a run asked and paid."""

    @property
    def asked(self) -> int:
        """Requests that the teacher answered in this run."""
        ...

    @property
    def replayed(self) -> int:
        """Requests answered from the run directory."""
        ...

    @property
    def reused(self) -> int:
        """Requests answered from other run directories."""
        ...

    @property
    def bill(self) -> Bill:
        """The cost of all answers in the run directory."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """The result of a run."""

    funnel: Funnel
    asked: AskedCounts
    retries: Counter[str]
    """Repeated tries of requests, by reason."""
    folder: Path | None
    """The dataset folder; None if no row was kept, because an empty dataset cannot be loaded."""
