"""What a number counts: `5 tall boys` are `5 boys` and not `5 girls`.

The question says what is counted, so an answer may leave it out, or say less of it. Two answers that both say it agree
in it: without this, `5 boys and 3 girls` would equal `3 boys and 5 girls`.
"""

import re

_WORD = re.compile(r"[A-Za-z]+")
_REST = re.compile(
    r"(?i)[(,;/^]|\b(?:of|in|on|at|per|by|for|from|with|without|to|than|that|which|who|whose|where|when|during|within"
    r"|into|out|off|as|is|are|was|were|be|will|would|can|could|has|have|had|do|does|did|and|or|if)\b"
)
"""Where the noun and its adjectives end."""
_SHORTEST = 4
"""Letters from which on a word is no abbreviation, which could be that of the other word."""

_SAYS_NOTHING = (
    # Articles, and words about the number itself.
    "the some all both this that these those his her their its our each every left remaining total altogether overall "
    "exactly about approximately only just now away apart again later more rounded nearest whole different distinct "
    "possible such other unique full complete extra additional "
    # What may be said instead of what is counted.
    "thing item object unit piece number count amount quantity value time way method case result answer solution "
    "option choice possibility outcome arrangement combination permutation selection pair set group integer digit "
    "element member person individual total sum difference"
)
_IRREGULAR = {
    **{"men": "man", "women": "woman", "people": "person", "children": "child", "feet": "foot", "teeth": "tooth"},
    **{"mice": "mouse", "geese": "goose", "dice": "die", "vertices": "vertex", "indices": "index", "axes": "axis"},
    **{"matrices": "matrix", "radii": "radius", "oxen": "ox", "pence": "penny", "halves": "half"},
    # Two words for one thing.
    **{"kid": "child", "pupil": "student", "bike": "bicycle", "lady": "woman", "bill": "note"},
}


def singular(word: str) -> str:
    """A stem that a noun's singular and plural share; it need not be a word."""
    word = _IRREGULAR.get(word, word)
    if word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    word = word.removesuffix("e")
    if word.endswith(("i", "v")):
        word = word[:-1] + ("y" if word[-1] == "i" else "f")
    return _IRREGULAR.get(word, word)


_STEMS_SAYING_NOTHING = frozenset(map(singular, _SAYS_NOTHING.split()))


def counted(words: str, known: frozenset[str]) -> frozenset[str]:
    """The stems of the noun, and of its adjectives, among the words after a number.

    A short word is taken for an abbreviation, and left out, unless it is `known` or beside a longer one.
    """
    runs = _WORD.findall(_REST.split(words.replace("-", " "), maxsplit=1)[0].lower())
    shortest = _SHORTEST - any(len(run) >= _SHORTEST for run in runs)
    stems = {singular(run) for run in runs if len(run) >= shortest or run in known or run.removesuffix("s") in known}
    return frozenset(stems - _STEMS_SAYING_NOTHING)


def count_others(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two numbers count different things: each is called by a word that the other is not."""
    return bool(one - other and other - one)
