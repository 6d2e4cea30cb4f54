r"""Equations and inequalities: what they are solved for, and whether two of them say the same.

`x = 5` is the value 5 of x, and `0 \le x < 1` its interval, so that each equals the same answer without the name.
"""

import re
from typing import NamedTuple

from personamath.answers.expression import read_expression
from personamath.answers.leaf import Leaf, compare_leaves
from personamath.answers.normal_form import FUNCTIONS
from personamath.answers.numeric import common_ratio, values
from personamath.answers.operations import Value
from personamath.answers.parts import Collection, Group, Part, Relation, interval
from personamath.answers.structure import items, read, reals_without
from personamath.answers.tokens import Unreadable
from personamath.answers.verdict import Verdict

SYMBOL = (
    r"(?:[A-Za-z]|[A-Z]{2,4}|[a-z]{3,}|m ?\(?\\angle ?(?:[A-Z]{1,4}|\d)\)?"
    r"|\\(?:sin|cos|tan|cot|sec|csc)(?:\^2)? ?"
    r"(?:[A-Za-z]|\\angle ?[A-Z]{1,4}|\\[a-z]+|\([A-Za-z]\)|\([A-Z]?[-+][A-Z]\))"
    r"|\\text\{[A-Za-z ]*\}(?:\\(?:triangle|angle|square|odot) ?)?[A-Z]{1,5}"
    r"|\\[A-Za-z]+ ?(?:\{[A-Za-z ]*\}|[A-Z]{1,4})?)"
)
"""`x`, `AB`, `area`, `\\theta`, `\\angle ABC`, `\\text{Area}`."""
OF_NUMBERS = r"\(-?[\d./]+\)|\((?:[A-Za-z]\(-?[\w.]+\))\)"
NAME = SYMBOL + rf"(?:_(?:\w|\{{[^{{}}]*\}}))?'*(?:\^\{{?-1\}}?)?(?:\([\w,]*\)|{OF_NUMBERS})?"
"""A symbol with its subscript and the arguments of a function: `a_3`, `f(x)`, `f^{-1}(x)`, `f(-2)`, `f(g(2))`."""
SEGMENT = r"(?:[A-Z]{2}|\\overline\{[A-Z]{2}\}|\[[A-Z]{3,6}\]|\\text\{Area\}\([A-Z]{3,6}\))"
NAMED = re.compile(
    rf"{NAME}|\({NAME}(?:,{NAME})+\)|\|[A-Z]+\||\[[A-Z]{{3,6}}\]"
    rf"|\\frac\{{{SEGMENT}\}}\{{{SEGMENT}\}}|{SEGMENT}[/:]{SEGMENT}"
    r"|(?:P|E|Pr|Var|n|\\text\{(?:P|E|Pr|Var|Area)\})\(.+\)|\\frac\{d[a-z]\}\{d[a-z]\}"
)
"""What an equation may be solved for: also a ratio of segments, an area `[ABC]`, a probability, a derivative."""
ABSOLUTE = re.compile(rf"\|({NAME})((?:[-+].+)?)\|")
FUNCTION_OF = re.compile(r"([A-Za-z])\(([a-z])\)")

FUNCTION_OF_ANGLE = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?:\^2)? ?\(?(.+?)\)?$")
FREE_ARGUMENTS = frozenset("xyznt")
"""Letters of arguments that mean any value."""
COORDINATES = re.compile(r"\([xyz](?:,[xyz])+\)")

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
        return Solved(relation.sides[0], reals_without(items(relation.sides[1], joined=False)))
    return solved_inequality(relation) or solved_distance(relation)


def solved_distance(relation: Relation) -> Solved | None:
    """The interval that `|x - 2| < 3` is, or the two rays of `|x| > 3`."""
    sides, sign = relation.sides, relation.signs[0]
    if len(sides) != 2:
        return None
    if not sides[0].startswith("|"):
        sides, sign = sides[::-1], FLIPPED.get(sign, sign)
    if sign not in FLIPPED or not (match := ABSOLUTE.fullmatch(sides[0])) or "|" in match[2]:
        return None
    distance = Leaf(sides[1])
    if not distance.is_constant or distance.values is None or not is_positive(distance.values[0]):
        return None
    name, shift = match[1], f"({match[2] or 0})"
    low, high = f"-({sides[1]})-{shift}", f"({sides[1]})-{shift}"
    opening, closing = "()" if sign in ("<", ">") else "[]"
    if sign in ("<", r"\le"):
        return Solved(name, interval(opening, low, high, closing))
    rays = interval("(", r"-\infty", low, closing), interval(opening, high, r"\infty", ")")
    return Solved(name, Collection(rays))


