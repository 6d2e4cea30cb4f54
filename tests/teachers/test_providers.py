"""What is made of the answers of many providers.

The bodies are as the providers document them, or as their code writes them; none was recorded from an account.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import pytest

from personamath.errors import TeacherMisconfigured
from personamath.records import Completion, FinishReason, Request
from personamath.teachers.keys import Access
from personamath.teachers.patience import retry_after_s
from personamath.teachers.refusals import Refusal, Retry
from personamath.teachers.replies import Replies

NAME = "https://provider.example/v1"
REQUEST = Request("What is 1 + 1?", "m", 0.7, 2048, extra={"reasoning_effort": "ultra", "top_k": 40})


class Said(NamedTuple):
    """What one provider answers."""

    provider: str
    what: str
    status: int
    body: str
    """Where a line goes on, twelve spaces stand for one."""
    headers: Mapping[str, str] = MappingProxyType({})


class Made(NamedTuple):
    """What the reader makes of it: a completion, a retry, a refusal of this one request, or the end of the run."""

    kind: type[Completion] | type[Retry] | type[Refusal] | type[TeacherMisconfigured]
    text: str = ""
    """Of the completion; or what the error says."""
    finish_reason: FinishReason | None = None
    tokens: tuple[int | None, int | None] = (None, None)
    after_s: float | None = None


def whole(text: str, *tokens: int, finish_reason: FinishReason = "stop") -> Made:
    return Made(Completion, text, finish_reason, (tokens[0], tokens[1]) if tokens else (None, None))


TWO = whole(r"$\boxed{2}$", 12, 34)


def chat(message: str, finish: str = '"stop"', usage: str = "", more: str = "") -> str:
    """A completion, whose message is given as JSON, behind the fields that all of them send."""
    tokens = usage or '"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46'
    return f"""{{"id": "chatcmpl-1", "object": "chat.completion", "created": 1795000000, "model": "m"{more}, "choices":
        [{{"index": 0, "message": {{"role": "assistant", {message}}}, "logprobs": null, "finish_reason": {finish}}}],
        "usage": {{{usage or tokens}}}}}"""


BOXED = r'"content": "$\\boxed{2}$"'
DETAILS = (
    '"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46, "prompt_tokens_details": {"cached_tokens": 8}, '
    '"completion_tokens_details": {"reasoning_tokens": 20, "accepted_prediction_tokens": 0}'
)

OPENAI = [
    (
        Said(
            "OpenAI",
            "an answer",
            200,
            chat(
                f'{BOXED}, "refusal": null, "annotations": []',
                usage=DETAILS,
                more=', "service_tier": "default", "system_fingerprint": null',
            ),
        ),
        TWO,
    ),
    (
        Said("OpenAI", "reasoning used up the limit", 200, chat('"content": "", "refusal": null', '"length"', DETAILS)),
        whole("", 12, 34, finish_reason="length"),
    ),
    (
        Said("OpenAI", "a refusal", 200, chat('"content": null, "refusal": "I cannot help with that."')),
        whole("I cannot help with that.", 12, 34, finish_reason="refusal"),
    ),
    (
        Said(
            "OpenAI",
            "a parameter of another model family",
            400,
            """{"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use
            'max_completion_tokens' instead.", "type": "invalid_request_error", "param": "max_tokens",
            "code": "unsupported_parameter"}}""",
        ),
        Made(TeacherMisconfigured, "give --token-limit max_completion_tokens"),
    ),
    (
        Said(
            "OpenAI",
            "a temperature beside reasoning",
            400,
            """{"error": {"message": "Unsupported value: 'temperature' does not support 0.7 with this model. Only the
            default (1) value is supported.", "type": "invalid_request_error", "param": "temperature",
            "code": "unsupported_value"}}""",
        ),
        Made(TeacherMisconfigured, "give --temperature none"),
    ),
    (
        Said(
            "OpenAI",
            "a value that a parameter does not take",
            400,
            """{"error": {"message": "Invalid value: 'ultra'. Supported values are: 'none', 'low' and 'high'.",
            "type": "invalid_request_error", "param": "reasoning_effort", "code": "invalid_value"}}""",
        ),
        Made(TeacherMisconfigured, "take reasoning_effort out of --request"),
    ),
    (
        Said(
            "OpenAI",
            "a rate limit",
            429,
            """{"error": {"message": "Rate limit reached for gpt-6-luna in organization org-1 on tokens per min (TPM):
            Limit 200000, Used 199000, Requested 2100. Please try again in 330ms.", "type": "tokens", "param": null,
            "code": "rate_limit_exceeded"}}""",
            {"retry-after-ms": "330", "Retry-After": "1"},
        ),
        Made(Retry, "Rate limit reached", after_s=0.33),
    ),
    (
        Said(
            "OpenAI",
            "no credit",
            429,
            """{"error": {"message": "You exceeded your current quota, please check your plan and billing details.",
            "type": "insufficient_quota", "param": null, "code": "insufficient_quota"}}""",
        ),
        Made(TeacherMisconfigured, "no credit left"),
    ),
    (
        Said(
            "OpenAI",
            "a wrong key",
            401,
            """{"error": {"message": "Incorrect API key provided: sk-ab*******yz.", "type": "invalid_request_error",
            "param": null, "code": "invalid_api_key"}}""",
        ),
        Made(TeacherMisconfigured, "check the key in MY_KEY"),
    ),
]
ROUTERS = [
    (
        Said(
            "HF's router",
            "an answer of a provider behind it",
            200,
            chat(f'{BOXED}, "tool_calls": []', more=', "system_fingerprint": "fp_1"'),
        ),
        TWO,
    ),
    (
        Said(
            "HF's router",
            "no credit",
            402,
            """{"error": "You have exceeded your monthly included credits for Inference Providers. Subscribe to
            PRO to get 20x more monthly included credits."}""",
        ),
        Made(TeacherMisconfigured, "no credit left"),
    ),
    (
        Said("HF's router", "a wrong token", 401, '{"error": "Invalid username or password."}'),
        Made(TeacherMisconfigured, "check the key in MY_KEY"),
    ),
    (
        Said(
            "HF's router",
            "a model that no provider serves",
            400,
            """{"error": {"message": "The requested model 'a/b' is not supported by any provider you have enabled.",
            "type": "invalid_request_error", "param": "model", "code": "model_not_supported"}}""",
        ),
        Made(TeacherMisconfigured, "check --teacher"),
    ),
    (
        Said(
            "OpenRouter",
            "an answer behind padding, with its cost",
            200,
            "\n\n         \n"
            + chat(
                f'{BOXED}, "refusal": null, "reasoning": "1 + 1 is 2", "reasoning_details": []',
                '"stop", "native_finish_reason": "STOP"',
                DETAILS + ', "cost": 0.0001',
                ', "provider": "DeepInfra"',
            ),
        ),
        TWO,
    ),
    (
        Said(
            "OpenRouter",
            "an error of the provider behind it, in a reply of status 200",
            200,
            """{"id": "gen-1", "error": {"message": "Provider returned error", "code": 502,
            "metadata": {"raw": "upstream timed out", "provider_name": "X"}}}""",
        ),
        Made(Retry, "Provider returned error: upstream timed out"),
    ),
    (
        Said(
            "OpenRouter",
            "an error in a choice",
            200,
            """{"id": "gen-1", "choices": [{"index": 0, "finish_reason": "error", "message": {"role": "assistant",
            "content": "half"}, "error": {"code": 502, "message": "Provider disconnected"}}]}""",
        ),
        Made(Retry, "Provider disconnected"),
    ),
    (
        Said(
            "OpenRouter",
            "an error in a stream that was not asked for",
            200,
            """: OPENROUTER PROCESSING

data: {"id": "gen-1", "object": "chat.completion.chunk", "provider": "X", "choices": [{"index": 0, "delta": {"role": \
"assistant", "content": "ha"}, "finish_reason": null}]}

data: {"id": "gen-1", "object": "chat.completion.chunk", "provider": "X", "error": {"code": "server_error", "message": \
"Provider disconnected"}, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}

""",
        ),
        Made(Retry, "Provider disconnected"),
    ),
    (
        Said(
            "OpenRouter",
            "no credit",
            402,
            """{"error": {"code": 402, "message": "This request requires more credits, or fewer max_tokens."}}""",
        ),
        Made(TeacherMisconfigured, "no credit left"),
    ),
    (
        Said(
            "OpenRouter",
            "a prompt that a moderation flagged",
            403,
            """{"error": {"code": 403, "message": "openai/m requires moderation on P. Your input was flagged for
            \\"violence\\"", "metadata": {"reasons": ["violence"], "flagged_input": "...",
            "provider_name": "P", "model_slug": "m"}}}""",
        ),
        whole("", finish_reason="content_filter"),
    ),
    (
        Said(
            "OpenRouter",
            "parameters that no provider takes, where all of them are required",
            404,
            """{"error": {"code": 404, "message": "No endpoints found that can handle the requested parameters. To
            learn more about provider routing, visit the documentation."}}""",
        ),
        Made(TeacherMisconfigured, "no provider takes all parameters of --request: leave some out"),
    ),
    (
        Said(
            "OpenRouter",
            "no provider free",
            503,
            '{"error": {"code": 503, "message": "There is no available model provider that meets your requirements"}}',
            {"Retry-After": "60"},
        ),
        Made(Retry, "no available model provider", after_s=60.0),
    ),
]
OWN_SERVERS = [
    (
        Said(
            "vLLM",
            "an answer",
            200,
            chat(
                f'{BOXED}, "refusal": null, "annotations": null, "reasoning": null',
                '"stop", "stop_reason": null, "token_ids": null',
                '"prompt_tokens": 12, "total_tokens": 46, "completion_tokens": 34, "prompt_tokens_details": null',
                ', "prompt_logprobs": null, "kv_transfer_params": null',
            ),
        ),
        TWO,
    ),
    (
        Said("vLLM", "an engine that was stopped", 200, chat('"content": "hal"', '"abort"')),
        Made(Retry, "did not end by itself", tokens=(12, 34)),
    ),
    (
        Said("vLLM", "an engine's error", 200, chat('"content": ""', '"error"')),
        Made(Retry, "did not end by itself", tokens=(12, 34)),
    ),
    (
        Said("vLLM", "a model that repeats itself", 200, chat('"content": "to to to to"', '"repetition"')),
        Made(Completion, "to to to to", "repetition", (12, 34)),
    ),
    (
        Said(
            "vLLM",
            "a prompt that is too long",
            400,
            """{"error": {"message": "This model's maximum context length is 4096 tokens. However, you requested 2048
            output tokens and your prompt contains at least 2049 input tokens.", "type": "BadRequestError", "param":
            "input_tokens", "code": 400}}""",
        ),
        Made(Refusal, "maximum context length"),
    ),
    (
        Said("vLLM", "a wrong key", 401, '{"error": "Unauthorized"}'),
        Made(TeacherMisconfigured, "answered 401 (Unauthorized): check the key in MY_KEY"),
    ),
    (
        Said(
            "vLLM",
            "an unknown model",
            404,
            """{"error": {"message": "The model `m` does not exist.", "type": "NotFoundError", "param": "model",
            "code": 404}}""",
        ),
        Made(TeacherMisconfigured, "check --teacher and --base-url"),
    ),
    (
        Said(
            "llama.cpp",
            "an answer",
            200,
            chat(
                f'"reasoning_content": "1 + 1 is 2", {BOXED}',
                more=', "system_fingerprint": "b1-1", "timings": {"prompt_n": 12, "predicted_n": 34}',
            ),
        ),
        TWO,
    ),
    (
        Said(
            "llama.cpp",
            "a model that still loads",
            503,
            '{"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}',
        ),
        Made(Retry, "Loading model"),
    ),
    (
        Said(
            "llama.cpp",
            "a prompt that is too long for a slot",
            400,
            """{"error": {"code": 400, "message": "request (4476 tokens) exceeds the available context size (4096
            tokens), try increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 4476,
            "n_ctx": 4096}}""",
        ),
        Made(Refusal, "exceeds the available context size"),
    ),
    (
        Said(
            "llama.cpp",
            "a wrong key",
            401,
            '{"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}',
        ),
        Made(TeacherMisconfigured, "check the key in MY_KEY"),
    ),
    (
        Said(
            "Ollama",
            "an answer of a model that thinks",
            200,
            chat(f'{BOXED}, "reasoning": "1 + 1 is 2"', more=', "system_fingerprint": "fp_ollama"'),
        ),
        TWO,
    ),
    (
        Said("Ollama", "thoughts that used up the context", 200, chat('"content": "", "reasoning": "so"', '"length"')),
        whole("", 12, 34, finish_reason="length"),
    ),
    (
        Said(
            "Ollama",
            "a full queue",
            503,
            """{"error": {"message": "server busy, please try again. maximum pending requests exceeded", "type":
            "api_error", "param": null, "code": null}}""",
        ),
        Made(Retry, "server busy"),
    ),
    (
        Said(
            "Ollama",
            "a model that was not pulled",
            404,
            """{"error": {"message": "model 'm' not found", "type": "not_found_error", "param": null, "code": null}}""",
        ),
        Made(TeacherMisconfigured, "model 'm' not found"),
    ),
    (
        Said(
            "LM Studio",
            "an answer with reasoning beside it",
            200,
            chat(
                f'{BOXED}, "reasoning": "1 + 1 is 2", "tool_calls": []', more=', "stats": {}, "system_fingerprint": "m"'
            ),
        ),
        TWO,
    ),
    (
        Said(
            "LM Studio",
            "a model that is not loaded",
            404,
            """{"error": {"message": "No models loaded. Please load a model in the developer page or use the 'lms load'
            command.", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}}""",
        ),
        Made(TeacherMisconfigured, "No models loaded"),
    ),
    (
        Said(
            "SGLang",
            "an answer",
            200,
            chat(
                f'{BOXED}, "reasoning_content": null, "tool_calls": null',
                '"stop", "matched_stop": 151645',
                '"prompt_tokens": 12, "total_tokens": 46, "completion_tokens": 34, "reasoning_tokens": 0',
                ', "metadata": {"weight_version": "default"}',
            ),
        ),
        TWO,
    ),
    (
        Said("SGLang", "a request that was stopped", 200, chat('"content": "hal"', '"abort"')),
        Made(Retry, "did not end by itself", tokens=(12, 34)),
    ),
    (
        Said(
            "SGLang",
            "an error in its own form",
            400,
            """{"object": "error", "message": "The input (5000 tokens) is longer than the model's context length (4096
            tokens).", "type": "BadRequestError", "param": null, "code": 400}""",
        ),
        Made(Refusal, "longer than the model's context length"),
    ),
]
OTHERS = [
    (
        Said(
            "Mistral",
            "a parameter that it does not know",
            422,
            """{"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg":
            "Extra inputs are not permitted", "input": 40}]}, "type": "invalid_request_error", "param": null}""",
        ),
        Made(TeacherMisconfigured, "take top_k out of --request"),
    ),
    (
        Said("Gemini", "an answer", 200, chat(BOXED, usage='"prompt_tokens": 12, "completion_tokens": 34')),
        TWO,
    ),
    (
        Said("Gemini", "thoughts that used up the limit", 200, chat('"extra_content": {}', '"length"')),
        whole("", 12, 34, finish_reason="length"),
    ),
    (
        Said(
            "Gemini",
            "a rate limit, in a list",
            429,
            """[{"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).",
            "status": "RESOURCE_EXHAUSTED"}}]""",
        ),
        Made(Retry, "Resource has been exhausted"),
    ),
    (
        Said(
            "Gemini",
            "a wrong key, as a bad request",
            400,
            """[{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}]""",
        ),
        Made(TeacherMisconfigured, "check the key in MY_KEY"),
    ),
    (
        Said(
            "Gemini", "a prompt that was blocked", 200, '{"choices": [], "promptFeedback": {"blockReason": "SAFETY"}}'
        ),
        whole("", finish_reason="content_filter"),
    ),
    (
        Said("Anthropic", "an answer", 200, chat(BOXED, more=', "system_fingerprint": null')),
        TWO,
    ),
    (
        Said(
            "Anthropic",
            "a temperature for a model that takes none",
            400,
            """{"error": {"code": "invalid_request_error", "message": "`temperature` is deprecated for this model.",
            "type": "invalid_request_error", "param": null}}""",
        ),
        Made(TeacherMisconfigured, "give --temperature none"),
    ),
    (
        Said(
            "Anthropic",
            "overload",
            529,
            '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}',
        ),
        Made(Retry, "answered 529 (Overloaded)"),
    ),
    (
        Said(
            "Anthropic",
            "no credit",
            400,
            """{"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too
            low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}}""",
        ),
        Made(TeacherMisconfigured, "no credit left"),
    ),
    (
        Said(
            "Azure",
            "an answer with the results of its filters",
            200,
            chat(
                f'{BOXED}, "refusal": null',
                '"stop", "content_filter_results": {"hate": {"filtered": false, "severity": "safe"}}',
                DETAILS,
                ', "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]',
            ),
        ),
        TWO,
    ),
    (
        Said(
            "Azure",
            "a prompt that its filter refused",
            400,
            """{"error": {"code": "content_filter", "message": "The response was filtered due to the prompt
            triggering Azure OpenAI's content management policy.", "param": "prompt", "type": null, "status": 400,
            "innererror": {"code":
            "ResponsibleAIPolicyViolation", "content_filter_result": {"violence": {"filtered": true}}}}}""",
        ),
        whole("", finish_reason="content_filter"),
    ),
    (
        Said(
            "Azure",
            "a deployment that does not exist",
            404,
            """{"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not
            exist."}}""",
        ),
        Made(TeacherMisconfigured, "check --teacher and --base-url"),
    ),
    (
        Said(
            "Azure",
            "a wrong key",
            401,
            """{"error": {"code": "401", "message": "Access denied due to invalid subscription key or wrong API
            endpoint."}}""",
        ),
        Made(TeacherMisconfigured, "check the key in MY_KEY"),
    ),
    (
        Said("DeepSeek", "blank lines while it is busy", 200, "\n" * 40 + chat(f'{BOXED}, "reasoning_content": "..."')),
        TWO,
    ),
    (
        Said("DeepSeek", "no room", 200, chat('"content": "hal"', '"insufficient_system_resource"')),
        Made(Retry, "did not end by itself", tokens=(12, 34)),
    ),
    (
        Said("Cloudflare", "a gateway's page", 524, "<!DOCTYPE html><title>524: A timeout occurred</title>"),
        Made(Retry, "an HTML page titled '524: A timeout occurred'"),
    ),
]
TABLE = [*OPENAI, *ROUTERS, *OWN_SERVERS, *OTHERS]


@pytest.mark.parametrize(("said", "made"), TABLE, ids=[f"{said.provider}: {said.what}" for said, _ in TABLE])
def test_what_a_provider_says_is_understood(said: Said, made: Made) -> None:
    replies = Replies(Access("sk-very-secret", remedy="check the key in MY_KEY"))
    found: Completion | Exception
    try:
        content = re.sub("\n {12}", " ", said.body).encode()
        found = replies.read(NAME, said.status, content, retry_after_s(said.headers), asked=REQUEST.body())
    except (Retry, Refusal, TeacherMisconfigured) as error:
        found = error
    assert type(found) is made.kind, found
    if isinstance(found, Completion):
        made_as = Completion(made.text, made.finish_reason or "stop", *made.tokens)
        assert replace(found, answered_by=None) == made_as
    else:
        assert made.text in str(found) and "\n" not in str(found)
    if isinstance(found, Retry):
        assert (found.usage, found.after_s) == (made.tokens, made.after_s)
