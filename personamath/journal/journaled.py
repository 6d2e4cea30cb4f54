"""A teacher that remembers: the journal around any other teacher."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, Protocol

from personamath.errors import NotAsked, PersonaMathError, RunDirectoryError, TeacherMisconfigured
from personamath.journal.store import DISK_RESERVE_BYTES
from personamath.records import Completion, Request, Teacher
from personamath.teachers.prices import Bill, Caps, Paid, Prices
from personamath.teachers.slots import Slots

# How long a run that ends early waits for answers in flight: most arrive, and nobody waits for a hung one.
DRAIN_S = 30.0
# How often a request that a cap may not allow looks whether the answers in flight have left room for it.
CAP_LOOK_S = 0.05


class Memory(Protocol):
    """What keeps answers: the journal, or what a block of the engine for many machines remembers."""

    path: Path
    """For messages; the disk that it is on is the parent's."""

    def get(self, digest: str) -> Completion | None:
        """The answer to the request with this digest, or None."""
        ...

    async def put(self, request: Request, completion: Completion) -> None:
        """Keep one answer."""
        ...

    async def pay(self, paid: Paid) -> None:
        """Keep what a reply cost that was no answer."""
        ...

    def paid(self) -> list[Paid]:
        """What its answers, and the replies that were none, used, by model and purpose."""
        ...

    def has_room(self) -> bool:
        """Whether the disk still holds the reserve that the answers in flight may need."""
        ...


