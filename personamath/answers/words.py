"""Numbers in words: `twenty-one`, `two hundred and five`, `two thirds`."""

import re
from functools import lru_cache

NUMBER_WORDS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
VALUES = {word: value for value, word in enumerate(NUMBER_WORDS)} | {word: 10 * n for n, word in enumerate(TENS, 2)}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
PARTS = {"half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
PARTS |= {"eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12, "hundredth": 100}

MIXED = re.compile(r"([a-z -]+), ?((?:an?|one|two|three|four|five|six|seven) [a-z]+)")
"""`two and a half`; the `and` is a comma in the normal form."""

LONGEST = 60
"""Characters of the longest number that is read."""
COMMON = 1_024
"""Number of texts whose numbers are cached: most are one of the same few words."""


@lru_cache(maxsize=COMMON)
def number_in_words(text: str) -> str | None:
    r"""The number that words say, in digits or as `\frac{2}{3}`; None if they say none."""
    if len(text) > LONGEST:
        return None
    words = [
        word
        for word in re.split(r"(?:(?<=thousand|.million|.billion|.hundred), ?|[- ]+)", text.lower())
        if word != "and"
    ]
    if mixed := MIXED.fullmatch(text.lower()):
        whole, fraction = number_in_words(mixed[1]), number_in_words(mixed[2])
        is_mixed = whole and fraction and whole.isdecimal() and fraction.startswith(r"\frac")
        return f"{whole}{fraction}" if is_mixed else None
    sign = "-" if words[:1] in (["minus"], ["negative"]) else ""
    words = words[bool(sign) :]
    if len(words) > 1 and (part := PARTS.get(words[-1].removesuffix("s"))):
        count = 1 if words[:-1] in (["a"], ["an"]) else integer(words[:-1])
        return None if count is None else rf"{sign}\frac{{{count}}}{{{part}}}"
    if words[:1] == ["a"] and words[1:2] and words[1] in ("hundred", *SCALES):
        words[0] = "one"
    if words == ["half"]:
        return rf"{sign}\frac{{1}}{{2}}"
    value = integer(words)
    return None if value is None else f"{sign}{value}"


def integer(words: list[str]) -> int | None:
    """The integer that words say, by the order of their scales; None if they say none."""
    total, group, last = 0, 0, 10**12
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        if word in VALUES:
            if before in VALUES and not (before in TENS and 0 < VALUES[word] < 10):
                return None
            group += VALUES[word]
        elif word == "hundred" and 0 < group < 100:
            group *= 100
        elif word in SCALES and group and SCALES[word] < last:
            total, group, last = total + group * SCALES[word], 0, SCALES[word]
        else:
            return None
    return total + group if words else None
