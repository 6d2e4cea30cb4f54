r"""The parts of an answer: tuples, intervals, sets, lists, unions, matrices, equations and inequalities.

Reading goes from the outside in: first the items of a list, then the parts of a union, the sides of a relation, what
stands between brackets, and at last the leaves, which have no parts.
"""

import math
import operator
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from personamath.answers.leaf import Leaf
from personamath.answers.parts import Collection, Group, Matrix, Part, Relation, interval
from personamath.answers.quantities import quantity_of, time_of
from personamath.answers.rational import rational
from personamath.answers.sets import Cells, combined

DEEPEST = 8
"""Levels of structure that are read; what is nested deeper is one leaf."""

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
OPENING = frozenset(["(", "[", "{", "\\{", "\\begin"])
CLOSING = frozenset([")", "]", "}", "\\}", "\\end"])
RELATIONS = frozenset(["=", "\\in", "<", ">", "\\le", "\\ge", "\\ne", "\\approx"])

MATRIX = re.compile(
    r"(.*?)[(\[]?\\begin\{([pbB]?(?:small)?matrix|array)\}(?:\{[clr|]*\})?((?:(?!\\begin).)*)\\end\{\2\}[)\]]?"
)
REALS = re.compile(r"\\mathbb\{R\}(?:(?:\\setminus|-)\\\{(.+)\\\})?")
TRANSPOSED = re.compile(r"(.+)\^T")
ENVIRONMENT = re.compile(
    r"(?:\\\{)?\\begin\{(d?r?cases|(?:align|gather|eqnarray)(?:ed|\*)?|split|array|matrix)\}(?:\{[clr|@ ]*\})?"
    r"((?:(?!\\begin|\\end).)*)\\end\{\1\}(?:\\\})?"
)
"""Rows in a brace, or one below another; an array is meant where a brace opens it."""
CONDITION = re.compile(r"[, ]*\\text\{,? ?(?:if|for|when|where|as|provided(?: that)?)[ :]*([^{}]*)\}")
CONGRUENCE = re.compile(r"(.+?)\\equiv(.+?)(?:\\text\{ ?)?\(? ?\\?[bp]?mod ?\}? ?\{?(\w+)\}?\)?\}?")
MEMBER = re.compile(r"([A-Za-z]|\\[a-z]+ ?)(?:\\in(.+))?")
BOUND = re.compile(r"([A-Za-z])\\in")
INTEGERS = re.compile(r"\\mathbb ?\{?[ZN]\}?(?:[_^]\{?\+\}?)?")
ELSE = re.compile(r"\b(?:else|elsewhere)\b")
WORD_OF_CONDITION = re.compile(r"^(?:if|for|when) ")
OPERATIONS: dict[str, Callable[[Cells, Cells], Cells]] = {
    "\\cup": operator.or_,
    "\\cap": operator.and_,
    "\\setminus": operator.sub,
}
"""Operations on sets, those first that bind least."""
MOST_INTEGERS = 60
"""Integers of a set that is read as the list of them."""
UNEQUAL = re.compile(r"([A-Za-z]|\\[a-z]+)\\ne(.+)")
PLUS_OR_MINUS = re.compile(r"\\(?:(p)m|mp)(?![A-Za-z])")
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
    if item.startswith("\\{") or not PLUS_OR_MINUS.search(item):
        return [item]
    upper = PLUS_OR_MINUS.sub(lambda sign: "+" if sign[1] == "p" else "-", item)
    lower = PLUS_OR_MINUS.sub(lambda sign: "-" if sign[1] == "p" else "+", item)
    return [upper, lower]


def read(text: str, joined: bool = True, depth: int = 0) -> Part:
    """The parts of an answer in normal form."""
    if "\\equiv" in text and "," in text and (match := CONGRUENCE.fullmatch(text)) and "\\equiv" not in match[2]:
        return Collection(tuple(read_congruence(match[1].strip(), rest, match[3]) for rest in items(match[2], joined)))
    found = [value for item in items(text, joined) for value in both_signs(item)]
    if len(found) == 1 or depth > DEEPEST or quantity_of(text):
        return read_item(text, depth)
    if found and (holes := holes_of(found)):
        return Relation((found[0].partition("\\ne")[0].strip(), ",".join(holes)), ("\\ne",))
    return Collection(tuple(read_member(item, depth) for item in found))


