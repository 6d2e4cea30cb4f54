r"""The parts of an answer that have no parts: a number, an expression, or words, with its unit."""

import re
from functools import cached_property

from personamath.answers.expression import SYMBOLS, read_expression
from personamath.answers.normal_form import FUNCTIONS
from personamath.answers.numeric import Value, same_values, values
from personamath.answers.rational import rational
from personamath.answers.tokens import Unreadable
from personamath.answers.units import SCALES, Measured, split_unit
from personamath.answers.verdict import Verdict

TIME = re.compile(r"\d{1,2}(?::\d\d)*(?:\\text\{| )?[ap]\.?m\b.*", re.IGNORECASE)
LETTERS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
FORMULA_WORDS = frozenset([*FUNCTIONS, *SYMBOLS, "matrix", "pmatrix", "bmatrix", "vmatrix", "array", "cases", "mathbb"])
NOT_SAID = re.compile(
    r"^(?:an?|the) (?=[a-z]{3})|\\text(?![A-Za-z])|[\s{}();'\"]|[.,](?!\d)|(?<!\d)[.,]", re.IGNORECASE
)


class Leaf:
    """One part of an answer, read as far as comparing it needs."""

    def __init__(self, text: str) -> None:
        measured = split_unit(text)
        self.only_words = bool(TIME.fullmatch(text)) or says_words(measured)
        self.text, self.unit = Measured(text, None) if self.only_words else measured  # a unit follows a value
        self.number = rational(self.text)

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
        return not self.only_words and self.values is not None and len(self.values) == 1

    @property
    def said(self) -> str:
        """Its words in small letters, without spaces and punctuation; a single letter is a name, and stays as it is."""
        words = NOT_SAID.sub("", self.text)
        return words if len(words) == 1 else words.casefold()


def says_words(measured: Measured) -> bool:
    """Whether a text is words and no formula; two small letters may be either, as `no` and `ab` are."""
    text, unit = measured
    if text.isalpha() and len(text) > 1:
        return len(text) > 2 or not text.islower()
    if "\\text" in text or text == "\\emptyset":
        return True
    if unit and unit.startswith("base") and not text.isdecimal():
        return True  # digits beyond 9 are letters, and no factors
    return any(run not in FORMULA_WORDS for run in LETTERS.findall(text))


def compare_leaves(one: Leaf, other: Leaf) -> Verdict:
    """The verdict on two parts without parts."""
    of_two_units = one.unit is not None and other.unit is not None and one.unit != other.unit
    if of_two_units and (one.unit in SCALES) == (other.unit in SCALES):
        return Verdict(False, "structure", "another unit")
    if one.text == other.text and not of_two_units:
        return Verdict(True, "exact")
    if one.number is not None and other.number is not None:
        plainly_equal = one.number == other.number and not of_two_units
        equal = plainly_equal or is_scaled(one, other) or is_scaled(other, one)
        return Verdict(equal, "rational", None if equal else "another number")
    if one.only_words or other.only_words:
        equal = one.said == other.said
        return Verdict(equal, "exact", None if equal else "other words")
    if one.values is None or other.values is None:
        return Verdict(None, "none", "not an expression that can be read")
    agree = same_values(one.values, other.values)
    if agree is None:
        return Verdict(False, "numeric", "no value that can be compared")
    return Verdict(agree, "numeric", None if agree else "another value")


def is_scaled(scaled: Leaf, plain: Leaf) -> bool:
    r"""Whether a number with a percent sign or the like, `50\%`, is the other, which has none, written out: `0.5`."""
    if scaled.unit not in SCALES or plain.unit in SCALES or scaled.number is None:
        return False
    return scaled.number * SCALES[scaled.unit] == plain.number
