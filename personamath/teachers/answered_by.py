"""Read which model answered, and its reasoning, from the parts of a reply that say so.

It knows the field names of OpenAI, DeepSeek, Moonshot, Mistral, OpenRouter, Hugging Face's router, vLLM, llama.cpp and
SGLang. A value of an unexpected type is ignored.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from personamath.files import is_unicode
from personamath.records import AnsweredBy

Json = Mapping[str, Any]

# Hugging Face's router names the provider in a header, OpenRouter in the body.
PROVIDER_HEADER = "x-inference-provider"
# A name is a few words. Anything longer is not a name, and would be stored with every answer.
LONGEST_NAME = 200
# Equal records share one object: most replies differ in nothing, or in one count.
SHARED = 1_024
_REASONING_PARTS = ("thinking", "reasoning")
# SQLite's integers have 64 bits.
_MOST = 2**63


def read_answered_by(body: Json, message: Json, provider: str = "") -> AnsweredBy | None:
    """What a reply says about its origin, its caching and its reasoning; `provider` is the one that a header names."""
    usage = body.get("usage")
    cached, reasoned = _cached_and_reasoned(usage) if isinstance(usage, Mapping) else (None, None)
    origin = _shared(
        _name(body.get("model")),
        _name(body.get("provider")) or _name(provider),
        _name(body.get("service_tier")),
        _name(body.get("system_fingerprint")),
        cached,
        reasoned,
    )
    reasoning = _reasoning(message)
    if reasoning is None:
        return origin
    return (origin or AnsweredBy())._replace(reasoning=reasoning)


@lru_cache(SHARED)
def _shared(
    model: str | None,
    provider: str | None,
    service_tier: str | None,
    fingerprint: str | None,
    cached: int | None,
    reasoned: int | None,
) -> AnsweredBy | None:
    origin = AnsweredBy(model, provider, service_tier, None, fingerprint, cached, reasoned)
    return origin if any(value is not None for value in origin) else None


def _cached_and_reasoned(usage: Json) -> tuple[int | None, int | None]:
    """Cached prompt tokens and reasoning tokens; 0 is as good as no count."""
    of_prompt, of_completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached = of_prompt.get("cached_tokens") if isinstance(of_prompt, Mapping) else None
    if cached is None:  # DeepSeek's and Moonshot's names
        cached = usage.get("prompt_cache_hit_tokens") or usage.get("cached_tokens")
    reasoned = of_completion.get("reasoning_tokens") if isinstance(of_completion, Mapping) else None
    if reasoned is None:  # SGLang's name
        reasoned = usage.get("reasoning_tokens")
    return _count(cached), _count(reasoned)


def _count(tokens: object) -> int | None:
    return tokens if type(tokens) is int and 0 < tokens < _MOST else None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and is_unicode(value) else None


def _reasoning(message: Json) -> str | None:
    """The reasoning beside the text: in a field of its own, or in parts of the content."""
    for field in ("reasoning", "reasoning_content"):
        value = message.get(field)
        if isinstance(value, str) and value.strip():
            return _whole_characters(value)
    content = message.get("content")
    if isinstance(content, list):
        text = "".join(_reasoning_parts(content))
        return _whole_characters(text) if text.strip() else None
    return None


def _reasoning_parts(parts: Iterable[Any]) -> Iterator[str]:
    """Mistral's: `{"type": "thinking", "thinking": [{"type": "text", "text": ...}]}`."""
    for part in parts:
        if not isinstance(part, Mapping) or part.get("type") not in _REASONING_PARTS:
            continue
        inner = next((part[name] for name in (*_REASONING_PARTS, "text") if part.get(name)), None)
        for piece in inner if isinstance(inner, list) else [inner]:
            text = piece.get("text") if isinstance(piece, Mapping) else piece
            if isinstance(text, str):
                yield text


def _whole_characters(text: str) -> str:
    """The text with `?` for halves of surrogate pairs, which no file can hold."""
    return text if is_unicode(text) else text.encode(errors="replace").decode()
