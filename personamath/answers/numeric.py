"""The values of an expression: exact where they are rational, else to 200 digits, at several points.

Values, not forms, are what an answer is: `n(n+1)/2` and `(n^2+n)/2` have the same at every point. A variable takes the
same values, of both signs, wherever it stands. Two irrational values are the same if they agree in 150 digits, which no
two different answers that a person writes down do. What would take unbounded time or memory is not begun: its size is
estimated first.
"""

import threading
import zlib
from collections.abc import Iterator
from fractions import Fraction
from functools import reduce
from math import comb, factorial
from typing import Any

from personamath.answers.expression import Expression, Operation

Value = Any
"""A Fraction while it is exact, else one of mpmath's numbers, real or complex."""

FRACTIONS = 6
"""Fractions each variable takes: four above 1 in size, two below; at three points all are positive, at one negative."""
INTEGERS = 4
"""Small integers each variable takes after them, even and odd: `(-1)^n` is no constant."""
LARGE = [(100, 900), (1_000, 9_000), (10_000, 90_000)]
"""Large integers each variable takes at last, from how much on and how far: `|x-100|` is not `100-x`."""
POINTS = FRACTIONS + INTEGERS + len(LARGE)

WORKING_DIGITS = 200
AGREEING_DIGITS = 150
NOISE = Fraction(1, 10**170)
"""What is left, relative to its terms, of a sum that is zero."""
AGREEMENT = Fraction(1, 10**AGREEING_DIGITS)

EXACT_BITS = 12_000
"""Size up to which fractions are computed with."""
CONVERTED_BITS = 600
"""Size up to which a fraction can be seen at working precision."""
EXPONENT_BITS = 60
"""Size of the largest exponent of 2 that a value may have; such a number has 10^17 digits."""

CONSTANTS = frozenset(["pi", "e", "i"])


class NoValue(Exception):
    """The expression has no value here, or none that can be computed within bounds."""


_local = threading.local()


def precise() -> Any:
    """This thread's mpmath context, of 200 digits; a context must not compute in two threads at once."""
    if not hasattr(_local, "context"):
        from mpmath.ctx_mp import MPContext

        _local.context = MPContext()
        _local.context.dps = WORKING_DIGITS
    return _local.context


def values(expression: Expression) -> list[Value | None]:
    """The expression's values at the points, None where it has none; a single one if it has no variable."""
    names = set(names_in(expression))
    # Outside its domain, a real function's complex continuation says nothing about it.
    only_real = not names <= CONSTANTS and "i" not in names
    found: list[Value | None] = []
    for point in range(1 if names <= CONSTANTS else POINTS):
        try:
            value = evaluate(expression, point, only_real)
            # Of large numbers, what is not exact may have lost its digits.
            is_told = point < FRACTIONS + INTEGERS or isinstance(value, Fraction)
            found.append(value if is_told else None)
        except (NoValue, ArithmeticError, ValueError):
            found.append(None)
    return found


