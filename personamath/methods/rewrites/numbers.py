"""The numbers of a problem, by value, in digits, fractions and words; and whether a rewrite has lost them."""

import re
from fractions import Fraction
from functools import lru_cache

from personamath.answers.words import NUMBER_WORDS, SCALES, TENS, number_in_words
from personamath.methods.rewrites.asking import FIGURE

_DIGITS = re.compile(r"(?<![A-Za-z_0-9.])\d[\d,]*(?:\.\d+)?(?:\s*/\s*\d+)?")
_FRACTION = re.compile(r"\\[dt]?frac\{?(\d+)\}?\{?(\d+)\}?")
# "First" and "second" number the sentences of a story, too.
_ORDINALS = {word: 3 + n for n, word in enumerate("third fourth fifth sixth seventh eighth ninth tenth".split())}  # noqa: SIM905
_ORDINAL = re.compile(rf"\b(?=[efnst])(?:{'|'.join(_ORDINALS)})\b", re.IGNORECASE)
_BELOW_100 = rf"(?:(?:{'|'.join(TENS)})(?:[- ](?:{'|'.join(NUMBER_WORDS[1:10])}))?|{'|'.join(NUMBER_WORDS)})"
_BELOW_1000 = rf"{_BELOW_100}(?:[- ]hundred(?:(?: and)? {_BELOW_100})?)?"
# The letters that these words begin with come first: a look at one letter is cheaper than at every word.
IN_WORDS = re.compile(
    rf"\b(?=[efnostz]){_BELOW_1000}(?:[- ](?:{'|'.join(SCALES)})(?:,?(?: and)? {_BELOW_1000})?){{0,2}}\b", re.IGNORECASE
)

RECENT = 512
"""Number of texts whose numbers are cached: several rules compare every rewrite of a problem with that problem."""
COMMON = 1_024
"""Number of numerals whose values are cached: most problems have the same small ones."""
LEAST_NUMBERS = 0.25
"""Smallest share of the original's numbers that a question keeps. A sound one may say "twice" or "half" for some."""


def loses_the_numbers(question: str, original: str) -> bool:
    """Whether the question has hardly any number of the original, so that it asks about something else."""
    given, there = numbers(FIGURE.sub(" ", original)), numbers(FIGURE.sub(" ", question))
    return len(given & there) < LEAST_NUMBERS * len(given) and (len(given) > 1 or not there)


@lru_cache(maxsize=RECENT)
def numbers(text: str) -> frozenset[Fraction]:
    """The values of the numbers in a text, in digits, fractions and words."""
    found = {Fraction(int(above), int(below)) for above, below in _FRACTION.findall(text) if int(below)}
    for digits in _DIGITS.findall(_FRACTION.sub(" ", text.replace("{,}", ",").replace(",\\!", ","))):
        if (quotient := _quotient(digits)) is not None:
            found.add(quotient)
    for words in IN_WORDS.findall(text):
        if (value := number_in_words(words)) is not None:
            found.add(Fraction(value))
    found.update(Fraction(_ORDINALS[word.lower()]) for word in _ORDINAL.findall(text))
    return frozenset(found)


@lru_cache(maxsize=COMMON)
def _quotient(digits: str) -> Fraction | None:
    """The value of `12`, `1,000.5` or `3 / 4`; None for a division by zero."""
    above, _, below = digits.replace(",", "").replace(" ", "").partition("/")
    if below and not int(below):
        return None
    return Fraction(above) / int(below or 1)
