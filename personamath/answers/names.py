"""Two expressions whose names differ although they mean the same, read alike before they are compared."""

from collections.abc import Iterator

from personamath.answers.expression import Expression, Operation
from personamath.answers.numeric import names_in, operations_in

PARAMETERS = frozenset("jklmn")
"""Letters of the integer that runs through the solutions of a periodic equation."""

CONSTANTS_OF_INTEGRALS = frozenset("cCkK")
"""Letters of the constant that an integral is known up to."""

ANGLE_FUNCTIONS = frozenset(["sin", "cos", "tan", "cot", "sec", "csc", "cis"])


def alike(one: Expression, other: Expression) -> tuple[Expression, Expression]:
    """The two expressions, changed where one reading of both is meant; the same objects where nothing is."""
    names, others = set(names_in(one)), set(names_in(other))
    applied = set(applied_names(one)) | set(applied_names(other))
    if multiplied := applied & (names | others):
        one, other = as_products(one, multiplied), as_products(other, multiplied)
    if has_degrees(one) != has_degrees(other) and names | others:
        one, other = without_degrees(one), without_degrees(other)
    for first, second in new_names(one, other, names, others):
        other = renamed(other, first, second)
    return one, other


def new_names(one: Expression, other: Expression, names: set[str], others: set[str]) -> Iterator[tuple[str, str]]:
    r"""The names of the second expression that stand for another of the first: `k` in `k\pi`, `c` in `x^2+c`."""
    variables, other_variables = names - {"pi", "e", "i"}, others - {"pi", "e", "i"}
    only, other_only = variables - other_variables, other_variables - variables
    if len(only) != 1 or len(other_only) != 1:
        return
    (name,), (other_name,) = only, other_only
    periodic = {name, other_name} <= PARAMETERS and is_periodic(one) and is_periodic(other)
    constant = (
        "C" in (name, other_name)
        and {name, other_name} <= CONSTANTS_OF_INTEGRALS
        and is_added(one, name)
        and is_added(other, other_name)
    )
    if periodic or (constant and not {"a", "b", "A", "B"} & variables):
        yield other_name, name


def is_periodic(expression: Expression) -> bool:
    """Whether an expression is about angles: it has pi or degrees in it."""
    return "pi" in names_in(expression) or has_degrees(expression)


def is_added(expression: Expression, name: str) -> bool:
    """Whether a name is a term of a sum and nothing else in it."""
    return isinstance(expression, Operation) and expression.name == "+" and name in expression.operands


def applied_names(expression: Expression) -> Iterator[str]:
    """The names of unknown functions in an expression."""
    for operation in operations_in(expression):
        if operation.name.endswith("()"):
            yield operation.name.removesuffix("()")


def as_products(expression: Expression, names: set[str]) -> Expression:
    """The expression with some names multiplied with the parenthesis that follows, as `h(a+b)` may mean."""
    if not isinstance(expression, Operation):
        return expression
    operands = tuple(as_products(operand, names) for operand in expression.operands)
    name = expression.name.removesuffix("()")
    if name != expression.name and name in names and [is_sum(operand) for operand in operands] == [True]:
        return Operation("*", (name, *operands))
    return Operation(expression.name, operands)


def is_sum(expression: Expression) -> bool:
    """Whether an expression would need parentheses to be multiplied."""
    return isinstance(expression, Operation) and expression.name == "+"


def has_degrees(expression: Expression) -> bool:
    """Whether an expression has the sign of degrees outside of the functions of angles."""
    if not isinstance(expression, Operation) or expression.name in ANGLE_FUNCTIONS:
        return False
    return expression.name == "°" or any(has_degrees(operand) for operand in expression.operands)


def without_degrees(expression: Expression) -> Expression:
    """The expression without the sign of degrees, which may be left out of all of it."""
    if not isinstance(expression, Operation) or expression.name in ANGLE_FUNCTIONS:
        return expression
    operands = tuple(without_degrees(operand) for operand in expression.operands)
    return operands[0] if expression.name == "°" else Operation(expression.name, operands)


def renamed(expression: Expression, old: str, new: str) -> Expression:
    """The expression with one name for another."""
    if isinstance(expression, Operation):
        return Operation(expression.name, tuple(renamed(operand, old, new) for operand in expression.operands))
    return new if expression == old else expression
