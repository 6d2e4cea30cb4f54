r"""Times of day, and quantities in several units: `3:30 p.m.`, `7 ft 8 in`, `2 hours 30 minutes`, `30^\circ 20'`."""

import re
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from personamath.answers.units import named

CLOCK = re.compile(r"(\d{1,2})(?::([0-5]\d))?(?::([0-5]\d))?(?:\\text\{| )*(?:([ap])\.?m\.?)?\}?", re.IGNORECASE)
NOON = re.compile(r"^(12(?::00)?)(?:\\text\{| )noon\}?$")
WORDS = {"noon": (12 * 3600, "m"), "midnight": (0, "m")}

SIZES = {
    unit: (measured, size)
    for measured, units in {
        "time": {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1},
        "length": {"mile": 63_360, "yard": 36, "foot": 12, "inch": 1},
        "metric length": {"km": 1_000_000, "m": 1_000, "cm": 10, "mm": 1},
        "weight": {"pound": 16, "ounce": 1},
        "mass": {"kg": 1_000, "g": 1},
        "volume": {"liter": 1_000, "ml": 1},
        "money": {"dollar": 100, "cent": 1},
        "angle": {"degree": 3_600, "minute of arc": 60, "second of arc": 1},
    }.items()
    for unit, size in units.items()
}
"""What a unit measures, and its size beside the others that measure it."""

MARKS = {"'": "foot", "''": "inch", '"': "inch"}
MARKS_OF_ANGLES = {"°": "degree", "'": "minute of arc", "''": "second of arc", '"': "second of arc"}

TERM = r"\d+(?:\.\d+)? ?(?:\\text\{ ?)?(?:[A-Za-z.]+|°|''?|\")"
COMPOUND = re.compile(rf"-?{TERM}(?:[ ,}}]*{TERM}){{1,3}}\}}?")
PIECE = re.compile(r"(\d+(?:\.\d+)?) ?(?:\\text\{ ?)?([A-Za-z.]+|°|''?|\")")


class Time(NamedTuple):
    """A time of day."""

    second: int
    """Seconds since midnight."""
    half: str
    """How it is said which half of the day is meant: `m` by a.m. or p.m., `24` by counting to 24, or not at all."""


class Quantity(NamedTuple):
    """A number of units."""

    value: Fraction
    unit: str


def time_of(text: str) -> Time | None:
    """The time of day that a text in normal form is; `3` is none, and `3:30` may be in the morning or not."""
    if text.casefold() in WORDS:
        return Time(*WORDS[text.casefold()])
    if not (match := CLOCK.fullmatch(NOON.sub(r"\1 p.m.", text))) or not (match[2] or match[4]):
        return None
    hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
    if hour > (12 if match[4] else 24) or (match[4] and not hour):
        return None
    if match[4]:
        hour = hour % 12 + (12 if match[4] in "pP" else 0)
    half = "m" if match[4] else "24" if hour > 12 or text.startswith("0") else ""
    return Time(hour * 3600 + minute * 60 + second, half)


def same_time(one: Time, other: Time) -> bool:
    """Whether two times of day are the same; one half of the day is never guessed."""
    return one.second == other.second and {one.half, other.half} != {"m", ""}


def quantity_of(text: str) -> Quantity | None:
    """The quantity that a text in normal form says in two units or more, in the largest of them."""
    if not COMPOUND.fullmatch(text):
        return None
    pieces = PIECE.findall(text)
    marks = MARKS_OF_ANGLES if "°" in text else MARKS
    units = [marks.get(unit) or named(unit) or "" for _, unit in pieces]
    if units[0] == "degree":
        units = [f"{unit} of arc" if unit in ("minute", "second") else unit for unit in units]
    if not all(unit in SIZES for unit in units):
        return None
    sizes = [SIZES[unit] for unit in units]
    if not all(larger[0] == smaller[0] and larger[1] > smaller[1] for larger, smaller in pairwise(sizes)):
        return None
    total = sum((Fraction(number) * size for (number, _), (_, size) in zip(pieces, sizes, strict=True)), Fraction(0))
    value = total / sizes[0][1]
    return Quantity(-value if text.startswith("-") else value, units[0])


def same_amount(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities in different units are the same amount."""
    (measures, size), (others, other_size) = (SIZES.get(quantity.unit, ("", 0)) for quantity in (one, other))
    return measures == others != "" and one.value * size == other.value * other_size
