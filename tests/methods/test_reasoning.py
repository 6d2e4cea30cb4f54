"""Which teachers reason, and what that changes: the default limits, and nothing that a user states."""

from typing import Any

import pytest

from personamath.errors import BadInput
from personamath.methods.reasoning import (
    MAX_TOKENS,
    MAX_TOKENS_TO_REASON,
    TIMEOUT_S,
    TIMEOUT_TO_REASON_S,
    reasoning_of,
    reasons,
)
from personamath.recipe import Recipe
from personamath.records import AnsweredBy, Completion
from personamath.runs.setup import Setup

REASON = [
    *["gpt-5", "gpt-5-mini-2025-08-07", "gpt-6-luna", "gpt-10", "o1", "o4-mini", "openai/o3", "openai/gpt-6-luna"],
    *["gpt-oss:20b", "openai/gpt-oss-120b", "deepseek-reasoner", "deepseek-ai/DeepSeek-R1", "deepseek-r1:7b"],
    *["DeepSeek-R1-Distill-Qwen-7B", "deepseek/deepseek-r1:free", "Qwen/QwQ-32B", "qwq", "kimi-k2-thinking"],
    *["Qwen/Qwen3-4B-Thinking-2507", "grok-4-fast-reasoning", "mistralai/Magistral-Small-2509"],
]
DO_NOT = [
    *["gpt-4o-mini-2024-07-18", "gpt-4.1", "gpt-3.5-turbo", "gpt-5-chat-latest", "someone/gpt-5-distilled", "olmo-2"],
    *["Qwen/Qwen2.5-72B-Instruct", "qwen2.5:7b", "deepseek-chat", "grok-4-fast-non-reasoning", "simulated-teacher"],
    *["llama-r1b", "command-r", "o-mini", "meta/o1"],
]
# Model, fields of the request, whether it reasons: what is said wins over the name.
SAID = [
    ("gpt-6-luna", {"reasoning_effort": "none"}, False),
    ("gpt-5", {"reasoning_effort": "minimal"}, False),
    ("gpt-5", {"reasoning_effort": "low"}, True),
    ("gpt-4o", {"reasoning_effort": "high"}, True),
    ("any/model", {"reasoning": {"effort": "high"}}, True),
    ("any/model", {"reasoning": {"effort": "none"}}, False),
    ("any/model", {"reasoning": {"max_tokens": 100}}, False),
    ("Qwen/Qwen3-8B", {"chat_template_kwargs": {"enable_thinking": True}}, True),
    ("deepseek-ai/DeepSeek-V3.1", {"chat_template_kwargs": {"thinking": True}}, True),
    ("Qwen/QwQ-32B", {"chat_template_kwargs": {"enable_thinking": False}}, False),
    ("Qwen/QwQ-32B", {"chat_template_kwargs": {"other": False}}, True),
    ("claude-opus", {"thinking": {"type": "enabled", "budget_tokens": 2_000}}, True),
    ("deepseek-reasoner", {"thinking": {"type": "disabled"}}, False),
    ("any", {"thinking": "yes", "reasoning": [], "chat_template_kwargs": None}, False),
]


@pytest.mark.parametrize(
    ("model", "request_fields", "expected"),
    [*((name, {}, True) for name in REASON), *((name, {}, False) for name in DO_NOT), *SAID],
)
def test_a_teacher_that_reasons_is_known_by_its_request_or_its_name(
    model: str, request_fields: dict[str, Any], expected: bool
) -> None:
    assert reasons(model, request_fields) is expected
    recipe = Recipe(problems=("gsm8k",), teacher=model, request=request_fields)
    limits = recipe.own.max_tokens, Setup(output="o").patience_with(recipe).timeout_s
    assert limits == ((MAX_TOKENS_TO_REASON, TIMEOUT_TO_REASON_S) if expected else (MAX_TOKENS, TIMEOUT_S))
    assert recipe.as_dict()["max_tokens"] == limits[0]


@pytest.mark.parametrize("teacher", ["o3", "gpt-4o"])
def test_stated_limits_win(teacher: str) -> None:
    recipe = Recipe(problems=("gsm8k",), teacher=teacher, max_tokens=77)
    assert recipe.own.max_tokens == recipe.as_dict()["max_tokens"] == 77
    assert Setup(output="o", timeout=5.0).patience_with(recipe).timeout_s == 5.0


def test_another_teacher_in_the_place_of_a_recipes_gets_its_own_limit() -> None:
    recipe = Recipe(problems=("gsm8k",), teacher="gpt-4o")
    assert Recipe.of(recipe.settings() | {"teacher": "o3"}, "here").own.max_tokens == MAX_TOKENS_TO_REASON
    assert Recipe.of(recipe.as_dict() | {"teacher": "o3"}, "here").own.max_tokens == MAX_TOKENS


@pytest.mark.parametrize("timeout", [0.0, -1.0])
def test_a_time_out_that_cannot_be_is_refused(timeout: float) -> None:
    with pytest.raises(BadInput, match="must be more than 0"):
        Setup(output="o", timeout=timeout)


WHERE = [
    (Completion("It is 2.", "stop"), None),
    (Completion("It is 2.", "stop", answered_by=AnsweredBy("m")), None),
    (Completion("It is 2.", "stop", answered_by=AnsweredBy(reasoning="1 + 1")), "1 + 1"),
    (Completion("<think>1 + 1</think>It is 2.", "stop"), "1 + 1"),
    (Completion("<think>a</think><think>b</think>It is 2.", "stop"), "a\n\nb"),
    (Completion("<think>a</think>It is 2.", "stop", answered_by=AnsweredBy(reasoning="1 + 1")), "1 + 1"),
]


@pytest.mark.parametrize(("completion", "reasoning"), WHERE)
def test_the_reasoning_is_beside_the_text_or_in_it(completion: Completion, reasoning: str | None) -> None:
    assert reasoning_of(completion) == reasoning
