"""Compare two bare answers by the rules that run in the caller's thread: cheap, bounded, and enough for nearly all.

Order matters in a tuple and an interval, whose brackets must match, and in a matrix; it does not in a set, a list or a
union. Each rule answers equal, different, or not to be told; a whole is different as soon as one of its parts is.
"""

import re
import threading
from collections.abc import Iterable

from personamath.answers.leaf import Leaf, compare_leaves
from personamath.answers.normal_form import LONGEST, normal_form
from personamath.answers.parts import Collection, Group, Matrix, Part, Relation
from personamath.answers.rational import rational
from personamath.answers.relations import NAMED, Solved, compare_unsolved, solved, with_argument_of
from personamath.answers.structure import read
from personamath.answers.symbolic import is_asked
from personamath.answers.verdict import Verdict

CHOICE = re.compile(r"\(?([A-Z])\)?")
LABELLED_CHOICE = re.compile(r"(?:\\text\{)?(?:\(([A-Z])\)|([A-Z])[.:)])\}?(.+)")
NO_CONTENT = re.compile(
    r" *(?:[-+*/^_!=<>|,;&:°']|\\(?:cup|cap|in|le|ge|ne|approx)(?![A-Za-z])|(?:\\text\{)? *(?:and|or|not) |[A-Z]$)"
    r"|.*(?:\([A-Z]\)|(?<![A-Za-z\\])[A-Z][.:)])"
)
"""What follows a letter but not as what it stands for: an operator, or another choice."""

MOST_PARTS = 60
"""Parts up to which a collection is matched in any order; larger ones must be in the same."""

MOST_COMPARISONS = 4_000
"""Pairs of parts that one comparison looks at: every order of 60 numbers, but not every order at every level."""

IN_ONE_PART = " in one part"
"""Follows why two parts differ, once, however deep these are."""

_local = threading.local()


class TooManyParts(Exception):
    """More pairs of parts than `MOST_COMPARISONS`."""


def compare(reference: str, answer: str) -> Verdict:
    """Return the verdict of the cheap rules; its `equal` is None if only symbolic algebra could tell."""
    reference, answer = reference.strip(), answer.strip()
    if reference == answer:
        return Verdict(True, "exact")
    number, other_number = rational(reference), rational(answer)
    if number is not None and other_number is not None:
        equal = number == other_number
        return Verdict(equal, "rational", None if equal else "another number")
    if max(len(reference), len(answer)) > LONGEST:
        return Verdict(False, "none", "too long to be read")
    one, other = normal_form(reference), normal_form(answer)
    if not one or not other:
        return Verdict(False, "none", "nothing to compare")
    if one == other:
        return Verdict(True, "exact")
    _local.left = MOST_COMPARISONS
    try:
        verdict = compare_choices(one, other) or compare_readings(one, other)
    except TooManyParts:
        return Verdict(False, "none", "too many parts to compare")
    if verdict.equal is None and not is_asked(one, other):
        return Verdict(False, "none", verdict.why)
    return verdict


def compare_choices(one: str, other: str) -> Verdict | None:
    """The verdict on `C` against `(C) 12`: a letter, and a letter with what it stands for; None on all else."""
    for letter, labelled in ((one, other), (other, one)):
        if (choice := CHOICE.fullmatch(letter)) and (label := LABELLED_CHOICE.fullmatch(labelled)):
            if NO_CONTENT.match(label[3]):
                return None
            equal = choice[1] == (label[1] or label[2])
            return Verdict(equal, "exact", None if equal else "another choice")
    return None


def compare_readings(one: str, other: str) -> Verdict:
    """The verdict on normal forms; `100,200` is a number first, and a list where the other side is a list."""
    first, second = read(one), read(other)
    verdict = compare_parts(first, second)
    if not verdict.equal and is_number(first) != is_number(second):
        again = compare_parts(read(one, joined=False), read(other, joined=False))
        return again if again.equal else verdict
    return verdict


def is_number(part: Part) -> bool:
    """Whether a part is one exact number."""
    return isinstance(part, Leaf) and part.number is not None


def compare_parts(one: Part, other: Part) -> Verdict:
    """The verdict on two answers in parts; raises TooManyParts if `compare` has looked at too many."""
    _local.left -= 1
    if _local.left < 0:
        raise TooManyParts
    if isinstance(one, Relation) or isinstance(other, Relation):
        return compare_relations(one, other)
    if isinstance(one, Leaf) and isinstance(other, Leaf):
        return compare_leaves(one, other)
    if isinstance(one, Collection) and isinstance(other, Collection):
        return compare_collections(in_tuples(one), in_tuples(other))
    if isinstance(one, Collection):
        return compare_with_collection(other, one)
    if isinstance(other, Collection):
        return compare_with_collection(one, other)
    if isinstance(one, Group) and isinstance(other, Group):
        if one.brackets != other.brackets:
            return Verdict(False, "structure", "other brackets")
        return compare_in_order(one.parts, other.parts)
    if isinstance(one, Matrix) and isinstance(other, Matrix):
        return compare_in_order(one.rows, other.rows)
    return of_other_kinds(one, other)


