"""A refused parameter is answered with the option to set, in whatever words an endpoint refuses it."""

from typing import Any

import pytest

from personamath.records import Request
from personamath.teachers.parameters import parameter_remedy

LIMIT = "give --token-limit max_completion_tokens"
OTHER_LIMIT = "give --token-limit max_tokens"
LENGTH = "give a --max-tokens that this model takes"
NO_TEMPERATURE = "give --temperature none"
TEMPERATURE = "give a --temperature that this model takes, or none"
SYSTEM = "leave out --system"
EXTRA = {
    "top_k": 40,
    "top_p": 0.9,
    "seed": 7,
    "presence_penalty": 1,
    "reasoning_effort": "ultra",
    "reasoning": {"effort": "ultra"},
    "chat_template_kwargs": {"enable_thinking": True},
}
REFUSALS = [
    # OpenAI's reasoning models
    (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        LIMIT,
    ),
    (
        "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) is supported.",
        NO_TEMPERATURE,
    ),
    ("Unrecognized request argument supplied: reasoning_effort", "take reasoning_effort out"),
    ("Unrecognized request argument supplied: seed", "take seed out"),
    ("Unsupported value: 'messages[0].role' does not support 'system' with this model.", SYSTEM),
    ("max_tokens is too large: 200000. This model supports at most 16384 completion tokens", LENGTH),
    # Anthropic's compatible endpoint
    ("`temperature` is deprecated for this model.", NO_TEMPERATURE),
    ("`temperature` and `top_p` cannot both be specified for this model. Please use only one.", NO_TEMPERATURE),
    ("temperature: this model does not accept it", NO_TEMPERATURE),
    ("temperature: Input should be less than or equal to 1", TEMPERATURE),
    ("top_k: Extra inputs are not permitted", "take top_k out"),
    ("max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for this model", LENGTH),
    # Gemini
    ('Invalid JSON payload received. Unknown name "presence_penalty": Cannot find field.', "take presence_penalty out"),
    ("Argument not supported on this model: presencePenalty", "take presence_penalty out"),
    ("Developer instruction is not enabled for models/gemma-3-27b-it", SYSTEM),
    # DeepSeek, Groq, Together, xAI, DashScope
    ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", LENGTH),
    ("reasoning_effort is not supported with this model", "take reasoning_effort out"),
    ("`reasoning_effort` must be one of `none` or `default`", "take reasoning_effort out"),
    ("property 'top_k' is unsupported", "take top_k out"),
    ("Model m does not support parameter presencePenalty.", "take presence_penalty out"),
    ("parameter.enable_thinking must be set to false for non-streaming calls", "take chat_template_kwargs out"),
    # pydantic's errors, as FastAPI, Mistral and vLLM pass them on
    (
        '{"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]}',
        "take top_k out",
    ),
    (
        "[{'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'low' or 'high'\"}]",
        "take reasoning_effort out",
    ),
    # templates of vLLM and llama.cpp
    ("System role not supported", SYSTEM),
    # one request, not all of them
    ("This model's maximum context length is 4096 tokens; your 'max_tokens' is not supported with 3,000", None),
    ("'max_tokens' is too large: 2048. This model's maximum context length is 4096 tokens", None),
    ("Input validation error: `inputs` tokens + `max_tokens` must be <= 4096", None),
    ("Invalid prompt: your prompt was flagged", None),
    ("Unsupported characters in 'content': {'type': 'text'}", None),
    ("The field 'foo' is unknown", None),
    ("The model is overloaded", None),
    ("", None),
]


def asked(prompt: str = "What is 1 + 1?", token_limit: str = "max_tokens", extra: Any = EXTRA) -> bytes:
    """The body of a request that has every parameter."""
    return Request(
        prompt, "teacher-1", 0.7, 2048, system="Be brief.", extra=dict(extra), token_limit=token_limit
    ).body()


@pytest.mark.parametrize(("message", "remedy"), REFUSALS)
def test_the_remedy_names_the_option(message: str, remedy: str | None) -> None:
    said = parameter_remedy(message, "", asked())
    assert said is None if remedy is None else said and said.startswith(remedy)


@pytest.mark.parametrize(
    "message", ["Unexpected keyword: `max_completion_tokens`", "max_completion_tokens: Extra inputs are not permitted"]
)
def test_the_newer_limit_on_tokens_is_refused_by_its_own_name(message: str) -> None:
    said = parameter_remedy(message, "", asked(token_limit="max_completion_tokens"))
    assert said and said.startswith(OTHER_LIMIT)


@pytest.mark.parametrize(
    ("parameter", "remedy"),
    [
        ("reasoning_effort", "take reasoning_effort out"),
        ("reasoning.effort", "take reasoning out"),
        ("body.seed", "take seed out"),
        ("temperature", TEMPERATURE),
        ("max_tokens", LENGTH),
        ("messages", None),
        ("model", None),
        ("input_tokens", None),
        ("", None),
    ],
)
def test_the_field_of_the_error_names_the_parameter(parameter: str, remedy: str | None) -> None:
    said = parameter_remedy("Invalid value: 'ultra'. Try another one.", parameter, asked())
    assert said is None if remedy is None else said and said.startswith(remedy)


def test_an_error_that_repeats_a_prompt_does_not_name_a_parameter() -> None:
    prompt = "The temperature must be 5 degrees."
    assert parameter_remedy(f"Invalid content: {prompt}", "", asked(prompt)) is None
    assert parameter_remedy("'temperature' must be 1", "", asked(prompt))