def holes_of(found: list[str]) -> list[str]:
    r"""The values that `x \ne 0, x \ne 1` and `x \ne 0, 1` leave out; none where the items say more."""
    if not (first := UNEQUAL.fullmatch(found[0])):
        return []
    others = [UNEQUAL.fullmatch(item) for item in found[1:]]
    if any(other and other[1] != first[1] for other in others):
        return []
    holes = [
        first[2].strip(),
        *(other[2].strip() if other else item for other, item in zip(others, found[1:], strict=True)),
    ]
    return [] if any(sign in hole for hole in holes for sign in RELATIONS) else holes


def read_member(text: str, depth: int) -> Part:
    """The parts of one of several; a set among them is not the same as its members."""
    part = read_item(text, depth)
    is_set = text == "\\emptyset" or (text.startswith("\\{") and closes_at_end(text))
    return Group("{}", (part,)) if is_set else part


def read_item(text: str, depth: int) -> Part:
    """The parts of one item of a list."""
    if depth > DEEPEST:
        return Leaf(text)
    if "\\" in text and (part := read_construct(text, depth)):
        return part
    if len(pieces := split(text, RELATIONS)) > 1:
        return Relation(tuple(side.strip() for _, side in pieces), tuple(sign for sign, _ in pieces[1:]))
    if text[:1] in ("(", "[") and closes_at_end(text):
        if len(inside := items(text[1:-1], joined=False)) > 1:
            return Group(text[0] + text[-1], tuple(read_member(item, depth + 1) for item in inside))
        if "\\cup" in text or "\\cap" in text:
            return read_item(text[1:-1], depth + 1)
    if "^" in text and (match := TRANSPOSED.fullmatch(text)) and (part := transposed(read_item(match[1], depth + 1))):
        return part
    return ratio_of(text) or Leaf(text)


def read_construct(text: str, depth: int) -> Part | None:
    """The parts of what is written with commands: a union, a system, a congruence, a matrix, a set."""
    if "\\begin" in text and (match := ENVIRONMENT.fullmatch(text)) and is_lines(match[1], match[2], text):
        return read_rows(match[1], match[2], depth)
    if part := read_operation(text, depth):
        return part
    if "\\equiv" in text and (match := CONGRUENCE.fullmatch(text)):
        return read_congruence(match[1].strip(), match[2].strip(), match[3])
    if "\\begin" in text and (match := MATRIX.fullmatch(text)) and is_factor(match[1]):
        return read_matrix(match[1], match[3], depth)
    if text.startswith("\\{") and closes_at_end(text):
        return read_set(text[2:-2], depth)
    if match := REALS.fullmatch(text):
        return reals_without(items(match[1] or "", joined=False))
    return None


def is_lines(environment: str, body: str, text: str) -> bool:
    """Whether an environment holds lines, not a matrix: an array does after a brace, or if each is a relation."""
    if environment not in ("array", "matrix") or text.startswith("\\{"):
        return True
    rows = [row for _, row in split(body, frozenset(["\\\\"])) if row.strip()]
    return all("&" not in row and len(split(row, RELATIONS)) > 1 for row in rows)


def read_operation(text: str, depth: int) -> Part | None:
    """A union, an intersection or a difference of sets, computed where they are of real numbers."""
    for sign, operation in OPERATIONS.items():
        if sign not in text or (sign == "\\setminus" and REALS.fullmatch(text)):
            continue
        pieces = [piece.strip() for _, piece in split(text, frozenset([sign]))]
        if len(pieces) == 1 or not all(pieces) or len(split(text, RELATIONS)) > 1:
            continue
        parts = [read_item(piece, depth + 1) for piece in pieces]
        computed = combined(operation, parts)
        return computed or (union_of(parts) if sign == "\\cup" else Leaf(text))
    return None


