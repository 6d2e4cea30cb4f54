r"""What a model means by a completion: its answer, without its reasoning and without the marks of its chat template.

Endpoints differ in what they leave in the content of a message. Some models open their reasoning themselves
(`<think>...</think>`), some chat templates open it for them (only `</think>` is left), gpt-oss names channels, and a
server that does not know a template's special tokens returns them as text. The raw text stays in the journal; methods
read the answer only.

`tests/test_completion.py` has the forms that are covered. Reasoning without any mark is not covered: nothing
distinguishes it from an explanation.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

# Any tag that names reasoning: <think>, <seed:think>, <antThinking>, <inner_thoughts>, <reflection>, <cot>.
_TAG_NAME = (
    r"(?:[\w:-]{0,24}(?:think|thought|reason|reflect|monologue|deliberat|rationale|chain[-_]of[-_]thought)[\w:-]{0,24}"
    r"|(?:\w{1,12}[:_])?(?:analysis|cot|scratch(?:_?pad)?|plan(?:ning)?))"
)
_ATTRIBUTES = r"(?:\s+[\w-]+=[^<>]{1,80})?"
# Brackets are also mathematics and stage directions, so a small one counts only with its end.
_BRACKETED = r"(?:BEGIN_OF_)?(?:THINK|THINKING|THOUGHTS?|REASONING|REASON)"
_TOKEN_OPENS = r"(?:(?:begin|start)[\w▁]{0,12}(?:think|thought|reason)\w*|(?:think|thought|reason)\w*?_(?:start|begin))"
_TOKEN_CLOSES = r"(?:(?:end|stop)[\w▁]{0,12}(?:think|thought|reason)\w*|(?:think|thought|reason)\w*?_(?:end|stop))"
# What a chat shows folded: a block of code or of details at the very beginning.
_FOLDED = re.compile(
    r"\A\s*(?:```(?:think(?:ing)?|thoughts?|reasoning)[ \t]*\n(?P<fenced>.*?)\n[ \t]*```"
    r"|<details\b[^<>]{0,200}>\s*<summary>[^<]{0,40}(?:think|thought|reason)[^<]{0,80}</summary>(?P<details>.*?)</details>)"
    r"[ \t]*\n?",
    re.DOTALL | re.IGNORECASE,
)

_OPENS = re.compile(
    rf"""(?i:(?:\\?[<＜]|&lt;)\s*{_TAG_NAME}{_ATTRIBUTES}\s*(?:\\?[>＞]|&gt;))  # <think>, <seed:think>
    |\[{_BRACKETED}\]                                      # [THINK]
    |(?i:\[(?P<small>think(?:ing)?|reasoning)\])(?=(?s:.){{0,100000}}?\[/(?i:(?P=small))\])
    |【(?i:think(?:ing)?)】
    |◁think▷
    |<[|｜](?i:{_TOKEN_OPENS}|think|thinking|inner_prefix)[|｜]>
    |<\|im_start\|>[ ]?think\b
    |(?:<\|start\|>\s*assistant\s*)?<\|channel\|?>\s*(?:analysis|commentary|thought)\b\s*(?:<\|message\|>)?
    |<(?:unused|ctrl)94>(?:thought\b)?
    |\A\s*Here\ is\ my\ thought\ process:""",
    re.VERBOSE,
)
_CLOSES = re.compile(
    rf"""(?i:(?:\\?[<＜]|&lt;)\s*[/\\]\s*{_TAG_NAME}\s*(?:\\?[>＞]|&gt;))
    |(?i:<think(?:ing)?\s*/>)                              # an empty one
    |\[(?:/|END_OF_){_BRACKETED}\]
    |(?i:\[/(?:think(?:ing)?|reasoning)\])
    |【/(?i:think(?:ing)?)】
    |◁/think▷
    |<[|｜](?i:{_TOKEN_CLOSES}|/think|/thinking|inner_suffix)[|｜]>
    |<\|im_start\|>[ ]?answer\b
    |(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*final\b\s*(?:(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>)?
    |<channel\|>
    |<(?:unused|ctrl)95>
    |^Here\ is\ my\ response:
    |(?<=[.\s])Here\ is\ my\ response:(?=\s)""",
    re.VERBOSE | re.MULTILINE,
)
# What every mark of reasoning begins with or contains. Few answers contain any of it, and the patterns above are slow.
# After a `<` comes a word, a bar or a slash; `5 < 6` and GSM8K's `<<48/2=24>>` are mathematics.
_MAY_MARK = re.compile(
    r"[<＜]\s*(?:[/\\|｜:-]|[^\W\d]|\d+(?!\d)[\w:-])|[【◁]|(?i:&lt;|\[/?(?:t|r|BEGIN_|END_))|Here is my |\A\s*```"
)
# gpt-oss where the server drops its special tokens and keeps the words between them.
_BARE_CHANNELS = re.compile(r"\A\s*analysis(?=\S|\s)(.*)assistantfinal", re.DOTALL)

_SPECIAL = (
    r"<\|/?[A-Za-z]\w{2,}\|>|<[|｜][A-Za-z][\w▁ ]{2,40}[|｜]>|\[\|/?[a-z_]{3,20}\|\]"
    r"|</s>|(?<![\w$)}])<s>(?![\d$])|<(?:bos|eos|pad|unk|sop|eop|eod|eot|EOT|EOD)>|</?(?:start|end)_of_(?:turn|text)>"
    r"|<\|?im_(?:start|end)\|?>|<(?:reserved|SPECIAL|extra_id|unused)_?\d+>|<0x[0-9A-F]{2}>|<_(?:bot|user|end)>"
    r"|<role>\s*\w+\s*</role>|</?(?:assistant|bot)>|\[/?INST\]|\[gMASK\]|\[unused\d+\]|<<SYS>>|<turn\|>|<\|turn>"
    r"|\]~!?b\[?\]?|\[e~\["
)
"""A special token of a chat template, whatever its model. Two letters or fewer between the bars may be mathematics."""
_ROLE = r"(?:assistant|model|gpt|bot|ai)"
_OPENING = re.compile(
    rf"\A(?:\s*(?:(?:{_SPECIAL})\s*)+(?:{_ROLE}\b\s*(?:(?:{_SPECIAL})|:|(?=\n)|\Z)|:)?"  # "<|im_start|>assistant\n"
    rf"|\s*(?:[#*]+\s*)?{_ROLE}\s*:?[*]*[ \t]*(?:{_SPECIAL})"  # "assistant<|message|>"
    rf"|\s*(?:[#*]+\s*)?{_ROLE}:?[*]*[ \t]*(?:\n|\Z)"  # a line "assistant"
    r"|\s*(?:[#*]+\s*)?(?:gpt4 correct )?assistant[*]*:[*]*\s"  # "Assistant: "
    r"|\s*\#{2,3}\s*response:[ \t]*(?:\n|\Z))+",  # Alpaca's
    re.IGNORECASE,
)
# What follows the end of the answer is another turn, which the model wrote on its own.
_END = re.compile(
    rf"(?:{_SPECIAL}|^(?:user|human)[ \t]*:?[ \t]*$|(?<=\n)[ \t]*\n(?:user|human):[ \t]"
    r"|^\#{2,3}[ \t]*(?:instruction|input|human|user|assistant):[ \t]*$).*\Z"
    r"|(?:<\|[a-z]\w{2,30}\|?|<(?:start|end)_of_turn)\Z"  # a token that the limit cut
    r"|(?<=[.?!\d])\s*(?:\[(?:EOS|PAD)\]\s*)+\Z",  # elsewhere the area of a triangle
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_WRAPPED = re.compile(
    r"\A\s*<(?P<tag>answer|final_answer|response|output)>(?P<inside>.*?)(?:</(?P=tag)>\s*)?\Z",
    re.DOTALL | re.IGNORECASE,
)
_SPECIAL_TOKEN = re.compile(_SPECIAL)
# All reasoning and all marks have one of these characters, but for a few words at the beginning of a text or a line.
_MARKING = re.compile(r"[<＜\[\]【◁&`#]")
_TURN = re.compile(r"\n(?:user|human)", re.IGNORECASE)
# What every special token begins with, and what the other ends of an answer do.
_MAY_BE_SPECIAL = r"<(?:[|｜/_]|[a-z]|0x|<s)|\[[|/igue]|\]~"
_MAY_HOLD_SPECIAL = re.compile(_MAY_BE_SPECIAL, re.IGNORECASE)
_MAY_END = re.compile(rf"{_MAY_BE_SPECIAL}|\[p|(?:\n|\A)(?:user|human|\#{{2,3}}[ \t]*[a-z])", re.IGNORECASE)
_MARK = re.compile(f"{_SPECIAL}|{_OPENS.pattern}|{_CLOSES.pattern}", re.VERBOSE | re.MULTILINE)

# A model that repeats a mark until the limit strikes has written no answer. Real completions have one or two layers.
MOST_LAYERS = 10


class Reading(NamedTuple):
    """A completion, taken apart."""

    answer: str
    """What is left; the completion itself, to the character, where nothing was taken off."""
    reasoning: bool = False
    """Whether reasoning was taken off."""
    marks: bool = False
    """Whether marks of a chat template were taken off."""
    whole: bool = True
    """Whether all reasoning ends. If not, the limit on tokens cut the completion, and it has no answer."""
    thoughts: tuple[str, ...] = ()
    """The reasoning that was taken off, piece by piece, without the marks in it."""


def read_completion(text: str) -> Reading:
    """Split a completion into its answer and what is not part of it."""
    reading, before = Reading(text), None
    if _is_plain(text):
        return reading
    for _ in range(MOST_LAYERS):
        if not reading.whole or reading.answer == before:
            return reading
        before = reading.answer
        reading = _once(reading)
    return reading._replace(answer="", whole=False)


def mark_in(text: str) -> str | None:
    """The first mark of reasoning or of a chat template in a text; None if there is none.

    The answer that `read_completion` returns for a whole completion has no marks.
    """
    if not _MAY_MARK.search(text) and not _MAY_HOLD_SPECIAL.search(text):
        return None
    found = _MARK.search(text)
    return found[0].strip() if found else None


def _is_plain(text: str) -> bool:
    """Whether a text can have no reasoning and no marks, as most answers; cheaper than to look for each of them."""
    return not (
        _MARKING.search(text)
        or "Here is my " in text
        or _OPENING.match(text)
        or text.lstrip()[:8].lower().startswith(("analysis", "user", "human"))
        or _TURN.search(text)
    )


def _once(reading: Reading) -> Reading:
    """The reading of a reading's answer, one layer deeper."""
    thought = _without_reasoning(reading.answer)
    if not thought.whole:
        return thought._replace(marks=reading.marks, thoughts=reading.thoughts + thought.thoughts)
    answer = thought.answer
    answer = _OPENING.sub("", answer, count=1)
    if _MAY_END.search(answer):
        answer = _END.sub("", answer, count=1)
    marks = answer != thought.answer
    if thought.reasoning or reading.reasoning:
        answer = _WRAPPED.sub(lambda found: found["inside"], answer)
    if answer != reading.answer:
        answer = answer.strip()
    return Reading(
        answer,
        reading.reasoning or thought.reasoning,
        reading.marks or marks,
        thoughts=reading.thoughts + thought.thoughts,
    )


def _without_reasoning(text: str) -> Reading:
    """The text without its reasoning; where only an end is marked, everything before it is reasoning."""
    channel = _BARE_CHANNELS.match(text)
    if not channel and not _MAY_MARK.search(text):
        return Reading(text)
    if folded := _FOLDED.match(text):
        thought = folded["fenced"] or folded["details"] or ""
        return Reading(text[folded.end() :], reasoning=True, thoughts=_plain([thought]))
    bare = text[channel.end() :] if channel else text
    tokens = sorted([*_OPENS.finditer(bare), *_CLOSES.finditer(bare)], key=lambda token: token.start())
    answer: list[str] = []
    thoughts = [channel[1]] if channel else []
    open_, last = False, 0
    for token in tokens:
        opens, before = token.re is _OPENS, bare[last : token.start()]
        if open_:
            thoughts.append(before)
        elif opens:
            answer.append(before)
        else:
            thoughts.append("".join([*answer, before]))
            answer.clear()
        open_, last = opens, token.end()
    if open_:
        return Reading("", reasoning=True, whole=False, thoughts=_plain([*thoughts, bare[last:]]))
    return Reading(
        "".join([*answer, bare[last:]]), reasoning=bool(tokens) or channel is not None, thoughts=_plain(thoughts)
    )


def _plain(thoughts: Iterable[str]) -> tuple[str, ...]:
    """Pieces of reasoning without special tokens and without the white space around them; empty ones are left out."""
    pieces = (_SPECIAL_TOKEN.sub("", thought).strip() for thought in thoughts)
    return tuple(piece for piece in pieces if piece)
