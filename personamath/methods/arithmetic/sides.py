r"""The two sides of every equality in a text that may be arithmetic, in the symbols of an expression.

A side ends where words begin that are no unit. So `she pays 3 boxes * $4 = $12 in all` has the sides `3 * 4` and `12`.
A variable or an operand in words is a symbol that is not known, and a side that holds one is left out: `price * 4 = 12`
says nothing that can be checked.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

from personamath.answers.units import is_known, named
from personamath.methods.arithmetic.plain_math import plain_math

MOST_UNIT_WORDS = 4
"""Words after a number that are read as its unit where an operator or nothing follows, as in `3 cups of flour + 2`."""

NO_UNIT = frozenset({
    "and", "so", "then", "is", "are", "was", "were", "be", "if", "or", "that", "which", "who", "when", "because",
    "since", "but", "thus", "therefore", "hence", "has", "have", "had", "gives", "mod", "modulo", "choose",
})  # fmt: skip
"""Words that no unit contains: they begin another clause, or compute."""

TWO_LETTERS = frozenset({
    "an", "as", "at", "be", "by", "do", "he", "if", "in", "is", "it", "my", "no", "of", "on", "or", "so", "to", "up",
    "us", "we",
})  # fmt: skip
"""Words that may follow a number; other two letters are the product of two variables."""

_CLAUSE_END = re.compile(r"[;:,?|\"\n]|\.(?![\d\\])")
_RELATION = re.compile(r"([=≈])")
_WORD = r"[A-Za-z]+(?:['-][A-Za-z]+)*"
_MEASURE = rf"{_WORD}(?: ?\^[23](?!\d))?"
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<command>\\[A-Za-z]+)"
    rf"|(?P<words>(?:/ ?)?{_MEASURE}(?:(?: ?/ ?| +){_MEASURE})*)"
    r"|(?P<sign>\S)"
)

_OPERATORS = frozenset("+-*/^")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_COMMANDS = frozenset(["\\frac", "\\sqrt", "\\binom"])
_SYMBOLS = _OPERATORS | _OPENING | _CLOSING | _COMMANDS | {"%", "!"}
# Symbols beside those of an expression. A unit begins with its sign.
_UNKNOWN, _BREAK, _UNIT = "?", ";", "#"


class Side(NamedTuple):
    """One side of an equality."""

    symbols: list[str]
    """Numbers, operators, brackets and LaTeX commands; together they are an expression to read."""
    units: list[str]
    """What its numbers count or measure, in lower case."""


class Sides(NamedTuple):
    """An equality, as far as it is arithmetic."""

    left: Side
    right: Side
    relation: str
    """`=` or `≈`."""


def sides(text: str) -> Iterator[Sides]:
    """The sides of every equality in which nothing but numbers was found, in order; `a = b = c` is two."""
    for clause in _CLAUSE_END.split(plain_math(text)):
        parts = _RELATION.split(clause)
        symbols = [_symbols(part) for part in parts[::2]] if len(parts) > 1 else []
        for (before, after), relation in zip(pairwise(symbols), parts[1::2], strict=False):
            left, right = _last_piece(before), _first_piece(after)
            if _is_readable(left) and _is_readable(right):
                yield Sides(_side(left), _side(right), relation)


def _is_readable(piece: Sequence[str]) -> bool:
    """Whether a piece may be an expression; one that begins with a plus is the rest of one."""
    return bool(piece) and piece[0] != "+" and _UNKNOWN not in piece


def _side(piece: Sequence[str]) -> Side:
    return Side(
        [symbol for symbol in piece if symbol[0] != _UNIT], [symbol[1:] for symbol in piece if symbol[0] == _UNIT]
    )


def _first_piece(symbols: Sequence[str]) -> Sequence[str]:
    """What is up to a break, or to the end of the brackets that the equality is in."""
    depth = 0
    for at, symbol in enumerate(symbols):
        depth += (symbol in _OPENING) - (symbol in _CLOSING)
        if symbol == _BREAK or depth < 0:
            return symbols[:at]
    return symbols


def _last_piece(symbols: Sequence[str]) -> Sequence[str]:
    """What is from the last break on, or from the start of the brackets that the equality is in."""
    depth = 0
    for at in range(len(symbols) - 1, -1, -1):
        depth += (symbols[at] in _CLOSING) - (symbols[at] in _OPENING)
        if symbols[at] == _BREAK or depth < 0:
            return symbols[at + 1 :]
    return symbols


def _symbols(text: str) -> list[str]:
    """The symbols of what is between two relations, with breaks and units where there are words."""
    symbols: list[str] = []
    tokens = [*_TOKEN.finditer(text)]
    for token, after in zip_longest(tokens, tokens[1:]):
        before = symbols[-1] if symbols else ""
        symbol = token[0]
        if token.lastgroup == "words":
            symbols += _read_words(token, before, after)
        elif token.lastgroup == "number":
            is_factor = before in (_UNKNOWN, "}") or (before in _CLOSING and _is_glued(token))
            symbols += [symbol] if is_factor or not _is_operand(before) else [_BREAK, symbol]
        else:
            symbols.append(symbol if symbol in _SYMBOLS else _UNKNOWN)
    return symbols


def _read_words(token: re.Match[str], before: str, after: re.Match[str] | None) -> list[str]:
    """What words are: a unit, an operand that is not known, or the break between two clauses."""
    words, following = re.findall(_WORD, token[0]), _kind(after)
    if "remainder" in words or (after and _are_function(words, after)):
        return [_UNKNOWN]
    is_rate = "/" in token[0]
    if is_rate and any(len(word) == 1 or word.isupper() for word in words if not is_known(word)):
        return [_UNKNOWN]  # `90/x` is a quotient
    if _end_in_variable(words) and not is_rate:
        return [_BREAK, _UNKNOWN] if len(words) > 1 else [_UNKNOWN]
    if before in _OPERATORS:
        return [_UNKNOWN, _BREAK] if following == "number" else [_UNKNOWN]
    if not _is_operand(before):
        return [_UNKNOWN] if following == "operator" else [_BREAK]
    if _are_factor(words, _is_glued(token)) and not is_rate:
        return [_UNKNOWN]
    return _read_unit(words, following)


def _read_unit(words: Sequence[str], following: str) -> list[str]:
    """What words after a number are: its unit, and the break where another clause begins."""
    is_unit = len(words) <= MOST_UNIT_WORDS and NO_UNIT.isdisjoint(word.lower() for word in words)
    unit = [_UNIT + " ".join(words).lower()] if is_unit else []
    match following:
        case "operator":
            return unit or [_UNKNOWN]
        case "end":
            return unit or [_BREAK]
        case "number" if len(words) == 1 and named(words[0]):
            return [_UNKNOWN]  # `2 hours 30 minutes` is one quantity
        case "opening":
            return [*unit, _BREAK, _UNKNOWN]  # what the words are to the brackets is not known
        case _:
            return [*unit, _BREAK]


def _kind(token: re.Match[str] | None) -> str:
    """What comes after words: the `end` of the brackets or the side, an `operator`, an `opening` or a `number`."""
    if token is None or token[0] in _CLOSING:
        return "end"
    if token[0] in _OPERATORS:
        return "operator"
    if token[0] in _OPENING or token.lastgroup == "command":
        return "opening"
    return token.lastgroup or ""


def _are_function(words: Sequence[str], after: re.Match[str]) -> bool:
    r"""Whether the last word belongs to what follows it, as in `f(3)`, `x1`, `AC \sqrt{2}`, and `a (3 + 4)`."""
    if _kind(after) == "opening":
        return _is_glued(after) or words[-1] == "a" or words[-1].isupper()
    return _kind(after) == "number" and _is_glued(after)


def _end_in_variable(words: Sequence[str]) -> bool:
    """Whether the last word is a letter, as in `we get x`; `a` is an article where words are before it."""
    last = words[-1]
    if len(words) == 1:
        return len(last) == 1
    return (len(last) == 1 and last != "a") or (len(last) <= 3 and last.isupper())


def _are_factor(words: Sequence[str], glued: bool) -> bool:
    """Whether letters after a number are its factor, as in `2x` and `3 AB`, and no unit."""
    first = words[0]
    if first.lower() in TWO_LETTERS and not glued:
        return False
    if (glued and len(first) <= 3) or (len(words) == 1 and len(first) <= 2):
        return not is_known(first)
    return (len(first) == 1 and first != "a") or (len(first) == 2 and first.isupper())


def _is_operand(symbol: str) -> bool:
    return symbol[-1:].isdigit() or symbol in _CLOSING or symbol in ("%", "!", _UNKNOWN) or symbol[:1] == _UNIT


def _is_glued(token: re.Match[str]) -> bool:
    """Whether no space is before it."""
    return token.start() > 0 and token.string[token.start() - 1] != " "
