"""What a reply says of its origin, its caching and its reasoning, in the forms of many providers."""

import json
from typing import Any

import pytest

from personamath.journal.answered_by import as_json, from_json
from personamath.records import AnsweredBy
from personamath.teachers.answered_by import LONGEST_NAME, read_answered_by
from personamath.teachers.replies import Replies


def body(message: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"message": {"content": r"$\boxed{2}$"} | (message or {}), "finish_reason": "stop"}
    return {"choices": [choice], **fields}


OPENAI = body(
    model="gpt-4o-mini-2024-07-18",
    service_tier="default",
    system_fingerprint="fp_1",
    usage={
        "prompt_tokens": 1_200,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 1_024, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "accepted_prediction_tokens": 0},
    },
)
THOUGHTS = [{"type": "thinking", "thinking": [{"type": "text", "text": "1 + 1"}, {"type": "text", "text": " = 2"}]}]

# A reply, and what is journaled of it.
REPLIES: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    (body(), None),
    (
        OPENAI,
        {
            "model": "gpt-4o-mini-2024-07-18",
            "service_tier": "default",
            "system_fingerprint": "fp_1",
            "cached_tokens": 1_024,
        },
    ),
    (
        body(model="o3", service_tier="flex", usage={"completion_tokens_details": {"reasoning_tokens": 64}}),
        {"model": "o3", "service_tier": "flex", "reasoning_tokens": 64},
    ),
    # OpenRouter names the provider, and has the reasoning in a field of its own.
    (
        body({"reasoning": "1 + 1 is 2", "reasoning_details": []}, model="deepseek/deepseek-r1", provider="Together"),
        {"model": "deepseek/deepseek-r1", "provider": "Together", "reasoning": "1 + 1 is 2"},
    ),
    # DeepSeek's, Moonshot's and SGLang's names of the counts.
    (
        body({"reasoning_content": "So."}, model="deepseek-reasoner", usage={"prompt_cache_hit_tokens": 64}),
        {"model": "deepseek-reasoner", "cached_tokens": 64, "reasoning": "So."},
    ),
    (body(model="kimi", usage={"cached_tokens": 5}), {"model": "kimi", "cached_tokens": 5}),
    (body(model="m", usage={"reasoning_tokens": 9}), {"model": "m", "reasoning_tokens": 9}),
    # vLLM has both fields, one of them null, and nulls where OpenAI has objects.
    (
        body(
            {"reasoning": None, "reasoning_content": "Two."},
            model="Qwen/Qwen3-8B",
            service_tier=None,
            system_fingerprint=None,
            usage={"prompt_tokens": 5, "prompt_tokens_details": None},
        ),
        {"model": "Qwen/Qwen3-8B", "reasoning": "Two."},
    ),
    # Mistral's parts.
    (
        body({"content": [*THOUGHTS, {"type": "text", "text": "2"}]}, model="magistral"),
        {"model": "magistral", "reasoning": "1 + 1 = 2"},
    ),
    (body({"reasoning": " \n"}, model="m"), {"model": "m"}),
    # What no provider sends.
    (body(model=7, provider={"name": "x"}, service_tier=[], system_fingerprint=""), None),
    (body(model="m" * (LONGEST_NAME + 1)), None),
    (body(model="half \ud83d", usage={"cached_tokens": -1, "reasoning_tokens": True}), None),
    (body({"reasoning": "half \ud83d"}), {"reasoning": "half ?"}),
    (body({"reasoning": {"text": "So."}}, usage={"cached_tokens": 2**63}), None),
]


@pytest.mark.parametrize(("reply", "journaled"), REPLIES)
def test_what_a_reply_says_of_itself_is_read_and_journaled(
    reply: dict[str, Any], journaled: dict[str, Any] | None
) -> None:
    completion = Replies().read("here", 200, json.dumps(reply).encode(), asked=b"")
    found = completion.answered_by
    assert found == (AnsweredBy(**journaled) if journaled else None)
    if found:
        assert json.loads(as_json(found)) == journaled and from_json(as_json(found)) == found


def test_a_routers_header_names_the_provider_where_the_body_does_not() -> None:
    assert Replies().read("here", 200, body(model="m"), provider="groq", asked=b"").answered_by == AnsweredBy(
        "m", "groq"
    )
    named = Replies().read("here", 200, body(model="m", provider="Together"), provider="groq", asked=b"").answered_by
    assert named == AnsweredBy("m", "Together")


def test_replies_that_are_alike_share_one_record() -> None:
    first, second = (read_answered_by(json.loads(json.dumps(OPENAI)), {}) for _ in range(2))
    assert first is second is not None
    assert as_json(first) is as_json(second)


def test_a_key_that_a_later_version_journals_is_passed_over() -> None:
    assert from_json('{"model":"m","weather":"fine"}') == AnsweredBy("m")
