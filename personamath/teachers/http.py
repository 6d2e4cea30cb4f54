"""Asking a teacher: any OpenAI-compatible endpoint, or several, over HTTP.

What is covered: 429 (Retry-After honoured), 5xx, resets, timeouts, bodies that are cut, malformed or empty are asked
again with jittered exponential backoff, each request by itself. 401, 403, 404, an exhausted account and an endpoint
that was never reached end the run at once. An endpoint that answered before and goes away is left out until it is back.
Asking is paced as `limits.py` says; what takes far too long is asked a second time as `hedging.py` says. What is not
covered: asking in batches.

aiohttp is used directly because the OpenAI SDK costs several times as much of the client's CPU per request.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from personamath.errors import BadInput, NotAsked, PersonaMathError, RequestFailed, TeacherMisconfigured
from personamath.records import Completion, Request
from personamath.teachers.hedging import Hedging, Try
from personamath.teachers.pace import LOOK_S, Announced, Charge, Pace
from personamath.teachers.replies import Replies, Retry

OPENAI_URL = "https://api.openai.com/v1"
FIRST_BACKOFF_S = 0.5
# Long enough for a restarting server, short enough that nobody believes the run has hung.
LONGEST_BACKOFF_S = 60.0
# To open a connection; an address that drops packets is told from a slow model by it.
CONNECT_TIMEOUT_S = 15.0
# How often an unreachable endpoint is tried again.
PROBE_EVERY_S = 2.0
# How often a request that waits for any endpoint looks whether one is back.
LOOK_AGAIN_S = 0.25
# A pause that an endpoint asks for is told of from here on; shorter ones come and go.
SHOWN_PAUSE_S = 5.0
# So many tries in a row that met an outage do not come by chance, with one in five failing either (10^-7).
OUTAGES_BEFORE_LEFT_OUT = 10


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a teacher is asked before it is given up."""

    timeout_s: float = 120.0
    """For one try of one request, from connecting to the last byte."""
    attempts: int = 10
    """Tries of one request; a 429 is not counted, it is the endpoint's word that a later try is welcome."""
    gone_s: float = 600.0
    """How long nothing may be answered at all, once something was, before the run is ended."""


class _Endpoint:
    """One base URL and how it fares."""

    def __init__(self, base_url: str, allowance: Announced) -> None:
        self.allowance = allowance
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadInput(f"base URL {without_secrets(base_url)!r}: write it as http://HOST:PORT/v1")
        if parts.query or parts.username:
            raise BadInput(f"base URL {without_secrets(base_url)!r}: write it without user, password and query")
        self.base_url = base_url.rstrip("/")
        self.url = self.base_url + "/chat/completions"
        self.name = without_secrets(base_url)
        self.in_flight = 0
        self.reachable = True
        """False while it is left out."""
        self.why_out = ""
        """What it was left out for."""
        self.connected = False
        """Whether it ever sent an HTTP response, of whatever status."""
        self.outages = 0
        """Tries in a row that met an outage: a gateway in front of a dead server answers, too."""


