"""What an endpoint's reply to a chat request means: a completion, a reason to ask again, or an end.

Shared by the two ways of asking that get OpenAI's replies: over HTTP, and in batches. `finish.py` reads the
finish_reason, `error_bodies.py` the errors; `refusals.py` decides whether a refusal is of one request or of all.
"""

import json
from typing import Any, NamedTuple

from personamath.errors import TeacherMisconfigured
from personamath.files import in_one_line
from personamath.records import AnsweredBy, Completion
from personamath.teachers.answered_by import read_answered_by
from personamath.teachers.bodies import json_in
from personamath.teachers.error_bodies import SHOWN_OF_A_BODY, ApiError, describe, holds_error, read_error
from personamath.teachers.finish import finish
from personamath.teachers.keys import Access
from personamath.teachers.parameters import parameter_remedy
from personamath.teachers.refusals import REFUSALS_BEFORE_ANY_ANSWER, Refusal, Refusals, Retry

Json = dict[str, Any]

ADD_CREDIT = "the account has no credit left; add some and run the same command"
CHECK_ALL = "check --teacher, --max-tokens and --base-url"
NO_API = "check --base-url (it usually ends in /v1) and what stands between here and the endpoint"
# Kinds of parts that are no part of the answer's text. `text` and `output_text` are; so is a part without a kind.
_TEXT_KINDS = ("text", "output_text", None)
# Azure's and Gemini's words for why a prompt got no choice at all.
_PROMPT_FILTERS = ("prompt_filter_results", "prompt_feedback", "promptFeedback", "content_filter_results")
# A finish_reason is a word; of anything longer the start is enough.
SHOWN_OF_A_REASON = 40


class Replies:
    """Reads the replies of one endpoint; the secrets that it was sent are removed from everything that is shown."""

    def __init__(self, access: Access | None = None, refusals: Refusals | None = None) -> None:
        """`refusals` are those of the run, which may have other endpoints."""
        self._access = access or Access()
        self.refusals = refusals or Refusals()

    def read(
        self,
        name: str,
        status: int,
        content: bytes | Json | list[Any],
        after_s: float | None = None,
        location: str = "",
        provider: str = "",
        *,
        asked: bytes,
    ) -> Completion:
        """The completion in a reply, as bytes or already parsed; `name` is the endpoint's, for errors.

        Raises `Retry` if another try may succeed, `Refusal` if this request cannot be answered, and
        `TeacherMisconfigured` if none can. `location` is where a redirect leads, `provider` what a router's header
        names, `asked` the body of the request.
        """
        if 200 <= status < 300:
            completion = self._completion(name, content, provider)
            if isinstance(completion, Completion):
                self.refusals.answered = True
                return completion
            error = completion
        else:
            error = read_error(status, self._access.masked_bytes(content) if isinstance(content, bytes) else content)
        if error.is_filtered:
            self.refusals.answered = True
            return Completion("", "content_filter")
        words = self.shown(error.message)
        said = f"{name} answered {status}" + (f" ({words})" if words else "")
        _end_if_hopeless(error, said, self._access)
        if error.status in (400, 422) and (remedy := parameter_remedy(error.message, error.parameter, asked)):
            raise TeacherMisconfigured(f"{said}: {remedy}")  # every request has this parameter: the first decides
        if error.status == 200:
            raise Retry("error with status 200", said)
        if may_pass(error.status):
            raise Retry(f"http {error.status}", said, after_s)
        raise _refusal(error.status, said, self._access.masked(location))

    def shown(self, text: str) -> str:
        """The start of an endpoint's own words, in one line, as they may be shown."""
        return in_one_line(self._access.masked(text), SHOWN_OF_A_BODY) if text.strip() else ""

    def _completion(self, name: str, content: bytes | Json | list[Any], provider: str) -> Completion | ApiError:
        """The completion in a reply of status 200, or the error in it; `Retry` if there is neither."""
        try:
            body: Any = json_in(content) if isinstance(content, bytes) else content
        except (ValueError, RecursionError):
            what = "no JSON"
            if isinstance(content, bytes):
                what = self.shown(describe(self._access.masked_bytes(content)))
            raise Retry("malformed body", f"{name} answered 200 with {what}", remedy=NO_API) from None
        try:
            choices = body["choices"]
            if not choices and any(body.get(key) for key in _PROMPT_FILTERS):
                return Completion("", "content_filter", *_usage(body), read_answered_by(body, {}, provider))
            choice = choices[0]
            if choice.get("error"):
                return read_error(200, body)
            return _read_choice(name, choice, _usage(body), read_answered_by(body, choice["message"], provider))
        except (LookupError, TypeError, AttributeError, UnicodeEncodeError):
            if holds_error(body):
                return read_error(200, body)
            what = self.shown(json.dumps(body))
            usage = _usage(body) if isinstance(body, dict) else (None, None)
            raise Retry(
                "malformed body", f"{name} answered 200 without a completion ({what})", usage=usage, remedy=NO_API
            ) from None


