"""How long the next try is put off: as the endpoint asks, else doubling."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from multidict import CIMultiDict

from personamath.teachers.patience import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, backoff_s, retry_after_s

AFTER = [
    ({"Retry-After": "3"}, 3.0),
    ({"retry-after-ms": "250", "Retry-After": "3"}, 0.25),
    ({"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}, 3600.0),
    ({"Retry-After": format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)}, 0.0),
    ({"Retry-After": "Fri, 02 Jan 1970 00:00:20 GMT", "Date": "Fri, 02 Jan 1970 00:00:00 GMT"}, 20.0),
    ({"Retry-After": "-1"}, 0.0),
    ({"Retry-After": "soon"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), AFTER)
def test_the_endpoints_word_on_when_to_come_back_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(CIMultiDict(headers)) == (
        seconds if seconds is None else pytest.approx(seconds, abs=seconds / 4)
    )


def test_backoff_doubles_up_to_its_limit_and_is_jittered() -> None:
    waits = [[backoff_s(failures, None) for _ in range(200)] for failures in range(1, 12)]
    for backoffs, wait in enumerate(waits):
        full = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**backoffs)
        assert full / 2 <= min(wait) < max(wait) <= full
        assert max(wait) - min(wait) > full / 4