def same_values(first: list[Value | None], second: list[Value | None]) -> bool | None:
    """Whether two expressions agree wherever both have a value; None if there is too little to tell."""
    points = max(len(first), len(second))
    pairs = zip(first * (points // len(first)), second * (points // len(second)), strict=True)
    told = [(point, one, other) for point, (one, other) in enumerate(pairs) if one is not None and other is not None]
    if not all(same(one, other) for _, one, other in told):
        return False
    return True if sum(point < FRACTIONS for point, _, _ in told) >= min(points, 2) else None


def common_ratio(first: list[Value | None], second: list[Value | None]) -> Value | None:
    """The real number that the first expression is of the second at every point, if there is one and it is not 0."""
    try:
        ratios = [divide(one, other) for one, other in zip(first, second, strict=False) if one and other]
    except NoValue:
        return None
    if len(ratios) < 2 or hasattr(ratios[0], "_mpc_") or not all(same(ratio, ratios[0]) for ratio in ratios):
        return None
    return ratios[0]


def same(first: Value, second: Value) -> bool:
    """Whether two values are one: exactly if both are exact, else in `AGREEING_DIGITS`."""
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return first == second
    try:
        one, other = inexact(first), inexact(second)
    except NoValue:
        return False
    return bool(abs(one - other) <= inexact(AGREEMENT) * max(abs(one), abs(other)))


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
    if point >= FRACTIONS:
        return Fraction(integer_at(point - FRACTIONS, number))
    size = Fraction(350 + number % 1900, 257) if point < 4 else Fraction(1 + number % 90, 97)
    negative = point == 1 or (point in (3, 5) and number >> 20 & 1)
    return -size if negative else size


def integer_at(place: int, number: int) -> int:
    """An integer drawn by a number: the first is even, the second odd, both positive; the others are of either kind."""
    if place < 2:
        return 2 + 2 * (number % 3) + place
    if place < INTEGERS:
        size = 2 + number % 7
    else:
        least, span = LARGE[place - INTEGERS]
        size = least + number % span
    return -size if number >> 20 & 1 and place < POINTS - FRACTIONS - 1 else size


def exact(value: Fraction) -> Fraction:
    """The fraction, if it is of bounded size."""
    if value.numerator.bit_length() + value.denominator.bit_length() > EXACT_BITS:
        raise NoValue("too large")
    return value


def inexact(value: Value) -> Value:
    """The value at working precision; refused where a fraction's last digits would be lost."""
    if not isinstance(value, Fraction):
        return value
    for part in (value.numerator, value.denominator):
        if part.bit_length() - (part & -part).bit_length() > CONVERTED_BITS:
            raise NoValue("too many digits")
    return precise().mpf(value.numerator) / value.denominator


def add(first: Value, second: Value) -> Value:
    """The sum; refused where one term is too small beside the other to be seen."""
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return exact(first + second)
    one, other = inexact(first), inexact(second)
    large, small = max(abs(one), abs(other)), min(abs(one), abs(other))
    if small and small < large * inexact(AGREEMENT):
        raise NoValue("too small to be seen")
    total = one + other
    return Fraction(0) if abs(total) <= large * inexact(NOISE) else simplified(total)


def multiply(first: Value, second: Value) -> Value:
    """The product."""
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return exact(first * second)
    return Fraction(0) if 0 in (first, second) else simplified(inexact(first) * inexact(second))


def divide(first: Value, second: Value) -> Value:
    """The quotient."""
    if not second:
        raise NoValue("division by zero")
    if isinstance(second, Fraction):
        return multiply(first, 1 / second)
    return multiply(first, simplified(1 / second))


def simplified(value: Value) -> Value:
    """A complex number without a part that is only noise."""
    if hasattr(value, "_mpc_"):
        noise = inexact(NOISE) * abs(value)
        if abs(value.imag) <= noise:
            return value.real
        if abs(value.real) <= noise:
            return precise().mpc(0, value.imag)
    return value


def power(base: Value, exponent: Value) -> Value:
    """The power: exact if it is small, else at working precision, and refused if it is beyond that."""
    if not base:
        if isinstance(exponent, Fraction) and exponent > 0:
            return Fraction(0)
        raise NoValue("a power of zero")
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        return integer_power(base, exponent.numerator)
    negative = not hasattr(base, "_mpc_") and base < 0
    if isinstance(exponent, Fraction) and exponent.denominator % 2 and negative:
        root = power(-base, exponent)  # the real root, as in the cube root of -8
        return -root if exponent.numerator % 2 else root
    base, exponent = inexact(base), inexact(exponent)
    check_exponent(abs(precise().mag(base)) + 1, precise().mag(exponent))
    return simplified(precise().power(base, exponent))


def integer_power(base: Value, exponent: int) -> Value:
    """A power with an integer exponent of any size."""
    if isinstance(base, Fraction):
        if abs(base) == 1:
            return base if exponent % 2 else Fraction(1)
        size = base.numerator.bit_length() + base.denominator.bit_length()
        if size * abs(exponent) <= EXACT_BITS:
            return base**exponent
    base = inexact(base)
    check_exponent(abs(precise().mag(base)) + 1, exponent.bit_length())
    return simplified(base**exponent)


def check_exponent(size: int, exponent_bits: int) -> None:
    """Refuse a power whose exponent of 2, `size` times a number of so many bits, is beyond bounds."""
    if size.bit_length() + exponent_bits > EXPONENT_BITS:
        raise NoValue("too large")


def evaluate(expression: Expression, point: int, only_real: bool) -> Value:
    """The value at a point; raises NoValue where there is none within bounds."""
    if isinstance(expression, Fraction):
        return expression
    if isinstance(expression, str):
        return value_of_name(expression, point)
    value = apply(expression.name, [evaluate(operand, point, only_real) for operand in expression.operands])
    if only_real and hasattr(value, "_mpc_"):
        raise NoValue("not real")
    return value


def apply(name: str, operands: list[Value]) -> Value:
    """The value of an operation on values."""
    first, last = operands[0], operands[-1]
    match name:
        case "+":
            return reduce(add, operands)
        case "*":
            return reduce(multiply, operands)
        case "-":
            return -first
        case "/":
            return divide(first, last)
        case "^":
            return power(first, last)
        case "sqrt":
            return power(first, Fraction(1, 2))
        case "root":
            return power(last, divide(Fraction(1), first))
        case "°":
            return divide(multiply(first, value_of_name("pi", 0)), Fraction(180))
        case "%":
            return divide(first, Fraction(100))
        case "abs":
            return abs(first)
        case "floor" | "ceil":
            return rounded(first, up=name == "ceil")
        case "!":
            return factorial_of(first)
        case "binom":
            return binomial(first, last)
        case "log_":
            return divide(logarithm(last), logarithm(first))
        case _:
            return elementary(name, first)


def rounded(value: Value, up: bool) -> Fraction:
    """The floor or ceiling; a value within noise of an integer is that integer."""
    if not isinstance(value, Fraction):
        if hasattr(value, "_mpc_") or precise().mag(value) > CONVERTED_BITS:
            raise NoValue("cannot be rounded")
        nearest = precise().nint(value)
        if same(nearest, value):
            return Fraction(int(nearest))
        value = precise().ceil(value) if up else precise().floor(value)
        return Fraction(int(value))
    return Fraction(-(-value.numerator // value.denominator) if up else value.numerator // value.denominator)


def factorial_of(value: Value) -> Value:
    """The factorial of a natural number."""
    if not isinstance(value, Fraction) or value.denominator != 1 or value < 0:
        raise NoValue("no factorial")
    if value <= 1000:
        return Fraction(factorial(int(value)))
    check_exponent(value.numerator.bit_length(), value.numerator.bit_length())
    return precise().factorial(precise().mpf(int(value)))


def binomial(n: Value, k: Value) -> Value:
    """The binomial coefficient of natural numbers."""
    if not all(isinstance(part, Fraction) and part.denominator == 1 and 0 <= part <= EXACT_BITS for part in (n, k)):
        raise NoValue("no binomial coefficient")
    return exact(Fraction(comb(int(n), int(k))))


def logarithm(value: Value) -> Value:
    """The natural logarithm; exactly 0 for 1, so that nothing is divided by noise."""
    if not value:
        raise NoValue("logarithm of zero")
    return Fraction(0) if same(value, Fraction(1)) else simplified(precise().ln(inexact(value)))


def elementary(name: str, argument: Value) -> Value:
    """The value of an elementary function; `log` without a base is to base 10, as in MATH."""
    if name == "ln":
        return logarithm(argument)
    if name in ("log", "lg"):
        return divide(logarithm(argument), logarithm(Fraction(10)))
    argument = inexact(argument)
    if precise().mag(argument) > EXPONENT_BITS:
        raise NoValue("too large")
    if name in ("tan", "cot", "sec", "csc"):
        sine, cosine = elementary("sin", argument), elementary("cos", argument)
        numerator = {"tan": sine, "cot": cosine}.get(name, Fraction(1))
        return divide(numerator, cosine if name in ("tan", "sec") else sine)
    value = simplified(getattr(precise(), name.replace("arc", "a"))(argument))
    return Fraction(0) if abs(value) < inexact(NOISE) and name != "exp" else value
