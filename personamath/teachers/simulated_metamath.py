"""How the simulated teacher answers the `metamath` method: statements, and the hidden numbers of known problems."""

import re
from collections.abc import Iterable

from personamath.methods.backward.masking import masked_questions
from personamath.methods.backward.questions import BEHIND, IN_A_STATEMENT

_TOLD = "The answer to “"
_STATED = re.compile(rf"{_TOLD}(?P<asked>.*?)” is .*", re.DOTALL)


def declare(question: str, answer: str) -> str:
    """A statement with the answer in it, in stilted words from which `forward` finds the question again."""
    return f"{_TOLD}{question.rstrip('?')}” is {answer}."


class HiddenNumbers:
    """The backward questions of known problems; they are worked out when the first one is asked."""

    def __init__(self, questions: Iterable[str]) -> None:
        self._questions = list(questions)
        self._found: dict[str, str] = {}

    def of(self, question: str) -> str | None:
        """The hidden number that a backward question asks for; None if it is none, or its problem is not known."""
        masked, behind, _ = question.rpartition(BEHIND)
        if not behind:
            masked, stated, _ = question.rpartition(IN_A_STATEMENT)
            if not stated:
                return None
            masked = _STATED.sub(r"\g<asked>", masked)
        if not self._found:
            for known in self._questions:
                self._found |= {_folded(one.question): one.number.answer for one in masked_questions(known)}
        asked = _folded(masked)
        if asked in self._found:
            return self._found[asked]
        return next((number for known, number in self._found.items() if known.startswith(asked)), None)


def _folded(question: str) -> str:
    """A question without its white space, its question marks and the end that a statement leaves out."""
    return re.sub(r"[\s?]", "", question)
