"""Whether a rewrite kept its problem: numbers and formulas in every spelling, and what planted corruptions show."""

import json
import random
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personamath.folder.flags import describe_drift, drift
from personamath.folder.numerals import numerals
from personamath.folder.tokens import NEEDS_RESPELLING, SPELLINGS, read
from tests.support.planted_rewrites import CORRUPTIONS, planted

# Rules were written looking at seeds 1 to 9; what is reported, in docs/analysis.md too, is another.
REPORTED_SEED = 2026
REPORTED_EACH = 200
SAMPLE = 1_000
"""Problems: a fault that one in 300 shows is found nineteen times in twenty."""

# A text and the numbers in it.
NUMBERS = r"""
12 = 12
1,234 = 1234
$1{,}234$ = 1234
2.50 = 5/2
.5 = 1/2
twelve = 12
twenty-five = 25
Twenty Five = 25
a hundred = 100
two hundred and five = 205
three thousand four hundred twelve = 3412
2 million = 2000000
one hundred and three hundred = 100 300
a dozen = 12
two dozen = 24
half a dozen = 6
3 dozen = 36
3/4 = 3/4
$\frac{3}{4}$ = 3/4
$\dfrac34$ = 3/4
three-quarters = 3/4
three fourths = 3/4
two thirds = 2/3
half of it = 1/2
½ cup = 1/2
one-half = 1/2
a third of them = 1/3
2 1/2 = 5/2
two and a half = 5/2
$2\frac12$ = 5/2
two and a half million = 2500000
50% = 1/2
$50\%$ = 1/2
50 percent = 1/2
fifty per cent = 1/2
12.5% = 1/8
$5 = 5
\$5.25 = 21/4
5 dollars and 25 cents = 21/4
50 cents = 1/2
a 75-cent pen = 3/4
twice = 2
doubled = 2
thrice = 3
5th = 5
twenty-first = 21
a 2-foot rule = 2
3/4/2020 = 3 4 2020
3:30 = 3 30
no numbers here =
"""


@pytest.mark.parametrize("line", NUMBERS.strip().splitlines())
def test_a_number_is_read_whatever_it_is_written_as(line: str) -> None:
    text, values = line.split("=")
    found = [numeral.values for numeral in numerals(read(text).tokens)]
    assert found == [frozenset([Fraction(value)]) for value in values.split()]


def test_a_word_of_two_meanings_has_both() -> None:
    (third,) = numerals(read("the third").tokens)
    assert third.values == {Fraction(3), Fraction(1, 3)}
    (second,) = numerals(read("a thirty-second break").tokens)
    assert second.values == {Fraction(30), Fraction(32)}


SOUND = [
    ("Tom has 12 eggs.", "Tom has a dozen eggs."),
    ("He pays $2.50 for 3 pens.", "Three pens cost 2 dollars and 50 cents."),
    ("Half of 40 is sold.", "Of forty, 50% are sold."),
    ("It takes 7 days.", "It takes a week."),
    ("She is twice as old.", "She is two times as old."),
    ("On March 5 at 3 p.m. it rains.", "At 3:00 PM on the 5th of March it rains."),
    ("What is $x^2+3x$?", r"As a baker, compute \(x^{2} + 3 x\)."),
    (r"Find $\frac{1}{2}+x$.", r"Find \[\dfrac12 + x.\]"),
    (r"If $a\le b$ and $a \cdot b=6$, find $a$.", r"Find $a$ if $a \leq b$ and $a b = 6$."),
    (r"The angle is $90^\circ$.", "The angle is 90 degrees."),
    (r"Triangle $ABC$ has $AB = 5$.", r"In $\triangle ABC$, $AB=5$."),
    (r"Find $\sqrt{x}$.", "Find the square root of $x$."),
    ("He buys 3 of 5.", "Of five he buys three, both his friends watch, and one of them, the second, laughs."),
    ("The first of 9 days.", "The 1st of nine days."),
    (r"$x=3$ and $y=4$.", "$x=3, y=4$."),
    ("See.[asy]draw((0,0)--(1,2));[/asy]", "Look: [asy]\ndraw( (0,0) -- (1,2) );\n[/asy]"),
    ("It costs $5 or $6, he says.", "He says it costs $6 or $5."),
    ("He buys a hat for $10 and saves $x$ dollars.", r"A hat costs \$10; \(x\) dollars are saved."),
    ("What is $A-O+P$?", r"As an engineer, what is \( A - O + P \)?"),
    ("If $x^2 + y^2 = 25$ and $x > 0$, find $x$.", "Given a positive x with x² + y² = 25, find $x$."),
    (r"Find $\dbinom{8}{4} + |y|$.", r"Find \(\binom{8}{4} + \lvert y \rvert\)."),
    (r"Sum $1, 2, \ldots, 9$ of $\angle A = 60^\circ$.", r"Sum $1,2,\dots,9$ of angle $A = 60^{\circ}$."),
    (
        r"$\text{if } x > 2$ and $\begin{cases} a & b \end{cases}$",
        r"\( \text{if } x > 2 \), \(\begin{cases} a, & b \end{cases}\)",
    ),
    ("If $a=2, b=3$, add.", "If $a=2$ and $b=3$, add."),
    ("A half-dozen eggs in a two-hour film", "6 eggs in a 2 hour film"),
    ("He walks 3 miles.", "A WWII veteran of 1944 walks 3 miles."),
]
"""Rewrites that say the same, the last for a persona from 1944."""


