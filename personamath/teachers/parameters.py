"""A refusal of a request's parameter: which option to set, and to what.

Endpoints name the parameter in `error.param`, in quotes, as a path (`body.top_k`) or just in the sentence, some of them
in camel case. Only fields that the request has count as named: error texts are full of other words in quotes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_REFUSED = re.compile(
    r"unsupported|not supported|does(?:n't| not) support|unknown|unrecogni[sz]ed|unexpected|not (?:permitted|allowed)"
    r"|deprecated|not available|not enabled|only the default|cannot (?:both )?be (?:set|specified|used)|not accept"
    r"|no longer|extra_forbidden",
    re.IGNORECASE,
)
"""Words by which endpoints refuse a parameter, whatever its value."""
_OF_A_VALUE = re.compile(
    r"invalid|must|should be|support|valid range|too (?:large|high|many|small|low)|maximum|less than|greater than"
    r"|at (?:most|least)|exceed|out of range|cannot|not in|expected|one of|range:|literal_error",
    re.IGNORECASE,
)
"""Words by which they refuse its value."""
_OF_ONE_PROMPT = re.compile(r"context|prompt|input\w?\W{1,3}(?:tokens|length)|messages|sequence", re.IGNORECASE)
"""Words by which they refuse the length of one request, where they name the limit on tokens."""
_SYSTEM = (
    r"(?:system|developer) (?:role|message|prompt|instruction)s?\b|[`'\"]system[`'\"]|(?<![\w.])system:|role:? system\b"
)
# Not parameters, but what is asked and who.
_NOT_PARAMETERS = {"messages", "model"}
_LIMITS = ("max_tokens", "max_completion_tokens")
# Enough of a message to find the name in, before it may repeat the prompt.
_LOOKED_AT = 600


class _Named(NamedTuple):
    at: int
    name: str


def parameter_remedy(message: str, parameter: str, asked: bytes) -> str | None:
    """What to set where an endpoint refuses a parameter of every request; None for any other refusal.

    `parameter` is the one that the error names in a field of its own, or empty; `asked` is the request's body. The
    first parameter that the message names is the refused one: a better one may be named after it.
    """
    body = json.loads(asked)
    words = message[:_LOOKED_AT]
    name = _in_field(parameter, body)
    if name is None and (_REFUSED.search(words) or _OF_A_VALUE.search(words)):
        name = min(_in_words(words, body), default=_Named(0, "")).name
    if not name or (name in _LIMITS and _OF_ONE_PROMPT.search(words)):
        return None
    return _remedy(name, bool(_REFUSED.search(words)))


def _remedy(name: str, is_unknown: bool) -> str:
    if name == "system":
        return "leave out --system (system in a recipe)"
    if name in _LIMITS and is_unknown:
        other = _LIMITS[name == _LIMITS[0]]
        return f"give --token-limit {other} (token_limit in a recipe)"
    if name in _LIMITS:
        return "give a --max-tokens that this model takes (max_tokens in a recipe)"
    if name == "temperature" and is_unknown:
        return "give --temperature none (temperature: null in a recipe)"
    if name == "temperature":
        return "give a --temperature that this model takes, or none (temperature in a recipe)"
    return f"take {name} out of --request (request in a recipe), or give it a value that this model takes"


def _in_field(parameter: str, body: Mapping[str, Any]) -> str | None:
    """The field of the request that `error.param` names, e.g. `reasoning` where it is `reasoning.effort`."""
    name = re.split(r"[.\[]", parameter.removeprefix("body."))[0]
    return name if name in body and name not in _NOT_PARAMETERS else None


def _in_words(words: str, body: Mapping[str, Any]) -> Iterator[_Named]:
    """The fields of the request that a message names, each with its place."""
    messages = body["messages"]
    prompt = messages[-1]["content"].lower()
    for written, name in _fields(body):
        if found := re.search(_pattern(written, unquoted=written.lower() not in prompt), words):
            yield _Named(found.start(), name)
    if messages[0]["role"] == "system" and (found := re.search(_SYSTEM, words, re.IGNORECASE)):
        yield _Named(found.start(), "system")


def _fields(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The names of fields, also of those inside a field, each with the name of the field of the body."""
    for name, value in body.items():
        if name not in _NOT_PARAMETERS:
            yield name, name
            if isinstance(value, Mapping):
                yield from ((str(inner), name) for inner in value)


def _pattern(name: str, unquoted: bool) -> str:
    """How a message may name a field; a word of everyday English needs a mark beside it."""
    parts = [re.escape(part) for part in name.split("_")]
    word = rf"(?i:{'[_ ]?'.join(parts)})"
    marked = (
        rf"[`'\"]{word}[`'\"]|(?<!\w){word}:|:\s*{word}\s*(?:$|[.\n])|(?i:parameter|argument|field|property) {word}\b"
    )
    plain = len(parts) > 1 or name == "temperature"
    return rf"(?<!\w){word}(?!\w)|{marked}" if plain and unquoted else marked
