"""The values of an expression: exact where they are rational, else to 200 digits, at several points.

Values, not forms, are what an answer is: `n(n+1)/2` and `(n^2+n)/2` have the same at every point. A variable takes the
same values, of both signs, wherever it occurs. Two irrational values are the same if they agree in 150 digits, which no
two different answers that a person writes down do. What would take unbounded time or memory is not begun: its size is
estimated first.
"""

import zlib
from collections.abc import Iterator
from fractions import Fraction

from personamath.answers.expression import Expression, Operation
from personamath.answers.operations import NoValue, Value, apply, divide, precise, same

FRACTIONS = 6
"""Fractions each variable takes: four above 1 in size, two below; at three points all are positive, at one negative."""
INTEGERS = 4
"""Small integers each variable takes after them, even and odd: `(-1)^n` is no constant."""
LARGE = [(100, -900), (1_000, 9_000), (10**9, -(10**9)), (10**9, 10**9)]
"""Large integers each variable takes then, from how much on and how far: `|x-100|` is not `100-x`, nor
`|x+100|` `x+100`; some are all negative, the last all positive."""
POINTS = FRACTIONS + INTEGERS + len(LARGE)
NATURALS = 12
"""Natural numbers each variable takes where factorials or binomials need them, and the largest of them."""

FEWEST_NATURALS = 4
"""Points at which two expressions with factorials must both have values to be told."""

LOOSE_AGREEMENT = Fraction(1, 10**60)
"""Agreement of roots at large values, where digits are lost."""

COUNTING = frozenset(["!", "!!", "binom"])
"""Operations on natural numbers."""
BENDING = frozenset(["abs", "sqrt", "root"])
"""Operations that bend the graph of what they are of."""
POWERS = {"^": 1, "root": 0}
"""Operations that are algebraic where the exponent, at this place, is a number."""
ALGEBRAIC = frozenset(["+", "-", "*", "/", "sqrt", "abs"])
"""Operations whose values at large integers keep their digits."""

CONSTANTS = frozenset(["pi", "e", "i"])


def values(expression: Expression, bent: bool = False) -> list[Value | None]:
    """The expression's values at the points, None if it has none; a single one if it has no variable.

    At the large integers an irrational value may have lost its digits. It is taken where the expression may be compared
    with one that `bends`, and is algebraic.
    """
    if is_constant(expression):
        return [value_at(expression, 0, only_real=False)]
    # Outside its domain, a real function's complex continuation says nothing about it.
    only_real = "i" not in names_in(expression)
    found = [value_at(expression, point, only_real) for point in range(FRACTIONS + INTEGERS)]
    keeps_digits = bent and is_algebraic(expression)
    if not keeps_digits and not any(isinstance(value, Fraction) for value in found):
        return found + [None] * len(LARGE)
    for point in range(FRACTIONS + INTEGERS, POINTS):
        value = value_at(expression, point, only_real)
        found.append(value if keeps_digits or isinstance(value, Fraction) else None)
    return found


def values_at_naturals(expression: Expression) -> list[Value | None]:
    """The expression's values where every variable is a natural number."""
    return [value_at(expression, point, only_real=True) for point in range(POINTS, POINTS + NATURALS)]


def value_at(expression: Expression, point: int, only_real: bool) -> Value | None:
    """The value at a point; None if there is none within bounds."""
    try:
        return evaluate(expression, point, only_real)
    except (NoValue, ArithmeticError, ValueError):
        return None


def operations_in(expression: Expression) -> Iterator[Operation]:
    """The operations of an expression, the outer ones first."""
    if isinstance(expression, Operation):
        yield expression
        for operand in expression.operands:
            yield from operations_in(operand)


def differ_at_once(first: Expression, second: Expression) -> bool:
    """Whether two expressions with variables differ at the first point already, as most that differ do."""
    if is_constant(first) or is_constant(second):
        return False
    one, other = (value_at(expression, 0, "i" not in names_in(expression)) for expression in (first, second))
    return one is not None and other is not None and not same(one, other)


def bends(expression: Expression) -> bool:
    """Whether an expression has another formula for large negative numbers, as `|x+100|` has."""
    return any(operation.name in BENDING and not is_constant(operation) for operation in operations_in(expression))


