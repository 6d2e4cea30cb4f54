"""Find the evolved problem in a completion, or the reason why it cannot be used.

An evolved problem may have other numbers and another answer than the one it was made from, so the rules are fewer than
those for a rewrite: it must be a problem, a new one, without its solution, and without words of our prompt.
"""

import re
from collections.abc import Sequence

from personamath.methods.rewrites.asking import asks
from personamath.methods.rewrites.language import is_in_another_language
from personamath.methods.rewrites.parts import holds_several
from personamath.methods.rewrites.refusing import declines, speaks_of_rephrasing
from personamath.methods.rewrites.sameness import words
from personamath.methods.rewrites.telling import shows_a_solution, tells_the_answer
from personamath.methods.rewriting import figures, unwrapped
from personamath.records import Dropped

MOST_MORE_WORDS = 30
"""How much longer than its parent a harder problem may be, as the paper has it and our prompt says."""
LEAKED_WORDS = 6
"""Words in a row of our prompt that a problem holds by chance in no problem of GSM8K's and MATH's train splits."""

_LABEL = re.compile(
    r"\A[#>*_\s]*(?:the\s+)?(?:(?:new|harder|easier|simpler|evolved|more\s+(?:difficult|complex|challenging))\s+)+"
    r"(?:(?:math\w*|word)\s+)*(?:problem|question|version)[*_ \t]*(?::[*_]*|(?=\n))\s*",
    re.IGNORECASE,
)


def evolved_question(completion: str, ancestors: Sequence[str], prompt: str, most_words: int | None) -> str | Dropped:
    """The problem that a completion holds, or why it cannot be used.

    `ancestors` are the problems that it was made from, its parent last; `prompt` is the text around the parent in the
    request; `most_words` is the limit on its length, None for any.
    """
    if holds_several(completion):
        return Dropped("several versions")
    question = unwrapped(_LABEL.sub("", unwrapped(completion), count=1))
    reason = _fault(question, ancestors, prompt, most_words)
    return Dropped(reason) if reason else question


def _fault(question: str, ancestors: Sequence[str], prompt: str, most_words: int | None) -> str | None:
    parent = ancestors[-1]
    if not question:
        return "empty rewrite"
    if words(question) in map(words, ancestors) and figures(question) == figures(parent):
        return "equal to an ancestor"
    if declines(question):
        return "refused"
    if shows_a_solution(question, parent):
        return "holds a solution"
    if leaks(prompt, question, parent):
        return "holds words of the prompt"
    if speaks_of_rephrasing(question) and not speaks_of_rephrasing(parent):
        return "holds remarks"
    if figures(question) != figures(parent):
        return "figure lost or changed"
    if not asks(question):
        return "asks nothing"
    if is_in_another_language(question, parent):
        return "in another language"
    if tells_the_answer(question, parent, None):
        return "tells the answer"
    if most_words is not None and len(question.split()) > most_words:
        return "too long"
    return None


def leaks(prompt: str, question: str, parent: str) -> bool:
    """Whether a question has words in a row of the prompt that its parent does not have."""
    return not _runs(prompt).isdisjoint(_runs(question) - _runs(parent))


def _runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[start : start + LEAKED_WORDS]) for start in range(len(found) - LEAKED_WORDS + 1)}
