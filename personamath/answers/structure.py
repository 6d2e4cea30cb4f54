r"""The parts of an answer: tuples, intervals, sets, lists, unions, matrices, equations and inequalities.

Reading goes from the outside in: first the items of a list, then the parts of a union, the sides of a relation, what
stands between brackets, and at last the leaves, which have no parts.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from personamath.answers.leaf import Leaf


@dataclass(frozen=True, slots=True)
class Group:
    """A tuple or an interval: parts in order between two brackets."""

    brackets: str
    """The opening and the closing bracket, e.g. `[)`."""
    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A set, a list or a union: parts in any order."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix, whatever its brackets."""

    rows: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """Sides with a sign between each two: an equation, an inequality, or a chain of them."""

    sides: tuple[str, ...]
    signs: tuple[str, ...]
    """Of `RELATIONS`, one fewer than the sides."""


Part = Leaf | Group | Collection | Matrix | Relation

DEEPEST = 8
"""Levels of structure that are read; what is nested deeper is one leaf."""

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
OPENING = frozenset(["(", "[", "{", "\\{", "\\begin"])
CLOSING = frozenset([")", "]", "}", "\\}", "\\end"])
RELATIONS = frozenset(["=", "\\in", "<", ">", "\\le", "\\ge", "\\ne", "\\approx"])

MATRIX = re.compile(r"(.*?)[(\[]?\\begin\{([pbB]?matrix|array)\}(?:\{[clr|]*\})?((?:(?!\\begin).)*)\\end\{\2\}[)\]]?")
REALS = re.compile(r"\\mathbb\{R\}(?:(?:\\setminus|-)\\\{(.+)\\\})?")
SIGNS = frozenset("+-")
SEPARATORS = frozenset(",;")
THOUSAND = re.compile(r"\d{3}(?!\d)")
PADDED = re.compile(r"0\d\d(?!\d)")
"""What is never an item, but the last digits of a number: `005` of `1,005`."""
BEFORE_THOUSAND = re.compile(r"(?:^|[^\d.,])\d{1,3}(?:,\d{3})*$")


def split(text: str, separators: frozenset[str]) -> list[tuple[str, str]]:
    """The pieces of a text between separators outside all brackets, each after the separator before it."""
    pieces, depth, start, separator = [], 0, 0, ""
    for token in TOKEN.finditer(text):
        depth += (token[0] in OPENING) - (token[0] in CLOSING)
        if depth == 0 and token[0] in separators:
            pieces.append((separator, text[start : token.start()]))
            start, separator = token.end(), token[0]
    return [*pieces, (separator, text[start:])]


def items(text: str, joined: bool) -> list[str]:
    """The items of a list; with `joined`, or with zeros in front, digits in groups of three are one number."""
    found: list[str] = []
    pieces = split(text, SEPARATORS)
    joined = joined or any(separator == "," and PADDED.match(piece) for separator, piece in pieces)
    for separator, piece in pieces:
        if joined and separator == "," and THOUSAND.match(piece) and BEFORE_THOUSAND.search(found[-1]):
            found[-1] += "," + piece
        else:
            found.append(piece)
    return [piece.strip() for piece in found if piece.strip()]


def both_signs(item: str) -> list[str]:
    r"""An item with `\pm` as its two values; inside a set, the set's own items have them."""
    if not ("\\pm" in item or "\\mp" in item) or item.startswith("\\{"):
        return [item]
    upper = item.replace("\\pm", "+").replace("\\mp", "-")
    lower = item.replace("\\pm", "-").replace("\\mp", "+")
    return [upper, lower]


def read(text: str, joined: bool = True, depth: int = 0) -> Part:
    """The parts of an answer in normal form."""
    found = [value for item in items(text, joined) for value in both_signs(item)]
    if len(found) == 1 or depth > DEEPEST:
        return read_item(text, depth)
    return Collection(tuple(read_item(item, depth) for item in found))


def read_item(text: str, depth: int) -> Part:
    """The parts of one item of a list."""
    if depth > DEEPEST:
        return Leaf(text)
    if len(pieces := split(text, frozenset(["\\cup"]))) > 1:
        return Collection(tuple(read_item(piece.strip(), depth + 1) for _, piece in pieces))
    if len(pieces := split(text, RELATIONS)) > 1:
        return Relation(tuple(side.strip() for _, side in pieces), tuple(sign for sign, _ in pieces[1:]))
    if (match := MATRIX.fullmatch(text)) and is_factor(match[1]):
        return read_matrix(match[1], match[3], depth)
    if text.startswith("\\{") and closes_at_end(text):
        return read_set(text[2:-2], depth)
    if text[:1] in ("(", "[") and closes_at_end(text) and len(inside := items(text[1:-1], joined=False)) > 1:
        return Group(text[0] + text[-1], tuple(read(item, depth=depth + 1) for item in inside))
    if match := REALS.fullmatch(text):
        return reals_without(items(match[1] or "", joined=False))
    return Leaf(text)


def closes_at_end(text: str) -> bool:
    """Whether the bracket that opens a text is closed by the one that ends it."""
    depth = 0
    for token in TOKEN.finditer(text):
        depth += (token[0] in OPENING) - (token[0] in CLOSING)
        if depth == 0:
            return token.end() == len(text)
    return False


def is_factor(text: str) -> bool:
    """Whether what stands before a matrix is multiplied with it: a sign at most, or one term."""
    return len(split(text[1:], SIGNS)) == 1


def read_matrix(factor: str, body: str, depth: int) -> Matrix:
    """A matrix of entries, each multiplied by the factor in front."""
    rows = [row for _, row in split(body, frozenset(["\\\\"])) if row.strip()]
    entries = [[entry.strip() for _, entry in split(row, frozenset(["&"]))] for row in rows]
    scaled = [[f"{factor}({entry})" if factor else entry for entry in row] for row in entries]
    return Matrix(tuple(Group("()", tuple(read_item(entry, depth + 1) for entry in row)) for row in scaled))


def read_set(inside: str, depth: int) -> Part:
    r"""A set by its members, or by the condition after `x |` or `x :`."""
    conditions = split(inside, frozenset("|:"))
    if len(conditions) == 2 and any(sign in conditions[1][1] for sign in RELATIONS):
        return read(conditions[1][1], depth=depth + 1)
    members = [value for item in items(inside, joined=False) for value in both_signs(item)]
    return Collection(tuple(read_item(member, depth + 1) for member in members))


def interval(opening: str, low: str, high: str, closing: str) -> Group:
    """The interval between two bounds."""
    return Group(opening + closing, (Leaf(low), Leaf(high)))


def reals_without(holes: list[str]) -> Part:
    """All real numbers but a few, as the intervals between them; several must be exact numbers, to be put in order."""
    numbers = {hole: number for hole in holes if (number := Leaf(hole).number) is not None}
    if len(holes) > 1 and len(numbers) < len(holes):
        return Leaf(rf"\mathbb{{R}} \setminus \{{{','.join(holes)}\}}")
    bounds = [r"-\infty", *sorted(holes, key=lambda hole: numbers.get(hole, Fraction(0))), r"\infty"]
    rays = tuple(interval("(", low, high, ")") for low, high in pairwise(bounds))
    return rays[0] if len(rays) == 1 else Collection(rays)
