"""Hedged requests (Dean and Barroso, The Tail at Scale, 2013): what takes far too long is asked a second time.

A request that an endpoint never answers would else hold up its seed problem for the whole time-out, twice if the next
one hangs as well, and with it the end of a run. The first try stays open, so that no answer is given up which may be
paid for; whichever is answered first counts. How often both may be paid for is bounded.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, takewhile

from personamath.records import Completion, Request

# A try is overdue that has taken so many times as long as the slowest answer of late: of log-normal latencies of the
# usual spread (a factor of 1.6), fewer than one in 10^5 take so long.
TIMES_THE_SLOWEST = 2.0
# Late are the last so many answers, up to twice as many; before the first so many nothing is overdue.
ANSWERS_COMPARED = 256
# A pause of the network or of this machine is no sign of a request that hangs.
LEAST_S = 1.0
# Requests that may be asked a second time, of all answers; second tries themselves are not.
SHARE = 0.01
# And at a time: an endpoint that stands still as a whole is not asked for everything twice.
AT_ONCE = 16
# How often to look for what is overdue.
LOOK_EVERY_S = 0.25
# A look that comes so late follows a pause of this process: what seems overdue may have been answered meanwhile.
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

    def give(self, answer: Completion) -> None:
        """Let the second try's answer be this one's."""
        self.answer = answer
        if self.end and not self.end.expired():
            self.end.reschedule(self.since)

    async def second_answer(self) -> Completion | None:
        """This try is over: the answer to the second one, waited for; None where there is none."""
        self.end = None
        if self.second:
            await asyncio.wait([self.second])
        return self.answer

    def leave(self) -> None:
        """It is over: nobody waits for the second try any more."""
        if self.second:
            self.second.cancel()


class Hedging:
    """The tries under way, how long the answered ones took, and second tries for those that take far longer."""

    def __init__(self, ask: Callable[[Request], Awaitable[Completion | None]]) -> None:
        """`ask` is how to ask a second time; it gives None where that came to nothing."""
        self._ask = ask
        self._under_way: dict[Try, None] = {}
        """In the order in which they were sent."""
        self._hedged = 0
        self._second_tries: set[asyncio.Task[None]] = set()
        self._answers = 0
        self._slowest = self._slowest_before = 0.0
        """Of the answers since the last multiple of `ANSWERS_COMPARED`, and of as many before."""

    @contextmanager
    def watched(self, one: Try) -> Iterator[None]:
        """Count a try as under way."""
        self._under_way[one] = None
        try:
            yield
        finally:
            del self._under_way[one]

    def answered(self, seconds: float) -> None:
        """A try was answered after so long."""
        self._slowest = max(self._slowest, seconds)
        self._answers += 1
        if self._answers % ANSWERS_COMPARED == 0:
            self._slowest_before, self._slowest = self._slowest, 0.0

    async def ask_again(self) -> None:
        """Ask a second time for what is overdue, until cancelled."""
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
        """Tries to be asked a second time now."""
        if self._answers < ANSWERS_COMPARED:
            return []
        longest = max(LEAST_S, TIMES_THE_SLOWEST * max(self._slowest, self._slowest_before))
        late = takewhile(lambda one: now - one.since > longest, self._under_way)
        room = min(AT_ONCE - len(self._second_tries), int(SHARE * self._answers) - self._hedged)
        return list(islice((one for one in late if not one.second), max(0, room)))

    async def _ask_second(self, one: Try) -> None:
        if answer := await self._ask(one.request):
            one.give(answer)
