r"""Whether a rewrite changes anything but typesetting or a few words: nothing would be learned from it twice."""

import re

from personamath.answers.words import number_in_words
from personamath.methods.edit_distance import edit_distance
from personamath.methods.rewrites.asking import FIGURE
from personamath.methods.rewrites.numbers import IN_WORDS

A_FEW = 0.1
"""Share of the original's words, as an edit distance, up to which a rewrite is unchanged; one word always is a few.
Below it a rewrite swaps a name or a verb. A sentence about a persona is above it unless its original has over a
hundred words."""

_TYPESETTING = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|,|;|!|:|quad|qquad| )(?![A-Za-z])|\\[()\[\]]|\$+|[*_`]{2,}"
    r"|\\(?:text|mathrm|mathbf|textbf|textit|operatorname|mbox)(?=\s*\{)"
)
_SPELLINGS = ((r"\\[dt]frac(?![A-Za-z])", r"\\frac"), (r"\\(le|ge|ne)q(?![A-Za-z])", r"\\\1"), (r"\\cdot|\\times", "*"))
_WORD = re.compile(r"\\[A-Za-z]+|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[-+*/=<>^!%|]")


def is_unchanged(question: str, original: str) -> bool:
    """Whether two questions are equal but for typesetting, punctuation, case and a few words."""
    one, other = words(question), words(original)
    few = max(1, int(A_FEW * len(other)))
    return abs(len(one) - len(other)) <= few and edit_distance(one, other) <= few


def words(text: str) -> list[str]:
    """Words, numbers and LaTeX commands of a text, in one spelling; figures are left out."""
    text = _TYPESETTING.sub(" ", FIGURE.sub(" ", text))
    for pattern, spelling in _SPELLINGS:
        text = re.sub(pattern, spelling, text)
    text = IN_WORDS.sub(_in_digits, text)
    return _WORD.findall(text.casefold())


def _in_digits(found: re.Match[str]) -> str:
    return number_in_words(found[0]) or found[0]
