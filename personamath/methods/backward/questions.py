"""The two forms of a backward question, and how the statement in one of them is read.

FOBAR states the answer after the question. Self-verification replaces the sentence that asks with a statement of the
answer, which the teacher writes.
"""

import re

from personamath.methods.backward.masking import Masked, is_used
from personamath.methods.backward.sentences import is_format, question_of, sentences
from personamath.methods.rewrites.numbers import numbers
from personamath.records import Dropped

BEHIND = "\nIf we know that the answer to this question is "
IN_A_STATEMENT = "\nWhat is the value of the unknown "

_PLAIN = re.compile(r"-?[\d,]*\.?\d+%?")
_LABEL = re.compile(
    r"[*_#\s]*(?:(?:declarative )?(?:statement|sentence)|answer|rewritten)[*_\s]*:[*_\s]*", re.IGNORECASE
)
_QUOTES = '"“”*` '
_UNIMPORTANT = re.compile(r"\\[!,;: ]|\s|\$|(?<=\d),(?=\d{3})|\{,\}|\\left|\\right|(?<=\\)[dt](?=frac)")


def told(answer: str) -> str:
    """An answer as a sentence has it: plain numbers as they are, everything else as a formula."""
    return answer if _PLAIN.fullmatch(answer) else f"${answer}$"


def fobar(masked: Masked, answer: str) -> str:
    """The question with its answer behind it (forward-backward reasoning)."""
    return f"{masked.question}{BEHIND}{told(answer)}, what is the value of the unknown {_name(masked)}?"


def self_verification(masked: Masked, declaration: str) -> str:
    """The question with a statement in place of the sentence that asks; instructions for its answer are left out."""
    text, asking = masked.question, question_of(masked.question)
    if asking is None:
        raise ValueError(f"no sentence asks in {text!r}")
    rest = text[asking.end :]
    for sentence in reversed(sentences(rest)):
        if is_format(sentence.of(rest)):
            rest = rest[: sentence.start] + rest[sentence.end :]
    stated = f"{text[: asking.start]}{declaration}{rest.rstrip()}"
    return f"{stated}{IN_A_STATEMENT}{_name(masked)}?"


def read_declaration(completion: str, masked: Masked, answer: str) -> str | Dropped:
    """The statement in a completion, or why it cannot be used: it must keep the unknown, the answer and the numbers."""
    asking = question_of(masked.question)
    text = _LABEL.sub("", completion.strip(), count=1).strip(_QUOTES) if completion.strip() else ""
    sentence = asking.of(masked.question) if asking else ""
    if not text:
        return Dropped("empty statement")
    if "\n" in text and "\n" not in sentence:
        return Dropped("several lines")
    if "?" in text:
        return Dropped("still a question")
    if is_used(masked.unknown, sentence) and not is_used(masked.unknown, text):
        return Dropped("lost the unknown")
    if not re.search(rf"(?<![\d.]){re.escape(_plain(told(answer)))}(?!\d)", _plain(text)):
        return Dropped("lost the answer")
    if not numbers(sentence) <= numbers(text):
        return Dropped("lost a number")
    return text


def _name(masked: Masked) -> str:
    return f"${masked.unknown}$" if masked.has_formulas else masked.unknown


def _plain(text: str) -> str:
    return _UNIMPORTANT.sub("", text)
