"""Read replies without a completion: an error in one of many forms, or something that is not JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from personamath.files import in_one_line
from personamath.teachers.bodies import GZIP, json_in

Json = dict[str, Any]

# An error that only money mends, whatever its status.
_NO_CREDIT_STATUS = 402
_NO_CREDIT_CODES = re.compile(
    r"insufficient_(?:quota|balance|credits?|funds)|billing_not_active|billing_hard_limit|payment_required"
    r"|credit_balance|out_of_credits?|exceeded_current_quota_error|arrearage",
    re.IGNORECASE,
)
_NO_CREDIT_WORDS = re.compile(
    r"credit balance is too low|insufficient (?:account )?(?:balance|credits?|funds)|(?:out of|not enough) credits"
    r"|billing hard limit|check your billing details|balance (?:is )?(?:insufficient|not enough|too low)"
    r"|(?:has|have|with) no credits|used (?:up )?all (?:your |available |included )*credits"
    r"|exceeded your (?:monthly )?included credits|payment required|key limit exceeded|account is in good standing"
    r"|spending limit (?:reached|exceeded)|reach\w* (?:its|your|the) (?:\w+ )?spending limit|failure to pay"
    r"|欠费|余额不足",
    re.IGNORECASE,
)
# A rate limit of zero: nothing is ever let in. `limit: 0` (Gemini), `Limit 0` (OpenAI), `"quota_limit_value": "0"`.
_NOTHING_ALLOWED = re.compile(r"(?:\blimit|quota_?limit(?:_?value)?|quota_?value)\W{0,4}0(?!\d|[.,]\d)", re.IGNORECASE)
_CREDIT_STATUSES = {200, 400, 401, 403, 412, 429, 500}
# Gemini answers 400 to a wrong key, Hugging Face's router 400 to a model that nobody serves.
_BAD_KEY_WORDS = re.compile(
    r"api.?key (?:is )?(?:not valid|invalid|expired)|(?:invalid|incorrect|wrong) api.?key", re.IGNORECASE
)
_NO_MODEL_CODES = re.compile(r"model_not_(?:found|supported)", re.IGNORECASE)
_KEY_STATUSES = {400, 403}
# One prompt was refused by a filter. Some endpoints report that as an error instead of a finish_reason.
_FILTER_CODES = re.compile(
    r"content_filter|content_policy|moderation|responsibleaipolicy|data_inspection_failed|prohibited_content|\bsafety\b"
    r"|sensitive",
    re.IGNORECASE,
)
_FILTER_WORDS = re.compile(
    r"flagged|requires moderation|blocked by [\w' ]*moderation|content polic|usage polic|content filter"
    r"|content management polic|inappropriate content|safety system|responsible ai|content exists risk"
    r"|violates (?:our )?usage guidelines|content (?:was |is )?blocked|敏感内容",
    re.IGNORECASE,
)
_FILTER_STATUSES = {400, 403, 422, 451}
# Enough of an error's body to name the cause in one line.
SHOWN_OF_A_BODY = 200
# Where the signs of what a body is are looked for.
_LOOKED_AT = 2_000
_HTML = re.compile(r"<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_EVENTS = re.compile(r"\s*(?::.*\s*)*(?:data|event):", re.IGNORECASE)
_COMPRESSED = {GZIP: "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class ApiError(NamedTuple):
    """An error of an endpoint."""

    status: int
    """Of the reply, or, where the reply calls itself 200, the one in its body."""
    codes: str
    """Its code, type and status, as far as it has them."""
    message: str
    """The endpoint's own words, of any length; they may hold the key."""
    body: str
    """The start of what was sent."""
    parameter: str = ""
    """The parameter that it names in a field of its own (`param`), if it does."""

    @property
    def is_filtered(self) -> bool:
        """Whether a filter refused this one prompt."""
        if self.status not in _FILTER_STATUSES:
            return False
        return bool(_FILTER_CODES.search(self.codes) or _FILTER_WORDS.search(self.message[:SHOWN_OF_A_BODY]))

    @property
    def is_bad_key(self) -> bool:
        """Whether the endpoint refuses this key."""
        words = self.message[:SHOWN_OF_A_BODY]
        return self.status == 401 or (self.status in _KEY_STATUSES and bool(_BAD_KEY_WORDS.search(words)))

    @property
    def is_no_model(self) -> bool:
        """Whether the endpoint does not have the model, or is not an endpoint at all."""
        return self.status == 404 or (self.status == 400 and bool(_NO_MODEL_CODES.search(self.codes)))

    @property
    def is_no_credit(self) -> bool:
        """Whether nothing will be answered before somebody pays."""
        if self.status == _NO_CREDIT_STATUS or _NO_CREDIT_CODES.search(self.codes):
            return True
        if self.status == 429 and _NOTHING_ALLOWED.search(self.body):
            return True
        words = self.message[:SHOWN_OF_A_BODY]  # further on an error may repeat the prompt
        return self.status in _CREDIT_STATUSES and bool(_NO_CREDIT_WORDS.search(words))


