r"""From a text in normal form to an expression: a small reader of the LaTeX and plain notation that answers are in.

It reads numbers, variables, sums, products written and implied, quotients, powers, roots, remainders, the elementary
functions, functions that are only named, logarithms to a base, absolute values, factorials, binomials, floors and
ceilings. What it does not know it refuses, so
that nothing is ever compared by a misreading. Its depth is bounded; nothing is executed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from personamath.answers.normal_form import ARCS, FUNCTIONS
from personamath.answers.tokens import Tokens, Unreadable, tokens_of


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on expressions."""

    name: str
    """`+`, `*`, `/`, `^`, `-` (of one), a function's name, or that of an unknown function with parentheses: `f()`."""
    operands: tuple["Expression", ...]


Expression = Fraction | str | Operation
"""A number, a variable's or constant's name, or an operation."""

MOST_SUFFIXES = 3
"""How many of `^`, `!`, `°` and `%` may follow one atom."""

SYMBOLS = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega", "Gamma",
    "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega", "ell", "hbar", "infty", "triangle", "angle",
})  # fmt: skip
"""Commands that are variables; infinity among them, as it equals nothing but itself."""
ACCENTS = frozenset({"overline", "bar", "vec", "hat", "widehat", "tilde", "overrightarrow", "overleftrightarrow"})
"""Commands that make a name of the letters they go over."""
NAMED_FUNCTIONS = frozenset(["f", "g", "h", "F", "G", "H", "P", "Q", "phi", "varphi", "psi", "Phi", "Psi"])
"""Names that a parenthesis is not multiplied with, but given to."""
CHOICES = {"C": "binom", "P": "permutations", "A": "permutations"}
"""Letters that count choices if they have a number above and one below, as in `C_5^2`; the larger counts the items."""
OF_SEVERAL = frozenset(["gcd", "lcm", "max", "min"])
"""Functions of any number of arguments."""
MOST_ARGUMENTS = 5
"""Arguments that a named function may have."""
OPENERS = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil"}
PRODUCT_SIGNS = ("*", "/", ":")
STOPPERS = frozenset(
    ["+", "-", "*", "/", ":", ")", "]", "}", "\\}", "\\rfloor", "\\rceil", "\\over", "\\choose", "\\bmod", ",", ""]
)


def read_expression(text: str, functions: frozenset[str] = frozenset()) -> Expression:
    """Read a text as an expression in normal form; `functions` are further names. Raises Unreadable if it is none."""
    reader = Reader(tokens_of(text), functions)
    expression = reader.group_content()
    if reader.token:
        raise Unreadable(f"{reader.token} stands where nothing is expected")
    return expression