def is_positive(value: Value | None) -> bool:
    """Whether a value is a positive real number."""
    return value is not None and not hasattr(value, "_mpc_") and value > 0


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
    if name and (function := FUNCTION_OF_ANGLE.match(name)) and function[1] in sides[-1]:
        return None  # as `\tan x = 2x`
    if name is None and not all(Leaf(side).is_constant and same(side, sides[-1]) for side in sides):
        return None  # an equation, or a calculation that contradicts itself
    value = read(sides[-1], depth=1)
    if name and COORDINATES.fullmatch(name) and isinstance(value, Group):
        return Solved(*in_alphabet(name, value))
    return Solved(name, value)


def in_alphabet(name: str, value: Group) -> tuple[str, Group]:
    """`(y, x) = (1, 2)` as `(x, y) = (2, 1)`."""
    names = name[1:-1].split(",")
    if len(names) != len(value.parts):
        return name, value
    pairs = sorted(zip(names, value.parts, strict=True), key=lambda pair: pair[0])
    return f"({','.join(pair[0] for pair in pairs)})", Group(value.brackets, tuple(pair[1] for pair in pairs))


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
    if len(one.sides) == len(other.sides) > 2:
        return compare_chains(one, other)
    (sign, first), (other_sign, second) = difference(one), difference(other)
    if sign != other_sign or max(len(one.sides), len(other.sides)) > 2:
        return Verdict(False, "structure", "another relation")
    try:
        factor = common_ratio(values(read_expression(first)), values(read_expression(second)))
    except Unreadable:
        return Verdict(None, "none", "not an equation that can be read")
    equal = factor is not None and (factor > 0 or sign in ("=", r"\ne"))
    return Verdict(equal, "structure", None if equal else "another relation")


def compare_chains(one: Relation, other: Relation) -> Verdict:
    """The verdict on chains, such as `2x < 3y < 4z`, side by side, read from the smallest on."""
    first, second = rising(one), rising(other)
    if first.signs != second.signs:
        return Verdict(False, "structure", "another relation")
    verdicts = [compare_leaves(Leaf(side), Leaf(other)) for side, other in zip(first.sides, second.sides, strict=True)]
    equal = all(verdict.equal for verdict in verdicts)
    return Verdict(equal, "structure", None if equal else "another relation")


def rising(relation: Relation) -> Relation:
    """The chain, turned around if it falls."""
    if relation.signs[0] not in (">", r"\ge"):
        return relation
    return Relation(relation.sides[::-1], tuple(FLIPPED.get(sign, sign) for sign in relation.signs[::-1]))


def with_argument_of(one: Relation, other: Relation) -> Relation:
    """The first relation with the second's name for the argument of the function that both define: `f(t)`, `f(x)`."""
    match, others = FUNCTION_OF.fullmatch(one.sides[0]), FUNCTION_OF.fullmatch(other.sides[0])
    if not match or not others or match[1] != others[1] or match[2] == others[2]:
        return one
    letter = re.compile(rf"(?:\\[A-Za-z]+|(?:{'|'.join(FUNCTIONS)})(?![A-Za-z])|[A-Za-z])")
    letters = {found[0] for relation in (one, other) for side in relation.sides[1:] for found in letter.finditer(side)}
    if not {match[2], others[2]} & (letters | FREE_ARGUMENTS):
        return one  # `f(a) = 3` and `f(b) = 3` are two values
    if any(found[0] == others[2] for side in one.sides for found in letter.finditer(side)):
        return one
    sides = (letter.sub(lambda found: others[2] if found[0] == match[2] else found[0], side) for side in one.sides)
    return Relation(tuple(sides), one.signs)


def difference(relation: Relation) -> tuple[str, str]:
    r"""The relation's sign, turned to `<` or `\le`, and the difference of its sides."""
    left, right, sign = relation.sides[0], relation.sides[1], relation.signs[0]
    if sign in (">", r"\ge"):
        left, right, sign = right, left, FLIPPED[sign]
    return sign, f"({left})-({right})"
