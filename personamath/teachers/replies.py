"""What an endpoint's reply to a chat request means: a completion, a reason to ask again, or an end.

Shared by the two ways of asking that get OpenAI's replies: over HTTP, and in batches.
"""

import json
from typing import Any, cast

from personamath.errors import RequestFailed, TeacherMisconfigured
from personamath.records import Completion, FinishReason

Json = dict[str, Any]

# A 400 is the fault of one request, unless the first requests of a run all get it: then the run ends at once.
REFUSALS_BEFORE_ANY_ANSWER = 8
# Some endpoints report their content filter as an error instead of a finish_reason.
FILTER_CODES = {"content_filter", "content_policy_violation"}
# An error that only money mends, although its status is that of a rate limit.
NO_CREDIT = "insufficient_quota"
# Enough of an error's body to name the cause in one line.
SHOWN_OF_A_BODY = 200


class Retry(Exception):
    """One try failed, and another may succeed."""

    def __init__(self, reason: str, detail: str, after_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.after_s = after_s
        """Seconds after which the endpoint asks to come back; None if it does not say."""
        self.counts = reason != "http 429"
        self.is_outage = reason == "timeout" or reason == "connection lost" or reason.startswith("http 5")


class Replies:
    """Reads the replies of one run; `api_key` is removed from everything that is shown of them."""

    def __init__(self, api_key: str | None = None) -> None:
        self._api_key = api_key
        self._refusals = 0
        self.answered = False
        """Whether any reply was a completion."""

    def read(self, name: str, status: int, content: bytes | Json, after_s: float | None = None) -> Completion:
        """The completion in a reply, as bytes or already parsed; `name` is the endpoint's, for errors.

        Raises `Retry` if another try may succeed, `RequestFailed` if this request cannot be answered, and
        `TeacherMisconfigured` if none can.
        """
        if status == 200:
            completion = _completion(content)
            self.answered = True
            return completion
        code, message = read_error(content)
        if status == 400 and code in FILTER_CODES:
            self.answered = True
            return Completion("", "content_filter")
        message = self.without_key(message)
        said = f"{name} answered {status}" + (f" ({message})" if message else "")
        if status == 401:
            raise TeacherMisconfigured(f"{said}: check the key in OPENAI_API_KEY")
        if status == 403:
            raise TeacherMisconfigured(f"{said}: check that the key may use this model here")
        if status == 404:
            raise TeacherMisconfigured(f"{said}: check --teacher and --base-url (it usually ends in /v1)")
        if code == NO_CREDIT:
            raise TeacherMisconfigured(f"{said}: the account has no credit left; add some and run the same command")
        if may_pass(status):
            raise Retry(f"http {status}", said, after_s)
        self._refusals += 1
        if not self.answered and self._refusals >= REFUSALS_BEFORE_ANY_ANSWER:
            raise TeacherMisconfigured(
                f"{said}, as to every request so far: check --teacher, --max-tokens and --base-url"
            )
        raise RequestFailed(f"http {status}", said)

    def without_key(self, text: str) -> str:
        """A text that may be shown: some proxies repeat the key that they refuse."""
        return text.replace(self._api_key, "[key]") if self._api_key else text


def may_pass(status: int) -> bool:
    """Whether the same request may succeed later after an error of this status."""
    return status in {408, 409, 425, 429} or status >= 500


def read_error(content: bytes | Json) -> tuple[str, str]:
    """Code and message of an OpenAI-style error body, as far as it is one."""
    try:
        error = _parsed(content)["error"]
        code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else ("", error)
    except (ValueError, KeyError, TypeError):
        code, message = "", content.decode(errors="replace") if isinstance(content, bytes) else json.dumps(content)
    return str(code or ""), " ".join(str(message or "").split())[:SHOWN_OF_A_BODY]


def _parsed(content: bytes | Json) -> Any:
    return json.loads(content) if isinstance(content, bytes) else content


def _completion(content: bytes | Json) -> Completion:
    """The completion in a chat response of status 200; `Retry` if there is none in it."""
    try:
        body = _parsed(content)
        choice = body["choices"][0]
        message = choice["message"]
        text, refusal, reason = message.get("content"), message.get("refusal"), choice.get("finish_reason")
        usage = body.get("usage") or {}
        prompt_tokens, completion_tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
        for part in (text, refusal):
            str(part or "").encode()  # raises for half a surrogate pair: the answer was cut
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        size = f"{len(content):,} bytes" if isinstance(content, bytes) else "a line"
        raise Retry("malformed body", f"{type(error).__name__} in {size}") from None
    finish: FinishReason = cast(FinishReason, reason) if reason in ("length", "content_filter") else "stop"
    if refusal and not text:
        finish, text = "refusal", refusal
    if not isinstance(text, str) or (not text.strip() and finish == "stop"):
        if finish == "stop":
            raise Retry("empty answer", f"finish_reason {reason!r} without content")
        text = ""  # the filter or the limit struck before the first visible token
    return Completion(text, finish, _count(prompt_tokens), _count(completion_tokens))


def _count(tokens: object) -> int | None:
    # SQLite's integers have 64 bits.
    return tokens if isinstance(tokens, int) and 0 <= tokens < 2**63 else None
