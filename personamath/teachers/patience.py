"""How long to wait: before a failed request is tried again, and before endpoints that do not answer are given up."""

import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from personamath.errors import RequestFailed

FIRST_BACKOFF_S = 0.5
# Long enough for a restarting server, short enough that nobody believes the run has hung.
LONGEST_BACKOFF_S = 60.0
# The doubling stops here: far beyond the longest wait, and long before a float overflows.
_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a teacher is asked before it is given up."""

    timeout_s: float = 120.0
    """For one try of one request, from connecting to the last byte."""
    attempts: int = 10
    """Tries of one request. A 429 does not count: the endpoint has said that a later try is welcome."""
    gone_s: float = 600.0
    """How long nothing may be answered at all, once something was, before the run ends."""


class Silence:
    """How long the endpoints have answered nothing although they were asked."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._since = 0.0
        """Monotonic time of the last answer, or of the first request after a time without any."""
        self._asking = 0
        self._gone = False

    def asked(self) -> None:
        """A request begins to wait for its answer."""
        if self._asking == 0:
            self._since = time.monotonic()
        self._asking += 1

    def ended(self) -> None:
        """A request no longer waits, answered or not."""
        self._asking -= 1

    def starts_at(self, moment: float) -> None:
        """Count from this moment on: an answer has come, or there is a good reason for silence until then."""
        self._since = moment

    @property
    def is_too_long(self) -> bool:
        """Whether the endpoints count as gone."""
        return time.monotonic() - self._since > self._longest_s

    def check(self) -> None:
        """Raise `RequestFailed` once the endpoints are gone; for good, so that the rest of a run ends at once."""
        self._gone = self._gone or self.is_too_long
        if self._gone:
            raise RequestFailed("teacher gone", f"no endpoint has answered for {self._longest_s:.0f} s")


def backoff_s(failures: int, after_s: float | None) -> float:
    """Seconds until the next try: as the endpoint asks, else doubling; jittered, so that not all come at once."""
    if after_s is not None:
        return after_s + random.uniform(0, FIRST_BACKOFF_S)
    doubled = FIRST_BACKOFF_S * 2.0 ** min(failures - 1, _DOUBLINGS)
    return min(LONGEST_BACKOFF_S, doubled) * random.uniform(0.5, 1.0)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that `retry-after-ms` or `Retry-After` (seconds or an HTTP date) asks for; None if neither is legible.

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
