"""The kinds of parts that an answer has."""

from dataclasses import dataclass

from personamath.answers.leaf import Leaf


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple or an interval: parts in order between two brackets."""

    brackets: str
    """The opening and the closing bracket, e.g. `[)`."""
    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A set, a list or a union: parts in any order."""

    parts: tuple["Part", ...]
    is_set: bool = False
    """Whether it is written in the braces of a set, and no list."""
    is_union: bool = False
    """Whether it is a union of intervals, and no list."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix, whatever its brackets."""

    rows: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """Sides with a sign between each two: an equation, an inequality, or a chain of them."""

    sides: tuple[str, ...]
    signs: tuple[str, ...]
    """Of `RELATIONS`, one fewer than the sides."""


Part = Leaf | Group | Collection | Matrix | Relation


def interval(opening: str, low: str, high: str, closing: str) -> Group:
    """The interval between two bounds."""
    return Group(opening + closing, (Leaf(low), Leaf(high)))
