r"""The parts of an answer that have no parts: a number, an expression, or words, with its unit."""

import re
from fractions import Fraction
from functools import cached_property
from string import ascii_lowercase

from personamath.answers.expression import NAMED_FUNCTIONS, SYMBOLS, Expression, read_expression
from personamath.answers.names import alike
from personamath.answers.normal_form import FUNCTIONS, UNIT_LETTER
from personamath.answers.numeric import (
    bends,
    counts,
    differ_at_once,
    differ_in_domain,
    is_constant,
    same_at_naturals,
    same_values,
    values,
)
from personamath.answers.operations import Value
from personamath.answers.quantities import Quantity, quantity_of, same_amount, same_time, time_of
from personamath.answers.rational import rational
from personamath.answers.tokens import Unreadable, applied_in
from personamath.answers.units import SCALES, Measured, of_other_things, of_two_units, split_unit, without_country
from personamath.answers.verdict import Verdict

DIGITS = frozenset("0123456789")
SPACED_UNIT = re.compile(
    rf"(.*(?:[0-9}}]|\\pi))(?: ({UNIT_LETTER})|(\\Omega))"
    r"|(.*\\pi) ((?:mm|cm|dm|km|in|ft|yd|mi|kg|mg|m[lL]|min|sec|hr)(?:\^[23])?)"
)
"""A number and, after a space, what is a unit more often than a variable or a product."""
NO_RATIO = re.compile(r"\d{1,2}:0\d|0\d?:\d\d")
DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d?/\d\d?/(?:19|20)\d\d")
TIME = re.compile(r"\d{1,2}(?::\d\d)*(?:\\text\{| )?(?:[ap]\.?m|noon)\b.*", re.IGNORECASE)
LETTERS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
FORMULA_WORDS = frozenset([*FUNCTIONS, *SYMBOLS, "matrix", "pmatrix", "bmatrix", "vmatrix", "array", "cases", "mathbb"])
WORDS_OF_TWO = frozenset(
    ["do", "go", "he", "if", "in", "is", "it", "me", "no", "of", "ok", "on", "or", "so", "to", "up", "us", "we"]
)
"""Words of two letters; other runs of two small letters are products, as `ab` is."""
WORDS_OR_PRODUCTS = frozenset(["ah", "am", "an", "as", "at", "be", "by", "ha", "hi", "ma", "my", "pm"])
"""Words of two letters that may also be products: read as words if the other answer has the same letters reordered."""
WORDS_OF_THREE = frozenset(["add", "bad", "cad", "dab", "dad", "bay", "day", "fed"])
"""Words of the letters that products of three are written with."""
PRODUCT_OF_THREE = re.compile(r"[abcdxyz]{3}|[^aeiou]{3}")
RATIO_IN_WORDS = re.compile(r"(?<=[\d}) ])(?:to|in|of|per|by|out of)(?= [\d\\({])")
"""Words between two numbers, whose order matters."""
NOT_SAID = re.compile(
    r"^(?:an?|the|An?|The) (?=[A-Za-z]{3})|\\text(?![A-Za-z])|[\s{}();\"]|(?<![A-Z])'|[.,](?!\d)|(?<!\d)[.,]"
)
NOT_SAID_IN_FORMULAS = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])|[;\"]|[.,](?!\d)|(?<!\d)[.,]")
FORMULA = re.compile(r"[\\^_+*/=<>|\d]|(?<![A-Za-z]{2})-|-(?![A-Za-z]{2})")
WORD = re.compile(r"[A-Za-z]{2,}")
TEXT = re.compile(r"\\text\{([^{}]*)\}")


