r"""The parts of an answer: tuples, intervals, sets, lists, matrices, equations and inequalities, compared part by part.

Order matters in a tuple and an interval, whose brackets must match, and in a matrix; it does not in a set, a list or a
union. An equation solved for a name, `x = 5`, is its value, and an inequality in one name is its interval, so that each
equals the same answer written without the name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from personamath.answers.expression import Unreadable, read_expression
from personamath.answers.leaf import Leaf, compare_leaves
from personamath.answers.numeric import divide, same, values
from personamath.answers.verdict import Verdict


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
    """Rows of entries."""

    rows: tuple[tuple["Part", ...], ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """Sides with a sign between each two: an equation, an inequality, or a chain of them."""

    sides: tuple[str, ...]
    signs: tuple[str, ...]
    """`=`, `<`, `>`, `\\le`, `\\ge`, `\\ne` or `\\approx`; one fewer than the sides."""


Part = Leaf | Group | Collection | Matrix | Relation

DEEPEST = 8
"""Levels of structure that are read; what is nested deeper is one leaf."""

MOST_PARTS = 60
"""Parts up to which a collection is matched in any order."""

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
OPENING = frozenset(["(", "[", "{", "\\{", "\\begin"])
CLOSING = frozenset([")", "]", "}", "\\}", "\\end"])
RELATIONS = {
    "=": "=",
    "\\in": "=",
    "<": "<",
    ">": ">",
    "\\le": "\\le",
    "\\ge": "\\ge",
    "\\ne": "\\ne",
    "\\approx": "\\approx",
}
FLIPPED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le"}

NAME = r"(?:[A-Za-z]|[A-Z]{2,4}|[a-z]{3,}|\\[A-Za-z]+ ?(?:\{[A-Za-z ]*\}|[A-Z]{1,4})?)(?:_(?:\w|\{[^{}]*\}))?'*(?:\^\{?-1\}?)?(?:\([\w,]*\))?"
NAMED = re.compile(rf"{NAME}|\({NAME}(?:,{NAME})+\)|\|[A-Z]+\|")
MATRIX = re.compile(r"(.*?)[(\[]?\\begin\{([pbB]?matrix|array)\}(?:\{[clr|]*\})?(.*)\\end\{\2\}[)\]]?", re.DOTALL)
SEPARATORS = frozenset(",;")
THOUSAND = re.compile(r"\d{3}(?!\d)")
BEFORE_THOUSAND = re.compile(r"(?:^|[^\d.,])\d{1,3}(?:,\d{3})*$")


def split(text: str, separators: frozenset[str]) -> list[tuple[str, str]]:
    """The pieces of a text between separators outside all brackets, each with the separator before it."""
    pieces, depth, start, separator = [], 0, 0, ""
    for token in TOKEN.finditer(text):
        depth += (token[0] in OPENING) - (token[0] in CLOSING)
        if depth == 0 and token[0] in separators:
            pieces.append((separator, text[start : token.start()]))
            start, separator = token.end(), token[0]
    return [*pieces, (separator, text[start:])]


def items(text: str, joined: bool) -> list[str]:
    """The items of a list; with `joined`, digits in groups of three are one number and not several."""
    found: list[str] = []
    for separator, piece in split(text, SEPARATORS):
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
    if len(pieces := split(text, frozenset(RELATIONS))) > 1:
        return Relation(tuple(side.strip() for _, side in pieces), tuple(RELATIONS[sign] for sign, _ in pieces[1:]))
    if match := MATRIX.fullmatch(text):
        return read_matrix(match[1], match[3], depth)
    if text.startswith("\\{") and closes_at_end(text):
        return read_set(text[2:-2], depth)
    if text.startswith("{") and closes_at_end(text):  # around a list, a set's braces that lack their backslashes
        return read(text[1:-1], depth=depth + 1)
    if text[:1] in ("(", "[") and closes_at_end(text) and len(inside := items(text[1:-1], joined=False)) > 1:
        return Group(text[0] + text[-1], tuple(read(item, depth=depth + 1) for item in inside))
    return REALS if text == "\\mathbb{R}" else Leaf(text)


def closes_at_end(text: str) -> bool:
    """Whether the bracket that opens a text is closed by the one that ends it."""
    depth = 0
    for token in TOKEN.finditer(text):
        depth += (token[0] in OPENING) - (token[0] in CLOSING)
        if depth == 0:
            return token.end() == len(text)
    return False


def read_matrix(factor: str, body: str, depth: int) -> Matrix:
    """A matrix of entries, each multiplied by the factor in front."""
    rows = [row for _, row in split(body, frozenset(["\\\\"])) if row.strip()]
    entries = [[entry.strip() for _, entry in split(row, frozenset(["&"]))] for row in rows]
    scaled = [[f"{factor}({entry})" if factor else entry for entry in row] for row in entries]
    return Matrix(tuple(tuple(read_item(entry, depth + 1) for entry in row) for row in scaled))


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


REALS = interval("(", "-\\infty", "\\infty", ")")


def solved(relation: Relation) -> tuple[str | None, Part] | None:
    """The name that a relation is solved for, None if it has only values, and what it says of it; None if not solved."""
    if set(relation.signs) <= {"=", "\\approx"}:
        return solved_equation(relation)
    sides, signs = relation.sides, relation.signs
    if signs == ("\\ne",) and NAMED.fullmatch(sides[0]):
        rays = interval("(", "-\\infty", sides[1], ")"), interval("(", sides[1], "\\infty", ")")
        return sides[0], Collection(rays)
    if signs[0] in (">", "\\ge"):
        sides, signs = sides[::-1], tuple(FLIPPED.get(sign, sign) for sign in signs[::-1])
    if not set(signs) <= {"<", "\\le"} or len(signs) > 2:
        return None
    if len(signs) == 1:  # one bound is infinite
        sides, signs = (
            (("-\\infty", *sides), ("<", *signs)) if NAMED.fullmatch(sides[0]) else ((*sides, "\\infty"), (*signs, "<"))
        )
    low, name, high = sides
    if not NAMED.fullmatch(name):
        return None
    return name, interval("(" if signs[0] == "<" else "[", low, high, ")" if signs[1] == "<" else "]")


def solved_equation(relation: Relation) -> tuple[str | None, Part] | None:
    r"""`x = 5`, `5 = x`, and a calculation `6 - 1 = 5`, whose value is its last side, but the one before any `\approx`."""
    sides, signs = list(relation.sides), list(relation.signs)
    name = None
    if NAMED.fullmatch(sides[0]):
        name = sides.pop(0)
        del signs[0]
    elif len(sides) == 2 and NAMED.fullmatch(sides[1]):
        name = sides.pop()
        del signs[0]
    if "\\approx" in signs:
        del sides[signs.index("\\approx") + 1 :]
    if name is None and not all(Leaf(side).is_constant for side in sides):
        return None
    return name, read(sides[-1], depth=1)


def compare_parts(one: Part, other: Part) -> Verdict:
    """The verdict on two answers in parts."""
    if isinstance(one, Relation) or isinstance(other, Relation):
        return compare_relations(one, other)
    if isinstance(one, Leaf) and isinstance(other, Leaf):
        return compare_leaves(one, other)
    if isinstance(one, Collection) or isinstance(other, Collection):
        return compare_collections(one, other)
    if isinstance(one, Group) and isinstance(other, Group):
        if one.brackets != other.brackets:
            return Verdict(False, "structure", "other brackets")
        return compare_in_order(one.parts, other.parts)
    if isinstance(one, Matrix) and isinstance(other, Matrix):
        if [len(row) for row in one.rows] != [len(row) for row in other.rows]:
            return Verdict(False, "structure", "a matrix of another shape")
        return compare_in_order(sum(one.rows, ()), sum(other.rows, ()))
    if any(isinstance(part, Leaf) and "\\begin" in part.text for part in (one, other)):
        return Verdict(None, "none", "not a matrix that can be read")
    return Verdict(False, "structure", "another kind of answer")


def compare_in_order(ones: tuple[Part, ...], others: tuple[Part, ...]) -> Verdict:
    """The verdict on parts whose order matters."""
    if len(ones) != len(others):
        return Verdict(False, "structure", "another number of parts")
    return all_equal(compare_parts(one, other) for one, other in zip(ones, others, strict=True))


def all_equal(verdicts: Iterable[Verdict]) -> Verdict:
    """Equal if all are, different as soon as one is, and open if none is different but one is open."""
    still_open = None
    for verdict in verdicts:
        if verdict.equal is False:
            return Verdict(False, "structure", f"{verdict.why} in one part")
        if verdict.equal is None:
            still_open = verdict
    return still_open or Verdict(True, "structure")


def compare_collections(one: Part, other: Part) -> Verdict:
    """The verdict where one side at least is a collection; a collection of one is its member."""
    if not isinstance(one, Collection) or not isinstance(other, Collection):
        collection, single = (one, other) if isinstance(one, Collection) else (other, one)
        assert isinstance(collection, Collection)
        if len(collection.parts) == 1:
            return compare_parts(collection.parts[0], single)
        values = assigned(collection)
        if values and isinstance(single, Group) and single.brackets == "()":
            return compare_in_order(values, single.parts)
        return Verdict(False, "structure", "another kind of answer")
    if len(one.parts) != len(other.parts):
        return Verdict(False, "structure", "another number of parts")
    if len(one.parts) > MOST_PARTS:
        return compare_in_order(one.parts, other.parts)
    return all_equal(compare_with_any(part, rest) for rest in [list(other.parts)] for part in one.parts)


def compare_with_any(part: Part, rest: list[Part]) -> Verdict:
    """The verdict on a part and whichever of the rest it equals, which is removed."""
    verdict = Verdict(False, "structure", "no counterpart")
    for place, candidate in enumerate(rest):
        found = compare_parts(part, candidate)
        if found.equal:
            del rest[place]
            return found
        if found.equal is None:
            verdict = found
    return verdict


def assigned(collection: Collection) -> tuple[Part, ...]:
    """The values of `x = 1, y = 2`, if its names stand in alphabetical order; else none."""
    pairs = [solved(part) for part in collection.parts if isinstance(part, Relation)]
    names = [pair[0] or "" for pair in pairs if pair]
    if len(names) < len(collection.parts) or any(first >= second for first, second in pairwise(names)):
        return ()
    return tuple(pair[1] for pair in pairs if pair)


def compare_relations(one: Part, other: Part) -> Verdict:
    """The verdict where one side at least is a relation: by what it is solved for, else as equations."""
    first = solved(one) if isinstance(one, Relation) else (None, one)
    second = solved(other) if isinstance(other, Relation) else (None, other)
    named_apart = first and second and first[0] and second[0] and first[0] != second[0]
    if first and second and not named_apart:
        return compare_parts(first[1], second[1])
    if isinstance(one, Relation) and isinstance(other, Relation):
        verdict = compare_unsolved(one, other)
        return Verdict(False, "structure", "another name") if named_apart and not verdict.equal else verdict
    return Verdict(False, "structure", "an equation against a value")


def compare_unsolved(one: Relation, other: Relation) -> Verdict:
    """Equations and inequalities are the same if their two sides differ by the same, but for a constant factor."""
    kinds = {oriented(relation)[0] for relation in (one, other)}
    if len(kinds) > 1 or max(len(one.sides), len(other.sides)) > 2:
        return Verdict(False, "structure", "another relation")
    try:
        differences = [values(read_expression(oriented(relation)[1])) for relation in (one, other)]
    except Unreadable:
        return Verdict(None, "none", "not an equation that can be read")
    ratios = [divide(first, second) for first, second in zip(*differences, strict=False) if first and second]
    proportional = len(ratios) > 1 and all(same(ratio, ratios[0]) for ratio in ratios)
    if proportional and (kinds <= {"=", "\\ne"} or ratios[0] > 0):
        return Verdict(True, "structure")
    return Verdict(False, "structure", "another relation")


def oriented(relation: Relation) -> tuple[str, str]:
    """The relation's sign, turned to `<` or `\\le`, and the difference of its sides."""
    left, right, sign = relation.sides[0], relation.sides[1], relation.signs[0]
    if sign in (">", "\\ge"):
        left, right, sign = right, left, FLIPPED[sign]
    return sign, f"({left})-({right})"
