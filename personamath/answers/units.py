r"""Units: what follows a number. The question fixes it, so it may be left out; if both sides state one, they agree.

So `12`, `12 \text{ cm}` and `12 cm` are one answer, and `12 cm` and `12 m` are two. The base of `101_2` is its unit.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from personamath.answers.counted import count_others, counted, singular
from personamath.answers.currencies import NAMES_OF_MONEY
from personamath.answers.normal_form import FUNCTIONS
from personamath.answers.words import NUMBER_WORDS, TENS


class Measured(NamedTuple):
    """An answer's text without its unit, and the unit: a name of `NAMES`, or None if it has none that is known."""

    text: str
    unit: str | None
    counted: frozenset[str] = frozenset()
    """Stems of the words for what is counted, `counted`."""


NAMES = {
    spelling: name
    for name, spellings in {
        "%": "percent percentage pct",
        "degree": "degree deg",
        "mm": "mm millimeter millimetre",
        "cm": "cm centimeter centimetre",
        "m": "m meter metre",
        "km": "km kilometer kilometre",
        "inch": "inch inche in",
        "foot": "foot feet ft",
        "yard": "yard yd",
        "mile": "mile mi",
        "second": "second sec s",
        "minute": "minute min",
        "hour": "hour hr h",
        "day": "day",
        "week": "week wk",
        "month": "month",
        "year": "year yr",
        "mg": "mg milligram",
        "g": "g gm gram",
        "kg": "kg kilogram",
        "ounce": "ounce oz",
        "pound": "pound lb",
        "ml": "ml milliliter millilitre",
        "liter": "l liter litre",
        "cent": "cent",
        "dollar": "dollar usd buck",
        "euro": "euro eur",
        "rupee": "rupee inr",
        "yen": "yen jpy",
        "yuan": "yuan renminbi",
        "franc": "franc",
        "won": "won",
        "peso": "peso",
        "ruble": "ruble rouble",
        "gallon": "gallon gal",
        "quart": "quart qt",
        "pint": "pint",
        "cup": "cup",
        "tablespoon": "tablespoon tbsp",
        "teaspoon": "teaspoon tsp",
        "ton": "ton tonne",
        "acre": "acre",
        "mph": "mph",
        "km/h": "kmh kph",
    }.items()
    for spelling in spellings.split()
}
"""Units that are told apart, by the spellings of their singular."""

SCALES = {
    "%": Fraction(1, 100),
    "cent": Fraction(1, 100),
    "dozen": Fraction(12),
    "thousand": Fraction(10**3),
    "million": Fraction(10**6),
    "billion": Fraction(10**9),
    "trillion": Fraction(10**12),
}
"""Units that are numbers themselves, so that `50\\%` is 50, as the question may have asked, and also 0.5."""

STEMS = {singular(spelling): name for spelling, name in NAMES.items()}

_SHORT_WORDS = (
    "ant bag bar bee bit bow box boy bun bus can cap car cat cow cu cup dog egg fan fox gal hat hen jar job key kid "
    "lap man men mug net pad pen per pet pie pig pin ppl pt pts pup row set sq tie tin toy tsp van way win"
)
SHORT_WORDS = frozenset(_SHORT_WORDS.split())
"""What is counted in words of up to three letters; other runs of so few letters are products, as in `6 ab`."""
KNOWN = SHORT_WORDS - {"ppl", "pt", "pts", "sq"} | NAMES.keys()