def read_error(status: int, content: bytes | Json | list[Any]) -> ApiError:
    """Read the error in a reply: OpenAI's form, the forms of others, or the kind of body if it is not JSON."""
    text = content.decode(errors="replace") if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False)
    try:
        body = json_in(content) if isinstance(content, bytes) else content
    except (ValueError, RecursionError):
        return ApiError(status, "", describe(content) if isinstance(content, bytes) else text, text[:_LOOKED_AT])
    first = body[0] if isinstance(body, list) and body else body
    error = _error_in(first)
    codes = " ".join(str(error[key]) for key in ("code", "type", "status") if error.get(key))
    inner = error.get("innererror")
    if isinstance(inner, Mapping) and inner.get("code"):
        codes += f" {inner['code']}"
    parameter = error.get("param")
    named = parameter if isinstance(parameter, str) else ""
    return ApiError(_status(status, error), codes, _message(error) or text, text[:_LOOKED_AT], named)


def holds_error(body: object) -> bool:
    """Whether a parsed reply of status 200 holds an error in place of a completion."""
    if isinstance(body, list):
        return bool(body) and holds_error(body[0])
    if not isinstance(body, Mapping) or body.get("choices"):
        return False
    return bool(body.get("error") or body.get("errors") or body.get("detail") or body.get("object") == "error")


def describe(content: bytes) -> str:
    """Describe a body that is not JSON in a few words."""
    for magic, encoding in _COMPRESSED.items():
        if content.startswith(magic):
            return f"a body compressed with {encoding}, which its headers do not say"
    start = content[:_LOOKED_AT].decode(errors="replace")
    if not start.strip():
        return "an empty body"
    if _HTML.search(start):
        title = _TITLE.search(content.decode(errors="replace"))
        return f"an HTML page titled {in_one_line(title[1], 80)!r}" if title and title[1].strip() else "an HTML page"
    if _EVENTS.match(start):
        return f"a stream of events (SSE) that is cut or broken: {in_one_line(start, 80)}"
    if start.lstrip()[0] in "{[":
        return f"JSON that is cut or broken, {len(content):,} bytes"
    if "\ufffd" in start or not all(one.isprintable() or one.isspace() for one in start[:80]):
        return f"{len(content):,} bytes that are neither text nor JSON"
    return start


def _error_in(body: object) -> Mapping[str, Any]:
    """The object that holds code and message."""
    if not isinstance(body, Mapping):
        return {}
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) else {}
    errors = body.get("errors")
    listed = errors[0] if isinstance(errors, list) and errors else errors
    error = body.get("error") or choice.get("error") or listed or body
    return error if isinstance(error, Mapping) else {"message": error, "code": body.get("code")}


def _message(error: Mapping[str, Any]) -> str:
    said = next((error[key] for key in ("message", "detail", "msg", "error") if error.get(key)), "")
    metadata = error.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(metadata.get("raw"), str):
        said = f"{said}: {metadata['raw']}"  # OpenRouter's: the words of the provider behind it
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False, default=str)


def _status(status: int, error: Mapping[str, Any]) -> int:
    """The HTTP status; where that is 200, the one that the error gives as its code."""
    if status != 200:
        return status
    for key in ("code", "status", "status_code"):
        value = str(error.get(key))
        if value.isdecimal() and len(value) == 3 and value[0] in "45":
            return int(value)
    return status