def differ_in_domain(first: Expression, second: Expression) -> bool:
    r"""Whether absolute values give one expression values where the other has none: `\ln |x|` and `\ln x`."""
    if has_bars(first) == has_bars(second) or is_constant(first) or is_constant(second):
        return False
    wide, narrow = (first, second) if has_bars(first) else (second, first)
    only_real = "i" not in names_in(wide)
    points = [*range(FRACTIONS), *range(FRACTIONS + INTEGERS, POINTS)]
    found = [[value_at(expression, point, only_real) for point in points] for expression in (wide, narrow)]
    return any(value is not None and other is None for value, other in zip(*found, strict=True))


def has_bars(expression: Expression) -> bool:
    """Whether an expression has an absolute value in it."""
    return any(operation.name == "abs" for operation in operations_in(expression))


def is_algebraic(expression: Expression) -> bool:
    """Whether an expression has no operations but the four, roots, absolute values and powers to a number."""
    return all(
        operation.name in ALGEBRAIC
        or (operation.name in POWERS and isinstance(operation.operands[POWERS[operation.name]], Fraction))
        for operation in operations_in(expression)
    )


def is_constant(expression: Expression) -> bool:
    """Whether an expression has no variable."""
    return CONSTANTS.issuperset(names_in(expression))


def counts(expression: Expression) -> bool:
    """Whether an expression has values at natural numbers only."""
    return any(operation.name in COUNTING for operation in operations_in(expression))


def same_values(first: list[Value | None], second: list[Value | None]) -> bool | None:
    """Whether two expressions agree wherever both have a value; None if there is too little to tell."""
    points = max(len(first), len(second))
    pairs = zip(first * (points // len(first)), second * (points // len(second)), strict=True)
    told = [(point, one, other) for point, (one, other) in enumerate(pairs) if one is not None and other is not None]
    for point, one, other in told:
        if not (same(one, other) if point < FRACTIONS + INTEGERS else same(one, other, LOOSE_AGREEMENT)):
            return False
    return True if sum(point < FRACTIONS for point, _, _ in told) >= min(points, 2) else None


def same_at_naturals(first: Expression, second: Expression) -> bool:
    """Whether two expressions agree at the natural numbers at which both have a value, and at enough of them."""
    pairs = zip(values_at_naturals(first), values_at_naturals(second), strict=True)
    told = [(one, other) for one, other in pairs if one is not None and other is not None]
    return len(told) >= FEWEST_NATURALS and all(same(one, other) for one, other in told)


def common_ratio(first: list[Value | None], second: list[Value | None]) -> Value | None:
    """The real number that the first expression is of the second at every point, if there is one and it is not 0."""
    try:
        ratios = [divide(one, other) for one, other in zip(first, second, strict=False) if one and other]
    except NoValue:
        return None
    if len(ratios) < 2 or hasattr(ratios[0], "_mpc_") or not all(same(ratio, ratios[0]) for ratio in ratios):
        return None
    return ratios[0]


def names_in(expression: Expression) -> Iterator[str]:
    """The variables and constants of an expression."""
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, Operation):
        for operand in expression.operands:
            yield from names_in(operand)


def value_of_name(name: str, point: int) -> Value:
    """The value of a constant, or what a variable stands for at a point."""
    if name == "pi":
        return +precise().pi
    if name == "e":
        return +precise().e
    if name == "i":
        return precise().mpc(0, 1)
    number = zlib.crc32(f"{name} {point}".encode())
    if point >= POINTS:
        return Fraction(1 + number % NATURALS)
    if point >= FRACTIONS:
        return Fraction(integer_at(point - FRACTIONS, number))
    size = Fraction(350 + number % 1900, 257) if point < 4 else Fraction(1 + number % 90, 97)
    negative = point == 1 or (point in (3, 5) and number >> 20 & 1)
    return -size if negative else size


def integer_at(place: int, number: int) -> int:
    """An integer drawn by a number: the first is even, the second odd, both positive; the others are of either kind."""
    if place < 2:
        return 2 + 2 * (number % 3) + place
    if place >= INTEGERS:
        least, span = LARGE[place - INTEGERS]
        size = least + number % abs(span)
        negative = span < 0 or (number >> 20 & 1 and place < POINTS - FRACTIONS - 1)
        return -size if negative else size
    return -(2 + number % 7) if number >> 20 & 1 else 2 + number % 7


def evaluate(expression: Expression, point: int, only_real: bool) -> Value:
    """The value at a point; raises NoValue if there is none within bounds."""
    if isinstance(expression, Fraction):
        return expression
    if isinstance(expression, str):
        return value_of_name(expression, point)
    value = apply(expression.name, [evaluate(operand, point, only_real) for operand in expression.operands])
    if only_real and hasattr(value, "_mpc_"):
        raise NoValue("not real")
    return value
