"""Why a completion ended, in the words of many servers."""

import pytest

from personamath.teachers.finish import finish

# A word that nobody has documented says nothing about the text: it is asked for again.
KINDS: dict[str | None, list[object]] = {
    "stop": [
        *["stop", "STOP", "FinishReason.STOP", "FINISH_REASON_STOP", "eos", "eos_token", "end_turn", "stop_sequence"],
        *[
            "tool_calls",
            "tool_use",
            "function_call",
            "COMPLETE",
            "normal",
            "end",
            "endoftext",
            "finished",
            "done",
            "stop_token_id",
            "<|im_end|>",
            "matched_stop",
            "null",
            None,
            "",
            " ",
        ],
    ],
    "length": [
        *["length", "LENGTH", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens", "max_new_tokens"],
        *["maxTokens", "max_output", "token_limit", "max_length", "model_context_window_exceeded"],
        *["truncated", "output_limit", "token_budget_exceeded"],
    ],
    "content_filter": [
        *["content_filter", "CONTENT_FILTERED", "contentFilter", "safety", "SAFETY", "recitation", "RECITATION"],
        *["BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "guardrail_intervened", "sensitive", "moderation"],
        *["ERROR_TOXIC", "risk_control", "DENYLIST", "flagged"],
    ],
    "refusal": ["refusal"],
    "repetition": ["repetition", "REPETITION", "repetition_detected"],
    None: [
        *["abort", "error", "time_limit", "cancelled", "timeout", "FINISH_REASON_UNSPECIFIED", "OTHER", "LANGUAGE"],
        *[
            "insufficient_system_resource",
            "MALFORMED_FUNCTION_CALL",
            "rate_limit",
            "???",
            "中断",
            1,
            True,
            ["stop"],
            {},
        ],
    ],
}


@pytest.mark.parametrize(("reason", "kind"), [(reason, kind) for kind, reasons in KINDS.items() for reason in reasons])
def test_an_end_is_named(reason: object, kind: str | None) -> None:
    assert finish(reason) == kind
