"""Models that reason before they answer: which they are, the limits that they need, and where their reasoning is."""

import re
from collections.abc import Mapping
from typing import Any

from personamath.completion import read_completion
from personamath.records import Completion

MAX_TOKENS = 2_048
"""Default limit on a completion. Explanations of GSM8K and MATH rarely take half of it."""
MAX_TOKENS_TO_REASON = 16_384
"""Default for a model that reasons, because its reasoning counts: on MATH it mostly takes hundreds to several thousand
tokens, and an answer that is cut is paid for and dropped. Local servers often allow 32,768 tokens, prompt included."""
TIMEOUT_S = 120.0
"""Default seconds for one try of one request."""
TIMEOUT_TO_REASON_S = 480.0
"""For a model that reasons: `MAX_TOKENS_TO_REASON` at 40 tokens a second take 410 s. A try that times out is still
billed, so ten of them cost ten times as much. The limit stays below the default patience of 600 s."""

COLUMN = "reasoning"
"""The column that `keep_reasoning` adds."""

# How the names of OpenAI's reasoning models begin.
O_SERIES = r"o\d"
GPT_5_AND_LATER = r"gpt-(?:[5-9]|\d\d)"
# The names that OpenAI, DeepSeek, Qwen, Mistral, Moonshot and others give to such models. Routers put an owner
# before the name; Ollama writes `deepseek-r1:7b`.
_NAMED = re.compile(
    rf"\A(?:openai/)?(?:{O_SERIES}|{GPT_5_AND_LATER}(?!.*chat))|(?:\A|/)(?:gpt-oss|qwq|magistral)"
    r"|deepseek-reasoner|(?:\A|[/_-])r1(?![a-z0-9])|[-_:]thinking|(?<!non)[-_]reasoning",
    re.IGNORECASE,
)
# What a request says, by the keys of OpenAI, OpenRouter, Anthropic and DeepSeek, and of chat templates.
_EFFORTS_OF_NONE = ("none", "minimal")
_SWITCHES = ("enable_thinking", "thinking")


def reasons(model: str, request: Mapping[str, Any]) -> bool:
    """Whether a model reasons before it answers, by the fields of its requests, or else by its name."""
    for said in (_by_effort(request), _by_switch(request)):
        if said is not None:
            return said
    return bool(_NAMED.search(model))


def default_max_tokens(model: str, request: Mapping[str, Any]) -> int:
    """The limit on a completion where the recipe states none."""
    return MAX_TOKENS_TO_REASON if reasons(model, request) else MAX_TOKENS


def default_timeout_s(model: str, request: Mapping[str, Any]) -> float:
    """The time for one try where the user states none."""
    return TIMEOUT_TO_REASON_S if reasons(model, request) else TIMEOUT_S


def _by_effort(request: Mapping[str, Any]) -> bool | None:
    """By `reasoning_effort: high`, or OpenRouter's `reasoning: {effort: high}`; None without either."""
    nested = request.get("reasoning")
    effort = request.get("reasoning_effort", nested.get("effort") if isinstance(nested, Mapping) else None)
    return None if effort is None else effort not in _EFFORTS_OF_NONE


def _by_switch(request: Mapping[str, Any]) -> bool | None:
    """By `chat_template_kwargs: {enable_thinking: true}`, or `thinking: {type: enabled}`; None without either."""
    of_template, thinking = request.get("chat_template_kwargs"), request.get("thinking")
    if isinstance(of_template, Mapping):
        switches = [bool(of_template[name]) for name in _SWITCHES if name in of_template]
        if switches:
            return switches[0]
    return thinking.get("type") != "disabled" if isinstance(thinking, Mapping) else None


def reasoning_of(completion: Completion) -> str | None:
    """The reasoning before an answer: from a field of the reply, or taken off the text; None without any."""
    beside = completion.answered_by.reasoning if completion.answered_by else None
    return beside or "\n\n".join(read_completion(completion.text).thoughts) or None