class Leaf:
    """One part of an answer, read as far as comparing it needs."""

    def __init__(self, text: str) -> None:
        quantity = quantity_of(text) if text[-1:] not in DIGITS else None
        measured = Measured(text, quantity.unit) if quantity else split_unit(text)
        self.only_words = not quantity and (bool(TIME.fullmatch(text)) or says_words(measured))
        self.measured = Measured(text, None) if self.only_words else measured  # a unit follows a value
        self.text, self.unit, _ = self.measured
        self.number = quantity.value if quantity else rational(self.text)

    @cached_property
    def expression(self) -> Expression | None:
        """The expression that it is; None if the reader does not know it."""
        if self.number is not None:
            return self.number
        try:
            return read_expression(self.text)
        except Unreadable:
            return None

    @cached_property
    def values(self) -> list[Value | None] | None:
        """Its values at the points of `numeric`; None if it is not a known expression."""
        return None if self.expression is None else values(self.expression)

    @property
    def is_constant(self) -> bool:
        """Whether it is an expression without variables."""
        return not self.only_words and self.values is not None and len(self.values) == 1

    @property
    def said(self) -> str:
        """Its words in small letters, without spaces and punctuation; a single letter is a name, and stays as it is.

        What groups a formula among the words is not left out.
        """
        words = " ".join(TEXT.sub(r" \1 ", self.text).split())
        if FORMULA.search(words):
            return WORD.sub(lambda word: word[0].casefold(), NOT_SAID_IN_FORMULAS.sub("", words))
        words = NOT_SAID.sub("", words)
        return words if len(words) == 1 or is_product_in_capitals(words) else words.casefold()

    @property
    def letters(self) -> str:
        """Its letters, in the case in which they are written."""
        return "".join(filter(str.isalpha, TEXT.sub(r" \1 ", self.text)))


def says_words(measured: Measured) -> bool:
    """Whether a text is words and no formula; a few small letters may be either, as `no` and `ab` are."""
    text, unit, _ = measured
    if text.isalpha() and len(text) > 1:
        return not is_product(text)
    if "\\text" in text or text == "\\emptyset":
        return True
    if DATE.fullmatch(text):
        return True
    if unit and unit.startswith("base") and not text.isdecimal():
        return True  # digits beyond 9 are letters, and no factors
    if " " in text and RATIO_IN_WORDS.search(text):
        return True
    return any(run not in FORMULA_WORDS for run in LETTERS.findall(text))


def is_product(letters: str) -> bool:
    """Whether two letters or three are factors, as `ab` and `xyz`, and no word or name."""
    if len(letters) > 3 or not letters.islower():
        return False
    if len(letters) == 2:
        return letters not in WORDS_OF_TWO
    are_factors = bool(PRODUCT_OF_THREE.fullmatch(letters)) or "".join(sorted(letters)) in ascii_lowercase
    return are_factors and letters not in WORDS_OF_THREE


def is_product_in_capitals(letters: str) -> bool:
    """Whether the case of a few letters is that of factors, as in `aB` and `Ab`, and not of a word."""
    if len(letters) > 2 or not letters.isalpha() or letters.islower() or letters.isupper():
        return False
    return letters.casefold() not in WORDS_OF_TWO | WORDS_OR_PRODUCTS


def compare_leaves(one: Leaf, other: Leaf) -> Verdict:
    """The verdict on two parts without parts."""
    one, other = in_units(one, other), in_units(other, one)
    two_units = of_two_units(one.unit, other.unit) or of_other_things(one.measured, other.measured)
    if two_units and is_one_amount(one, other):
        return Verdict(True, "rational")
    if two_units and (one.unit in SCALES) == (other.unit in SCALES):
        return Verdict(False, "structure", "another unit")
    if is_many(one) != is_many(other) and not (is_scaled(one, other) or is_scaled(other, one)):
        return Verdict(False, "structure", "another unit")
    if one.text == other.text and not two_units:
        return Verdict(True, "exact")
    if one.number is not None and other.number is not None:
        plainly_equal = one.number == other.number and not two_units
        equal = plainly_equal or is_scaled(one, other) or is_scaled(other, one)
        return Verdict(equal, "rational", None if equal else "another number")
    if verdict := compare_times(one, other):
        return verdict
    if (
        one.only_words
        or other.only_words
        or (not {one.text, other.text}.isdisjoint(WORDS_OR_PRODUCTS) and both_run(one, other))
    ):
        return compare_words(one, other)
    if one.expression is None or other.expression is None:
        return Verdict(None, "none", "not an expression that can be read")
    return compare_values(one, other)


