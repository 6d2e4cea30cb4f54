"""What comparing two answers can end in."""

from typing import Literal, NamedTuple

Rule = Literal["exact", "rational", "structure", "numeric", "symbolic", "none"]
"""What decided: the normal form, exact rationals, the parts of a tuple, set, interval or matrix, values of the two
expressions, math-verify; `none` where nothing could be compared."""


class Verdict(NamedTuple):
    """Whether two answers are equal, the rule that decided, and why they are not."""

    equal: bool | None
    """None: the rules so far cannot tell."""
    rule: Rule
    why: str | None = None
    """None exactly where the answers are equal."""
