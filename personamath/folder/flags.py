"""Check, as far as a program can, whether a rewrite preserves the numbers, formulas and drawings of its seed problem.

Numbers are compared by value in any notation (`numerals`), and formulas by their tokens in any typesetting (`tokens`).
A rewrite is flagged if a number, formula or drawing is missing, new, or has changed places. Words are not compared:
`more` in place of `less` is not noticed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import combinations
from typing import NamedTuple

from personamath.folder.numerals import Number, Numeral, numerals
from personamath.folder.tokens import FUNCTIONS, Reading, Token, read

# The rewrites of a seed problem follow one another.
CACHED_SEEDS = 64
# Most entries of each kind in a flag; these are enough to see what happened.
SHOWN = 3
SHOWN_CHARACTERS = 40
# Formulas that differ in more than this share of their tokens are different formulas, not a changed one.
CHANGED_AT_MOST = 0.5
# A formula that lost a piece is a part of the old one. Its share is smaller, because a rewrite may split a formula.
CHANGED_PART_AT_MOST = 0.34
# Tokens after a number that may name what it counts.
AFTER = 3
UNINFORMATIVE = frozenset(
    (
        "of",
        "the",
        "a",
        "an",
        "and",
        "or",
        "per",
        "each",
        "every",
        "more",
        "less",
        "in",
        "on",
        "to",
        "at",
        "time",
        "times",
    )
)
SPOKEN = {
    "plus": "+",
    "minus": "-",
    "equals": "=",
    "equal": "=",
    "times": "*",
    "over": "/",
    "pi": "π",
    "root": "\\sqrt",
}
"""Words that prose uses for the symbols of a formula."""
# Tokens that authors write or leave out at will.
OPTIONAL = frozenset(("*", "¤", "\\angle", "angle", "\\triangle", "triangle", "degree", "degrees"))
OPERATORS = frozenset("+-/=<>≤≥≠^_%π∞|!")


class Drift(NamedTuple):
    """Differences between a rewrite and its seed problem; each entry quotes the text."""

    missing: tuple[str, ...]
    new: tuple[str, ...]
    changed: tuple[str, ...]
    """Formulas that changed, and numbers that changed places."""

    def describe(self) -> str | None:
        """Describe the differences, e.g. `missing 12; new 15`; None if there are none."""
        parts = [
            f"{name} {', '.join(map(_short, found[:SHOWN]))}{', ...' if len(found) > SHOWN else ''}"
            for name, found in zip(self._fields, self, strict=True)
            if found
        ]
        return "; ".join(parts) or None


def describe_drift(seed_problem: str, problem: str, persona: str | None = None) -> str | None:
    """Return the flag of a rewrite (see `Drift.describe`). Numbers from the persona do not count as new."""
    return drift(seed_problem, problem, persona).describe()


def drift(seed_problem: str, problem: str, persona: str | None = None) -> Drift:
    """Find the differences between a rewrite and its seed problem; takes a fifth of a millisecond."""
    seed, rewrite = _seed_content(seed_problem), _Content(read(problem))
    missing = [numeral.text for numeral in seed.numerals if _is_lost(numeral, rewrite)]
    added = [numeral for numeral in rewrite.numerals if numeral.weight == "firm" and not numeral.values & seed.values]
    from_persona = _values(numerals(read(persona).tokens)) if added and persona else frozenset()
    new = [numeral.text for numeral in added if not numeral.values & from_persona]
    changed = list(_changed_formulas(seed, rewrite))
    if not changed:
        if lost := seed.names - rewrite.names:
            missing += sorted(lost - rewrite.words)
        if unknown := rewrite.names - seed.names:
            new += sorted(unknown - seed.words)
        changed += _moved(seed, rewrite)
    missing += ["a drawing"] * bool(Counter(seed.drawings) - Counter(rewrite.drawings))
    return Drift(*(tuple(dict.fromkeys(found)) for found in (missing, new, changed)))


class _Content:
    """The parts of a text to compare; each is computed on first use, because most rewrites need only a few."""

    def __init__(self, reading: Reading) -> None:
        self.tokens = reading.tokens
        self.drawings = reading.drawings
        self._formulas = reading.formulas
        self.numerals = numerals(reading.tokens)
        self.values = _values(self.numerals)

    @cached_property
    def stream(self) -> list[str]:
        """The whole text in the spelling of formulas, to search for formulas in it."""
        return list(_stream(self.tokens))

    @cached_property
    def formulas(self) -> list[tuple[str, ...]]:
        """The formulas that say more than a number or a name."""
        return [tuple(_stream(formula)) for formula in self._formulas if _says_more(formula)]

    @cached_property
    def alone(self) -> Counter[str]:
        """Counts of formulas that consist of one name."""
        return Counter(
            formula[0].text for formula in self._formulas if len(formula) == 1 and formula[0].kind == "symbol"
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """Letters and commands in the formulas."""
        return frozenset(_names(token for formula in self._formulas for token in formula))

    @cached_property
    def words(self) -> frozenset[str]:
        """Words that may spell out a name, and letters outside formulas."""
        return frozenset(_words(set(self.tokens)))


@lru_cache(CACHED_SEEDS)
def _seed_content(text: str) -> _Content:
    return _Content(read(text))


def _values(found: Iterable[Numeral]) -> frozenset[Number]:
    return frozenset(value for numeral in found for value in numeral.values)


def _stream(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield tokens as texts; words for symbols become symbols, and optional tokens are left out."""
    for token in tokens:
        text = SPOKEN.get(token.text, token.text) if token.kind == "word" else token.text
        if token.kind != "mark" and text not in OPTIONAL:
            yield text


