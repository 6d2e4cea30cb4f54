"""Two bare answers, compared by the rules that run in the caller's thread: cheap, bounded, and enough for nearly all."""

import re

from personamath.answers.normal_form import LONGEST, normal_form
from personamath.answers.rational import rational
from personamath.answers.structure import Leaf, Part, compare_parts, read
from personamath.answers.symbolic import is_bounded
from personamath.answers.verdict import Verdict

CHOICE = re.compile(r"\(?([A-Z])\)?")
LABELLED_CHOICE = re.compile(r"(?:\\text\{)?(?:\(([A-Z])\)|([A-Z])[.:)])\}?(?!$).*", re.DOTALL)


def compare(reference: str, answer: str) -> Verdict:
    """The verdict of the cheap rules; its `equal` is None where only symbolic algebra could tell."""
    if reference.strip() == answer.strip():
        return Verdict(True, "exact")
    numbers = rational(reference.strip()), rational(answer.strip())
    if None not in numbers:
        equal = numbers[0] == numbers[1]
        return Verdict(equal, "rational", None if equal else "another number")
    if max(len(reference), len(answer)) > LONGEST:
        return Verdict(False, "none", "too long to be read")
    one, other = normal_form(reference), normal_form(answer)
    if not one or not other:
        return Verdict(False, "none", "nothing to compare")
    if one == other:
        return Verdict(True, "exact")
    verdict = same_choice(one, other) or compare_readings(one, other)
    if verdict.equal is None and not ("\\" in one + other and is_bounded(one) and is_bounded(other)):
        return Verdict(False, "none", verdict.why)
    return verdict


def same_choice(one: str, other: str) -> Verdict | None:
    """The verdict on `C` against `(C) 12`, where one side is a letter and the other a letter with what it stands for."""
    for letter, labelled in ((one, other), (other, one)):
        if (choice := CHOICE.fullmatch(letter)) and (label := LABELLED_CHOICE.fullmatch(labelled)):
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
