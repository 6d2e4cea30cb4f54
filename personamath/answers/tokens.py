"""The tokens of an expression in LaTeX or plain notation."""

import re
from fractions import Fraction

from personamath.answers.normal_form import FUNCTIONS
from personamath.answers.rational import rational


class Unreadable(Exception):
    """The text is not an expression that the reader knows."""


DEEPEST = 25
"""Levels of nesting that are read."""

MOST_TOKENS = 300
"""Tokens of the longest expression that is read."""

LONGEST_NUMBER = 100
"""Digits of a number inside an expression; more could not be told apart at the precision of `numeric`."""

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:[eE](?:-?\d{1,3}|\+\d{2,3})(?![\d.A-Za-z]))?)"
    r"|(?P<command>\\[A-Za-z]+|\\[{}|]"
    rf"|(?:{'|'.join(FUNCTIONS)}|pi|theta|alpha|beta)(?![A-Za-z]))"
    r"|(?P<letter>[A-Za-z])|(?P<sign>[-+*/:^_!()\[\]{}|°%',]))"
)

DERIVATIVE = re.compile(
    r"\\frac\{(?:d|\\partial) ?(?:\^\{?\w\}?)? ?(?:[A-Za-z]|\\[a-z]+)?\}"
    r"\{(?:d|\\partial) ?(?:[A-Za-z]|\\[a-z]+)(?:\^\{?\w\}?)?\}"
    r"|\\frac\{d ?(?P<of>[a-z])\}\{(?P=of)\}|\\frac\{\\Delta ?\\?[a-z]+\}"
    r"|(?<![A-Za-z\\])d(?:\^\d)?[A-Za-z]?/d[A-Za-z](?![A-Za-z])|\\partial|\\nabla"
)
"""What is no quotient, although it is written as one: `\\frac{d}{dx}`, `dy/dx` and `\\frac{\\Delta y}{\\Delta x}`."""


def tokens_of(text: str) -> list[str]:
    """The text's tokens; commands with their backslash, named functions with or without."""
    if ("d" in text or "\\Delta" in text) and DERIVATIVE.search(text):
        raise Unreadable("a derivative")
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if not match:
            raise Unreadable(f"{text[at]!r} is not known")
        word = match[match.lastgroup or 0]
        tokens.append("\\" + word if match.lastgroup == "command" and not word.startswith("\\") else word)
        at = match.end()
        if len(tokens) > MOST_TOKENS:
            raise Unreadable("too long")
    return tokens


class Tokens:
    """Tokens, and the place that is read next; `token` is the next one, empty at the end."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [*tokens, ""]
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> str:
        """The next token."""
        return self.tokens[self.at]

    def take(self, expected: str | None = None) -> str:
        """Consume the next token, which must be the expected one if one is given."""
        token = self.token
        if not token or (expected is not None and token != expected):
            raise Unreadable(f"{expected or 'something'} is missing")
        self.at += 1
        return token

    def argument_text(self) -> str:
        """The text in braces, or one token, as it is written."""
        if self.token != "{":
            return self.take()
        start = self.at
        while self.take() != "}":
            pass
        return "".join(self.tokens[start + 1 : self.at - 1])

    def after_exponent(self) -> str:
        """The token after the exponent that `^` begins."""
        at = self.at + 1
        if self.tokens[at] == "{":
            at = self.tokens.index("}", at) if "}" in self.tokens[at:] else at
        return self.tokens[min(at + 1, len(self.tokens) - 1)]

    def factorial_sign(self) -> str:
        """`!`, or `!!` of every second factor."""
        sign = self.take()
        while self.token == "!":
            sign += self.take()
        if len(sign) > 2:
            raise Unreadable("more than two signs of a factorial")
        return sign

    def go_deeper(self) -> None:
        """Bound the recursion."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable("nested too deeply")

    def number(self, token: str, mixed: bool) -> Fraction:
        """A literal; an integer before a fraction of integers is a mixed number."""
        value = rational(token) if len(token) <= LONGEST_NUMBER else None
        if value is None or self.token == "_":
            raise Unreadable("not one number")
        if mixed and self.token == "\\frac" and token.isdigit():
            fraction = rational("".join([token, *self.tokens[self.at : self.at + 7]]))
            if fraction is not None:
                self.at += 7
                return fraction
        return value


def applied_in(*texts: str) -> frozenset[str]:
    """The names that are functions by how they are used: in `a(n+1)` and `a(n)+a(1)`, nobody would multiply by `(n)`.

    A name is one if it stands before a single symbol in parentheses, and nowhere without parentheses.
    """
    applied, bare = set(), set()
    for text in texts:
        tokens = [*tokens_of(text), *[""] * 3]
        for place, token in enumerate(tokens[:-3]):
            name = token.removeprefix("\\")
            if not name.isalpha():
                continue
            if tokens[place + 1] != "(":
                bare.add(name)
            elif tokens[place + 3] == ")" and tokens[place + 2].lstrip("\\").isalnum():
                applied.add(name)
    return frozenset(applied - bare - set(FUNCTIONS))
