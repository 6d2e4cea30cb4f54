"""Why a completion ended: the `finish_reason` of many servers, mapped to our five words."""

import re

from personamath.records import FinishReason

# The model ended by itself, or at a stop string. OpenAI, vLLM, TGI (`eos_token`), Anthropic (`end_turn`), Cohere
# (`COMPLETE`), Baidu (`normal`); null and "" come from servers that do not say.
_WHOLE = {
    "",
    "complete",
    "completed",
    "done",
    "end",
    "endofsequence",
    "endoftext",
    "endofturn",
    "endturn",
    "eod",
    "eos",
    "eostoken",
    "eostokenid",
    "eotid",
    "finish",
    "finished",
    "functioncall",
    "imend",
    "matchedstop",
    "none",
    "normal",
    "null",
    "stop",
    "stopped",
    "stopstr",
    "stopsequence",
    "stopstring",
    "stoptoken",
    "stoptokenid",
    "success",
    "toolcall",
    "toolcalls",
    "tooluse",
}
# `length`, `max_tokens`, `model_length`, `max_output_tokens`, `max_output` (MiniMax), `token_limit`,
# `model_context_window_exceeded`.
_LENGTH = re.compile(r"length|max\w*tokens?|maxoutput|tokens?limit|contextwindow|truncat|outputlimit|tokenbudget")
# `content_filter`, and the words of Gemini, Bedrock and Zhipu.
_FILTERED = re.compile(
    r"filter|safety|recitation|blocklist|blocked|prohibited|spii|moderat|policy|guardrail|sensitive"
    r"|toxic|riskcontrol|harmful|flagged|violation|denylist|copyright"
)
_REFUSED = re.compile(r"refus")
# vLLM and others stop a model that repeats itself. Another try costs the same and mostly ends the same way.
_REPEATED = re.compile(r"repetition|repetitive")
# `FinishReason.STOP` and `FINISH_REASON_STOP` are Google's `STOP`.
_PREFIX = "finishreason"


def finish(reason: object) -> FinishReason | None:
    """How a completion ended; None for a reason that says nothing about the text: `abort`, `error`, anything unknown.

    A text that ended in such a way may be half of one, so it is asked for again.
    """
    if reason == "stop":
        return "stop"
    if not isinstance(reason, str | None):
        return None
    word = re.sub(r"[^a-z]", "", (reason or "").lower()).removeprefix(_PREFIX)
    if word in _WHOLE and (word or not (reason or "").strip()):
        return "stop"
    if _FILTERED.search(word):
        return "content_filter"
    if _LENGTH.search(word):
        return "length"
    if _REPEATED.search(word):
        return "repetition"
    return "refusal" if _REFUSED.search(word) else None
