r"""Whether a rewrite changes anything but typesetting or a few words: nothing would be learned from it twice."""

import re
from collections import Counter

from personamath.answers.words import number_in_words
from personamath.methods.edit_distance import edit_distance
from personamath.methods.rewrites.asking import FIGURE
from personamath.methods.rewrites.numbers import IN_WORDS

A_FEW = 0.1
"""Share of the original's words, as an edit distance, up to which a rewrite is unchanged; one word always is a few.
Below it a rewrite swaps a name or a verb. A sentence about a persona is above it unless its original has over a
hundred words."""

_CLAUSE_END = re.compile(r"(?<=[.?!,;:])\s+|\n+|(?<=[。？！，；：])")
_TYPESETTING = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|,|;|!|:|quad|qquad| )(?![A-Za-z])|\\[()\[\]]|\$+|[*_`]{2,}"
    r"|\\(?:text|mathrm|mathbf|textbf|textit|operatorname|mbox)(?=\s*\{)"
)
# What every piece of typesetting begins with: most prose has none of it, and the pattern above is slow.
_MAY_BE_TYPESET = re.compile(r"[\\$*_`]")
_SPELLINGS = ((r"\\[dt]frac(?![A-Za-z])", r"\\frac"), (r"\\(le|ge|ne)q(?![A-Za-z])", r"\\\1"), (r"\\cdot|\\times", "*"))
_WORD = re.compile(r"\\[A-Za-z]+|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[-+*/=<>^!%|]")


def is_unchanged(question: str, original: str) -> bool:
    """Whether two questions are equal but for typesetting, punctuation, case and a few words."""
    one, other = words(question), words(original)
    few = max(1, int(A_FEW * len(other)))
    if abs(len(one) - len(other)) > few:
        return False
    return edit_distance(one, other) <= few or is_reordered(question, original, few)


def is_reordered(question: str, original: str, few: int) -> bool:
    """Whether a question has the clauses of its original in another order, but for a few words."""
    ones, others = clauses(question), clauses(original)
    if len(others) < 2 or not few_differ(ones, others, few):
        return False
    distance, rest = 0, others
    for clause in sorted(ones, key=len, reverse=True):
        if not rest:
            return distance + len(clause) <= few
        nearest = min(rest, key=lambda other: edit_distance(clause, other))
        distance += edit_distance(clause, nearest)
        rest.remove(nearest)
        if distance > few:
            return False
    return distance + sum(map(len, rest)) <= few


def few_differ(ones: list[list[str]], others: list[list[str]], few: int) -> bool:
    """Whether two lists of clauses have the same words, in any order, but for a few; cheaper than their distance."""
    first, second = (Counter(word for clause in clauses for word in clause) for clauses in (ones, others))
    return max((first - second).total(), (second - first).total()) <= few


def clauses(text: str) -> list[list[str]]:
    """The words of each clause, as punctuation ends it."""
    found = [words(clause) for clause in _CLAUSE_END.split(text)]
    return [clause for clause in found if clause]


def words(text: str) -> list[str]:
    """Words, numbers and LaTeX commands of a text, in one spelling; figures are left out."""
    text = FIGURE.sub(" ", text)
    if _MAY_BE_TYPESET.search(text):
        text = _TYPESETTING.sub(" ", text)
        for pattern, spelling in _SPELLINGS:
            text = re.sub(pattern, spelling, text)
    text = IN_WORDS.sub(_in_digits, text)
    return _WORD.findall(text.casefold())


def _in_digits(found: re.Match[str]) -> str:
    return number_in_words(found[0]) or found[0]
