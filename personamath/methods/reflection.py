"""The two parts of a reflection completion: the review, and the corrected explanation (section 3.2).

The prompt asks for "Review of Incorrect Explanation and Corrected Explanation"; only the second becomes the training
response, the review is kept beside it. Models write the headings in every form Markdown has. The corrected explanation
starts after the **last** heading of that name, because some completions open with an outline that names both parts.
Without such a heading nothing tells the two apart, and the attempt is not kept.
"""

import re
from typing import NamedTuple

from personamath.records import Dropped

WRONG_RESPONSE = "wrong_response"
"""The column that `preference` adds: the wrong solution that was corrected."""

_MARKS = r"[\s>#*_(•-]*"
_NUMBER = r"(?:(?:part|section|step)?\s*(?:\d+|two|one|i{1,2}|[ab])\s*[*_]*\s*[:.)\-–—]+[\s*_]*)?"
_END = r"(?:[ \t]+(?:of|for)[ \t]+the[ \t]+(?:math[ \t]+)?problem|[ \t]*\([^\n)]*\))?[*_\s]*(?:[:：.\-–—]+[*_]*|$)"


def _heading(words: str) -> re.Pattern[str]:
    """A line that starts with the words, marked up and numbered in any way, and ends there or goes on after a colon."""
    return re.compile(rf"^{_MARKS}{_NUMBER}{words}{_END}[ \t]*", re.IGNORECASE | re.MULTILINE)


_CORRECTED = _heading(r"(?:the\s+)?(?:corrected|correct|revised)(?:,?[ \t]+[a-z-]+){0,4}?,?[ \t]+explanation")
# Only where there is no "explanation": a correction may end in a line "Correct solution: ...".
_SOLUTION = _heading(r"(?:the\s+)?(?:corrected|correct|revised)(?:,?[ \t]+[a-z-]+){0,4}?,?[ \t]+solution")
_REVIEW = _heading(r"(?:the\s+)?review(?:\s+of\s+(?:the\s+)?(?:incorrect|given|original)\s+(?:explanation|solution))?")
_RULE = re.compile(r"\s*(?:^\s*[-*_]{3,}\s*)?\Z", re.MULTILINE)


class Reflection(NamedTuple):
    """A reflection completion, taken apart."""

    review: str | None
    """What was wrong with the incorrect explanation; None if the completion says nothing of it."""
    explanation: str
    """The corrected explanation, ready to be graded."""


def read_reflection(completion: str) -> Reflection | Dropped:
    """Split a reflection completion at the heading of its corrected explanation."""
    headings = list(_CORRECTED.finditer(completion)) or list(_SOLUTION.finditer(completion))
    if not headings:
        return Dropped("no corrected explanation")
    last = headings[-1]
    explanation = completion[last.end() :].strip()
    if not explanation:
        return Dropped("no corrected explanation")
    review = _RULE.sub("", _REVIEW.sub("", completion[: last.start()].strip(), count=1)).strip()
    return Reflection(review or None, explanation)
