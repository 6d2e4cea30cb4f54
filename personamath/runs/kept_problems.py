"""Seed problems that were read once, kept in little memory: a run goes over them four times."""

import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from operator import attrgetter

from personamath.records import Problem
from personamath.sources.seed_problems import Skipped

# About 80,000 problems of GSM8K. More of them are read again, which takes 0.1 ms of CPU each.
MOST_BYTES = 16 * 2**20
# Few enough to unpack at once, enough to compress well.
AT_ONCE = 256
_FASTEST = 1
_values: Callable[[Problem], tuple[object, ...]] = attrgetter(*(each.name for each in fields(Problem)))


class KeptProblems:
    """Problems while they pass; `whole` says afterwards whether all of them are kept."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.whole = True
        self._most_bytes = most_bytes
        self._packed: list[bytes] = []
        self._open: list[tuple[object, ...]] = []
        self._bytes = 0

    def over(self, items: Iterable[Problem | Skipped]) -> Iterator[Problem | Skipped]:
        """Pass on problems, and those that are skipped, which are not kept."""
        for item in items:
            if isinstance(item, Problem) and self.whole:
                self._open.append(_values(item))
                if len(self._open) == AT_ONCE:
                    self._pack()
            yield item
        self._pack()

    def _pack(self) -> None:
        self._packed.append(zlib.compress(pickle.dumps(self._open), _FASTEST))
        self._open = []
        self._bytes += len(self._packed[-1])
        if self._bytes > self._most_bytes:
            self.whole = False
            self._packed.clear()

    def __iter__(self) -> Iterator[Problem]:
        for packed in self._packed:
            yield from (Problem(*values) for values in pickle.loads(zlib.decompress(packed)))