def may_pass(status: int) -> bool:
    """Whether the same request may succeed later after an error of this status."""
    return status in {408, 409, 425, 429} or status >= 500


def _end_if_hopeless(error: ApiError, said: str, access: Access) -> None:
    """Raise `TeacherMisconfigured` for an error that every request would meet."""
    if error.is_no_credit:
        raise TeacherMisconfigured(f"{said}: {ADD_CREDIT}")
    if error.is_bad_key:
        raise TeacherMisconfigured(f"{said}: {access.remedy}")
    if error.is_no_model and "requested parameters" in error.message:  # OpenRouter's, with `require_parameters`
        raise TeacherMisconfigured(f"{said}: no provider takes all parameters of --request: leave some out")
    if error.is_no_model:
        raise TeacherMisconfigured(f"{said}: check --teacher and --base-url (it usually ends in /v1)")
    if error.status == 410:
        remedy = "the model, or this address, was switched off for good: give another --teacher or --base-url"
        raise TeacherMisconfigured(f"{said}: {remedy}")
    if error.status == 407:
        remedy = "the proxy wants a user and a password; write it as http://USER:PASSWORD@HOST:PORT"
        raise TeacherMisconfigured(f"{said}: {remedy}")


def _refusal(status: int, said: str, location: str) -> Refusal | Retry:
    """What cannot be answered: most often one request, unless nothing else is answered either."""
    if 300 <= status < 400:
        where = location or "an unnamed place"
        detail = f"{said.partition(' (')[0]}, a redirect to {where}"
        return Refusal("redirect", detail, "give the address it leads to as --base-url", REFUSALS_BEFORE_ANY_ANSWER)
    if status == 403:
        remedy = "check that the key may use this model here"
        return Refusal("http 403", said, remedy, REFUSALS_BEFORE_ANY_ANSWER)
    return Refusal(f"http {status}", said, CHECK_ALL)


class _Message(NamedTuple):
    text: str
    refusal: str


def _read_choice(
    name: str, choice: Json, usage: tuple[int | None, int | None], answered_by: AnsweredBy | None
) -> Completion:
    """The completion in a choice; raises `Retry` for one that is empty or did not end by itself."""
    text, refusal = _texts(choice["message"])
    (text + refusal).encode()  # raises for half a surrogate pair: the answer was cut
    reason = choice.get("finish_reason")
    ended = finish(reason)
    if ended is None:
        shown = in_one_line(ascii(reason), SHOWN_OF_A_REASON)
        raise Retry(f"finish_reason {shown}", f"{name}: the answer did not end by itself", usage=usage)
    blank = not text.strip()
    if refusal and blank:
        return Completion(refusal, "refusal", *usage, answered_by)
    if blank and ended == "stop":
        thought = answered_by and answered_by.reasoning
        detail = f"{name}: finish_reason {reason!r} without content" + (", but with reasoning" if thought else "")
        raise Retry("empty answer", detail, usage=usage)
    # Where the filter or the limit struck before the first visible token, there is no text.
    return Completion(text, ended, *usage, answered_by)


def _texts(message: Json) -> _Message:
    """Text and refusal of a message, whose content is a text, null, or a list of parts."""
    content, refusal = message.get("content"), message.get("refusal") or ""
    if content is None or isinstance(content, str):
        return _Message(content or "", str(refusal))
    text = ""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            text += part
        elif part.get("type") in _TEXT_KINDS:
            said = part["text"] or ""
            text += said["value"] if isinstance(said, dict) else said  # {"value": ..., "annotations": []}
        elif part["type"] == "refusal":
            refusal = part.get("refusal") or refusal
    return _Message(text, str(refusal))


def _usage(body: Json) -> tuple[int | None, int | None]:
    """Tokens of prompt and completion, as far as the endpoint counts them."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None, None
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


def _count(tokens: object) -> int | None:
    # SQLite's integers have 64 bits.
    return tokens if isinstance(tokens, int) and 0 <= tokens < 2**63 else None
