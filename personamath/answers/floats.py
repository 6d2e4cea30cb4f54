"""Numbers that a program printed: floats that are as near to a reference answer as computing with floats comes."""

import re

from personamath.answers.leaf import Leaf
from personamath.answers.normal_form import LONGEST, normal_form

TOLERANCE = 1e-6
"""Relative. Floats have 16 digits, of which sums and roots lose a few; MAmmoTH accepts 4 %, which takes 24 for 25."""
FLOAT = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d{1,3})?")
"""How Python prints a float. An integer is exact, and is none."""


def is_float_of(reference: str, printed: str) -> bool:
    """Whether a float that a program printed is the value of a reference answer; false of all but floats."""
    if not FLOAT.fullmatch(printed) or len(reference) > LONGEST:
        return False
    leaf = Leaf(normal_form(reference))
    if leaf.number is not None:
        value = complex(leaf.number)
    elif leaf.is_constant and leaf.values and leaf.values[0] is not None:
        value = complex(leaf.values[0])
    else:
        return False
    return abs(float(printed) - value) <= TOLERANCE * abs(value)
