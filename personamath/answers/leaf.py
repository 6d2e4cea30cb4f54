r"""The parts that have no parts: a number, an expression, or words, with its unit."""

import re
from fractions import Fraction
from functools import cached_property

from personamath.answers.expression import FUNCTIONS, GREEK, Unreadable, read_expression
from personamath.answers.numeric import Value, same_values, values
from personamath.answers.rational import rational
from personamath.answers.units import split_unit
from personamath.answers.verdict import Verdict

LETTERS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
TIME = re.compile(r"\d{1,2}(?::\d\d)*(?:\\text\{)?\s*[ap]\.?m\b.*", re.IGNORECASE)
NOT_IN_WORDS = re.compile(r"\\text(?![A-Za-z])|[\s{}().,;'\"]")
SYMBOLS_IN_LETTERS = frozenset(FUNCTIONS) | GREEK | {"pi", "matrix"}


class Leaf:
    """One part of an answer, read as far as comparing it needs."""

    def __init__(self, text: str) -> None:
        self.text, self.unit = split_unit(text)
        self.number = rational(self.text)
        self.words = None if self.number is not None else words_in(text)
        if self.unit and self.unit.startswith("base") and self.number is None:
            self.words = self.text.casefold()  # digits beyond 9 are letters, not factors

    @cached_property
    def values(self) -> list[Value | None] | None:
        """Its values at the points of `numeric`; None where it is no expression that is known."""
        if self.number is not None:
            return [self.number]
        try:
            return values(read_expression(self.text))
        except Unreadable:
            return None

    @property
    def is_constant(self) -> bool:
        """Whether it is an expression without variables."""
        return self.values is not None and len(self.values) == 1


def words_in(text: str) -> str | None:
    """What a text says, if it is words and not a formula: in small letters, without spaces and punctuation."""
    runs = [run for run in LETTERS.findall(text) if run not in SYMBOLS_IN_LETTERS and not run.startswith("text")]
    only_letters = text.isalpha() and len(text) > 1 and not text.islower()
    if not (only_letters or "\\text" in text or TIME.fullmatch(text) or any(len(run) > 3 for run in runs)):
        return None
    words = NOT_IN_WORDS.sub("", text)
    return words if len(words) == 1 else words.casefold()


def compare_leaves(one: Leaf, other: Leaf) -> Verdict:
    """The verdict on two parts without parts."""
    if one.unit and other.unit and one.unit != other.unit:
        return Verdict(False, "structure", "another unit")
    if one.text == other.text:
        return Verdict(True, "exact")
    if one.number is not None and other.number is not None:
        equal = (
            one.number == other.number or one.number in of_hundred(other, one) or other.number in of_hundred(one, other)
        )
        return Verdict(equal, "rational", None if equal else "another number")
    if one.words is not None or other.words is not None:
        equal = one.words == other.words
        return Verdict(equal, "exact", None if equal else "other words")
    if one.values is None or other.values is None:
        return Verdict(None, "none", "not an expression that can be read")
    agree = same_values(one.values, other.values)
    if agree is None:
        return Verdict(False, "numeric", "no value that can be compared")
    return Verdict(agree, "numeric", None if agree else "another value")


def of_hundred(percentage: Leaf, other: Leaf) -> list[Fraction]:
    r"""The value of `50\%` as a part of one, where the other side is no percentage."""
    if percentage.unit != "%" or other.unit == "%" or percentage.number is None:
        return []
    return [percentage.number / 100]