DIMENSIONS = {"sq": "2", "square": "2", "cu": "3", "cubic": "3"}
UNIT = re.compile(rf"(?:(?P<dimension>{'|'.join(DIMENSIONS)}) )?(?P<name>[a-z]+)(?:\^?\{{?(?P<power>[23])\}}?)?")
OF_KINDS = frozenset(["degree", "dollar", "peso"])
"""Units of which there are several kinds, which need not be said."""
PER = re.compile(r" per |/")
SPEEDS = {"mile/hour": "mph", "km/hour": "km/h"}
TRAILING_TEXT = re.compile(r"(.*[^\s^_{(\[,=<>+*/|&-])\s*\\text\{([^{}]*)\}((?:\^\{?-?[123]\}?)?)")
DEGREES = re.compile(r"(.*[^\s^_{(\[,=<>+*/|&-])\s*°\s*(?:\\text\{\s*)?(?P<scale>[CF]?)(?:\s*\})?")
PERCENT = re.compile(r"(.*[0-9})])\s*%")
TRAILING_WORDS = re.compile(r"(.*(?:[0-9}]|\\pi(?= [a-z]{4})))(\s*)\(?((?:m/s|[A-Za-z]{2,})[A-Za-z .,()/^23-]*)")
OPERATOR_WORDS = re.compile(
    r"\b(?:choose|mod|modulo|to|over|less|more than|power|root|or|and|times(?! *[.)]*$)|out of|of(?! [a-z]{3,})"
    r"|hundred|plus|minus|divided|squared|cubed|factorial|half|halves|thirds?|quarters?|fourths?"
    r"|fifths?|sixths?|sevenths?|eighths?|ninths?"
    r"|tenths?|twelfths?|hundredths?|twice|double|triple|theta|alpha|beta|gamma|lambda|sigma|omega|phi|in an?"
    r"|remainder|ago|earlier|before|prior|until|till|past|after(?= (?:noon|midnight|\d|[A-Z]))|in debt"
    r"|infinity|at least|at most|if|for (?=even|odd|some|positive|negative|[a-z]\b)"
    r"|when|unless|except|otherwise|not|more|greater|fewer|(?:even|odd)$"
    rf"|(?:{'|'.join([*NUMBER_WORDS[:1], *NUMBER_WORDS[2:], *TENS])})(?!-)|one(?! ?-| [a-z]))\b",
    re.IGNORECASE,
)
"""Words that compute with the number before them."""
POWER_OF_UNIT = re.compile(r"(?<=[A-Za-z])\^(?:[23]|-[1-4])(?!\d)|\b(mm|cm|m|km|in|ft|s|sec|h)[23]\b")
POWER_IN_WORDS = re.compile(r"(?<=[a-z]{2}) (squared|cubed)$")
COMPUTING = re.compile(r"[\d=<>+^_|]")
WORD = re.compile(r"[A-Za-z]+")
BASED = re.compile(r"(?:\\text\{)?\(?(?=[A-Za-z]*\d)([0-9A-Za-z]+)\)?\}?_\{?(?:\\text\{)?(\w+)\}{0,2}")
PLAIN_START = re.compile(r"-?(?:[\d.,/ ]|\\frac\{-?\d+\}\{\d+\}|\\sqrt\{?\d+\}?|\\pi)+")
ANGLE_FUNCTION = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc|cis)")


def split_unit(text: str) -> Measured:
    """A leaf's text and the unit after it; a text that is nothing but words has none."""
    if (match := BASED.fullmatch(text)) and (base := base_of(match[2])):
        return Measured(match[1], f"base {base}")
    if match := PERCENT.fullmatch(text):
        return Measured(match[1], "%")
    if (match := DEGREES.fullmatch(text)) and not ANGLE_FUNCTION.search(text):
        return Measured(match[1], f"degree {match['scale']}".strip())
    if (match := TRAILING_TEXT.fullmatch(text)) and not compute(match[2]):
        before = split_unit(match[1])
        return Measured(before.text, before.unit or named(match[2] + match[3]), before.counted or counts(match[2]))
    if (match := TRAILING_WORDS.fullmatch(text)) and PLAIN_START.fullmatch(match[1]):
        words = match[3]
        if named(words) or (match[2] and say_what_is_counted(words)):
            return Measured(match[1], named(words), counts(words))
    return Measured(text, None)


