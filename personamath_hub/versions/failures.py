"""Explain the Hub's failures: whether to try again, how long to wait, and one line for the user.

As observed with huggingface_hub 2.4: it raises `HfHubHTTPError` for HTTP statuses, httpx's errors for the connection, a
`RuntimeError` around either where the upload of a large file failed, and the built-in `ConnectionError` for every
failure in xet.
"""

import json
import logging
import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from personamath.files import in_one_line

FAILURES = (httpx2.HTTPError, OSError, RuntimeError, ValueError)
"""What the client raises on purpose; the first includes `HfHubHTTPError`."""

FIRST_WAIT_S = 0.5
"""Before the second try."""
LONGEST_WAIT_S = 30.0
# The Hub counts requests over windows of five minutes.
LONGEST_ASKED_WAIT_S = 300.0
# A concurrent change (409, 412), too many requests (429), a timeout (408): reading again and repeating helps.
PASSING_STATUSES = frozenset({408, 409, 412, 429})
# The Hub's answer to a commit whose large file it lost, or received in part: repeating uploads the file again.
LOST_OBJECT = "LFS pointer pointed to a file that does not exist"
# With their waits, eight take about a minute: a restarting Hub is back by then, and the command does not seem to hang.
TRIES = 8

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Incomplete(RuntimeError):
    """The Hub does not have what was just sent to it."""


def cause(error: BaseException) -> BaseException:
    """Return why the upload of a large file failed; any other error is its own cause."""
    return error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    if cause(error) is not error:
        # An upload uses addresses that the Hub has just issued; whatever happened to them, a new try gets new ones.
        return True
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        # The Hub has just named the file or revision: somebody deleted it since, or the Hub cannot find it yet.
        vanished = isinstance(error, EntryNotFoundError | RevisionNotFoundError)
        return status in PASSING_STATUSES or status >= 500 or vanished or LOST_OBJECT in str(error)
    if isinstance(error, OfflineModeIsEnabled) or _lacks_xet(error):
        return False
    # A proxy's page in place of JSON is an outage as well.
    return isinstance(error, Incomplete | httpx2.RequestError | ConnectionError | json.JSONDecodeError)


def is_unreachable(error: BaseException) -> bool:
    """Whether nothing listens at the endpoint's address."""
    return isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)


def tried(attempt: Callable[[], T], what: str, first_wait_s: float, is_hopeless: Callable[[BaseException], bool]) -> T:
    """Return what `attempt` returns, repeated while another try may help; otherwise its failure is raised.

    `what` names the thing in the log. `is_hopeless` adds to what this module knows of failures that stay.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return attempt()
        except FAILURES as error:
            pause = wait_s(tries, error, first_wait_s)
            if tries == TRIES or is_hopeless(error) or not is_passing(error) or pause > LONGEST_ASKED_WAIT_S:
                raise
            logger.warning("%s: %s; trying again in %.1f s", what, name(error), pause)
            time.sleep(pause)


def wait_s(tries: int, error: BaseException, first_wait_s: float) -> float:
    """Return seconds until the next try: as the Hub says, else doubling; with jitter, to separate two publishers."""
    if (asked := _asked_wait_s(cause(error))) is not None:
        return asked + random.uniform(0, first_wait_s)
    return min(LONGEST_WAIT_S, first_wait_s * 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0)


def _asked_wait_s(error: BaseException) -> float | None:
    if not isinstance(error, HfHubHTTPError):
        return None
    headers = error.response.headers
    retry_after = headers.get("Retry-After", "")
    if retry_after.isdecimal():
        return float(retry_after)
    # The header comes with every answer; it asks for a wait only where no requests remain.
    spent = re.search(r"\br=0; *t=(\d+)", headers.get("RateLimit", ""))
    return float(spent[1]) if spent else None


def _lacks_xet(error: BaseException) -> bool:
    return isinstance(error, ConnectionError) and "-token/" in str(error) and "404" in str(error)


def name(error: BaseException) -> str:
    """Name the failure in a few words."""
    error = cause(error)
    if isinstance(error, HfHubHTTPError):
        return f"the Hub answered {error.response.status_code}"
    return type(error).__name__


def explain(error: BaseException, repo_id: str, endpoint: str) -> str:
    """Explain in one line what is wrong and what to do."""
    error = cause(error)
    if isinstance(error, HfHubHTTPError):
        return _explain_answer(error, repo_id, endpoint)
    if isinstance(error, OfflineModeIsEnabled):
        return "the Hub's client is set to work offline: unset HF_HUB_OFFLINE"
    if _lacks_xet(error):
        return f"{endpoint} has no xet storage: set HF_HUB_DISABLE_XET=1"
    if isinstance(error, ConnectionError):
        return f"the upload by xet failed ({in_one_line(error)}): try again, or without xet: HF_HUB_DISABLE_XET=1"
    if isinstance(error, httpx2.RequestError):
        # Without the error's text, which may quote a header.
        reason = str(error) if is_unreachable(error) else name(error)
        return f"cannot reach {endpoint} ({reason}): check the network and HF_ENDPOINT, then run the same command again"
    if isinstance(error, json.JSONDecodeError):
        return f"{endpoint} did not answer with JSON: check HF_ENDPOINT"
    if isinstance(error, Incomplete):
        return f"{error}: run the same command again later"
    return in_one_line(error)


def _explain_answer(error: HfHubHTTPError, repo_id: str, endpoint: str) -> str:
    status = error.response.status_code
    tokens = f"{endpoint}/settings/tokens"
    if isinstance(error, GatedRepoError):
        return f"access to {repo_id} is restricted: request it at {error.response.url.copy_with(path='')}"
    if isinstance(error, RevisionNotFoundError):
        return f"{repo_id} has no such revision"
    if isinstance(error, RepositoryNotFoundError):
        return f"{repo_id} does not exist, or is private and hidden from this token: check the name and HF_TOKEN"
    if status == 401:
        return f"the Hub does not accept the token: set HF_TOKEN to a write token from {tokens}"
    if status == 403:
        owner = repo_id.partition("/")[0]
        return f"this token may not write for {owner}: use your own namespace, and a write token from {tokens}"
    if is_passing(error):
        return f"{name(error)}: run the same command again later; it continues where this one stopped"
    return f"{name(error)}: {in_one_line(error.server_message or 'no reason given')}"