def of_other_kinds(one: Part, other: Part) -> Verdict:
    """The verdict on two kinds of parts: different, unless one is a leaf that cannot be read and may be of any kind."""
    if any(isinstance(part, Leaf) and not part.only_words and part.values is None for part in (one, other)):
        return Verdict(None, "none", "not an expression that can be read")
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
            why = verdict.why or ""
            return Verdict(False, "structure", why if why.endswith(IN_ONE_PART) else why + IN_ONE_PART)
        if verdict.equal is None:
            still_open = verdict
    return still_open or Verdict(True, "structure")


def compare_collections(one: Collection, other: Collection) -> Verdict:
    """The verdict on parts in any order."""
    if (one.is_set and other.is_union) or (one.is_union and other.is_set):
        return Verdict(False, "structure", "a set of intervals against their union")
    if len(one.parts) != len(other.parts):
        return Verdict(False, "structure", "another number of parts")
    if (assigned := values_of_names(one, in_alphabet=False)) and not any_named(other):
        return compare_in_order(assigned, other.parts)
    if (assigned := values_of_names(other, in_alphabet=False)) and not any_named(one):
        return compare_in_order(one.parts, assigned)
    if len(one.parts) > MOST_PARTS:
        return compare_in_order(one.parts, other.parts)
    unmatched, rest = [], list(other.parts)
    for part in one.parts:
        place = next((place for place, candidate in enumerate(rest) if compare_parts(part, candidate).equal), None)
        if place is None:
            unmatched.append(part)
        else:
            del rest[place]
    if not unmatched:
        return Verdict(True, "structure")
    verdicts = [[compare_parts(part, candidate) for candidate in rest] for part in unmatched]
    for alternatives in (*verdicts, *zip(*verdicts, strict=True)):
        if all(verdict.equal is False for verdict in alternatives):
            return Verdict(False, "structure", "no counterpart of one part")
    return Verdict(None, "none", "not all parts can be read")


def compare_with_collection(part: Part, collection: Collection) -> Verdict:
    """The verdict on a part and a collection: its only member, or `x = 1, y = 2` against the tuple of the values."""
    if len(collection.parts) == 1 and not (isinstance(part, Group) and part.brackets != "()"):
        return compare_parts(part, collection.parts[0])
    if isinstance(part, Leaf) and is_said_twice(part, collection):
        return Verdict(True, "structure")
    assigned = values_of_names(collection)
    if assigned and isinstance(part, Group) and part.brackets == "()":
        return compare_in_order(part.parts, assigned)
    return of_other_kinds(part, collection)


def is_said_twice(leaf: Leaf, collection: Collection) -> bool:
    r"""Whether a list of two is one value in two spellings, the leaf's: `\frac12 \text{ or } 0.5`."""
    leaves = [member for member in collection.parts if isinstance(member, Leaf)]
    if len(collection.parts) != 2 or len({member.text for member in leaves}) != 2:
        return False
    return all(compare_leaves(leaf, member).equal for member in leaves)


def values_of_names(collection: Collection, in_alphabet: bool = True) -> tuple[Part, ...]:
    """The values of `y = 2, x = 1`, of the names in alphabetical order or as written; none unless all names differ."""
    pairs = [pair for part in collection.parts if isinstance(part, Relation) and (pair := solved(part)) and pair.name]
    if len(pairs) < len(collection.parts) or len({pair.name for pair in pairs}) < max(len(pairs), 2):
        return ()
    if in_alphabet:
        pairs.sort(key=lambda pair: pair.name or "")
    return tuple(pair.value for pair in pairs)


def any_named(collection: Collection) -> bool:
    """Whether a part is a relation."""
    return any(isinstance(part, Relation) for part in collection.parts)


def in_tuples(collection: Collection) -> Collection:
    """`p = 5, q = 2, p = 7, q = 2` as two solutions with a value for each name; all else as it is."""
    parts = collection.parts
    if len(parts) < MOST_PARTS and all(isinstance(part, Relation) and NAMED.fullmatch(part.sides[0]) for part in parts):
        names = [part.sides[0] for part in parts if isinstance(part, Relation)]
        size = len(set(names))
        if 1 < size < len(names) and names == names[:size] * (len(names) // size):
            return Collection(tuple(Collection(parts[start : start + size]) for start in range(0, len(parts), size)))
    return collection


def compare_relations(one: Part, other: Part) -> Verdict:
    """The verdict where one side at least is a relation: by what it is solved for, else as equations."""
    if isinstance(one, Relation) and isinstance(other, Relation):
        one = with_argument_of(one, other)
    first = solved(one) if isinstance(one, Relation) else Solved(None, one)
    second = solved(other) if isinstance(other, Relation) else Solved(None, other)
    of_two_names = first and second and first.name and second.name and first.name != second.name
    if first and second and not of_two_names:
        return compare_parts(first.value, second.value)
    if isinstance(one, Relation) and isinstance(other, Relation):
        verdict = compare_unsolved(one, other)
        return Verdict(False, "structure", "another name") if of_two_names and not verdict.equal else verdict
    return Verdict(False, "structure", "an equation against a value")