def of_two_units(one: str | None, other: str | None) -> bool:
    """Whether both sides state a unit, and not the same one; a degree may be one of Celsius, a dollar Canadian."""
    if one is None or other is None or one == other:
        return False
    (first, kind), (second, other_kind) = (unit.partition(" ")[::2] for unit in (one, other))
    return first != second or first not in OF_KINDS or bool(kind and other_kind)


def without_country(unit: str) -> str:
    """A unit of money without its country: `dollar CA` is a dollar."""
    return unit.partition(" ")[0] if unit.startswith("dollar") else unit


def of_other_things(one: Measured, other: Measured) -> bool:
    """Whether both sides say what they count or measure, and not the same; a power or a rate is a unit and no noun."""
    if one.unit and other.unit and one.unit not in SCALES:
        return False
    if (one.unit in SCALES) != (other.unit in SCALES) or not all(map(is_noun, (one.unit, other.unit))):
        return False
    return count_others(one.counted, other.counted)


def is_noun(unit: str | None) -> bool:
    """Whether a unit, if there is one, is a word for what is counted."""
    return unit is None or unit in SCALES or (unit in STEMS.values() and unit not in SPEEDS.values())


def counts(words: str) -> frozenset[str]:
    """What words after a number say that it counts, by the names of units where there is one."""
    return frozenset(STEMS.get(stem, stem) for stem in counted(words, KNOWN))


def compute(words: str) -> bool:
    """Whether words after a number go on computing, or say on what it depends: `out of 5`, `pi`, `ft 8 in`."""
    words = POWER_IN_WORDS.sub("", POWER_OF_UNIT.sub(r"\1", words))
    return bool(COMPUTING.search(words) or OPERATOR_WORDS.search(words)) or any(
        map(is_in_formulas, WORD.findall(words))
    )


def say_what_is_counted(words: str) -> bool:
    """Whether words after a number say what it counts or measures; they may also go on computing, as in `3 ln 2`."""
    words = POWER_OF_UNIT.sub(r"\1", words)
    runs = WORD.findall(words)
    if compute(words):
        return False
    return any(len(run) > 3 or is_known(run) for run in runs)


def is_in_formulas(run: str) -> bool:
    """Whether letters are a function, with or without its variable, or pi."""
    return run == "pi" or run in FUNCTIONS or (run[:-1] in FUNCTIONS and run[-1] != "s")


def is_known(run: str) -> bool:
    """Whether a few letters are a unit or a word, and not a product."""
    run = run.lower()
    return any(word in NAMES or word in SHORT_WORDS for word in (run, run.removesuffix("s")))


def base_of(text: str) -> int | None:
    """The base that a subscript names, in digits or as a word."""
    if text.isdecimal():
        return int(text) if len(text) < 3 else None
    return NUMBER_WORDS.index(text.lower()) if text.lower() in NUMBER_WORDS else None


def named(words: str) -> str | None:
    """The unit that words name, e.g. `cm^2`, if it is one that is told apart; `right triangles` are none."""
    if (money := words.strip(" .()")) in NAMES_OF_MONEY:
        return NAMES_OF_MONEY[money]
    words = words.lower().replace(".", "").strip()
    if match := POWER_IN_WORDS.search(words):
        words = f"{words[: match.start()]}^{'2' if match[1] == 'squared' else '3'}"
    if (first := words.partition(" ")[0]) in SCALES:
        return first
    parts = [one_unit(part.strip()) for part in PER.split(words)]
    if len(parts) != 2:
        return parts[0] if len(parts) == 1 else None
    return SPEEDS.get(rate := f"{parts[0]}/{parts[1]}", rate) if all(parts) else None


def one_unit(words: str) -> str | None:
    """The unit that words name, if it is one that is told apart and no rate."""
    if not (match := UNIT.fullmatch(words)):
        return None
    name = NAMES.get(match["name"]) or NAMES.get(match["name"].removesuffix("s"))
    power = match["power"] or DIMENSIONS.get(match["dimension"] or "")
    return f"{name}^{power}" if name and power else name
