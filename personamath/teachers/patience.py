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
# No allowance is for longer than a month: what an endpoint says beyond that is a mistake, and ignored.
LONGEST_CREDIBLE_S = 31 * 86_400.0
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
    """How long nothing may be answered at all, once something was, before the run ends; no wait that an endpoint asks
    for may be longer."""


class Silence:
    """How long the endpoints have answered nothing although they were asked."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._since = 0.0
        """Monotonic time of the last answer, or of the first request after a time without any."""
        self._excused_until = 0.0
        self._asking = 0
        self._gone = ""
        """Why the endpoints count as gone; empty while they do not."""
        self.last_words = ""
        """Of the last failed try."""

    def asked(self) -> None:
        """A request begins to wait for its answer."""
        if self._asking == 0:
            self._since = time.monotonic()
        self._asking += 1

    def ended(self) -> None:
        """A request no longer waits, answered or not."""
        self._asking -= 1

    def starts_at(self, moment: float) -> None:
        """Count from this moment on: an answer has come, or nothing was asked until then."""
        self._since = moment

    def excuse_until(self, moment: float) -> None:
        """An endpoint asks to wait until then; if it does so for ever, that is silence, too."""
        self._excused_until = min(moment, self._since + self._longest_s)

    def give_up(self, why: str) -> None:
        """Count the endpoints as gone from now on."""
        self._gone = self._gone or why

    @property
    def is_too_long(self) -> bool:
        """Whether the endpoints count as gone."""
        return bool(self._gone) or time.monotonic() - max(self._since, self._excused_until) > self._longest_s

    def check(self) -> None:
        """Raise `RequestFailed` once the endpoints are gone; for good, so that the rest of a run ends at once."""
        if self.is_too_long:
            last = f" (last: {self.last_words})" if self.last_words else ""
            self.give_up(f"no endpoint has answered for {self._longest_s:.0f} s{last}")
            raise RequestFailed("teacher gone", self._gone)


def backoff_s(failures: int, after_s: float | None) -> float:
    """Seconds until the next try: as the endpoint asks, else doubling; jittered, so that not all come at once."""
    if after_s is not None:
        return after_s + random.uniform(0, FIRST_BACKOFF_S)
    doubled = FIRST_BACKOFF_S * 2.0 ** min(failures - 1, _DOUBLINGS)
    return min(LONGEST_BACKOFF_S, doubled) * random.uniform(0.5, 1.0)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that `retry-after-ms` or `Retry-After` (seconds or an HTTP date) asks for; None if neither is credible.

    A date is counted from the endpoint's own `Date`: this machine's clock may be wrong, or jump.
    """
    with suppress(KeyError, ValueError):
        return credible(float(headers["retry-after-ms"]) / 1000)
    value = headers.get("Retry-After")
    if value is None:
        return None
    with suppress(ValueError):
        return credible(float(value))
    with suppress(ValueError, TypeError, OverflowError):
        now = headers.get("Date")
        wait_s = (_moment(value) - (_moment(now) if now else datetime.now(UTC))).total_seconds()
        return credible(max(0.0, wait_s))  # a date that has passed is now
    return None


def _moment(text: str) -> datetime:
    """Read any of the three forms of an HTTP date; the oldest names no time zone."""
    read = parsedate_to_datetime(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def credible(seconds: float) -> float | None:
    """A wait that an endpoint asks for; None for one that it cannot mean: negative, no number, or of months."""
    return seconds if 0 <= seconds <= LONGEST_CREDIBLE_S else None
