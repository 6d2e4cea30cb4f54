"""A refused parameter is answered with the option to set, in whatever words an endpoint refuses it."""

import pytest

from personamath.teachers.parameters import REMEDIES, parameter_remedy

LIMIT, OTHER_LIMIT, TEMPERATURE, SYSTEM = REMEDIES.values()
REFUSALS = [
    # OpenAI's reasoning models
    (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        LIMIT,
    ),
    (
        "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) is supported.",
        TEMPERATURE,
    ),
    ("Unrecognized request argument supplied: reasoning_effort 'reasoning_effort'", "take reasoning_effort out"),
    ("Unsupported value: 'messages[0].role' does not support 'system' with this model.", SYSTEM),
    # servers that do not know the newer name
    ("Unexpected keyword: `max_completion_tokens`", OTHER_LIMIT),
    ("1 validation error: max_completion_tokens: Extra inputs are not permitted", OTHER_LIMIT),
    # Anthropic's compatible endpoint
    ("`temperature` is deprecated for this model.", TEMPERATURE),
    ("temperature: this model does not accept it", TEMPERATURE),
    ("Unknown parameter: 'top_k'.", "take top_k out"),
    # one request, not all of them
    ("This model's maximum context length is 4096 tokens; your 'max_tokens' is not supported with 3,000", None),
    ("max_tokens is too large: 200000. This model supports at most 16384 completion tokens", None),
    ("Invalid prompt: your prompt was flagged", None),
    ("The model is overloaded", None),
    ("", None),
]


@pytest.mark.parametrize(("message", "remedy"), REFUSALS)
def test_the_remedy_names_the_option(message: str, remedy: str | None) -> None:
    said = parameter_remedy(message)
    assert said is None if remedy is None else said and said.startswith(remedy)
