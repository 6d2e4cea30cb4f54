"""Hedged requests (Dean and Barroso, The Tail at Scale, 2013): ask a second time when an answer takes far too long.

Without this, a request that an endpoint never answers holds up its seed problem, and so the end of the run, for the
whole time-out, and twice as long if the next try hangs, too. The first try stays open, because its answer may be paid
for; the first answer counts. `SHARE` and `AT_ONCE` bound how often both are paid for.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, takewhile

from personamath.records import Completion, Request

# A try is overdue once it takes this many times as long as the slowest recent answer. Of log-normal latencies with the
# usual spread (a factor of 1.6), fewer than one in 10^5 take that long.
TIMES_THE_SLOWEST = 2.0
# Recent are at least this many last answers, and at most twice as many. Before the first of them nothing is overdue.
ANSWERS_COMPARED = 256
# Nothing is overdue sooner: the network or this machine may just have paused.
LEAST_S = 1.0
# Second tries, as a share of all answers. A second try itself is never hedged.
SHARE = 0.01
# Second tries at a time: an endpoint that stops answering altogether is not asked for everything twice.
AT_ONCE = 16
# How often to look for overdue tries.
LOOK_EVERY_S = 0.25
# A look this late follows a pause of this process: tries that seem overdue may have been answered meanwhile.
LATE_LOOK_S = 1.0


@dataclass(slots=True, eq=False)
class Try:
    """One try of one request, while it is under way."""

    request: Request
    since: float = field(default_factory=time.monotonic)
    end: asyncio.Timeout | None = None
    """What ends it, once it is sent: the time-out, or the answer to the second try."""
    second: asyncio.Task[None] | None = None
    answer: Completion | None = None
    """Of the second try."""
    timed_out_before: bool = False
    """Whether an earlier try of the same request did."""

    def give(self, answer: Completion) -> None:
        """Take the second try's answer, and end this try."""
        self.answer = answer
        if self.end and not self.end.expired():
            self.end.reschedule(self.since)

    async def second_answer(self) -> Completion | None:
        """This try is over: wait for the second one, if there is one, and return its answer."""
        self.end = None
        if self.second:
            await asyncio.wait([self.second])
        return self.answer

    def leave(self) -> None:
        """Nobody waits for an answer any more: cancel the second try."""
        if self.second:
            self.second.cancel()


class Hedging:
    """The tries under way, how long the answered ones took, and second tries for those that take far longer."""

    def __init__(self, ask: Callable[[Request], Awaitable[Completion | None]]) -> None:
        """`ask` asks a second time; it returns None if that fails."""
        self._ask = ask
        self._under_way: dict[Try, None] = {}
        """In the order in which they were sent."""
        self._hedged = 0
        self._second_tries: set[asyncio.Task[None]] = set()
        self._answers = 0
        self._slowest = self._slowest_before = 0.0
        """Seconds, among the answers since the last multiple of `ANSWERS_COMPARED`, and among as many before."""

    @contextmanager
    def watched(self, one: Try) -> Iterator[None]:
        """Count a try as under way."""
        self._under_way[one] = None
        try:
            yield
        finally:
            del self._under_way[one]

    def answered(self, seconds: float) -> None:
        """A try was answered after this time."""
        self._slowest = max(self._slowest, seconds)
        self._answers += 1
        if self._answers % ANSWERS_COMPARED == 0:
            self._slowest_before, self._slowest = self._slowest, 0.0

    async def ask_again(self) -> None:
        """Ask a second time for overdue tries, until cancelled."""
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            before, looked_at = looked_at, time.monotonic()
            if looked_at - before < LATE_LOOK_S:
                for one in self.overdue(looked_at):
                    self._hedged += 1
                    one.second = asyncio.create_task(self._ask_second(one))
                    self._second_tries.add(one.second)
                    one.second.add_done_callback(self._second_tries.discard)

    def overdue(self, now: float) -> list[Try]:
        """The tries to hedge now."""
        if self._answers < ANSWERS_COMPARED:
            return []
        longest = max(LEAST_S, TIMES_THE_SLOWEST * max(self._slowest, self._slowest_before))
        late = takewhile(lambda one: now - one.since > longest, self._under_way)
        room = min(AT_ONCE - len(self._second_tries), int(SHARE * self._answers) - self._hedged)
        return list(islice((one for one in late if not one.second), max(0, room)))

    async def _ask_second(self, one: Try) -> None:
        if answer := await self._ask(one.request):
            one.give(answer)
