"""Find the numbers in a text in any notation: `12`, `twelve`, `a dozen`; `50%`, `half`, `1/2`; `$2.50`."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from personamath.answers import words
from personamath.folder.tokens import Token

Number = int | Fraction
"""A whole number is an `int`, because an `int` is counted and compared several times as fast as a `Fraction`."""
Weight = Literal["firm", "soft", "loose"]
"""How strictly two equivalent texts must agree on a number: neither lose nor add it (`firm`), not lose it (`soft`), or
neither (`loose`)."""


class Numeral(NamedTuple):
    """One number of a text."""

    values: frozenset[Number]
    """Its possible values: `third` may mean 1/3 or 3."""
    weight: Weight
    text: str
    start: int
    """Position of its first token."""
    end: int
    """Position after its last token."""


def _counted(names: str, start: int) -> dict[str, int]:
    return {name: value for value, name in enumerate(names.split(), start)}


def _valued(names: str) -> dict[str, int]:
    """Parse a table such as `twice=2 double=2`."""
    return {name: int(value) for name, value in (pair.split("=") for pair in names.split())}


UNITS = {word: words.VALUES[word] for word in words.NUMBER_WORDS}
TENS = {word: words.VALUES[word] for word in words.TENS}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
DOZENS = {"dozen": 12, "dozens": 12}
ORDINALS = _valued("first=1 second=2 thirtieth=30 fortieth=40 fiftieth=50 hundredth=100 thousandth=1000") | _counted(
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth",
    3,
)
PARTS = _valued("half=2 halves=2 quarter=4 quarters=4") | {
    form: value for name, value in ORDINALS.items() if value > 2 for form in (name, name + "s")
}
"""Names of parts: one divided by the value."""
MULTIPLES = _valued(
    "twice=2 double=2 doubled=2 doubles=2 doubling=2 twofold=2 thrice=3 triple=3 tripled=3 triples=3 threefold=3 "
    "quadruple=4 quadrupled=4 quadruples=4 fourfold=4"
)
# Small numbers that language adds and drops freely; words for what a formula writes in numbers; and words that a
# rewriter may spell out, such as seven days for a week.
LOOSE_TABLE = """
1: once single first another
2: both pair pairs couple second secondly twin twins square squared squares
3: trio cube cubed cubic
0: none
24: day days daily
7: week weeks weekly
60: hour hours minute minutes
12 52 365: year years yearly
10: decade
100: century
12: noon midnight
1/20: nickel nickels
1/10: dime dimes
1/4: quarter quarters
1/100: penny pennies
"""
LOOSE = {
    name: frozenset(map(Fraction, values.split()))
    for values, names in (line.split(":") for line in LOOSE_TABLE.strip().splitlines())
    for name in names.split()
}
# May is left out, because it is more often a verb.
MONTHS = _valued(
    "january=1 february=2 march=3 april=4 june=6 july=7 august=8 september=9 october=10 november=11 december=12"
)
NOTHING_AND_ONE = frozenset({0, 1})
OPENING = frozenset().union(UNITS, TENS, DOZENS, ORDINALS, PARTS, MULTIPLES, LOOSE, MONTHS, ("a", "an"))
"""Words that can begin a number."""
CENTS = frozenset({"cent", "cents", "¢"})
DOLLARS = frozenset({"dollar", "dollars"})
PERCENT = frozenset({"%", "percent"})


def numerals(tokens: Sequence[Token]) -> list[Numeral]:
    """Return all numbers among the tokens, in order."""
    return _Reader(tokens).read()


class _Reader:
    """Reads tokens from left to right; each `_…` method returns a value and the position after it, or None."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._kinds = [token.kind for token in tokens]
        self._texts = [token.text for token in tokens] + [
            ""
        ] * 8  # padding, so that looking ahead never leaves the list
        self._length = len(tokens)

    def read(self) -> list[Numeral]:
        found, place = [], 0
        while place < self._length:
            opens = self._kinds[place] == "number" or self._texts[place] in OPENING
            numeral = self._numeral(place) if opens else None
            if numeral:
                found.append(numeral)
            place = numeral.end if numeral else place + 1
        return found

    def _numeral(self, start: int) -> Numeral | None:
        word = self._texts[start]
        if quantity := self._quantity(start):
            values, end = quantity
            weight: Weight = "firm"
            if values <= NOTHING_AND_ONE:  # `positive` may become `more than 0`, and `3:00` `three o'clock`
                weight = "loose"
            elif (word, end) == ("two", start + 1):
                weight = "soft"
        elif word in MULTIPLES:
            values, end, weight = {Fraction(MULTIPLES[word])}, start + 1, "soft"
        elif word in LOOSE:
            values, end, weight = set(LOOSE[word]), start + 1, "loose"
        elif word in MONTHS:
            values, end, weight = {Fraction(MONTHS[word])}, start + 1, "loose"
        else:
            return None
        exact = frozenset(value.numerator if value.denominator == 1 else value for value in values)
        return Numeral(exact, weight, " ".join(self._texts[start:end]), start, end)

    def _quantity(self, start: int) -> tuple[set[Fraction], int] | None:
        """Read a number with its part, its scale, or a unit that multiplies it."""
        if ordinal := self._compound_ordinal(start):
            return ordinal
        plain = self._number(start) or self._half(start)
        if plain is None:
            return self._ordinal(start)
        value, end = plain
        if self._texts[end] in SCALES or self._texts[end] in DOZENS:
            value, end = value * (SCALES | DOZENS)[self._texts[end]], end + 1
        unit = end + 1 if self._texts[end] == "-" else end
        if self._texts[unit] in PERCENT or self._texts[unit : unit + 2] == ["per", "cent"]:
            return {value / 100}, unit + (2 if self._texts[unit] == "per" else 1)
        if self._texts[unit] in CENTS:
            return {value / 100}, unit + 1
        if self._texts[unit] in DOLLARS and self._texts[unit + 1] == "and":
            cents = self._number(unit + 2)
            if cents and self._texts[cents[1]] in CENTS:
                return {value + cents[0] / 100}, cents[1] + 1
        return {value}, end

    def _number(self, start: int) -> tuple[Fraction, int] | None:
        """Read digits or words with the fraction that follows: `2 1/2`, `two and a half`, `two-thirds`."""
        digits = self._digits(start)
        value_end = digits or self._cardinal(start)
        if value_end is None:
            return None
        value, end = value_end
        if part := self._part(end):
            return value * part[0], part[1]
        if digits is None or (value.denominator == 1 and self._texts[start + 1] != "/"):
            joint = end + 1 if self._texts[end] in ("and", "-") else end
            if (more := self._fraction(joint)) and self._kinds[joint] == "number" and more[0] < 1:
                return value + more[0], more[1]
            if self._texts[end] == "and" and (more := self._half(end + 1)):
                return value + more[0], more[1]
        return value, end

    def _digits(self, place: int) -> tuple[Fraction, int] | None:
        return self._fraction(place) or (
            (Fraction(self._texts[place]), place + 1)
            if place < self._length and self._kinds[place] == "number"
            else None
        )

    def _fraction(self, place: int) -> tuple[Fraction, int] | None:
        """Read `3/4`, but not `3/4/2020`."""
        if place + 2 >= self._length or self._texts[place + 1] != "/" or self._texts[place + 3] == "/":
            return None
        if self._kinds[place] != "number" or self._kinds[place + 2] != "number" or self._texts[place - 1] == "/":
            return None
        below = Fraction(self._texts[place + 2])
        return (Fraction(self._texts[place]) / below, place + 3) if below else None

    def _cardinal(self, start: int) -> tuple[Fraction, int] | None:
        """Read `twenty-five`, `two hundred and five`, `a hundred`."""
        total, current, place = 0, 0, start
        last = 0
        """The size of the last word read: units may follow tens, and a scale may follow units."""
        if self._texts[place] in ("a", "an") and (self._texts[place + 1] in SCALES or self._texts[place + 1] in DOZENS):
            current, place, last = 1, place + 1, 1
        while True:
            joint = place + 1 if place > start and self._texts[place] in ("-", "and") else place
            word = self._texts[joint]
            if self._texts[place] == "and" and (last < 100 or self._texts[joint + 1] == "hundred"):
                break
            if word in UNITS and (last == 0 or last >= 100 or (last == 10 and 0 < UNITS[word] < 10)):
                current, last = current + UNITS[word], 1
            elif word in TENS and (last == 0 or last >= 100):
                current, last = current + TENS[word], 10
            elif word in SCALES and joint == place and (place > start):
                if word == "hundred":
                    current, last = current * 100, 100
                else:
                    total, current, last = total + current * SCALES[word], 0, SCALES[word]
            elif word in DOZENS and joint == place:
                current, last = (current or 1) * 12, 1
                place = joint + 1
                break
            else:
                break
            place = joint + 1
        return (Fraction(total + current), place) if place > start and last else None

    def _part(self, place: int) -> tuple[Fraction, int] | None:
        """Read the size of the parts after a number: `two thirds`, `one half`; more than three quarters are coins."""
        joint = place + 1 if self._texts[place] == "-" else place
        name = self._texts[joint]
        singular = self._texts[place - 1] in ("one", "1")
        if name in PARTS and name != "quarters" and (name.endswith("s") or singular):
            return Fraction(1, PARTS[name]), joint + 1
        if name == "quarters" and self._texts[place - 1] in ("two", "three", "2", "3"):
            return Fraction(1, 4), joint + 1
        return None

    def _half(self, place: int) -> tuple[Fraction, int] | None:
        """Read `half`, `a half`, `a third of`, `half a dozen`."""
        article = self._texts[place] in ("a", "an")
        name = self._texts[place + article]
        end = place + article + 1
        if name == "half":
            dozen = end + (self._texts[end] == "a")
            if self._texts[dozen] in DOZENS:
                return Fraction(6), dozen + 1
            return Fraction(1, 2), end
        # Without `of` it may be an ordinal, as in `a third friend`.
        if name in PARTS and (self._texts[end] == "of" or (name == "quarter" and article)) and not name.endswith("s"):
            return Fraction(1, PARTS[name]), end
        return None

    def _compound_ordinal(self, place: int) -> tuple[set[Fraction], int] | None:
        """Read `twenty-first`."""
        tens = TENS.get(self._texts[place])
        joint = place + 1 + (self._texts[place + 1] == "-")
        unit = ORDINALS.get(self._texts[joint], 10)
        if not tens or unit > 9:
            return None
        # In `a thirty-second break` the number is 30.
        return {Fraction(tens + unit)} | ({Fraction(tens)} if unit == 2 else set()), joint + 1

    def _ordinal(self, place: int) -> tuple[set[Fraction], int] | None:
        """Read `third`, which may mean 3 or 1/3."""
        value = ORDINALS.get(self._texts[place].removesuffix("s"), 0)
        return ({Fraction(value), Fraction(1, value)}, place + 1) if value > 2 else None
