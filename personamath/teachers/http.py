"""Asking over HTTP: any OpenAI-compatible endpoint, or several.

What is covered: each request is retried by itself, with jittered exponential backoff, after a 429 (Retry-After is
honoured), a 5xx, a reset, a time-out, a body that is cut, malformed or empty, or an answer that did not end by itself.
The run ends at once on 401, 404, an exhausted account, an endpoint that was never reached or that refuses whatever it
is asked (`refusals.py`), and a wait beyond the patience. An endpoint that answered before and goes away is left out
until it is back (`endpoints.py`). `pace.py` decides how fast to ask, `concurrency.py` how many requests may be in
flight, `hedging.py` when to ask a second time because an answer is overdue. What is not covered: asking in batches.

aiohttp is used directly because the OpenAI SDK costs several times as much of the client's CPU per request.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Self

from personamath.errors import PersonaMathError, RequestFailed
from personamath.records import Completion, Request
from personamath.teachers.concurrency import Limit
from personamath.teachers.endpoint import Endpoint
from personamath.teachers.endpoints import Endpoints
from personamath.teachers.hedging import Hedging, Try
from personamath.teachers.keys import Access
from personamath.teachers.pace import Charge, Pace
from personamath.teachers.patience import Patience
from personamath.teachers.prices import Paid, ThrownAway, not_counted
from personamath.teachers.refusals import TIMEOUT, Retry
from personamath.teachers.slots import Slots


class HttpTeacher:
    """OpenAI-compatible endpoints that serve the same model; each request goes to the one with the most room.

    `async with` opens and closes the connections. `access` is that of each endpoint, or empty if none needs a key. With
    `hedge` an overdue request is asked a second time, which may be paid for twice. `limits` bound the requests in
    flight, one for each URL; callers then take one of the `slots`. Without `limits`, the caller bounds them.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        access: Sequence[Access] = (),
        patience: Patience | None = None,
        pace: Pace | None = None,
        *,
        hedge: bool = False,
        limits: Sequence[Limit] | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._patience = patience or Patience()
        self._endpoints = Endpoints(base_urls, access, self._patience, self._pace, limits)
        self._limits = dict(zip(base_urls, limits or (), strict=False))
        self.slots = Slots(lambda: self._endpoints.allowed)
        """Slots for requests in flight, as many as the limits allow now."""
        self._hedging = Hedging(self._ask_second) if hedge else None
        self.retries: Counter[str] = Counter()
        """Tries after which a request was asked again, by reason."""
        self.thrown_away: ThrownAway = not_counted
        """Takes what an answer that is of no use has cost."""

    async def __aenter__(self) -> Self:
        await self._endpoints.__aenter__()
        self._hedgers = [asyncio.create_task(self._hedging.ask_again())] if self._hedging else []
        return self

    async def __aexit__(self, *_: object) -> None:
        for hedger in self._hedgers:
            hedger.cancel()
        await asyncio.gather(*self._hedgers, return_exceptions=True)
        await self._endpoints.__aexit__()

    async def complete(self, request: Request) -> Completion:
        """Ask until there is an answer, the tries are used up, or no endpoint has answered for too long."""
        silence = self._endpoints.silence
        silence.asked()
        try:
            completion = await self._ask(request)
        finally:
            silence.ended()
        silence.starts_at(time.monotonic())
        return completion

    def stop(self) -> None:
        """Send nothing more. Requests that wait to be sent get `NotAsked`; those that were sent may be answered."""
        self._endpoints.stop()

    def answered_before(self) -> None:
        """An earlier command got answers from this model: a request that is refused now is refused by itself."""
        self._endpoints.answered_before()

    @property
    def in_flight(self) -> int:
        """Requests that were sent and not answered."""
        return self._endpoints.in_flight

    @property
    def allowed(self) -> int:
        """Requests in flight that the limits allow now."""
        return self._endpoints.allowed

    @property
    def reached(self) -> dict[str, int]:
        """By base URL, the requests in flight to start with next time; empty without limits."""
        return {url: limit.reached for url, limit in self._limits.items()}

    def waiting_for(self) -> str:
        """Which endpoints are waited for and why, in a few words; empty while none is."""
        return self._endpoints.waiting_for()

    async def _ask(self, request: Request, hedged: bool = True) -> Completion:
        body = request.body()
        tries = failures = 0
        timed_out = False
        while True:
            charge = self._pace.charge(request)
            endpoint = await self._endpoints.next(charge)
            try:
                completion = await self._try(endpoint, Try(request, timed_out_before=timed_out), body, charge, hedged)
                self._pace.answered(charge, completion, time.monotonic())
                return completion
            except Retry as failure:
                tries += failure.counts
                failures += 1
                timed_out |= failure.reason == TIMEOUT
                if tries >= self._patience.attempts:
                    raise RequestFailed(failure.reason, str(failure)) from None
                self.retries[failure.reason] += 1
                await self._endpoints.pause_after(endpoint, failures, failure)

    async def _ask_second(self, request: Request) -> Completion | None:
        """Ask for an overdue request once more, like any other request but within the time of one try.

        None if that fails: the first try is still waited for.
        """
        if self._endpoints.silence.is_too_long:
            return None  # the first tries find out whether the endpoints are gone
        self.retries["overdue"] += 1
        with suppress(PersonaMathError, TimeoutError):
            async with asyncio.timeout(self._patience.timeout_s):
                return await self._ask(request, hedged=False)
        return None

    async def _try(self, endpoint: Endpoint, one: Try, body: bytes, charge: Charge, hedged: bool) -> Completion:
        """The answer to one try, or to the second one that was made beside it; raises `Retry` if both failed."""
        try:
            async with asyncio.timeout(self._patience.timeout_s) as one.end:
                with self._hedging.watched(one) if self._hedging and hedged else nullcontext():
                    completion = await self._endpoints.send(endpoint, body, charge)
            if self._hedging:
                self._hedging.answered(time.monotonic() - one.since)
            endpoint.answered()
            return completion
        except (Retry, TimeoutError) as ended:
            if one.answer and isinstance(ended, TimeoutError):
                return one.answer  # the second try's answer ended this one
            timed_out = f"{endpoint.name}: no answer in {self._patience.timeout_s:.0f} s"
            failure = ended if isinstance(ended, Retry) else Retry(TIMEOUT, timed_out)
            self._endpoints.failed(endpoint, failure, charge, one)
            if paid := Paid.wasted(one.request, failure.usage):
                await self.thrown_away(paid)
            if answer := await one.second_answer():
                return answer
            raise failure from None
        finally:
            one.leave()
