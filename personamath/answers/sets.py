"""Unions, intersections and differences of sets of real numbers, computed.

The ends of all intervals and the members of all finite sets cut the real line into cells: each of these points, and
each gap between two of them. A set of real numbers is then a set of cells.
"""

from collections.abc import Callable, Iterator
from functools import cmp_to_key
from itertools import pairwise

from personamath.answers.leaf import Leaf
from personamath.answers.operations import NoValue, Value, inexact, same
from personamath.answers.parts import Collection, Group, Part, interval

MOST_POINTS = 60
"""Points up to which sets are computed."""

INFINITIES = {r"-\infty": -1, r"\infty": 1}

Cells = frozenset[int]


class Line:
    """The real line, cut at points: cell `2k + 1` is point `k`, and cell `2k` the gap before it."""

    def __init__(self, ends: list[Leaf]) -> None:
        ordered = sorted((end for end in ends if end.text not in INFINITIES), key=cmp_to_key(order))
        is_new = [True, *(order(first, second) != 0 for first, second in pairwise(ordered))]
        self.points = [end for end, new in zip(ordered, is_new, strict=False) if new]

    def place(self, end: Leaf) -> int:
        """The cell of an end; one beside the line for infinity."""
        if end.text in INFINITIES:
            return -1 if end.text.startswith("-") else 2 * len(self.points) + 1
        return 2 * next(place for place, point in enumerate(self.points) if order(point, end) == 0) + 1

    def cells(self, part: Part) -> Cells:
        """The cells of a set that `is_real_set`."""
        if isinstance(part, Leaf):
            return frozenset() if part.text == r"\emptyset" else frozenset([self.place(part)])
        if isinstance(part, Collection):
            return frozenset().union(*(self.cells(member) for member in part.parts))
        assert isinstance(part, Group)
        low, high = (self.place(end) for end in part.parts if isinstance(end, Leaf))
        return frozenset(range(low + (part.brackets[0] == "("), high + (part.brackets[1] == "]")))

    def part(self, cells: Cells) -> Part:
        """The set of some cells, as a finite set, an interval, or a union of these."""
        runs = [self.run(low, high) for low, high in runs_of(cells)]
        if not runs:
            return Leaf(r"\emptyset")
        if all(isinstance(run, Leaf) for run in runs):
            return Collection(tuple(runs))
        pieces = tuple(Collection((run,)) if isinstance(run, Leaf) else run for run in runs)
        return pieces[0] if len(pieces) == 1 else Collection(pieces, is_union=True)

    def run(self, low: int, high: int) -> Part:
        """The set of cells in a row."""
        if low == high and low % 2:
            return self.points[low // 2]
        start = self.points[(low - 1) // 2].text if low > 0 else r"-\infty"
        end = self.points[high // 2].text if high < 2 * len(self.points) else r"\infty"
        return interval("[" if low % 2 else "(", start, end, "]" if high % 2 else ")")


def combined(operation: Callable[[Cells, Cells], Cells], parts: list[Part]) -> Part | None:
    """The set that an operation makes of others, from left to right; None if they are not all of real numbers."""
    ends = [end for part in parts for end in ends_of(part)]
    try:
        if not all(is_real_set(part) for part in parts) or len(ends) > MOST_POINTS:
            return None
        line = Line(ends)
        cells = line.cells(parts[0])
        for part in parts[1:]:
            cells = operation(cells, line.cells(part))
        return line.part(cells)
    except NoValue:
        return None


def is_real_set(part: Part, inside: bool = False) -> bool:
    """Whether a part is a set of real numbers, each known exactly or to all digits; NoValue if that cannot be told."""
    if isinstance(part, Leaf):
        return part.text == r"\emptyset" or (inside and is_real(part))
    if isinstance(part, Collection):
        return all(is_real_set(member, inside=True) for member in part.parts)
    if not isinstance(part, Group) or len(part.parts) != 2 or part.brackets not in ("()", "(]", "[)", "[]"):
        return False
    low, high = part.parts
    return isinstance(low, Leaf) and isinstance(high, Leaf) and is_end(low) and is_end(high) and order(low, high) < 0


def is_end(leaf: Leaf) -> bool:
    """Whether a leaf is a real number or infinity."""
    return leaf.text in INFINITIES or is_real(leaf)


def is_real(leaf: Leaf) -> bool:
    """Whether a leaf is a real number."""
    if leaf.text in INFINITIES or not leaf.is_constant or leaf.values is None:
        return False
    return leaf.values[0] is not None and not hasattr(leaf.values[0], "_mpc_")


def ends_of(part: Part) -> Iterator[Leaf]:
    """The leaves of a set."""
    if isinstance(part, Leaf):
        if part.text != r"\emptyset":
            yield part
    elif isinstance(part, Group | Collection):
        for inner in part.parts:
            yield from ends_of(inner)


def order(one: Leaf, other: Leaf) -> int:
    """-1, 0 or 1, as one number is less than, equal to or greater than the other; NoValue if it has too many digits."""
    if one.text in INFINITIES or other.text in INFINITIES:
        return INFINITIES.get(one.text, 0) - INFINITIES.get(other.text, 0)
    first, second = value_of(one), value_of(other)
    if same(first, second):
        return 0
    return -1 if inexact(first) < inexact(second) else 1


def value_of(leaf: Leaf) -> Value:
    """The value of a real number."""
    assert leaf.values is not None
    return leaf.values[0]


def runs_of(cells: Cells) -> Iterator[tuple[int, int]]:
    """The first and the last of each row of cells."""
    rest = sorted(cells)
    while rest:
        length = next((place for place, cell in enumerate(rest) if cell != rest[0] + place), len(rest))
        yield rest[0], rest[length - 1]
        rest = rest[length:]
