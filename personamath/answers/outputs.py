"""A line that a program printed as its answer: read like a boxed answer, and a float as the value that it is near."""

import re

from personamath.answers.grading import grade
from personamath.answers.leaf import Leaf
from personamath.answers.normal_form import LONGEST, normal_form

TOLERANCE = 1e-6
"""Relative. Floats have 16 digits, of which sums and roots lose a few; MAmmoTH accepts 4 %, which takes 24 for 25."""
FLOAT = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d{1,3})?")
"""How Python prints a float. Integers do not match: they are exact."""


def is_right_output(reference: str, printed: str) -> bool:
    """Whether the line that a program printed as its answer is equivalent to a reference answer."""
    return is_float_of(reference, printed) or grade(reference, boxed_output(printed)).correct


def boxed_output(printed: str) -> str:
    """A printed answer as a completion that the grader reads."""
    return rf"\boxed{{{printed}}}"


def is_float_of(reference: str, printed: str) -> bool:
    """Whether a float that a program printed is the value of a reference answer; false of all but floats."""
    if not FLOAT.fullmatch(printed) or len(reference) > LONGEST:
        return False
    leaf = Leaf(normal_form(reference))
    exact = leaf.number if leaf.number is not None else leaf.values[0] if leaf.values and leaf.is_constant else None
    if exact is None:
        return False
    try:
        value = complex(exact)
        return abs(float(printed) - value) <= TOLERANCE * abs(value)
    except OverflowError:  # larger than floats are
        return False
