"""Operations on values: exact while they are rational, else to 200 digits.

What would take unbounded time or memory is not begun: its size is estimated first. What cannot be told from another
value at this precision, as `\\tanh 200` from 1, has no value.
"""

import threading
import zlib
from fractions import Fraction
from functools import reduce
from math import comb, factorial, gcd, isqrt, lcm, prod
from typing import Any

Value = Any
"""A Fraction while it is exact, else one of mpmath's numbers, real or complex."""

WORKING_DIGITS = 200
AGREEING_DIGITS = 150
NOISE = Fraction(1, 10**170)
"""What is left, relative to its terms, of a sum that is zero."""
AGREEMENT = Fraction(1, 10**AGREEING_DIGITS)

EXACT_BITS = 12_000
"""Size up to which fractions are computed with."""
CONVERTED_BITS = 490
"""Size up to which the digits that must agree include the last digits of a fraction."""
EXPONENT_BITS = 60
"""Size of the largest exponent of 2 that a value may have; such a number has 10^17 digits."""

TINY_BITS = 166
"""Size, as a power of 1/2, below which an argument may leave no trace in the value of a function."""
SATURATED = 60
"""Argument from which on a hyperbolic tangent may not be told from 1, nor a secant from 0."""
NAMING_DIGITS = 60
"""Digits after the point by which an argument of a named function is recognized."""
LARGEST_DOUBLE_FACTORIAL = 1_000


class NoValue(Exception):
    """The expression has no value here, or none that can be computed within bounds."""


_local = threading.local()


def precise() -> Any:
    """This thread's mpmath context, of 200 digits; a context must not compute in two threads at once."""
    if not hasattr(_local, "context"):
        from mpmath.ctx_mp import MPContext

        _local.context = MPContext()
        _local.context.dps = WORKING_DIGITS
        _local.context.limits = {}
    return _local.context


def same(first: Value, second: Value, agreement: Fraction = AGREEMENT) -> bool:
    """Whether two values are one: exactly if both are exact, else in `AGREEING_DIGITS`."""
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return first == second
    try:
        one, other = inexact(first), inexact(second)
    except NoValue:
        return False
    return bool(abs(one - other) <= limit(agreement) * max(abs(one), abs(other)))


def exact(value: Fraction) -> Fraction:
    """The fraction, if it is of bounded size."""
    if value.numerator.bit_length() + value.denominator.bit_length() > EXACT_BITS:
        raise NoValue("too large")
    return value


def limit(fraction: Fraction) -> Value:
    """A constant of this module at working precision; converted once a thread."""
    if fraction not in precise().limits:
        precise().limits[fraction] = inexact(fraction)
    return precise().limits[fraction]


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
    if small and small < large * limit(AGREEMENT):
        raise NoValue("too small to be seen")
    total = one + other
    return Fraction(0) if abs(total) <= large * limit(NOISE) else simplified(total)


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
        noise = limit(NOISE) * abs(value)
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
    if exponent == Fraction(1, 2) and isinstance(base, Fraction) and (root := exact_root(base)) is not None:
        return root
    if is_tiny(base - 1) or is_tiny(exponent):
        raise NoValue("cannot be told from 1")
    negative = not hasattr(base, "_mpc_") and base < 0
    if isinstance(exponent, Fraction) and exponent.denominator % 2 and negative:
        root = power(-base, exponent)  # the real root, as in the cube root of -8
        return -root if exponent.numerator % 2 else root
    base, exponent = inexact(base), inexact(exponent)
    check_exponent(abs(precise().mag(base)) + 1, precise().mag(exponent))
    return simplified(precise().power(base, exponent))


def is_tiny(value: Value) -> bool:
    """Whether a value is so small beside 1 that it may leave no trace."""
    if isinstance(value, Fraction):
        return bool(value) and value.denominator.bit_length() - value.numerator.bit_length() > TINY_BITS
    return bool(value) and bool(precise().mag(value) < -TINY_BITS)


