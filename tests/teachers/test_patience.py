"""How long the next try is put off: as the endpoint asks, else doubling."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from multidict import CIMultiDict

from personamath.errors import RequestFailed
from personamath.teachers.patience import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, Silence, backoff_s, retry_after_s

AFTER: list[tuple[dict[str, str | timedelta], float | None]] = [
    # A time stands for the date that is so far from now.
    ({"Retry-After": "3"}, 3.0),
    ({"retry-after-ms": "250", "Retry-After": "3"}, 0.25),
    ({"Retry-After": timedelta(hours=1)}, 3600.0),
    ({"Retry-After": -timedelta(hours=1)}, 0.0),
    ({"Retry-After": "Fri, 02 Jan 1970 00:00:20 GMT", "Date": "Fri, 02 Jan 1970 00:00:00 GMT"}, 20.0),
    ({"Retry-After": "Fri Jan  2 00:00:20 1970", "Date": "Fri, 02 Jan 1970 00:00:00 GMT"}, 20.0),
    ({"Retry-After": "Friday, 02-Jan-70 00:00:20 GMT", "Date": "Fri Jan  2 00:00:00 1970"}, 20.0),
    ({"Retry-After": "0"}, 0.0),
    ({"Retry-After": "1.5"}, 1.5),
    ({"Retry-After": "3600"}, 3600.0),
    ({"Retry-After": "86400"}, 86_400.0),
    ({"Retry-After": "soon"}, None),
    # What no endpoint can mean.
    ({"Retry-After": "-1"}, None),
    ({"Retry-After": "inf"}, None),
    ({"Retry-After": "nan"}, None),
    ({"Retry-After": "1e300"}, None),
    ({"Retry-After": "99999999999"}, None),
    ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
    ({"retry-after-ms": "inf"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), AFTER)
def test_the_endpoints_word_on_when_to_come_back_is_read(
    headers: dict[str, str | timedelta], seconds: float | None
) -> None:
    # A date is counted from when the test runs, which may be long after it was collected.
    now = datetime.now(UTC)
    written = {
        name: format_datetime(now + value, usegmt=True) if isinstance(value, timedelta) else value
        for name, value in headers.items()
    }
    assert retry_after_s(CIMultiDict(written)) == (
        seconds if seconds is None else pytest.approx(seconds, abs=seconds / 4)
    )


def test_backoff_doubles_up_to_its_limit_and_is_jittered() -> None:
    waits = [[backoff_s(failures, None) for _ in range(200)] for failures in range(1, 12)]
    for backoffs, wait in enumerate(waits):
        full = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**backoffs)
        assert full / 2 <= min(wait) < max(wait) <= full
        assert max(wait) - min(wait) > full / 4


SILENT = [
    # Of a patience of 10 s: silent for so long, asked to wait for so many seconds more, and whether that is too long.
    (5, None, False),
    (15, None, True),
    (15, 4, False),
    # After twice the patience no word of the endpoint counts any more.
    (21, 4, True),
]


@pytest.mark.parametrize(("silent_s", "asks_for_s", "too_long"), SILENT)
def test_a_wait_that_an_endpoint_asks_for_is_no_silence_but_waits_without_end_are(
    silent_s: float, asks_for_s: float | None, too_long: bool
) -> None:
    silence = Silence(10)
    silence.starts_at(time.monotonic() - silent_s)
    if asks_for_s is not None:
        silence.excuse_until(time.monotonic() + asks_for_s)
    assert silence.is_too_long is too_long


def test_who_is_given_up_stays_given_up_and_the_last_words_are_named() -> None:
    silence = Silence(10)
    silence.last_words = "out of order"
    silence.starts_at(time.monotonic() - 11)
    for _ in range(2):
        with pytest.raises(RequestFailed, match=r"teacher gone: .* 10 s \(last: out of order\)"):
            silence.check()
        silence.starts_at(time.monotonic())