class Reader(Tokens):
    """Recursive descent over tokens."""

    def __init__(self, tokens: list[str], functions: frozenset[str]) -> None:
        super().__init__(tokens)
        self.functions = functions | NAMED_FUNCTIONS
        self.open_bars = 0

    def group_content(self) -> Expression:
        r"""The content of a group: a sum, or TeX's `a \over b` and `n \choose k`."""
        content = self.sum()
        if self.token in ("\\over", "\\choose"):
            name = "/" if self.take() == "\\over" else "binom"
            content = Operation(name, (content, self.sum()))
        return content

    def sum(self) -> Expression:
        """Terms with their signs."""
        terms = [self.signed(self.term)]
        while self.token in ("+", "-"):
            terms.append(self.signed(self.term))
        return terms[0] if len(terms) == 1 else Operation("+", tuple(terms))

    def signed(self, read: Callable[[], Expression]) -> Expression:
        """What `read` reads, after any number of signs."""
        negative = False
        while self.token in ("+", "-"):
            negative ^= self.take() == "-"
        value = read()
        return Operation("-", (value,)) if negative else value

    def term(self) -> Expression:
        """Factors, multiplied by a sign or by standing side by side, divided from left to right."""
        factors = [self.factor()]
        while self.token in (*PRODUCT_SIGNS, "\\bmod") or not self.at_end_of_term():
            if self.token == "\\bmod":
                self.take()
                factors = [Operation("mod", (Operation("*", tuple(factors)), self.factor()))]
            elif self.token in PRODUCT_SIGNS:
                divided = self.take() != "*"
                factor = self.signed(self.factor)
                factors.append(Operation("/", (Fraction(1), factor)) if divided else factor)
            elif self.token[0].isdigit() and (
                self.tokens[self.at - 1][-1].isdigit() or self.tokens[self.at - 1] == "°"
            ):
                raise Unreadable("two numbers side by side")
            else:
                factors.append(self.factor())
        return factors[0] if len(factors) == 1 else Operation("*", tuple(factors))

    def at_end_of_term(self) -> bool:
        """Whether no further factor can begin here."""
        return self.token in STOPPERS or (self.token == "|" and self.open_bars > 0)

    def factor(self) -> Expression:
        """An atom with its power and its factorial, degree or percent sign."""
        factor = self.atom()
        for _ in range(MOST_SUFFIXES):
            if self.token == "^":
                self.take()
                factor = Operation("^", (factor, self.exponent()))
            elif self.token == "!":
                factor = Operation(self.factorial_sign(), (factor,))
            elif self.token in ("°", "%"):
                factor = Operation(self.take(), (factor,))
        return factor

    def exponent(self) -> Expression:
        """What `^` raises to: a group, a signed number, or one symbol; `2^3^2` is a tower."""
        self.go_deeper()
        if self.token == "-":
            self.take()
            exponent: Expression = Operation("-", (self.exponent(),))
        else:
            exponent = self.atom(mixed=False)
            if self.token == "^":
                self.take()
                exponent = Operation("^", (exponent, self.exponent()))
        self.depth -= 1
        return exponent

    def atom(self, mixed: bool = True) -> Expression:
        """A number, a variable, a group, or a command with its arguments."""
        self.go_deeper()
        token = self.take()
        if token[0].isdigit() or token[0] == ".":
            atom: Expression = self.number(token, mixed)
        elif token in OPENERS:
            atom = self.group(token)
        elif token == "|":
            atom = self.absolute_value()
        elif token[0] == "\\":
            atom = self.command(token[1:])
        elif token.isalpha():
            atom = self.variable(token)
        else:
            raise Unreadable(f"{token} stands where a value is expected")
        self.depth -= 1
        return atom

    def absolute_value(self) -> Expression:
        """The expression between two bars, after the first."""
        self.open_bars += 1
        content = self.group_content()
        self.take("|")
        self.open_bars -= 1
        return Operation("abs", (content,))

    def group(self, opener: str) -> Expression:
        """A bracketed expression, after its opening bracket."""
        bars, self.open_bars = self.open_bars, 0
        content = self.group_content()
        self.take(OPENERS[opener])
        self.open_bars = bars
        return Operation(opener[2:], (content,)) if opener in ("\\lfloor", "\\lceil") else content

    def variable(self, name: str) -> Expression:
        """A letter with its subscript and primes, and with what it is applied to; `e` and `i` are the constants."""
        is_function = name in self.functions
        if self.token == "_":
            self.take()
            subscript = self.argument_text()
            if name in CHOICES and subscript.isdecimal() and (chosen := self.number_above()):
                largest, least = sorted((Fraction(subscript), chosen), reverse=True)
                return Operation(CHOICES[name], (largest, least))
            name += f"_{subscript}"
        while self.token == "'":
            name += self.take()
            is_function = True
        if not is_function:
            return name
        if self.token == "^" and self.after_exponent() == "(":
            self.take()
            name += f"^{self.argument_text()}"
        return Operation(f"{name}()", self.arguments()) if self.token == "(" else name

    def number_above(self) -> Fraction | None:
        """Consume and return the number after `^`; consume nothing and return None if there is no number."""
        start = self.at
        if self.token == "^":
            self.take()
            if (above := self.argument_text()).isdecimal():
                return Fraction(above)
        self.at = start
        return None

    def arguments(self, opener: str = "(") -> tuple[Expression, ...]:
        """What a function is applied to, in brackets."""
        bars, self.open_bars = self.open_bars, 0
        self.take(opener)
        found = [self.sum()]
        while self.token == "," and len(found) < MOST_ARGUMENTS:
            self.take()
            found.append(self.sum())
        self.take(OPENERS[opener])
        self.open_bars = bars
        return tuple(found)

    def command(self, name: str) -> Expression:
        """A command and what it takes."""
        if name in FUNCTIONS:
            return self.function(name)
        if name in OF_SEVERAL and self.token in ("(", "\\{"):
            return Operation(name, self.arguments(self.token))
        if name in ("frac", "binom"):
            return Operation("/" if name == "frac" else name, (self.argument(), self.argument()))
        if name == "pi":
            return "pi"
        if name in SYMBOLS:
            return self.variable(name)
        if name in ACCENTS:
            content = self.argument_text()
            if not content.isalpha():
                raise Unreadable(f"\\{name} of no name")
            return f"{name} {content}"
        raise Unreadable(f"\\{name} is not known")

    def argument(self) -> Expression:
        r"""What a command takes: a group, or one character, as in `\frac12`."""
        token = self.take()
        if token[0].isdigit() and len(token) > 1:
            self.at -= 1
            self.tokens[self.at] = token[1:]
            return Fraction(token[0])
        self.at -= 1
        return self.atom(mixed=False)

    def function(self, name: str) -> Expression:
        """A function with its base or degree, its power and its argument."""
        operands: list[Expression] = []
        if name == "sqrt" and self.token == "[":
            operands.append(self.group(self.take()))
            name = "root"
        if name == "log" and self.token == "_":
            self.take()
            operands.append(self.atom(mixed=False))
            name = "log_"
        power = self.exponent() if self.token == "^" and self.take() else None
        if power == Operation("-", (Fraction(1),)):
            if name not in ARCS:
                raise Unreadable("an inverse or a reciprocal")
            name, power = "arc" + name, None
        operands.append(self.atom(mixed=False) if name in ("sqrt", "root") else self.function_argument())
        value = Operation(name, tuple(operands))
        return value if power is None else Operation("^", (value, power))

    def function_argument(self) -> Expression:
        r"""What a function is of: a parenthesis, or the product that follows, as in `\sin 2x`."""
        if self.token in OPENERS or self.token == "|":
            return self.atom()
        argument = self.signed(self.factor)
        while not self.at_end_of_term() and self.token not in OPENERS and self.token.lstrip("\\") not in FUNCTIONS:
            argument = Operation("*", (argument, self.factor()))
        return argument