class JournaledTeacher:
    """A teacher around a teacher: what the journal knows is not asked again, what is asked is journaled.

    At most `concurrency` requests are in flight, counted until their answers are on disk; it may also be the slots of
    the teacher, or slots shared with others. Equal requests that meet in flight are asked once. `stop` lets what is in
    flight arrive, because it is paid for, and then ends every caller.
    At a cap what the journal knows is still answered; anything else is `NotAsked`.
    """

    def __init__(
        self,
        memory: Memory,
        teacher: Teacher,
        concurrency: int | Slots,
        prices: Prices | None = None,
        caps: Caps | None = None,
        stop_sending: Callable[[], None] | None = None,
        ready: Callable[[], Awaitable[None]] | None = None,
        other_runs: Callable[[str], Completion | None] = lambda _: None,
        drain_s: float = DRAIN_S,
    ) -> None:
        """`stop_sending` tells the teacher that the run is ending: what waits to be sent is then `NotAsked`.

        `ready` waits until the teacher can be asked; that time is not part of `answer_s`. `other_runs` finds an answer
        that another run has, by the request's digest. `drain_s` is how long an ending run waits for answers in flight.
        """
        self._journal = memory
        self._teacher = teacher
        self._caps = caps or Caps()
        self._stop_sending = stop_sending
        self._ready = ready
        self._other_runs = other_runs
        self.bill = Bill.so_far(prices, memory.paid())
        """All answers of the run directory, those of earlier commands included."""
        self._slots = Slots.fixed(concurrency) if isinstance(concurrency, int) else concurrency
        self._asking: dict[str, asyncio.Event] = {}
        self._reason_to_stop: PersonaMathError | None = None
        self._drain_s = drain_s
        self._give_up_at: float | None = None
        """When a run that is ending stops waiting, on the monotonic clock, which is that of asyncio's loops, too."""
        self._limits: set[asyncio.Timeout] = set()
        """Of the requests in flight."""
        self.in_flight = 0
        self._waited_s = 0.0
        self.asked = 0
        """Requests answered by the teacher, this time."""
        self.replayed = 0
        """Requests answered from the journal."""
        self.reused = 0
        """Requests answered from the journals of other runs, this time."""

    async def complete(self, request: Request) -> Completion:
        """The journaled answer, or the teacher's."""
        if self._reason_to_stop:
            await self._drained()
        try:
            return await self._remember_or_ask(request)
        except (TeacherMisconfigured, RunDirectoryError) as error:
            await self.end(error)
        except NotAsked:
            if self._reason_to_stop:
                await self._drained()
            raise

    async def pay_for(self, paid: Paid) -> None:
        """Count what a reply cost that was no answer; raises `NotAsked`, so that nobody asks again, at a cap."""
        await self._journal.pay(paid)
        self.bill.add(paid)
        if self._caps.reached(self.bill, 0):
            raise NotAsked("a cap of this run is reached")

    async def _remember_or_ask(self, request: Request) -> Completion:
        digest = request.digest
        while same := self._asking.get(digest):
            await same.wait()
        if known := self._journal.get(digest):
            self.replayed += 1
            return known
        self._asking[digest] = asyncio.Event()
        try:
            if other := self._other_runs(digest):
                return await self._take_over(request, other)
            async with self._slots:
                return await self._ask(request)
        finally:
            self._asking.pop(digest).set()

    async def _take_over(self, request: Request, completion: Completion) -> Completion:
        """Journal another run's answer, so that this run directory is whole without that one."""
        self._check_room()
        await self._journal.put(request, completion)
        self.bill.add(Paid.of(request.model, request.purpose, completion))
        self.reused += 1
        return completion

    def _check_room(self) -> None:
        if not self._journal.has_room():
            raise RunDirectoryError(
                f"{self._journal.path.parent}: less than {DISK_RESERVE_BYTES // 2**20} MB left on its disk; "
                "every answer is kept: make room, then run the same command"
            )

    async def _ask(self, request: Request) -> Completion:
        if self._reason_to_stop:
            await self._drained()
        self._check_room()
        if self._ready and not self._caps.reached(self.bill, 0):
            await self._ready()
        while self._caps.reached(self.bill, self.in_flight):
            # The cost of what is in flight is a guess: its answers may leave room for more.
            if self._caps.reached(self.bill, 0) or not self.in_flight:
                raise NotAsked("a cap of this run is reached")
            await asyncio.sleep(CAP_LOOK_S)
            if self._reason_to_stop:
                await self._drained()
        self.in_flight += 1
        start = time.monotonic()
        try:
            completion = await self._unless_given_up(request)
            self._waited_s += time.monotonic() - start
            await self._journal.put(request, completion)
            self.bill.add(Paid.of(request.model, request.purpose, completion))
        finally:
            self.in_flight -= 1
        self.asked += 1
        if self._caps.usd is not None and completion.finish_reason == "stop" and completion.completion_tokens is None:
            raise TeacherMisconfigured(
                "the endpoint does not count tokens, so --max-usd cannot work: use --max-requests"
            )
        return completion

    async def _unless_given_up(self, request: Request) -> Completion:
        """The teacher's answer; raises the reason why the run is ending if it does not come in time."""
        limit = asyncio.timeout_at(self._give_up_at)
        self._limits.add(limit)
        try:
            async with limit:
                return await self._teacher.complete(request)
        except TimeoutError:
            if limit.expired() and self._reason_to_stop:
                raise self._reason_to_stop from None
            raise
        finally:
            self._limits.discard(limit)

    @property
    def answer_s(self) -> float | None:
        """Mean seconds from asking to the whole answer; None before the first."""
        return self._waited_s / self.asked if self.asked else None

    def stop(self, reason: PersonaMathError) -> None:
        """Ask nothing more; callers get `reason` once what is in flight has arrived, or after `drain_s`.

        A caller that waits for an answer, or for a slot that such a request holds, gets it then, too: an endpoint that
        hangs does not keep the run from ending.
        """
        if not self._reason_to_stop:
            self._reason_to_stop = reason
            self._give_up_at = time.monotonic() + self._drain_s
            for limit in self._limits:
                limit.reschedule(self._give_up_at)
            if self._stop_sending:
                self._stop_sending()

    async def end(self, reason: PersonaMathError) -> NoReturn:
        """Stop, and raise the reason once what is in flight has arrived."""
        self.stop(reason)
        await self._drained()

    async def _drained(self) -> NoReturn:
        assert self._reason_to_stop
        while self.in_flight:
            await asyncio.sleep(0.05)
        raise self._reason_to_stop
