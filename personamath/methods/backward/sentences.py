"""Where the sentences of a problem begin and end, and which one asks.

A sentence never ends inside a number, a formula, a figure or an abbreviation.
"""

import re
from typing import NamedTuple

from personamath.methods.backward.regions import PROSE, regions
from personamath.methods.rewrites.asking import asks

_END = re.compile(
    # "It is 3. What", "he said." She, `$x=3.$ Find`, and "apples.How many"
    r"""[.?!](?:\$|\\[)\]])?["”'’)]*(?=\s+["“'‘(]*[A-Z0-9$\\\[]|\s*\Z)"""
    r"|(?<=[a-z0-9)])[.?!](?=[A-Z][a-z]* )"
    r"|(?=\n\s*\n)|(?=\n*\[asy\])|(?<=\[/asy\])(?=\s*[A-Z])"
)
_ABBREVIATED = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|Mt|Ave|vs|No|approx|etc|cf|Fig|oz|ft|lbs?|hrs?|mins?|yds?|gal|Inc|Co|Ltd|e\.g"
    r"|i\.e|a\.m|p\.m|U\.S)|\b(?!I\b)[A-Z]|\.[A-Za-z])\.\Z"
)
# Says how to write the answer, not what the problem is.
_THE_ANSWER = (
    r"(?:it|them|(?:your|the|each|all)(?: possible| the)?(?: \w+)? (?:answers?|solutions?|results?)|answers?)\b"
    r"(?!\s+(?:to|of|for)\b)"
)
_FORMAT = re.compile(
    rf"\s*\(?\s*(?:please )?(?:(?:express|give|write|enter|leave|state|simplify|provide|report) {_THE_ANSWER}|round\b"
    r"|your (?:final )?answer\b|(?:assume|note)\b[^.]*\b(?:round|decimal)|hint\b)",
    re.IGNORECASE,
)


class Sentence(NamedTuple):
    """A sentence of a text, without the white space around it."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Its text."""
        return text[self.start : self.end]


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text in order."""
    formulas, found, start = regions(text).formulas, [], 0
    for mark in _END.finditer(text):
        end = mark.end()
        inside = end < len(text) and formulas[end] != PROSE and formulas[mark.start()] != PROSE
        if inside or (_ABBREVIATED.search(text[start:end]) and end < len(text)):
            continue
        found.append(_trimmed(text, start, end))
        start = end
    found.append(_trimmed(text, start, len(text)))
    return [sentence for sentence in found if sentence.start < sentence.end]


def question_of(text: str) -> Sentence | None:
    """The sentence that asks; None if no sentence does.

    It is the last one with a question mark, or else the last that tells the reader to find something.
    """
    asking = [one for one in sentences(text) if not is_format(one.of(text)) and not one.of(text).startswith("[asy]")]
    marked = [one for one in asking if one.of(text).rstrip("\"”'’) $").endswith("?")]
    told = [one for one in asking if asks(one.of(text))]
    return next(reversed(marked or told), None)


def is_format(sentence: str) -> bool:
    """Whether a sentence says how to write the answer, such as "Express your answer as a common fraction."."""
    return bool(_FORMAT.match(sentence)) and "?" not in sentence


def _trimmed(text: str, start: int, end: int) -> Sentence:
    inside = text[start:end]
    return Sentence(end - len(inside.lstrip()), start + len(inside.rstrip()))
