r"""The path of a solution: every equality of numbers that it states, in order, and whether each holds.

Two solutions that compute the same in the same order take the same path, however they word it. An equality is
`expression = expression`, of numbers and with at least one operation, in plain text, in LaTeX or between the
calculator marks of GSM8K; `a = b = c` is two. Units and words around it are left out.

The reader is careful rather than complete. It skips an equality with a variable, a time of day or a number in words. It
also skips one that does not hold but may mean something else (`1/2 cup = 4 ounces`): an equality that does not hold
costs a solution its place in the dataset.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from personamath.answers.expression import Expression, Operation, read_expression
from personamath.answers.numeric import evaluate
from personamath.answers.operations import NoValue
from personamath.answers.tokens import MOST_TOKENS, Unreadable
from personamath.methods.arithmetic.sides import Side, Sides, sides

LONGEST = 50_000
"""Characters of a solution that are read: several times the longest completions, and a bound on the time."""

MOST_EQUALITIES = 200
"""Equalities of a solution that are read: several times the most in human solutions, and a bound on the time."""

RELATIVE_TOLERANCE = Fraction(1, 1000)
"""How far the sides of `=` may be apart, as a share of the larger: models compute on with rounded values.

The published rule is 1/1000 in absolute terms. It refuses `1/3 = 0.33`, which is right but for rounding: a result with
decimals may also be cut off or rounded at its last one. A whole number is exact: `7/2 = 3` does not hold.
"""

ABOUT = Fraction(1, 100)
"""The same for `≈`, where whole numbers may be rounded, too."""

ARITHMETIC = frozenset(["+", "-", "*", "/", "^", "%", "!", "sqrt", "root", "binom"])
"""Operations that are checked. A sine is not: the text does not say whether it is of degrees."""

MEASURES = [
    frozenset({"second", "sec", "minute", "min", "hour", "hr", "day", "week", "month", "year", "decade", "century"}),
    frozenset({"inch", "inche", "foot", "feet", "ft", "yard", "yd", "mile", "mm", "cm", "m", "km", "meter"}),
    frozenset({"ounce", "oz", "pound", "lb", "gram", "g", "kg", "kilogram", "ton", "mg", "cup"}),
    frozenset({"teaspoon", "tablespoon", "cup", "pint", "quart", "gallon", "ounce", "ml", "liter", "milliliter"}),
    frozenset({"penny", "pennie", "nickel", "dime", "quarter", "dollar"}),
]  # fmt: skip
"""Units of one quantity each. An equality between two of them converts: `6 feet + 2 inches = 74 inches` is right."""

MULTIPLES = frozenset({"cent", "dozen", "pair", "hundred", "thousand", "million", "billion"})
"""Units that are numbers themselves; a cent is, for an amount without a unit is in dollars."""

_MARK = re.compile(r"<<([^<>\n]{1,200})>>")
# All that `plain_math` turns into `=` or `≈`: most rewrites contain none, and checking that costs next to nothing.
_MAY_RELATE = re.compile(r"[=＝≈]|\\(?:approx|doteq|sim)|equal", re.IGNORECASE)
_MATH_DELIMITER = re.compile(r"\$\$?|\\[()\[\]]|\\(?:begin|end)\{(?:align|equation|gather)\*?\}")


class Equality(NamedTuple):
    """One equality of a solution."""

    text: str
    """In one spelling, e.g. `48/2=24`; decimals are fractions."""
    holds: bool


class Path(NamedTuple):
    """How a solution reaches its answer."""

    key: tuple[str, ...]
    """Equal for solutions that take the same path."""
    holds: bool
    """Whether all of its arithmetic does."""


def read_path(solution: str) -> Path:
    """The path of a solution.

    Its key is its equalities; without any, its formulas that hold `=`; without those, its words.
    """
    found = equalities(solution)
    if found:
        return Path(tuple(one.text for one in found), all(one.holds for one in found))
    formulas = _MATH_DELIMITER.split(solution[:LONGEST])[1::2]
    equations = tuple("".join(formula.split()) for formula in formulas if "=" in formula)
    return Path(equations or (" ".join(solution.split()).casefold(),), True)


def equalities(solution: str) -> list[Equality]:
    """The equalities of a solution in the order in which they first appear."""
    if not _MAY_RELATE.search(solution):
        return []
    found = (_equality(one) for one in sides(_marked(solution[:LONGEST])))
    read = islice((one for one in found if one), MOST_EQUALITIES)
    return list({one.text: one for one in read}.values())


def _marked(solution: str) -> str:
    """The solution, but of lines with calculator marks only the marks: the text around them says the same."""
    lines = ((_MARK.findall(line), line) for line in solution.split("\n"))
    return "\n".join("\n".join(marks) if marks else line for marks, line in lines)


def _equality(found: Sides) -> Equality | None:
    """The equality of two sides, or None if they are no arithmetic or may be meant otherwise."""
    left, right, relation = found
    try:
        one, other = _read(left.symbols), _read(right.symbols)
        if _is_number(one) and _is_number(other):
            return None
        result = right.symbols if _is_number(other) else []
        values = [(first, second) for first in _values(left, one) for second in _values(right, other)]
        holds = any(_is_close(first, second, result, relation) for first, second in values)
        if not holds and (_may_name(one, other) or _may_convert(one, other, left.units + right.units)):
            return None
    except (Unreadable, NoValue, ArithmeticError, ValueError):
        return None
    return Equality(f"{written(one)}={written(other)}", holds)


def _read(symbols: Sequence[str]) -> Expression:
    """The expression of a side; raises Unreadable for one with anything but arithmetic."""
    if len(symbols) > MOST_TOKENS:
        raise Unreadable("too long")
    expression = read_expression("".join(symbols))
    _check(expression)
    return expression


def _check(expression: Expression) -> None:
    if isinstance(expression, str):
        raise Unreadable(f"{expression} is a variable")
    if isinstance(expression, Operation):
        if expression.name not in ARITHMETIC:
            raise Unreadable(f"{expression.name} is not checked")
        for operand in expression.operands:
            _check(operand)


def _is_number(expression: Expression) -> bool:
    """Whether nothing is to be computed."""
    if isinstance(expression, Operation):
        return expression.name in ("-", "%") and _is_number(expression.operands[0])
    return isinstance(expression, Fraction)


def _is_fraction(expression: Expression) -> bool:
    """Whether it is the quotient of two numbers; the reader has `a/b` as `a * (1/b)`."""
    if not isinstance(expression, Operation) or len(expression.operands) != 2 or not _is_number(expression.operands[0]):
        return False
    second = expression.operands[1]
    if expression.name == "*" and isinstance(second, Operation) and second.name == "/":
        return _is_number(second.operands[1])
    return expression.name == "/" and _is_number(second)


def _values(side: Side, expression: Expression) -> Iterator[Fraction]:
    """The value of a side, and where it has percent signs its value without: `20/50 * 100 = 40%`."""
    yield _value(expression)
    if "%" in side.symbols:
        yield _value(_read([symbol for symbol in side.symbols if symbol != "%"]))


def _value(expression: Expression) -> Fraction:
    value = evaluate(expression, 0, only_real=True)
    return value if isinstance(value, Fraction) else Fraction(float(value))


def _is_close(one: Fraction, other: Fraction, result: Sequence[str], relation: str) -> bool:
    """Whether two values are equal but for rounding; `result` holds the right side where it is one number."""
    difference = abs(one - other)
    if difference <= (ABOUT if relation == "≈" else RELATIVE_TOLERANCE) * max(abs(one), abs(other)):
        return True
    decimals = max((len(symbol.partition(".")[2]) for symbol in result), default=0)
    if not decimals and (relation == "=" or not result):
        return False
    unit = Fraction(1, 10**decimals)
    is_cut_off = abs(other) <= abs(one) and difference < unit
    return is_cut_off or difference <= unit / 2


def _may_name(one: Expression, other: Expression) -> bool:
    """Whether the left side may name what the right is of: `4 boxes = 20 * 4 pens`; `3/4 = 15` where 3/4 are sold."""
    return _is_number(one) or (_is_fraction(one) and _value(one) < 1 <= _value(other))


def _may_convert(one: Expression, other: Expression, units: Sequence[str]) -> bool:
    """Whether an equality may be between units, which are not computed with, or of a factor: `2.54 cm / 1 in = 1`."""
    if _is_fraction(one) and _value(other) == 1 and len(set(units)) > 1:
        return True
    words = {word.removesuffix("s") for unit in units for word in unit.split()}
    return bool(words & MULTIPLES) or any(len(words & measure) > 1 for measure in MEASURES)


# How tightly operations hold their operands; functions, which bracket theirs, and numbers most of all.
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3, "%": 4, "!": 4}
_STRONGEST = 5


def written(expression: Expression) -> str:
    """An expression in one spelling, with the brackets that it needs."""
    if not isinstance(expression, Operation):
        return str(expression)
    name, operands = expression.name, expression.operands
    match name:
        case "+":
            return "".join(_term(operand) for operand in operands).removeprefix("+")
        case "*":
            text = "".join(_factor(operand) for operand in operands).removeprefix("*")
            return "1" + text if text.startswith("/") else text
        case "-":
            return "-" + _within(operands[0], 2)
        case "/":
            return f"{_within(operands[0], 2)}/{_within(operands[1], 3)}"
        case "^":
            return f"{_within(operands[0], 4)}^{_within(operands[1], 4)}"
        case "%" | "!":
            return _within(operands[0], 4) + name
        case _:
            return f"{name}({','.join(map(written, operands))})"


def _term(term: Expression) -> str:
    """A term with its sign."""
    text = written(term)
    return text if text.startswith("-") else "+" + text


def _factor(factor: Expression) -> str:
    """A factor with its sign."""
    if isinstance(factor, Operation) and factor.name == "/" and factor.operands[0] == Fraction(1):
        return "/" + _within(factor.operands[1], 3)
    return "*" + _within(factor, 2)


def _within(operand: Expression, strength: int) -> str:
    """An operand, in brackets where the operation would hold only a part of it."""
    if isinstance(operand, Operation):
        is_loose = _STRENGTH.get(operand.name, _STRONGEST) < strength
    else:
        is_loose = isinstance(operand, Fraction) and operand.denominator > 1
    return f"({written(operand)})" if is_loose else written(operand)
