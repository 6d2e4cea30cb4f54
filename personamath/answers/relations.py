r"""Equations and inequalities: what they are solved for, and whether two of them say the same.

`x = 5` is the value 5 of x, and `0 \le x < 1` its interval, so that each equals the same answer without the name.
"""

import re
from typing import NamedTuple

from personamath.answers.expression import read_expression
from personamath.answers.leaf import Leaf, compare_leaves
from personamath.answers.numeric import common_ratio, values
from personamath.answers.parts import Part, Relation, interval
from personamath.answers.structure import read, reals_without
from personamath.answers.tokens import Unreadable
from personamath.answers.verdict import Verdict

SYMBOL = r"(?:[A-Za-z]|[A-Z]{2,4}|[a-z]{3,}|\\[A-Za-z]+ ?(?:\{[A-Za-z ]*\}|[A-Z]{1,4})?)"
"""`x`, `AB`, `area`, `\\theta`, `\\angle ABC`, `\\text{Area}`."""
NAME = SYMBOL + r"(?:_(?:\w|\{[^{}]*\}))?'*(?:\^\{?-1\}?)?(?:\([\w,]*\))?"
"""A symbol with its subscript and the arguments of a function: `a_3`, `f(x)`, `f^{-1}(x)`."""
NAMED = re.compile(rf"{NAME}|\({NAME}(?:,{NAME})+\)|\|[A-Z]+\|")

FLIPPED = {"<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le"}


class Solved(NamedTuple):
    """What a relation says of a name."""

    name: str | None
    """None for a calculation, such as `6 - 1 = 5`."""
    value: Part


def solved(relation: Relation) -> Solved | None:
    """The name that a relation is solved for and its value or interval; None if it is not solved."""
    if set(relation.signs) <= {"=", r"\in", r"\approx"}:
        return solved_equation(relation)
    if relation.signs == (r"\ne",) and NAMED.fullmatch(relation.sides[0]):
        return Solved(relation.sides[0], reals_without([relation.sides[1]]))
    return solved_inequality(relation)


def solved_equation(relation: Relation) -> Solved | None:
    r"""`x = 5`, `5 = x`, and a calculation. Of several sides the last is the value, but the one before an `\approx`."""
    sides, signs = list(relation.sides), list(relation.signs)
    name = None
    if NAMED.fullmatch(sides[0]):
        name = sides.pop(0)
        del signs[0]
    elif len(sides) == 2 and NAMED.fullmatch(sides[1]):
        name = sides.pop()
        del signs[0]
    if r"\approx" in signs:
        del sides[signs.index(r"\approx") + 1 :]
    if name is None and not all(Leaf(side).is_constant and same(side, sides[-1]) for side in sides):
        return None  # an equation, or a calculation that contradicts itself
    return Solved(name, read(sides[-1], depth=1))


def same(one: str, other: str) -> bool:
    """Whether two sides of a calculation agree."""
    return bool(compare_leaves(Leaf(one), Leaf(other)).equal)


def solved_inequality(relation: Relation) -> Solved | None:
    r"""The interval that `x < 5`, `5 > x` or `0 \le x < 1` is."""
    sides, signs = relation.sides, relation.signs
    if signs[0] in (">", r"\ge"):
        sides, signs = sides[::-1], tuple(FLIPPED.get(sign, sign) for sign in signs[::-1])
    if len(signs) == 1 and NAMED.fullmatch(sides[0]):
        sides, signs = (r"-\infty", *sides), ("<", *signs)
    elif len(signs) == 1:
        sides, signs = (*sides, r"\infty"), (*signs, "<")
    if len(signs) > 2 or not set(signs) <= {"<", r"\le"} or not NAMED.fullmatch(sides[1]):
        return None
    low, name, high = sides
    return Solved(name, interval("(" if signs[0] == "<" else "[", low, high, ")" if signs[1] == "<" else "]"))


def compare_unsolved(one: Relation, other: Relation) -> Verdict:
    """The verdict on equations and inequalities: the same if the differences of their sides are, but for a factor."""
    (sign, first), (other_sign, second) = difference(one), difference(other)
    if sign != other_sign or max(len(one.sides), len(other.sides)) > 2:
        return Verdict(False, "structure", "another relation")
    try:
        factor = common_ratio(values(read_expression(first)), values(read_expression(second)))
    except Unreadable:
        return Verdict(None, "none", "not an equation that can be read")
    equal = factor is not None and (factor > 0 or sign in ("=", r"\ne"))
    return Verdict(equal, "structure", None if equal else "another relation")


def difference(relation: Relation) -> tuple[str, str]:
    r"""The relation's sign, turned to `<` or `\le`, and the difference of its sides."""
    left, right, sign = relation.sides[0], relation.sides[1], relation.signs[0]
    if sign in (">", r"\ge"):
        left, right, sign = right, left, FLIPPED[sign]
    return sign, f"({left})-({right})"
