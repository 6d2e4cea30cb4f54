"""Numbers exact as written: integers, decimals, fractions, mixed numbers, repeating decimals, scientific notation."""

import re
from fractions import Fraction

DIGITS = 4_000
"""Longest number that is read as one; Python converts no more than 4,300 digits at once."""

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
QUOTIENT = re.compile(r"([+-]?)(?:\\frac\{([+-]?\d+)\}\{([+-]?\d+)\}|(\d+)/(-?\d+))")
MIXED = re.compile(r"([+-]?)(\d+)\\frac\{(\d+)\}\{(\d+)\}")
REPEATING = re.compile(r"([+-]?)(\d*)\.(\d*)\\overline\{(\d+)\}")
CONTINUED = re.compile(r"([+-]?\d{0,9}\.\d{0,9}?)(\d{1,6}?)\2{2,9}\.\.\.")
SCIENTIFIC = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\*10\^\{?([+-]?\d{1,3})\}?|[eE](-?\d{1,3}|\+\d{2,3}))")


def rational(text: str) -> Fraction | None:
    """The value of a text in normal form that is one exact number, or None; division by zero has no value."""
    if len(text) > DIGITS:
        return None
    if NUMBER.fullmatch(text):
        return Fraction(text.removesuffix("."))
    if THOUSANDS.fullmatch(text):
        return Fraction(text.replace(",", ""))
    if match := QUOTIENT.fullmatch(text):
        sign, *parts = match.groups()
        numerator, denominator = (int(part) for part in parts if part is not None)
        return signed(sign, Fraction(numerator, denominator)) if denominator else None
    if match := MIXED.fullmatch(text):
        whole, numerator, denominator = (int(part) for part in match.groups()[1:])
        return signed(match[1], whole + Fraction(numerator, denominator)) if denominator else None
    if match := SCIENTIFIC.fullmatch(text):
        return Fraction(match[1]) * Fraction(10) ** int(match[2] or match[3])
    return repeating(text)


def repeating(text: str) -> Fraction | None:
    r"""The value of `0.1\overline{6}`, and of `0.1666...` if its period stands there three times."""
    if match := CONTINUED.fullmatch(text):
        text = rf"{match[1]}\overline{{{match[2]}}}"
    if not (match := REPEATING.fullmatch(text)):
        return None
    sign, whole, fixed, period = match.groups()
    start = Fraction(int(whole + fixed or "0"), 10 ** len(fixed))
    return signed(sign, start + Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(fixed)))


def signed(sign: str, value: Fraction) -> Fraction:
    """The value, negated after a minus sign."""
    return -value if sign == "-" else value
