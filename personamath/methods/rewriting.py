r"""What of a rewriting completion is the new question, and when there is none (section 3.1).

The paper does not say; its prompt asks to "rephrase the above math problem", and models wrap the result in lead-ins,
headings, bold and quotes, repeat the problem first, or solve it. The wrapping goes, of named parts the last rewrite is
read, and the question stays as written. Each reason to drop a rewrite has its own name in the funnel.
"""

from personamath.methods.rewrites.asking import FIGURE, asks
from personamath.methods.rewrites.language import is_in_another_language
from personamath.methods.rewrites.numbers import loses_the_numbers
from personamath.methods.rewrites.parts import holds_several, last_part
from personamath.methods.rewrites.refusing import declines, speaks_of_rephrasing
from personamath.methods.rewrites.sameness import is_unchanged
from personamath.methods.rewrites.telling import holds_a_solution, tells_the_answer
from personamath.methods.rewrites.wrapping import unwrap_once
from personamath.records import Dropped

MOST_LAYERS = 50
"""Layers of wrapping that come off: many times those of real completions, and a bound on the time."""


def new_question(completion: str, original: str, answer: str | None = None) -> str | Dropped:
    """The question a rewriting completion holds, or why it cannot be used.

    `answer` is the reference answer, which a rewrite must not tell; the teacher never sees it.
    """
    if holds_several(completion):
        return Dropped("several versions")
    question = unwrapped(completion)
    reason = _fault(question, original, answer)
    return Dropped(reason) if reason else question


def unwrapped(completion: str) -> str:
    """What a completion gives as the question."""
    text = completion.strip()
    for _ in range(MOST_LAYERS):
        before, text = text, last_part(unwrap_once(text))
        if text == before:
            break
    return text


def _fault(question: str, original: str, answer: str | None) -> str | None:
    if not question:
        return "empty rewrite"
    if folded(question) == folded(original):
        return "equal to the original"
    if declines(question):
        return "refused"
    if holds_a_solution(question, original):
        return "holds a solution"
    if speaks_of_rephrasing(question) and not speaks_of_rephrasing(original):
        return "holds remarks"
    if loses_the_numbers(question, original):
        return "loses the numbers"
    if figures(question) != figures(original):
        return "figure lost or changed"
    if not asks(question) and asks(original):
        return "asks nothing"
    if is_in_another_language(question, original):
        return "in another language"
    if tells_the_answer(question, original, answer):
        return "tells the answer"
    if is_unchanged(question, original):
        return "unchanged"
    return None


def folded(text: str) -> str:
    """A text without regard to white space and case."""
    return " ".join(text.split()).casefold()


def figures(text: str) -> list[str]:
    """The drawings in a text, without white space."""
    return ["".join(figure.split()) for figure in FIGURE.findall(text)]
