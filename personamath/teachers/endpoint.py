"""One endpoint: requests to it, what it allows, and whether it can be reached."""

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from personamath.records import CHARACTERS_PER_TOKEN, Completion
from personamath.teachers.answered_by import PROVIDER_HEADER
from personamath.teachers.bodies import LARGEST_BODY_BYTES
from personamath.teachers.concurrency import TIMEOUT_WEIGHT, Limit, Sent
from personamath.teachers.hedging import Try
from personamath.teachers.keys import Access
from personamath.teachers.pace import Announced, Charge
from personamath.teachers.patience import retry_after_s
from personamath.teachers.proxies import proxy_for
from personamath.teachers.refusals import TIMEOUT, Refusals, Retry
from personamath.teachers.replies import NO_API, Replies
from personamath.teachers.troubles import NO_CONNECTION, UNREACHABLE, trouble
from personamath.teachers.urls import checked, without_secrets

if TYPE_CHECKING:
    import aiohttp

# How often an endpoint that was left out is tried again.
PROBE_EVERY_S = 2.0
# Pauses that an endpoint asks for are shown from this length on; shorter ones come and go.
SHOWN_PAUSE_S = 5.0
# Tries in a row that met an outage before an endpoint is left out. Even if one try in five fails by chance, ten in a
# row do so once in 10^7.
OUTAGES_BEFORE_LEFT_OUT = 10


class Endpoint:
    """One base URL, and whether and how fast it answers."""

    def __init__(
        self, base_url: str, access: Access, allowance: Announced, refusals: Refusals, limit: Limit | None = None
    ) -> None:
        """Without a `limit`, the caller bounds the requests in flight."""
        from multidict import CIMultiDict

        self.allowance = allowance
        self.limit = limit
        self.in_flight = 0
        self.reachable = True
        """False while it is left out."""
        self.in_doubt = False
        """Whether the only sign that it cannot be reached is a time-out, and no probe has failed yet."""
        self.connected = False
        """Whether it ever sent an HTTP response, of whatever status."""
        self._base_url = checked(base_url)
        self._proxy = proxy_for(self._base_url)
        through = f" through the proxy {without_secrets(self._proxy)}" if self._proxy else ""
        self.name = self._base_url + through
        self._url = self._base_url + "/chat/completions"
        self._headers = CIMultiDict(access.headers)
        self._replies = Replies(access, refusals)
        self._why_out = ""
        self._outages = 0
        """In a row; a gateway in front of a dead server answers, too."""
        self._left_alone_until = 0.0

    async def send(self, session: "aiohttp.ClientSession", body: bytes, charge: Charge) -> Completion:
        """Send one request once; raise `Retry` if another try may succeed."""
        import aiohttp

        self.in_flight += 1
        sent = self.allowance.sent(charge, time.monotonic())
        asked = Sent(sent.at, self.in_flight)
        try:
            async with session.post(
                self._url, data=body, headers=self._headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                self.connected = True
                content = await self._body(response)
                after_s = retry_after_s(response.headers)
                self.allowance.heard(sent, response.status, response.headers, after_s, time.monotonic())
                location = without_secrets(response.headers.get("Location", ""))
                provider = response.headers.get(PROVIDER_HEADER, "")
                completion = self._replies.read(
                    self.name, response.status, content, after_s, location, provider, asked=body
                )
            if self.limit:
                self.limit.answered(asked, _length(completion), self.in_flight, time.monotonic())
            return completion
        except (aiohttp.ClientError, OSError) as error:
            raise trouble(self.name, error, self._replies.shown) from None
        finally:
            self.in_flight -= 1

    async def _body(self, response: "aiohttp.ClientResponse") -> bytes:
        """The body of a reply; raise `Retry` for one that goes on and on, before it fills the memory."""
        pieces, size = list[bytes](), 0
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_BODY_BYTES:
                detail = f"{self.name} answered {response.status} with more than {LARGEST_BODY_BYTES:,} bytes"
                raise Retry("malformed body", detail, remedy=NO_API)
        return b"".join(pieces)

    def answered(self) -> None:
        """A try was answered with a completion."""
        self._outages = 0

    @property
    def load(self) -> float:
        """How full it is: 1 where no more may be in flight; without a limit, the requests in flight."""
        return self.in_flight / self.limit.allowed if self.limit else self.in_flight

    @property
    def has_room(self) -> bool:
        """Whether one more may be in flight."""
        return not self.limit or self.in_flight < self.limit.allowed

    def failed(self, failure: Retry, one: Try) -> bool:
        """Count a failed try; return whether to leave this endpoint out."""
        self._outages += failure.is_outage
        self.in_doubt = failure.reason == NO_CONNECTION and (self.reachable or self.in_doubt)
        if self.limit and (weight := self._overload(failure, one.timed_out_before)):
            self.limit.failed(one.since, time.monotonic(), weight)
        return failure.reason in (UNREACHABLE, NO_CONNECTION) or self._outages >= OUTAGES_BEFORE_LEFT_OUT

    def leave_out(self, why: str) -> None:
        """Mark it as one that nothing is sent to."""
        self.reachable, self._why_out = False, why
        if self.limit:
            self.limit.restart(time.monotonic())

    def leave_alone(self, seconds: float) -> None:
        """Note that it asks for a wait; other endpoints are preferred until then."""
        self._left_alone_until = max(self._left_alone_until, time.monotonic() + seconds)

    def asks_to_wait_s(self, now: float) -> float:
        """Seconds for which it has asked to be left alone; short waits do not count."""
        return max(0.0, self._left_alone_until - now)

    async def wait_until_back(self, session: "aiohttp.ClientSession", timeout_s: float) -> None:
        """Ask for its list of models now and then, until it answers."""
        import aiohttp

        while not self.reachable:
            await asyncio.sleep(PROBE_EVERY_S)
            with suppress(aiohttp.ClientError, OSError):  # a TimeoutError is an OSError
                # An endpoint without this path answers 404, and is there.
                async with (
                    asyncio.timeout(timeout_s),
                    session.get(
                        self._base_url + "/models", headers=self._headers, allow_redirects=False, proxy=self._proxy
                    ) as response,
                ):
                    self.reachable = response.status < 500
            self.in_doubt = False
            self._outages = OUTAGES_BEFORE_LEFT_OUT - 1  # one more, and it is left out again

    def _overload(self, failure: Retry, timed_out_before: bool) -> int:
        """How much a failed try says that too many are in flight.

        Nothing if the announced allowance explains it, or if the request has timed out before: it may be a long one.
        """
        if failure.reason == TIMEOUT:
            return 0 if timed_out_before else TIMEOUT_WEIGHT
        return int(failure.is_outage or (not failure.counts and not self.allowance.announces))

    def waiting_for(self, now: float) -> str:
        """Its name and why requests wait for it; empty if they do not."""
        if not self.reachable:
            return f"{self.name} ({self._why_out})"
        pause, asked = self.allowance.pause_s(now), self.asks_to_wait_s(now)
        if asked or pause > SHOWN_PAUSE_S:
            pause = max(pause, asked)
            return f"{self.name} (asks for {pause:,.0f} s)"
        return ""


def _length(completion: Completion) -> float:
    """How many tokens an answer has, about, if the endpoint does not say."""
    return completion.completion_tokens or len(completion.text) / CHARACTERS_PER_TOKEN