def exact_root(base: Fraction) -> Fraction | None:
    """The square root of a fraction that is a square."""
    if base < 0:
        return None
    numerator, denominator = isqrt(base.numerator), isqrt(base.denominator)
    is_square = numerator**2 == base.numerator and denominator**2 == base.denominator
    return Fraction(numerator, denominator) if is_square else None


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
            return divide(multiply(first, +precise().pi), Fraction(180))
        case "%":
            return divide(first, Fraction(100))
        case "abs":
            return abs(first)
        case "floor" | "ceil":
            return rounded(first, up=name == "ceil")
        case "!":
            return factorial_of(first)
        case "!!":
            return double_factorial_of(first)
        case "mod":
            return remainder(first, last)
        case "cis":
            return elementary("exp", multiply(first, precise().mpc(0, 1)))
        case "binom":
            return binomial(first, last)
        case "permutations":
            return multiply(binomial(first, last), factorial_of(last))
        case "gcd" | "lcm":
            return Fraction((gcd if name == "gcd" else lcm)(*map(integer, operands)))
        case "max" | "min":
            return (max if name == "max" else min)(operands, key=real)
        case "log_":
            return divide(logarithm(last), logarithm(first))
        case _:
            return named(name, operands) if name.endswith("()") else elementary(name, first)


def named(name: str, operands: list[Value]) -> Fraction:
    """The value of a function of which only the name is known: another one for each name and each argument."""
    key = "|".join([name, *map(recognized, operands)])
    number = zlib.crc32(key.encode())
    return Fraction(350 + number % 190_000, 257 if number >> 20 & 1 else -257)


def recognized(value: Value) -> str:
    """A value rounded, so that it is the same one whichever way it was computed."""
    if isinstance(value, Fraction):
        return str(round(value * 10**NAMING_DIGITS))
    if hasattr(value, "_mpc_") or precise().mag(value) > CONVERTED_BITS:
        raise NoValue("no argument of a named function")
    return str(int(precise().nint(value * 10**NAMING_DIGITS)))


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


def double_factorial_of(value: Value) -> Value:
    """The product of every second natural number up to this one."""
    if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value <= LARGEST_DOUBLE_FACTORIAL:
        raise NoValue("no double factorial")
    return Fraction(prod(range(int(value), 0, -2)))


def remainder(value: Value, divisor: Value) -> Value:
    """The remainder of integers."""
    both = (value, divisor)
    if not all(isinstance(part, Fraction) and part.denominator == 1 for part in both) or divisor <= 0:
        raise NoValue("no remainder")
    return value % divisor


def binomial(n: Value, k: Value) -> Value:
    """The binomial coefficient of natural numbers."""
    if not all(isinstance(part, Fraction) and part.denominator == 1 and 0 <= part <= EXACT_BITS for part in (n, k)):
        raise NoValue("no binomial coefficient")
    return exact(Fraction(comb(int(n), int(k))))


def integer(value: Value) -> int:
    """The value as an integer."""
    if not isinstance(value, Fraction) or value.denominator != 1:
        raise NoValue("no integer")
    return value.numerator


def real(value: Value) -> Value:
    """The value as a real number, which can be compared by size."""
    if hasattr(value, "_mpc_"):
        raise NoValue("no order")
    return inexact(value)


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
    if precise().mag(argument) > EXPONENT_BITS or is_tiny(argument):
        raise NoValue("too large, or too small to be seen")
    if name in ("tanh", "coth", "sech", "csch") and abs(argument) > SATURATED:
        raise NoValue("cannot be told from 1")
    if name in ("tan", "cot", "sec", "csc"):
        sine, cosine = elementary("sin", argument), elementary("cos", argument)
        numerator = {"tan": sine, "cot": cosine}.get(name, Fraction(1))
        return divide(numerator, cosine if name in ("tan", "sec") else sine)
    value = simplified(getattr(precise(), name.replace("arc", "a"))(argument))
    if name in ("sin", "cos") and same(abs(value), Fraction(1)):
        beside = precise().cos(argument) if name == "sin" else precise().sin(argument)
        if abs(beside) > limit(NOISE):
            raise NoValue("cannot be told from 1")
    return Fraction(0) if abs(value) < limit(NOISE) and name != "exp" else value
