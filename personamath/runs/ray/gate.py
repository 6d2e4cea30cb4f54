"""The caps of a run on many machines: the desk hands out how many requests an actor may send until its next report."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from personamath.errors import NotAsked
from personamath.records import Completion, Request, Teacher
from personamath.teachers.prices import Bill, Caps

# An actor that has not reported for so long is dead: what it had in flight will not be answered any more.
DEAD_AFTER_S = 30.0
# For each actor until its next report, while the cost of an answer is not known.
FIRST_ALLOWANCE = 8


class Allowance(NamedTuple):
    """What an actor may send until its next report."""

    requests: int | None
    """None: as many as it likes."""
    over: bool
    """Whether a cap is reached, so that there will be no more."""


UNLIMITED = Allowance(None, over=False)


class Allowances:
    """Hands out what is left of the caps, each request to one actor only, so that no cap is passed."""

    def __init__(self, caps: Caps, actors: int, now: Callable[[], float] = time.monotonic) -> None:
        self._caps = caps
        self._actors = actors
        self._now = now
        self._out: dict[str, tuple[int, float]] = {}
        """By actor: requests that it has in flight or may still send, and when it reported."""

    def hand_out(self, actor: str, in_flight: int, bill: Bill, idle: bool = False) -> Allowance:
        """A share of what is left for an actor, which hands back what it did not use; `bill` is the whole run's.

        An idle actor, which works on no block, gets nothing: Ray may end it before it reports again.
        """
        if self._caps == Caps():
            return UNLIMITED
        now = self._now()
        self._out = {name: out for name, out in self._out.items() if now - out[1] < DEAD_AFTER_S}
        self._out[actor] = (in_flight, now)
        out = sum(count for count, _ in self._out.values())
        left = self._left(bill)
        share = 0 if idle else min(max(0, left - out), max(1, (left - out) // self._actors))
        self._out[actor] = (in_flight + share, now)
        return Allowance(share, over=left <= 0)

    def _left(self, bill: Bill) -> int:
        """Answers until a cap is reached, if they cost what the others cost on average."""
        left = list[int]()
        if self._caps.answers is not None:
            left.append(self._caps.answers - bill.answers)
        if self._caps.usd is not None and bill.usd:
            left.append(int((self._caps.usd - bill.usd) / bill.usd_each))
        return min(left, default=FIRST_ALLOWANCE * self._actors + sum(count for count, _ in self._out.values()))


class Gate:
    """A teacher that asks another as far as its allowance goes; beyond it, waits for more, or is `NotAsked`."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._allowance = UNLIMITED
        self._changed = asyncio.Event()
        self.in_flight = 0

    def close(self) -> None:
        """Hold everything until the next allowance: what is left of the last is handed back."""
        if self._allowance.requests is not None:
            self._allowance = self._allowance._replace(requests=0)

    def open(self, allowance: Allowance) -> None:
        """Let as much through."""
        self._allowance = allowance
        self._changed.set()
        self._changed.clear()

    async def complete(self, request: Request) -> Completion:
        """The teacher's answer."""
        while self._allowance.requests is not None:
            if self._allowance.over:
                raise NotAsked("a cap of this run is reached")
            if self._allowance.requests:
                self._allowance = self._allowance._replace(requests=self._allowance.requests - 1)
                break
            await self._changed.wait()
        self.in_flight += 1
        try:
            return await self._teacher.complete(request)
        finally:
            self.in_flight -= 1