def without_secrets(url: str) -> str:
    """A URL as it may be shown: without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


class HttpTeacher:
    """OpenAI-compatible endpoints that serve the same model; each request goes to the one with the fewest in flight.

    `async with` opens and closes the connections. `api_key` is sent as a bearer token and appears nowhere else.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        api_key: str | None = None,
        patience: Patience | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._endpoints = [_Endpoint(url, Announced(self._pace.kinds)) for url in base_urls]
        self._patience = patience or Patience()
        self._headers = {"Content-Type": "application/json"}
        if api_key and not api_key.isprintable():
            raise BadInput("the key holds characters that no key has, a line break perhaps")
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._replies = Replies(api_key)
        self._quiet_since = 0.0
        """Monotonic time of the last answer, or of the first question after a time without any."""
        self._asking = 0
        self._gone = False
        self._turn = asyncio.Lock()
        """Held by the one request that waits for an endpoint; the others wait for it, in the order of their arrival."""
        self._stopping = asyncio.Event()
        self._hedging = Hedging(self._ask_second)
        self._helpers: set[asyncio.Task[None]] = set()
        """Beside the requests: probes of endpoints that are left out, and what looks for overdue tries."""
        self.retries: Counter[str] = Counter()
        """Tries after which a request was asked again, by reason."""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),  # the journal bounds what is in flight
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),  # the total is `_try`'s
            headers=self._headers,
        )
        self._help(self._hedging.ask_again())
        return self

    async def __aexit__(self, *_: object) -> None:
        for helper in self._helpers:
            helper.cancel()
        await asyncio.gather(*self._helpers, return_exceptions=True)
        await self._session.close()

    async def complete(self, request: Request) -> Completion:
        """Ask until there is an answer, the tries are used up, or no endpoint has answered for too long."""
        if self._asking == 0:
            self._quiet_since = time.monotonic()
        self._asking += 1
        try:
            completion = await self._ask(request)
        finally:
            self._asking -= 1
        self._quiet_since = time.monotonic()
        return completion

    def stop(self) -> None:
        """Send nothing more: whoever waits to be sent gets `NotAsked`, what was sent may still be answered."""
        self._stopping.set()

    @property
    def in_flight(self) -> int:
        """Requests that were sent and not answered."""
        return sum(endpoint.in_flight for endpoint in self._endpoints)

    def standing(self) -> str:
        """Which endpoints are waited for and why, in a few words; empty while none is."""
        now, waits = time.monotonic(), []
        for endpoint in self._endpoints:
            if not endpoint.reachable:
                waits.append(f"{endpoint.name} ({endpoint.why_out})")
            elif (pause := endpoint.allowance.pause_s(now)) > SHOWN_PAUSE_S:
                waits.append(f"{endpoint.name} (asks for {pause:,.0f} s)")
        return f"waiting for {' and '.join(waits)}" if waits else ""

    async def _ask(self, request: Request, hedged: bool = True) -> Completion:
        body = request.body()
        tries = backoffs = 0
        while True:
            charge = self._pace.charge(request)
            endpoint = await self._next_endpoint(charge)
            try:
                completion = await self._try(endpoint, Try(request), body, charge, hedged)
                self._pace.answered(charge, completion, time.monotonic())
                return completion
            except Retry as failure:
                tries += failure.counts
                backoffs += 1
                if tries >= self._patience.attempts:
                    raise RequestFailed(failure.reason, str(failure)) from None
                self.retries[failure.reason] += 1
                await self._pause(_wait(backoffs, failure.after_s))

    async def _ask_second(self, request: Request) -> Completion | None:
        """Ask for an overdue request once more, as for any other but within the time of one try.

        None where that failed: the first try is waited for.
        """
        if time.monotonic() - self._quiet_since > self._patience.gone_s:
            return None  # whether the endpoints are gone is for others to find
        self.retries["overdue"] += 1
        with suppress(PersonaMathError, TimeoutError):
            async with asyncio.timeout(self._patience.timeout_s):
                return await self._ask(request, hedged=False)
        return None

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _next_endpoint(self, charge: Charge) -> _Endpoint:
        """The endpoint to ask, waited for in the order of arrival while none may be asked."""
        if not self._turn.locked() and isinstance(found := self._look(charge), _Endpoint):
            return found
        async with self._turn:
            while not isinstance(found := self._look(charge), _Endpoint):
                await self._pause(min(found, LOOK_AGAIN_S))
            return found

    def _look(self, charge: Charge) -> _Endpoint | float:
        """Of the reachable endpoints that may be asked now the one with the fewest in flight; else seconds to wait."""
        if self._stopping.is_set():
            raise NotAsked("the run is ending")
        self._check_gone()
        reachable = [endpoint for endpoint in self._endpoints if endpoint.reachable]
        if not reachable:
            if not self._replies.answered and not any(one.in_flight or one.connected for one in self._endpoints):
                names = " and ".join(endpoint.name for endpoint in self._endpoints)
                raise TeacherMisconfigured(
                    f"cannot reach {names}: check --base-url, the network and that it is running"
                )
            return LOOK_AGAIN_S
        now = time.monotonic()
        wait = self._pace.wait_s(charge, now)
        if not wait:
            waits = [(one.allowance.wait_s(charge, now), one.in_flight, one) for one in reachable]
            wait, _, endpoint = min(waits, key=itemgetter(0, 1))
            if not wait:
                return endpoint
        if wait > LOOK_S:
            self._quiet_since = now  # it is we who keep quiet
        return wait

    def _check_gone(self) -> None:
        if time.monotonic() - self._quiet_since > self._patience.gone_s:
            self._gone = True  # for good: what is left of the run ends at once instead of waiting again
        if self._gone:
            raise RequestFailed("teacher gone", f"no endpoint has answered for {self._patience.gone_s:.0f} s")

    async def _try(self, endpoint: _Endpoint, one: Try, body: bytes, charge: Charge, hedged: bool) -> Completion:
        """The answer to one try, or to the second one that was made beside it; `Retry` where both failed."""
        try:
            async with asyncio.timeout(self._patience.timeout_s) as one.end:
                with self._hedging.watched(one) if hedged else nullcontext():
                    completion = await self._send(endpoint, body, charge)
            self._hedging.answered(time.monotonic() - one.since)
            endpoint.outages = 0
            return completion
        except (Retry, TimeoutError) as ended:
            if one.answer and isinstance(ended, TimeoutError):
                return one.answer  # it was ended by it
            timed_out = f"{endpoint.name}: no answer in {self._patience.timeout_s:.0f} s"
            failure = ended if isinstance(ended, Retry) else Retry("timeout", timed_out)
            self._note(failure, endpoint, charge)
            if answer := await one.second_answer():
                return answer
            raise failure from None
        finally:
            one.leave()

    def _note(self, failure: Retry, endpoint: _Endpoint, charge: Charge) -> None:
        """A try has failed: what that means for the endpoint and for the pace."""
        self._pace.failed(charge, time.monotonic())
        endpoint.outages += failure.is_outage
        if endpoint.outages >= OUTAGES_BEFORE_LEFT_OUT:
            self._leave_out(endpoint, failure.reason)
        if not failure.counts:  # an endpoint that asks to wait is there
            self._quiet_since = time.monotonic() + (failure.after_s or 0)

    async def _send(self, endpoint: _Endpoint, body: bytes, charge: Charge) -> Completion:
        """Send one request once; raises `Retry` where another try may fare better."""
        endpoint.in_flight += 1
        start = time.monotonic()
        self._pace.sent(charge, start)
        sent = endpoint.allowance.sent(charge, start)
        try:
            async with self._session.post(endpoint.url, data=body, allow_redirects=False) as response:
                endpoint.connected = True
                content = await response.read()
                after_s = _retry_after(response.headers)
                endpoint.allowance.heard(sent, response.status, response.headers, after_s, time.monotonic())
                return self._replies.read(endpoint.name, response.status, content, after_s)
        except aiohttp.ConnectionTimeoutError:
            self._leave_out(endpoint, "unreachable")
            raise Retry("unreachable", f"{endpoint.name}: no connection in {CONNECT_TIMEOUT_S:.0f} s") from None
        except aiohttp.ClientConnectorError as error:
            self._leave_out(endpoint, "unreachable")
            raise Retry("unreachable", f"{endpoint.name}: {error.strerror or error}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Retry("connection lost", f"{endpoint.name}: {type(error).__name__}") from None
        finally:
            endpoint.in_flight -= 1

    def _leave_out(self, endpoint: _Endpoint, why: str) -> None:
        """Send nothing to an endpoint that is unreachable or down until it answers again."""
        if endpoint.reachable:
            endpoint.reachable, endpoint.why_out = False, why
            self._help(self._probe(endpoint))

    def _help(self, work: Coroutine[Any, Any, None]) -> None:
        helper = asyncio.create_task(work)
        self._helpers.add(helper)
        helper.add_done_callback(self._helpers.discard)

    async def _probe(self, endpoint: _Endpoint) -> None:
        while not endpoint.reachable:
            await asyncio.sleep(PROBE_EVERY_S)
            with suppress(aiohttp.ClientError, OSError):  # a TimeoutError is an OSError
                # An endpoint without this path answers 404, and is there.
                async with (
                    asyncio.timeout(self._patience.timeout_s),
                    self._session.get(endpoint.base_url + "/models", allow_redirects=False) as response,
                ):
                    endpoint.reachable = response.status < 500
            endpoint.outages = OUTAGES_BEFORE_LEFT_OUT - 1  # one more, and it is out again


def _wait(backoffs: int, after_s: float | None) -> float:
    """Seconds until the next try: the endpoint's word, else doubling; jittered, so that not all come at once."""
    if after_s is not None:
        return after_s + random.uniform(0, FIRST_BACKOFF_S)
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(backoffs - 1, 16)) * random.uniform(0.5, 1.0)


def _retry_after(headers: Any) -> float | None:
    """Seconds asked for by `retry-after-ms` or `Retry-After` (seconds or an HTTP date); None without a legible one.

    A date is counted from the endpoint's own `Date`: this machine's clock may be wrong, or jump.
    """
    with suppress(KeyError, ValueError):
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    value = headers.get("Retry-After")
    if value is None:
        return None
    with suppress(ValueError):
        return max(0.0, float(value))
    with suppress(ValueError, TypeError):
        then, now = parsedate_to_datetime(value), headers.get("Date")
        return max(0.0, (then - (parsedate_to_datetime(now) if now else datetime.now(UTC))).total_seconds())
    return None