@pytest.mark.parametrize(("seed_problem", "problem"), SOUND)
def test_a_rewrite_that_says_the_same_has_no_flag(seed_problem: str, problem: str) -> None:
    assert describe_drift(seed_problem, problem, "A veteran who landed in 1944") is None


ASTRAY = [
    ("Tom has 12 eggs.", "Tom has 15 eggs.", "missing 12; new 15"),
    ("Tom has twelve eggs and 3 hens.", "Tom has eggs and 3 hens.", "missing twelve"),
    ("Tom has eggs.", "Tom has eggs. He finds 4 more.", "new 4"),
    ("He sells 20% of them.", "He sells 20 of them.", "missing 20 %; new 20"),
    ("It costs 50 cents.", "It costs 50 dollars.", "missing 50 cents; new 50"),
    ("It costs $2.50.", "It costs $250.", "missing 2.50; new 250"),
    ("Half are red.", "A third of them are red.", "missing half; new a third"),
    ("3 cats and 5 dogs.", "5 cats and 3 dogs.", "changed 3 for 5"),
    ("2 of 7, then 7 more.", "2 of 7, then 2 more.", "changed 7 2 times"),
    ("What is $x^2+3x$?", "What is $x^2-3x$?", "changed x ^ 2 + 3 x"),
    ("What is $x^2+3x$?", "What is $x+3x$?", "missing 2; changed x ^ 2 + 3 x"),
    ("Find $x<3$.", "Find $x>3$.", "changed x < 3"),
    ("If $x^2=4$, is $x^2=4$?", "If $x^2=4$, is $x=4$?", "changed x ^ 2 = 4"),
    ("It costs $5 and one solves $x+1=3$.", "It costs $5 and one solves $x-1=3$.", "changed x + 1 = 3"),
    (r"Find $\sin x + 1$.", r"Find $\cos x + 1$.", "changed sin x + 1"),
    ("Find $k$.", "Find it.", "missing k"),
    ("If $m$ and $n$ are prime, find $m/n$.", "If $n$ and $n$ are prime, find $m/n$.", "changed m"),
    ("Find $k$.", "Find $k$ and $m$.", "new m"),
    ("See.[asy]draw((0,0));[/asy]", "See.", "missing a drawing"),
    ("He walks 3 miles.", "A veteran of 1944 walks 3 miles.", "new 1944"),
    ("Add 1.5, 2.5, 3.5, 4.5.", "Add.", "missing 1.5, 2.5, 3.5, ..."),
]


@pytest.mark.parametrize(("seed_problem", "problem", "flag"), ASTRAY)
def test_a_rewrite_that_strays_says_how(seed_problem: str, problem: str, flag: str) -> None:
    assert describe_drift(seed_problem, problem) == flag


PIECES = [
    r"\frac",
    "{",
    "}",
    "$",
    r"\[",
    r"\]",
    "1",
    "/",
    "half",
    "dozen",
    "and",
    "-",
    "%",
    "a",
    "[asy]",
    "[/asy]",
    " ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.text())
def test_any_text_can_be_compared_and_keeps_itself(text: str, other: str) -> None:
    assert describe_drift(text, text) is None and describe_drift(other, other) is None
    describe_drift(text, other)


def test_a_problem_is_a_sound_rewrite_of_itself(data: Path) -> None:
    assert not [question for question in questions(data)[:SAMPLE] if any(drift(question, question))]


def test_planted_corruptions_are_found_and_sound_rewrites_left_alone(data: Path) -> None:
    items = planted(questions(data), REPORTED_EACH, REPORTED_SEED)
    flagged = [describe_drift(item.seed_problem, item.problem) is not None for item in items]
    corrupted = [item.corruption is not None for item in items]
    assert corrupted.count(True) == corrupted.count(False) == REPORTED_EACH
    assert {item.corruption for item in items} == {None, *CORRUPTIONS}
    recall = sum(found and was for found, was in zip(flagged, corrupted, strict=True)) / REPORTED_EACH
    alarms = sum(found and not was for found, was in zip(flagged, corrupted, strict=True)) / REPORTED_EACH
    assert recall >= 0.90 and alarms <= 0.05, (recall, alarms)


def questions(data: Path) -> list[str]:
    """As many problems of GSM8K as of MATH, in an order that mixes them."""
    found = [
        json.loads(line)[column]
        for name, column in (("gsm8k", "question"), ("math", "problem"))
        for line in (data / name / "train.jsonl").read_text().splitlines()[::4]
    ]
    random.Random(0).shuffle(found)
    return found


EXAMPLES = 30
"""Of each pattern, which has a handful of ways to match."""


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in SPELLINGS], ids=lambda pattern: pattern.pattern)
def test_what_is_spelled_in_several_ways_is_looked_for(pattern: re.Pattern[str]) -> None:
    @settings(max_examples=EXAMPLES)
    @given(st.from_regex(pattern))
    def found(text: str) -> None:
        assert NEEDS_RESPELLING.search(text)

    found()
