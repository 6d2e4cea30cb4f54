r"""The numbers of a problem that a backward question may hide.

A number is read whole: `1,200`, `1{,}200`, `2.50`, `3/4`, `2 1/2`, `\frac{3}{4}`, `twenty-five`. Its `$`, `%` and unit
stay, because they are not part of it. Left alone are numbers that count or measure nothing: the word "one", which is
mostly a pronoun or an article; words such as "the two", which only repeat a count; ordinals, dates, years and times of
day; labels such as "Room 5"; and whatever `regions` closes.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from personamath.answers.words import number_in_words
from personamath.methods.backward.regions import CLOSED, MATH, PROSE, Regions, regions
from personamath.methods.rewrites.numbers import IN_WORDS


class Number(NamedTuple):
    """A number in a text."""

    start: int
    end: int
    text: str
    """As the problem has it, e.g. `1,200` or `twenty-five`."""
    answer: str
    r"""Its value as a reference answer, e.g. `1200`, `2.50` or `\frac{3}{4}`."""


_THOUSANDS = r"\d{1,3}(?:(?:,|\{,\}|,\\!|\\,|\\!)\d{3})+(?!\d)(?:\.\d+)?"
_PLAIN = r"\d*\.\d+|\d+"
_FRAC = r"\\[dtc]?frac\s*(?:\{\s*(?P<above>\d+)\s*\}\s*\{\s*(?P<below>\d+)\s*\}|(?P<a>\d)\s*(?P<b>\d)(?!\d))"
_DIGITS = re.compile(
    rf"(?P<frac>(?P<whole>\d+)?\s*{_FRAC})"
    r"|(?P<slash>(?:(?P<whole2>\d+)(?P<joint>\s+|-|\s+and\s+))?(?P<above2>\d+)\s?/\s?(?P<below2>\d+))"
    rf"|(?P<thousands>{_THOUSANDS})|(?P<plain>{_PLAIN})"
)
_SEPARATOR = re.compile(r"\{,\}|,\\!|\\,|\\!|,")

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
_LABEL = (
    r"(?i:grades?|rooms?|route|highway|figure|problem|exercise|question|version|type|model|apartment|apt\.?|no\.|step"
    r"|chapter|interstate|channel|size|sizes|gate|lane|case|player|plan|option|area|form|class of)"
)
# What may not stand before a number in digits.
_BEFORE = re.compile(
    # a word, a command, a decimal, a fraction
    r"(?:[A-Za-z\\#@_]|\d[./]|\d\s?/|[A-Za-z]\.)\Z"
    rf"|\b{_MONTH}\.? \Z|\b{_MONTH}\.? \d{{1,2}},? \Z|\b{_LABEL} ?#?\Z"
)
_BEFORE_IN_PROSE = re.compile(r"(?:(?:[A-Za-z]{2}|[A-Z])-|\d,)\Z")
_LIST = re.compile(r",\d")
_TIME = re.compile(r"\d\d?:\Z")
# What may not follow one.
_AFTER = re.compile(
    r"_|\\_|:\d\d|\.\d|/\d|\.{2,}|\s?\\[lc]?dots|\.?\\(?:over|under)line|\.\\dot|'s|-[A-Z]"
    rf"|\s?(?:[ap]\.?m\b|[AP]\.?M\b|o['’]clock)|\$?(?:st|nd|rd|th)\b|[A-Z]+\d"
    rf"|\^\{{?(?:\\text\{{)?(?:st|nd|rd|th)\b|\s+(?:of )?{_MONTH}\b"
    r"|,? and (?:a|one)[ -](?:half|third|quarter|fourth)"
)
_UNIT = re.compile(
    r"(?:[kcm]?m|[km]?g|m?[lL]|oz|lbs?|ft|in|yds?|hrs?|h|mins?|s|mph|[kmKMG]?[bB]|[kKM]W|cc|mm|[kK]m/h)\b"
)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_BEFORE_YEAR = re.compile(
    r"\b(?:in|since|years?|until|till|during|by|before|after|from|to|and|of)(?: the)?(?: years?)? \Z", re.IGNORECASE
)
_AFTER_YEAR = re.compile(
    r"\s*(?:[.,;:?!)]|\Z|-|–|(?:and|to|was|were|is|when|while|with|for|by|but|at|if|he|she|they|there|the|that|until|has"
    r"|had|than|as|will|AD|BC)\b)"
)
_TUPLE_BEFORE, _TUPLE_AFTER = re.compile(r"[({\[,]\s*\Z"), re.compile(r"\s*[)}\],]")

# A count is followed by what it counts; a pronoun by a verb, a preposition or the end.
_COUNTED = re.compile(r"[ -](?!and a\b)\$?[A-Za-z\d]")
_NO_NOUN = re.compile(
    r"[ -](?:of|is|are|was|were|and|or|nor|have|has|had|to|in|on|from|that|who|which|whose|will|would|can|could|should"
    r"|at|by|for|with|as|if|then|than|but|do|does|did|so|when|while|because|it|he|she|they|we|you|apart|together|went|after"
    r"|before|plus|minus|equals?|(?:hal(?:f|ves)|thirds?|quarters?|fourths?|fifths?|sixths?|sevenths?|eighths?|ninths?"
    r"|tenths?|twelfths?|hundredths?))\b",
    re.IGNORECASE,
)
# "The two", "these three" and "all four" repeat a count.
_REPEATS = re.compile(
    r"\b(?:the|these|those|all|both|any|either|other|others|such|his|her|its|their|our|my|your|of|no|every|one|last"
    r"|(?<!at )least) \Z|[\w’'](?:'s|’s|s'|s’) \Z",
    re.IGNORECASE,
)
_LARGE_ONE = re.compile(r"one[ -](?:hundred|thousand|million|billion)", re.IGNORECASE)


def touches_unit(text: str, number: Number) -> bool:
    """Whether a unit follows without a space, as in `12cm`."""
    return text[number.end : number.end + 1].isalpha() and bool(_UNIT.match(text, number.end))


def numbers(text: str) -> list[Number]:
    """The numbers that may be hidden, in their order."""
    where = regions(text)
    found = [*_in_digits(text, where), *_in_words(text, where)]
    return sorted(found)


def _in_digits(text: str, where: Regions) -> Iterator[Number]:
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        start += len(match[0]) - len(match[0].lstrip())
        if _is_closed(match, start, end, where) or _has_no_count(text, match, start, end, where):
            continue
        if (answer := _answer(match)) is not None:
            yield Number(start, end, text[start:end], answer)


def _is_closed(match: re.Match[str], start: int, end: int, where: Regions) -> bool:
    """Whether a part of it must not change."""
    if match["frac"]:
        return {where.modes[start], where.modes[match.start() + match[0].index("\\")]} != {MATH}
    return len(set(where.modes[start:end])) > 1 or where.modes[start] == CLOSED


def _has_no_count(text: str, match: re.Match[str], start: int, end: int, where: Regions) -> bool:
    before, after = text[max(0, start - 30) : start], text[end : end + 30]
    if _BEFORE.search(before) and not (match["frac"] and before.endswith("\\\\")):
        return True
    if where.modes[start] == PROSE and (_BEFORE_IN_PROSE.search(before) or _LIST.match(after)):
        return True
    if _TIME.search(before) and len(match[0]) == 2:
        return True
    if _AFTER.match(after) or (where.modes[start] == PROSE and after[:1].isalpha() and not _UNIT.match(after)):
        return True
    if match["joint"] == "-" and where.modes[start] == MATH:  # a difference
        return True
    # `(1,200)` may be a point; `1{,}200` and `1,\\!200` are numbers.
    is_unclear = match["thousands"] and where.modes[start] == MATH and not re.search(r"[{\\]", match[0])
    if is_unclear and (_TUPLE_BEFORE.search(before) or _TUPLE_AFTER.match(after)):
        return True
    if match["slash"] and match[0] == "24/7":
        return True
    return bool(
        match["plain"] and _YEAR.fullmatch(match[0]) and _BEFORE_YEAR.search(before) and _AFTER_YEAR.match(after)
    )


def _answer(match: re.Match[str]) -> str | None:
    """The value of a number in digits; None if it has none."""
    if match["frac"] or match["slash"]:
        whole = match["whole"] or match["whole2"] or "0"
        above, below = (match[one] or match[two] or match[three] for one, two, three in _PARTS)
        if int(below) == 0:
            return None
        value = int(whole) + Fraction(int(above), int(below))
        return str(value) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    digits = _SEPARATOR.sub("", match[0])
    return f"0{digits}" if digits.startswith(".") else digits


_PARTS = (("above", "above2", "a"), ("below", "below2", "b"))


def _in_words(text: str, where: Regions) -> Iterator[Number]:
    for match in IN_WORDS.finditer(text):
        start, end = match.span()
        words = match[0].lower()
        if words in ("one", "zero") or (words.startswith("one") and not _LARGE_ONE.match(words)):
            continue
        before, after = text[max(0, start - 30) : start], text[end : end + 30]
        if set(where.modes[start:end]) != {PROSE} or re.search(r"[\w-]\Z", before) or _REPEATS.search(before):
            continue
        if not _COUNTED.match(after) or _NO_NOUN.match(after) or _AFTER.match(after):
            continue
        if (answer := number_in_words(words)) is not None:
            yield Number(start, end, match[0], answer)