def union_of(parts: list[Part]) -> Collection:
    """A union that cannot be computed; of finite sets, that of their members."""
    if not all(isinstance(part, Collection) for part in parts):
        return Collection(tuple(parts), is_union=True)
    members = {getattr(member, "text", id(member)): member for part in parts for member in getattr(part, "parts", ())}
    return Collection(tuple(members.values()))


def ratio_of(text: str) -> Part | None:
    """A ratio of three or more, each divided by the first."""
    pieces = [piece.strip() for _, piece in split(text, frozenset(":"))] if text.count(":") > 1 else []
    if len(pieces) < 3 or not all(pieces) or time_of(text):
        return None
    return Group("::", tuple(Leaf(f"({piece})/({pieces[0]})") for piece in pieces))


def read_congruence(text: str, rest: str, modulus: str) -> Part:
    """A congruence: what is congruent, the remainder, and the modulus."""
    number = rational(rest)
    if number is not None and modulus.isdecimal() and int(modulus) and number.denominator == 1:
        rest = str(int(number) % int(modulus))
    return Group("mod", (Leaf(text), Leaf(rest), Leaf(modulus)))


def read_rows(environment: str, body: str, depth: int) -> Part:
    """A function in cases, as pairs of a value and its condition; a system, as the list of its equations."""
    rows = [row.strip() for _, row in split(body, frozenset(["\\\\"])) if row.strip(" &,;")]
    if environment.endswith("cases") or environment in ("array", "matrix"):
        cases = [case_of(row) for row in rows]
        if all(cases):
            return Collection(
                tuple(Group("cases", (read(value, depth=depth + 1), read(condition, depth=depth + 1)))
                      for value, condition in filter(None, cases))
            )  # fmt: skip
    lines: list[str] = []
    for row in (row.replace("&", "").strip(" ,;") for row in rows):
        if lines and row.startswith(("=", "\\approx")):
            lines[-1] += row  # a calculation that goes on
        else:
            lines.append(row)
    found = tuple(read_item(line, depth + 1) for line in lines)
    return found[0] if len(found) == 1 else Collection(found)


def case_of(row: str) -> tuple[str, str] | None:
    r"""The value and the condition of a row of cases, as `x + 1, & x > 0` and `x + 1 \text{ if } x > 0`; or None."""
    cells = [cell.strip(" ,;") for _, cell in split(row, frozenset("&"))]
    if len(cells) > 2 or (len(cells) == 2 and cells[1].startswith(tuple(RELATIONS))):
        return None
    if len(cells) == 1:
        if match := CONDITION.search(row):
            cells = [row[: match.start()], row[match.start() :]]
        else:
            before, _, after = row.rpartition(",")
            if len(split(before, RELATIONS)) > 1 or len(split(after, RELATIONS)) == 1:
                return None
            cells = [before, after]
    value, condition = (cell.strip(" ,;.") for cell in cells)
    if match := CONDITION.match(condition):
        condition = f"{match[1]} {condition[match.end() :]}".strip()
    condition = WORD_OF_CONDITION.sub("", condition).replace("\\text{is ", "\\text{").replace(" is ", " ")
    condition = ELSE.sub("otherwise", condition)
    if len(split(condition, RELATIONS)) == 1:
        condition = f"\\text{{if}}{condition}"  # words, and no unit among them
    return (value, condition) if value and condition else None


def transposed(part: Part) -> Matrix | None:
    """The transpose of a row vector in parentheses, or of a matrix."""
    if isinstance(part, Group) and part.brackets in ("()", "[]"):
        return Matrix(tuple(Group("()", (entry,)) for entry in part.parts))
    if isinstance(part, Matrix) and len({len(row.parts) for row in part.rows}) == 1:
        return Matrix(tuple(Group("()", column) for column in zip(*(row.parts for row in part.rows), strict=True)))
    return None


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


