"""The endpoints of a run: which one a request goes to, which ones are left out, and when all of them are gone."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Self

from personamath.errors import NotAsked, TeacherMisconfigured
from personamath.records import Completion
from personamath.teachers.concurrency import Limit
from personamath.teachers.endpoint import SHOWN_PAUSE_S, Endpoint
from personamath.teachers.hedging import Try
from personamath.teachers.keys import Access
from personamath.teachers.pace import LOOK_S, Announced, Charge, Pace
from personamath.teachers.patience import Patience, Silence, backoff_s
from personamath.teachers.refusals import Refusals, Retry
from personamath.teachers.troubles import CONNECT_TIMEOUT_S

# How often a request that waits for any endpoint looks whether one is back.
LOOK_AGAIN_S = 0.25


class Endpoints:
    """Endpoints that serve the same model. `async with` opens and closes the connections."""

    def __init__(
        self,
        base_urls: Sequence[str],
        access: Sequence[Access],
        patience: Patience,
        pace: Pace,
        limits: Sequence[Limit] | None = None,
    ) -> None:
        """`access` is that of each endpoint; it may be empty if none wants a key.

        `limits` has one for each URL; without it, the caller bounds the requests in flight.
        """
        self._refusals = Refusals()
        of_each = access or [Access()] * len(base_urls)
        limit_of_each: Sequence[Limit | None] = limits or [None] * len(base_urls)
        self._all = [
            Endpoint(url, one, Announced(pace.kinds), self._refusals, limit)
            for url, one, limit in zip(base_urls, of_each, limit_of_each, strict=True)
        ]
        self._patience = patience
        self._pace = pace
        self.silence = Silence(patience.gone_s)
        self._turn = asyncio.Lock()
        """Held by the one request that waits for an endpoint; the others wait for it, in the order of their arrival."""
        self._stopping = False
        self._over = asyncio.Event()
        """Set once nothing more is sent: the run is ending, or the endpoints are gone."""
        self._paced_until = 0.0
        """When the request that waits for its turn may go, by the limits that are known."""
        self._probes: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        import aiohttp

        self._session = aiohttp.ClientSession(
            # `Limit` or the journal bounds what is in flight.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),  # each try has its own total
            headers={"Content-Type": "application/json"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for probe in self._probes:
            probe.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
        await self._session.close()

    def stop(self) -> None:
        """Send nothing more: a request that still waits to be sent gets `NotAsked`."""
        self._stopping = True
        self._over.set()

    def answered_before(self) -> None:
        """An earlier command got answers: refusals are now of single requests."""
        self._refusals.answered = True

    def known_to_answer(self) -> None:
        """Ask all of them again: somebody has seen that they answer."""
        for endpoint in self._all:
            endpoint.reachable = endpoint.connected = True

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until nothing more is sent."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def pause_after(self, endpoint: Endpoint, failures: int, failure: Retry) -> None:
        """Wait before the next try: as long as the endpoint asks, unless another one can be asked meanwhile."""
        now = time.monotonic()
        others = any(one.reachable and not one.asks_to_wait_s(now) for one in self._all if one is not endpoint)
        after_s = None if others and (failure.after_s or 0) > SHOWN_PAUSE_S else failure.after_s
        await self.pause(backoff_s(failures, after_s))

    @property
    def in_flight(self) -> int:
        """Requests that were sent and not answered."""
        return sum(endpoint.in_flight for endpoint in self._all)

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now, at all endpoints that are there; at least one."""
        return max(1, sum(one.limit.allowed for one in self._all if one.limit and one.reachable))

    def waiting_for(self) -> str:
        """Which endpoints are waited for and why, in a few words; empty while none is."""
        now = time.monotonic()
        waits = list(filter(None, (endpoint.waiting_for(now) for endpoint in self._all)))
        if waits:
            return f"waiting for {' and '.join(waits)}"
        paced_s = self._paced_until - now
        return f"waiting {paced_s:,.0f} s to stay within the rate limits" if paced_s > SHOWN_PAUSE_S else ""

    async def next(self, charge: Charge) -> Endpoint:
        """The endpoint to ask now. While none may be asked, requests wait in the order of their arrival."""
        if not self._turn.locked() and isinstance(found := self._look(charge), Endpoint):
            return found
        async with self._turn:
            while not isinstance(found := self._look(charge), Endpoint):
                self._paced_until = time.monotonic() + found
                await self.pause(min(found, LOOK_AGAIN_S))
            self._paced_until = 0.0
            return found

    def _look(self, charge: Charge) -> Endpoint | float:
        """The endpoint with the most room among those that may be asked now; else seconds to wait."""
        if self._stopping:
            raise NotAsked("the run is ending")
        self.silence.check()
        reachable = [endpoint for endpoint in self._all if endpoint.reachable]
        if not reachable:
            self._check_ever_reached()
            return LOOK_AGAIN_S
        now = time.monotonic()
        paced = wait = self._pace.wait_s(charge, now)
        if not wait:
            welcome = [one for one in reachable if not one.asks_to_wait_s(now)] or reachable
            with_room = [one for one in welcome if one.has_room]
            if not with_room:
                return LOOK_S  # an endpoint was left out, or answers fewer at a time than before
            waits = [(one.allowance.wait_s(charge, now), one.load, one) for one in with_room]
            wait, _, endpoint = min(waits, key=itemgetter(0, 1))
            if not wait:
                return endpoint
            self._check_patience(wait, f"{endpoint.name} lets nothing in for now, by the limits it announces")
        if not paced and endpoint.allowance.pause_s(now):
            self.silence.excuse_until(now + wait)
        elif wait > LOOK_S:
            self.silence.starts_at(now)  # nothing is answered because nothing is sent
        return wait

    def _check_patience(self, wait_s: float, said: str) -> None:
        """Count the endpoints as gone if the shortest wait that they ask for is longer than the patience."""
        if wait_s > self._patience.gone_s:
            self.silence.give_up(
                f"{said}; it asks to wait {wait_s:,.0f} s, longer than --patience ({self._patience.gone_s:g} s)"
            )
            self._over.set()

    def _check_ever_reached(self) -> None:
        if not any(one.in_flight or one.connected or one.in_doubt for one in self._all):
            names = " and ".join(endpoint.name for endpoint in self._all)
            why = self.silence.last_words.removeprefix(f"{names}: ")
            raise TeacherMisconfigured(
                f"cannot reach {names}" + (f" ({why})" if why else "") + ": check --base-url, the network and that it "
                "is running"
            )

    async def send(self, endpoint: Endpoint, body: bytes, charge: Charge) -> Completion:
        """Send one request once; raise `Retry` if another try may succeed."""
        self._pace.sent(charge, time.monotonic())
        with self._refusals.trying():
            return await endpoint.send(self._session, body, charge)

    def failed(self, endpoint: Endpoint, failure: Retry, charge: Charge, one: Try) -> None:
        """Draw the conclusions from a failed try, for its endpoint and for the pace."""
        self._pace.failed(charge, time.monotonic())
        if endpoint.failed(failure, one) and endpoint.reachable:
            endpoint.leave_out(failure.reason)
            probe = asyncio.create_task(endpoint.wait_until_back(self._session, self._patience.timeout_s))
            self._probes.add(probe)
            probe.add_done_callback(self._probes.discard)
        self.silence.last_words = str(failure)
        if failure.after_s is not None:
            self._asked_to_wait(endpoint, failure.after_s, str(failure))

    def _asked_to_wait(self, endpoint: Endpoint, seconds: float, said: str) -> None:
        """An endpoint asks to be left alone: prefer others, show it if it is long, end the run if it is too long."""
        now = time.monotonic()
        if seconds > min(SHOWN_PAUSE_S, self._patience.gone_s):
            endpoint.leave_alone(seconds)
        if all(one.asks_to_wait_s(now) > self._patience.gone_s for one in self._all if one.reachable):
            self._check_patience(seconds, said)
        self.silence.excuse_until(now + seconds)