def _says_more(formula: Sequence[Token]) -> bool:
    """Whether a formula says more than a number or a name."""
    return (
        len(formula) > 1
        and any(
            token.text in OPERATORS or token.text in FUNCTIONS or (token.kind == "symbol" and token.text[-1].isalpha())
            for token in formula
        )
        and any(token.text != "%" for token in formula if token.kind == "symbol")
    )


def _names(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        named = token.kind == "symbol" and token.text[-1].isalpha() and token.text not in ("π", *OPTIONAL)
        if named or token.text in FUNCTIONS:
            yield token.text


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    """Yield words that may spell out a name, such as `theta` or `root`, and letters outside formulas."""
    for token in tokens:
        if token.kind == "word" and len(token.text) > 1:  # skip the article `a`, which is not a name
            yield token.text
            yield f"\\{token.text}"
            if token.text in SPOKEN:
                yield SPOKEN[token.text]
        elif token.kind == "symbol":
            yield token.text


def _is_lost(numeral: Numeral, rewrite: _Content) -> bool:
    return numeral.weight != "loose" and not numeral.values & rewrite.values


def _changed_formulas(seed: _Content, rewrite: _Content) -> Iterator[str]:
    """Yield the formulas of the seed problem that the rewrite changed.

    A formula counts as changed if it is gone and the rewrite has a similar new one. A formula that is only gone may now
    be in words, so only its numbers and names are checked.
    """
    kept = {formula: _count(rewrite.stream, formula) for formula in seed.formulas}
    gone = [formula for formula, count in kept.items() if count < _count(seed.stream, formula)]
    new = [formula for formula in dict.fromkeys(rewrite.formulas) if formula not in seed.formulas]
    for formula in gone:
        if any(_is_change(formula, other, seed) for other in new):
            yield " ".join(formula)


def _is_change(formula: Sequence[str], other: Sequence[str], seed: "_Content") -> bool:
    """Whether another formula is a changed version of this one, not a different one or a kept part of the problem."""
    if _count(seed.stream, other):
        return _distance(formula, other, anywhere=False) <= CHANGED_PART_AT_MOST * len(formula)
    return _distance(*sorted((formula, other), key=len), anywhere=True) <= CHANGED_AT_MOST * len(formula)


def _count(stream: Sequence[str], formula: Sequence[str]) -> int:
    """Count how often the formula occurs in the stream."""
    size, wanted = len(formula), list(formula)
    return sum(stream[start : start + size] == wanted for start in range(len(stream) - size + 1))


def _distance(short: Sequence[str], long: Sequence[str], *, anywhere: bool) -> int:
    """Count the edits that turn the short formula into the long one, or with `anywhere` into a part of it."""
    row = [0 if anywhere else column for column in range(len(long) + 1)]
    for place, token in enumerate(short, start=1):
        above, row[0] = row[0], place
        for column, other in enumerate(long, start=1):
            above, row[column] = row[column], min(above + (token != other), row[column] + 1, row[column - 1] + 1)
    return min(row) if anywhere else row[-1]


def _moved(seed: _Content, rewrite: _Content) -> Iterator[str]:
    """Yield names and numbers that changed places: the total is the same, but one replaces another."""
    if seed.alone.total() == rewrite.alone.total():
        yield from seed.alone - rewrite.alone
    before, after = _firm(seed), _firm(rewrite)
    if before.total() == after.total() and before.keys() == after.keys() and before != after:
        yield ", ".join(f"{value} {before[value]} times" for value in before if before[value] > after[value])
    single = [value for value in before if before[value] == after[value] == 1]
    was, is_now = ({value: _counts(content, value) for value in single} for content in (seed, rewrite))
    for one, other in combinations(single, 2):
        if was[one] and was[one] == is_now[other] != was[other] == is_now[one] and was[other]:
            yield f"{one} for {other}"


def _firm(content: _Content) -> Counter[Number]:
    return Counter(
        value
        for numeral in content.numerals
        if numeral.weight != "loose" and len(numeral.values) == 1
        for value in numeral.values
    )


def _counts(content: _Content, value: Number) -> str | None:
    """Return what the only number with this value counts: the first informative word after it."""
    numeral = next(numeral for numeral in content.numerals if numeral.values == {value} and numeral.weight != "loose")
    if numeral.start and content.tokens[numeral.start - 1].text == "¤":
        return "dollar"
    after = content.tokens[numeral.end : numeral.end + AFTER]
    informative = (token.text for token in after if token.kind == "word" and token.text not in UNINFORMATIVE)
    return next((word.removesuffix("s") for word in informative), None)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 4] + " ..."
