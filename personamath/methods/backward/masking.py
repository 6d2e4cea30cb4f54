"""A problem with one number hidden."""

import re
from dataclasses import dataclass

from personamath.methods.backward.numbers import Number, numbers, touches_unit
from personamath.methods.backward.regions import MATH, PROSE, Regions, regions
from personamath.methods.backward.sentences import Sentence, is_format, sentences
from personamath.methods.rewrites.asking import FIGURE

UNKNOWNS = "xynk"
"""Names of the unknown; the first one that a problem does not use is taken."""
# The choices of an answer are not part of the problem.
_CHOICES = re.compile(r"(?:\\text(?:bf|rm)?\s*\{\s*|\\(?:mathrm|mathbf)\s*\{\s*)?\(A\).*\(B\)", re.DOTALL)
_COMMAND = re.compile(r"\\[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Masked:
    """A question in which one number is an unknown."""

    place: int
    """Which of the numbers of its problem that can be hidden it is, from 0."""
    question: str
    unknown: str
    """Its name, e.g. `x`."""
    number: Number
    """The number that is hidden, with its place in the original question."""
    written: str
    """The unknown as the question has it: `x`, `x ` before a unit that touched the number, or `$x$` between words of a
    text with formulas."""

    @property
    def has_formulas(self) -> bool:
        """Whether the question has formulas, so that the unknown's name is written as one."""
        return regions(self.question).has_math

    @property
    def original(self) -> str:
        """The question with the number in its place again."""
        start = self.number.start
        return self.question[:start] + self.number.text + self.question[start + len(self.written) :]


def masked_questions(question: str) -> list[Masked]:
    """All questions that hide one number of a question, in the order of the numbers.

    Numbers in the choices of an answer, or in a sentence that says how to write it, are not hidden, and neither is a
    number that a figure shows.
    """
    where = regions(question)
    unknown = next((name for name in UNKNOWNS if not is_used(name, question)), None)
    if unknown is None:
        return []
    closed = [one for one in sentences(question) if is_format(one.of(question))]
    if choices := _CHOICES.search(question):
        closed.append(Sentence(choices.start(), len(question)))
    figures = " ".join(FIGURE.findall(question))
    found = [
        one
        for one in numbers(question)
        if not any(part.start <= one.start < part.end for part in closed) and not _shows(figures, one.text)
    ]
    masked = (_masked(place, question, unknown, one, where) for place, one in enumerate(found))
    return [one for one in masked if _keeps_formulas(one, where)]


def _keeps_formulas(masked: Masked, where: Regions) -> bool:
    """Whether formulas begin and end where they did: a number may hold the only sign that `$` is no money."""
    before, after = where.formulas[: masked.number.start], where.formulas[masked.number.end :]
    now = regions(masked.question).formulas
    return now.startswith(before) and now.endswith(after)


def _masked(place: int, question: str, unknown: str, number: Number, where: Regions) -> Masked:
    before, after = question[: number.start], question[number.end :]
    touches = before.rstrip(" ").endswith("$") or after.lstrip(" ").startswith("$")
    in_prose = where.formulas[number.start] == PROSE and where.has_math
    # `\$5` is money: a formula may follow its dollar.
    is_money = before.endswith(r"\$")
    written = f"${unknown}$" if in_prose and (is_money or not touches) else unknown
    if where.formulas[number.start] == PROSE and touches_unit(question, number):
        written += " "
    return Masked(place, before + written + after, unknown, number, written)


def _shows(figures: str, number: str) -> bool:
    return bool(re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.])", figures))


def is_used(name: str, text: str) -> bool:
    """Whether a letter is a name in a text: alone in prose, or anywhere in a formula."""
    if re.search(rf"(?<![A-Za-z\\'’]){name}(?![A-Za-z])", text, re.IGNORECASE):
        return True
    modes = regions(text).formulas
    formulas = "".join(one if mode == MATH else " " for one, mode in zip(text, modes, strict=True))
    return name in _COMMAND.sub(" ", formulas).lower()