def read_matrix(factor: str, body: str, depth: int) -> Part:
    """A matrix of entries, each multiplied by the factor in front; a matrix of one entry is that entry."""
    rows = [row for _, row in split(body, frozenset(["\\\\"])) if row.strip()]
    entries = [[entry.strip() for _, entry in split(row, frozenset(["&"]))] for row in rows]
    scaled = [[f"{factor}({entry})" if factor else entry for entry in row] for row in entries]
    if [len(row) for row in scaled] == [1]:
        return read_item(scaled[0][0], depth + 1)
    return Matrix(tuple(Group("()", tuple(read_item(entry, depth + 1) for entry in row)) for row in scaled))


def read_set(inside: str, depth: int) -> Part:
    r"""A set by its members, or by the condition after `x |` or `x :`."""
    pieces = [piece.strip() for _, piece in split(inside, frozenset("|:"))]
    if len(pieces) == 2 and any(sign in pieces[1] for sign in RELATIONS):
        return read_condition(pieces[0], pieces[1], depth + 1)
    members = [value for item in items(inside, joined=False) for value in both_signs(item)]
    return Collection(tuple(read_member(member, depth + 1) for member in members), is_set=True)


def read_condition(member: str, condition: str, depth: int) -> Part:
    r"""The set of all members for which a condition holds: `\{x \in \mathbb{Z} : x > 2\}`.

    A condition on real numbers is the set itself. The name of a member is free.
    """
    if not (match := MEMBER.fullmatch(member)):
        if (bound := BOUND.match(condition)) and "n" not in member:
            member, condition = (
                re.sub(rf"(?<![A-Za-z\\]){bound[1]}(?![A-Za-z])", "n", text) for text in (member, condition)
            )
        return Group("{:}", (read_item(member, depth), read(condition, depth=depth)))
    name, domain = match[1].strip(), (match[2] or "").strip()
    said = items(condition, joined=False)
    domains = [item.removeprefix(f"{name}\\in") for item in said if item.startswith(f"{name}\\in\\mathbb")]
    if not domain and domains and len(said) > 1:
        domain = domains[0]
        said = [item for item in said if not item.startswith(f"{name}\\in\\mathbb")]
    condition = ",".join(said)
    if INTEGERS.fullmatch(domain) and (listed := integers_between(name, condition, domain)):
        return listed
    if len(name) == 1 and name != "x" and not re.search(r"(?<![A-Za-z\\])x(?![A-Za-z])", condition):
        condition = re.sub(rf"(?<![A-Za-z\\]){name}(?![A-Za-z])", "x", condition)
    found = read(condition, depth=depth)
    return found if domain in ("", "\\mathbb{R}") else Group("{:}", (Leaf(domain), found))


def integers_between(name: str, condition: str, domain: str) -> Collection | None:
    r"""The integers of `1 \le x < 4`, if they are not many."""
    pieces = split(condition, RELATIONS)
    signs = [sign for sign, _ in pieces[1:]]
    if len(pieces) != 3 or pieces[1][1].strip() != name or not set(signs) <= {"<", "\\le"}:
        return None
    low, high = rational(pieces[0][1].strip()), rational(pieces[2][1].strip())
    if low is None or high is None or not 0 < high - low < MOST_INTEGERS or ("N" in domain and low < 0):
        return None
    first = math.floor(low) + 1 if signs[0] == "<" else math.ceil(low)
    last = math.ceil(high) - 1 if signs[1] == "<" else math.floor(high)
    if first == 0 and "N" in domain:
        return None  # who knows whether 0 is a natural number
    return Collection(tuple(Leaf(str(number)) for number in range(first, last + 1)))


def reals_without(holes: list[str]) -> Part:
    """All real numbers but a few, as the intervals between them; several must be exact numbers, to be put in order."""
    numbers = {hole: number for hole in holes if (number := Leaf(hole).number) is not None}
    if len(holes) > 1 and len(numbers) < len(holes):
        return Leaf(rf"\mathbb{{R}} \setminus \{{{','.join(holes)}\}}")
    bounds = [r"-\infty", *sorted(holes, key=lambda hole: numbers.get(hole, Fraction(0))), r"\infty"]
    rays = tuple(interval("(", low, high, ")") for low, high in pairwise(bounds))
    return rays[0] if len(rays) == 1 else Collection(rays)