def in_units(one: Leaf, other: Leaf) -> Leaf:
    r"""The first part, with a letter after a space read as its unit, `5\,m`, if the other part is a number."""
    if one.number is None and (match := SPACED_UNIT.fullmatch(one.text)) and other.is_constant:
        unit = match[2] or match[5] or "ohm"
        return Leaf(rf"{match[1] or match[4]}\text{{{unit}}}")
    return one


def compare_times(one: Leaf, other: Leaf) -> Verdict | None:
    """The verdict on two times of day, and on a time that is no ratio, such as `1:05`, and anything else."""
    if ":" not in one.text + other.text and not (one.only_words and other.only_words):
        return None
    time, other_time = time_of(one.text), time_of(other.text)
    if time and other_time:
        equal = same_time(time, other_time)
    elif (time and NO_RATIO.fullmatch(one.text)) or (other_time and NO_RATIO.fullmatch(other.text)):
        equal = False
    else:
        return None
    return Verdict(equal, "exact", None if equal else "another time")


def compare_values(one: Leaf, other: Leaf) -> Verdict:
    """The verdict on two expressions."""
    assert one.expression is not None
    assert other.expression is not None
    first, second = one.expression, other.expression
    if "(" in one.text and "(" in other.text and (applied := applied_in(one.text, other.text) - NAMED_FUNCTIONS):
        first, second = read_expression(one.text, applied), read_expression(other.text, applied)
    first, second = alike(first, second)
    if differ_at_once(first, second):
        return Verdict(False, "numeric", "another value")
    if first is one.expression and second is other.expression and not (bends(first) or bends(second)):
        agree = same_values(one.values or [], other.values or [])
    else:
        agree = same_values(values(first, bent=True), values(second, bent=True))
    if agree and differ_in_domain(first, second):
        agree = False
    if agree is not False and (counts(first) or counts(second)) and not (is_constant(first) and is_constant(second)):
        agree = same_at_naturals(first, second)
    if agree is None:
        return Verdict(False, "numeric", "no value that can be compared")
    return Verdict(agree, "numeric", None if agree else "another value")


def both_run(one: Leaf, other: Leaf) -> bool:
    """Whether both are runs of letters without operators between them."""
    return one.text.isalpha() and other.text.isalpha()


def compare_words(one: Leaf, other: Leaf) -> Verdict:
    """The verdict on words: by their letters; formulas among them are compared as formulas."""
    if one.said == other.said and (one.only_words == other.only_words or one.letters == other.letters):
        return Verdict(True, "exact")
    pieces, others = TEXT.split(one.text), TEXT.split(other.text)
    if len(pieces) == len(others) > 1 and all(
        Leaf(word).said == Leaf(other_word).said for word, other_word in zip(pieces[1::2], others[1::2], strict=True)
    ):
        formulas = [
            (first.strip(" ,"), second.strip(" ,")) for first, second in zip(pieces[::2], others[::2], strict=True)
        ]
        if all(first == second or (first and second and same_leaves(first, second)) for first, second in formulas):
            return Verdict(True, "exact")
    return Verdict(False, "exact", "other words")


def same_leaves(one: str, other: str) -> bool:
    """Whether two texts without parts are the same."""
    return bool(compare_leaves(Leaf(one), Leaf(other)).equal)


def is_one_amount(one: Leaf, other: Leaf) -> bool:
    """Whether two numbers of different units are one quantity."""
    if without_country(one.unit or "") == without_country(other.unit or ""):
        return False
    quantities = [Quantity(leaf.number or Fraction(0), without_country(leaf.unit or "")) for leaf in (one, other)]
    return one.number is not None and other.number is not None and same_amount(*quantities)


def is_many(leaf: Leaf) -> bool:
    """Whether a number counts dozens, thousands or more, which is never left out."""
    return leaf.unit in SCALES and SCALES[leaf.unit] > 1


def is_scaled(scaled: Leaf, plain: Leaf) -> bool:
    r"""Whether a number with a percent sign or the like, `50\%`, is the other, which has none, written out: `0.5`."""
    if scaled.unit not in SCALES or plain.unit in SCALES or scaled.number is None:
        return False
    if scaled.unit == "cent" and plain.unit and without_country(plain.unit) != "dollar":
        return False
    return scaled.number * SCALES[scaled.unit] == plain.number
