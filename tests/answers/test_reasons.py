"""Which rule decides, and why two answers differ: `Grade.rule` and `Grade.why`."""

import pytest

from personamath.answers import grade
from personamath.answers.equivalence import MOST_PARTS


def many(member: str) -> str:
    """A set with as many members as are compared in any order."""
    return rf"\{{{','.join([member] * MOST_PARTS)}\}}"


DECIDED: list[tuple[str, str, str, str | None]] = [
    # The two answers, the rule that decides, and why they are not equal
    (r"\dfrac12", r"\frac{1}{2}", "exact", None), ("C", "(C) 12", "exact", None),
    ("C", "(D) 12", "exact", "another choice"),
    (r"\text{Monday}", "monday.", "exact", None), (r"\text{Monday}", "Tuesday", "exact", "other words"),
    (r"\frac{1}{12}\text{ for even }n", r"\frac1{12}\text{ for even }n", "exact", None),
    ("4:30 p.m.", "16:30", "exact", None), ("4:30 p.m.", "4:30 a.m.", "exact", "another time"),
    ("1:05", "1:5", "exact", "another time"),
    ("1 hour 30 minutes", "90 minutes", "rational", None), (r"50\%", "0.5", "rational", None),
    ("12 cm", "5 cm", "rational", "another number"), ("12 cm", "12 m", "structure", "another unit"),
    ("3 million", "3", "structure", "another unit"),
    (r"\{1,2\}", "2,1", "structure", None), ("(1,2)", "(1,3)", "structure", "another number in one part"),
    ("(1,2)", "(1,2,3)", "structure", "another number of parts"),
    ("1,2", "1,2,3", "structure", "another number of parts"),
    ("1,2", "1,3", "structure", "no counterpart of one part"),
    ("?,3", "2,1", "structure", "no counterpart of one part"),
    (r"\{[1,2],[3,4]\}", r"[1,2]\cup[3,4]", "structure", "a set of intervals against their union"),
    ("Monday", "(1,2)", "structure", "another kind of answer"), ("(1,2)", "5", "structure", "another kind of answer"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 3 \end{pmatrix}", "structure",
     "another number in one part"),
    (r"\frac12\text{ or }0.5", "0.5", "structure", None), ("x=1, y=2", "(1,2)", "structure", None),
    ("x=5", "y=5", "structure", "another name"), ("x+y=1", "1", "structure", "an equation against a value"),
    ("x+y=1", "x+y=2", "structure", "another relation"), ("2a<b<3c", "2a<3c<b", "structure", "another relation"),
    ("2a<3b<4c", r"2a\le 3b<4c", "structure", "another relation"),
    ("x+y<1", r"x+y\le 1", "structure", "another relation"),
    ("2a<b<3c", "3c>b>2a", "structure", None), ("x+y=1", "2x+2y=2", "structure", None),
    ("x+1", "1+x", "numeric", None), ("x+1", "x-1", "numeric", "another value"),
    (r"\frac{1}{0}", "x", "numeric", "no value that can be compared"),
    ("0", ".", "none", "nothing to compare"), ("x" * 1_001, "5", "none", "too long to be read"),
    ("1, ?", "1, 2", "none", "not all parts can be read"),
    ("x+?=1", "x+y=1", "none", "not an equation that can be read"),
    ("(1, ?)", "(1, 2)", "none", "not an expression that can be read"),
    ("?", "(1, 2)", "none", "not an expression that can be read"),
    (many(r"\{x,2\}"), many(r"\{y,2\}"), "none", "too many parts to compare"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "rule", "why"), DECIDED)
def test_each_rule_says_why_two_answers_differ(one: str, other: str, rule: str, why: str | None) -> None:
    for reference, answer in ((one, other), (other, one)):
        verdict = grade(reference, rf"\boxed{{{answer}}}")
        assert (verdict.correct, verdict.rule, verdict.why) == (why is None, rule, why)
