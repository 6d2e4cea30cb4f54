"""What is read of a solution: its equalities in forms that models write, whether they hold, and the path they make."""

import json
import re
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.methods.arithmetic.equations import LONGEST, MOST_EQUALITIES, equalities, read_path

READ = [
    # GSM8K's calculator marks
    ("She sold 48/2 = <<48/2=24>>24 clips in May.", ["48/2=24"]),
    ("It costs $<<2*3.5=7.00>>7.00\nand so $<<7+1=8>>8.", ["2*(7/2)=7", "7+1=8"]),
    ("Half of it is <<20*.01*50=10>>10.\n10 + 5 = 15 in all.", ["20*(1/100)*50=10", "10+5=15"]),
    # plain prose
    ("So 16 - 3 - 4 = 9 eggs are left.", ["16-3-4=9"]),
    ("He pays 3*$5=$15, then $15+$2=$17.", ["3*5=15", "15+2=17"]),
    ("That is 1,250 + 750 = 2,000 in total.", ["1250+750=2000"]),
    ("4 × 6 = 24; 24 ÷ 3 = 8; 10 − 8 = 2", ["4*6=24", "24/3=8", "10-8=2"]),
    ("5 x 3 = 15 and 2x4=8", ["5*3=15", "2*4=8"]),
    ("5 times 3 equals 15, 20 divided by 4 is equal to 5", ["5*3=15", "20/4=5"]),
    ("**Total:** 7 + 8 = **15**", ["7+8=15"]),
    ("`2**3 = 8`", ["2^3=8"]),
    ("(5 * 3 = 15) pens, which is (2 + 3) * 4 = 20", ["5*3=15", "(2+3)*4=20"]),
    ("He has 3(4 + 2) = 18 left! Wow.", ["3*(4+2)=18"]),
    # lists and steps
    ("1. 3 + 4 = 7\n2. 7 * 2 = 14\n- 5 * 3 = 15\n* 6 - 1 = 5", ["3+4=7", "7*2=14", "5*3=15", "6-1=5"]),
    ("Step 1: 3 + 4 = 7", ["3+4=7"]),
    ("#### 3 + 4 = 7", ["3+4=7"]),
    ("3 + 4\n= 7\n= 14 / 2", ["3+4=7", "7=14/2"]),
    ("3 * 4 =\n12", ["3*4=12"]),
    # units
    ("3 boxes * $4 per box = $12", ["3*4=12"]),
    ("60 miles / 2 hours = 30 miles/hour", ["60/2=30"]),
    ("$10/hour * 5 hours = $50", ["10*5=50"]),
    ("3 cups of flour + 2 cups of sugar = 5 cups of dry things", ["3+2=5"]),
    ("5 ft * 4 ft = 20 ft^2", ["5*4=20"]),
    (r"5\text{ cm} \times 4\text{ cm} = 20\text{ cm}^2", ["5*4=20"]),
    (r"$180^\circ - 60^\circ = 120^\circ$", ["180-60=120"]),
    ("5 (apples) + 3 (pears) = 8", ["5+3=8"]),
    ("52 + 5 = 57 WPM", ["52+5=57"]),
    # percent
    ("20% * 50 = 10", ["20%*50=10"]),
    ("20% of 50 = 10 and 25% of the 80 = 20", ["20%*50=10", "25%*80=20"]),
    ("20/50 * 100 = 40%", ["20/50*100=40%"]),
    ("20/50 = 40%", ["20/50=40%"]),
    ("100 - 40 = 60%, 100% - 40% = 60%", ["100-40=60%", "100%-40%=60%"]),
    (r"$0.4 \times 100 = 40\%$ and 10/50 = 20 percent", ["(2/5)*100=40%", "10/50=20%"]),
    # chains
    ("3 * 4 + 2 = 12 + 2 = 14", ["3*4+2=12+2", "12+2=14"]),
    ("x = 10 / 2 = 5", ["10/2=5"]),
    ("44 / 14 = 22 / 7 ≈ 3", ["44/14=22/7", "22/7=3"]),
    ("Total = 3 + 4 = 7 = n", ["3+4=7"]),
    # LaTeX
    (r"\(5 \times \$4 = \$20\)", ["5*4=20"]),
    (r"\[\frac{48}{2} = 24\]", ["48/2=24"]),
    (r"$\dfrac{1}{2} \cdot 8 = 4$ and $\frac12\times 8=4$", ["1/2*8=4"]),
    (r"$\frac{3 + 5}{2} = 4$", ["(3+5)/2=4"]),
    (r"$2\left(3 + 4\right) = \boxed{14}$", ["2*(3+4)=14"]),
    (r"$2^{10} = 1{,}024$, $3^2 = 9$", ["2^10=1024", "3^2=9"]),
    (r"$\sqrt{16} + 1 = 5$, $\binom{5}{2} = 10$, $4! = 24$", ["sqrt(16)+1=5", "binom(5,2)=10", "4!=24"]),
    (r"\begin{align*} 3 + 4 &= 7 \\ &= 14 / 2 \end{align*}", ["3+4=7", "7=14/2"]),
    (r"\begin{align*} x &= 1 + 2 \\ &\quad + 3 = 6 \end{align*}", ["1+2+3=6"]),
    (r"$x + 3 = 7 \implies 7 - 3 = 4$", ["7-3=4"]),
    # numbers
    ("1/2 * 10 = 5, .5 * 10 = 5, 0.50 * 10 = 5.0", ["1/2*10=5", "(1/2)*10=5"]),
    ("2½ + 1 = 3 1/2", ["5/2+1=7/2"]),
    ("-5 + 8 = 3 and 3 - (-2) = 5", ["-5+8=3", "3-(-2)=5"]),
    ("25 = 5 * 5", ["25=5*5"]),
    # said twice, read once
    ("3 + 4 = 7. So 3+4=7.", ["3+4=7"]),
]


@pytest.mark.parametrize(("solution", "read"), READ)
def test_equalities_are_read_in_order_and_hold(solution: str, read: list[str]) -> None:
    found = equalities(solution)
    assert [one.text for one in found] == read
    assert all(one.holds for one in found)


PASSED_OVER = [
    # nothing is computed
    "x = 5, 1 hour = 60 minutes, 5 = 5, 1/2 hour = 30 minutes",
    # variables
    "2x + 3 = 11, x_1 = 4 + 5, f(3) = 9 - 1 + n, 3 AB + 2 = 14, y1 = 2 / 4, 3ab = 4 * 5",
    r"$a_1 = \frac{1}{16}$, $\log_2 8 = 5 - 2$, $\frac{1}{2}bh = 3 \cdot 4$, $\sin 30 = 1 / 2$, $3x = 4 + 5$",
    "we get b^3 = 27/9, dividing by 11/4 we get X = 120",
    "1.36 horsepower / 1 kilowatt = 500 horsepower / x kilowatts, 21/7 = 90/x",
    # operands in words
    "price * 4 = 13, 20 - the rest = 5 * 7, 5 + three = 9, his 3 eggs + her eggs * 2 = 11",
    # a name with a number in it
    "4 boxes = 20 * 4 pens, the first 4 days = 200 * 4, Day 2 + 3 = 7, Week 1 + Week 2 = 30 + 5 + x",
    # the rest of a sum
    "and then + 3 + 4 = 9",
    # times, ratios, remainders, ordinals
    "8:00 + 2 = 10:00, 3:4 = 6 : 9, 13 / 6 = 2 remainder 1, 5 + 8 = 14th floor",
    # conversions, shares
    "6 feet + 2 inches = 74 inches, 2 * 60 minutes = 2 hours, $2.50 - $2.24 = 26 cents, 2 * 3 dozen = 72",
    "2 hours 30 minutes + 45 minutes = 3 hours 15 minutes, 1/2 cup = 4 ounces, 2.54 cm / 1 inch = 1, since 3/4 = $15",
    # other relations
    r"3 + 4 \le 9, 5 * 3 >= 4, 2 + 2 != 5, 17 + 3 \equiv 8 \pmod{12}, 5 == 2 + 4, $x = 1 \pm \frac{1}{3} = 5$",
    # what may be a factorial or a cry
    "3 * 8 = 24!, 5!! + 1 = 16",
    # numbers that may be one or several
    "18 000 / 2 = 9",
    # code
    "total = price * (1 + rate)\nhours = 30 / 60  # minutes to hours",
]


@pytest.mark.parametrize("solution", PASSED_OVER)
def test_what_is_no_arithmetic_or_may_be_meant_otherwise_is_passed_over(solution: str) -> None:
    assert [one for part in solution.split(", ") for one in equalities(part)] == []


ROUNDED = [
    *("1/3 = 0.33", "1/3 = 0.333", "2/3 = 0.66", "2/3 = 0.67", "100/3 = 33.3", "20 / 7 = 2.86", "1/3 * 100 = 33.33"),
    *("10000 / 3 = 3333", "22 / 7 ≈ 3.1", r"\frac{598}{1.04} \approx 575", "22 / 7 ≈ 3", r"\sqrt{2} = 1.41"),
]


@pytest.mark.parametrize("solution", ROUNDED)
def test_rounded_and_cut_off_results_hold(solution: str) -> None:
    assert [one.holds for one in equalities(solution)] == [True]


WRONG = [
    *(
        "3 + 4 = 8",
        "14 * 20 = 140",
        "2 * 8 hours = 24 hours",
        "7 / 2 = 3",
        "100 / 3 = 33",
        "1/3 = 0.4",
        "1.5 * 3 = 4.6",
    ),
    *("<<48/2=23>>", r"\[\frac{48}{2} = \boxed{23}\]", "20% of 50 = 11", "22 / 7 ≈ 4", "3 + 4 = 7 + 5 = 12"),
    *("60 miles / 2 hours = 40 miles/hour", "$3 * 5 = $16", r"$2^{3} = 6$", "1 - 1 = 1"),
    # cut off by a whole unit; and a sum, which has no last decimal to be rounded at
    *("5 / 10 = 0.4", "0.54 + 0 = 0.2 + 0.3"),
]


@pytest.mark.parametrize("solution", WRONG)
def test_wrong_arithmetic_does_not_hold(solution: str) -> None:
    assert not equalities(solution)[0].holds
    assert not read_path(f"First 1 + 1 = 2. {solution}").holds


SAME = [
    [
        "April 48, May 48/2 = <<48/2=24>>24, so 48+24 = <<48+24=72>>72.",
        "May: 48 ÷ 2 = 24 clips. In all 48 clips + 24 clips = **72 clips**.",
        "In May she sold \\(\\frac{48}{2} = 24\\).\n\n\\[\n48 + 24 = \\boxed{72}\n\\]",
    ],
    # no arithmetic: the formulas that hold an equals sign
    ["We have $2x = y$, and with $n$ we get $x = y/2$.", r"Since \(2 x = y\): \[x = y / 2\]"],
    # no formulas: the words
    ["It is Tuesday.", "it is\n tuesday. "],
]


@pytest.mark.parametrize("solutions", SAME)
def test_one_path_in_many_spellings_has_one_key(solutions: list[str]) -> None:
    assert len({read_path(solution).key for solution in solutions}) == 1
    assert all(read_path(solution).holds for solution in solutions)


def test_other_numbers_another_order_and_other_operations_are_other_paths() -> None:
    texts = [
        "2 * 3 = 6 and 6 + 1 = 7",
        "6 + 1 = 7 and 2 * 3 = 6",
        "3 * 2 = 6 and 6 + 1 = 7",
        "2 * 3 + 1 = 7",
        "4 + 3 = 7",
    ]
    assert len({read_path(text).key for text in [*texts, "$x = 7$", "$7 = x$", "Seven.", "It is seven."]}) == 9


HOSTILE: list[Any] = [
    pytest.param("9^9^9^9 = 3, 9**9**9**9 = 3, 2^(10^30) = 4", id="towers"),
    pytest.param("1" * 5_000 + " + 1 = 2", id="a long number"),
    pytest.param("9" * 90 + "^" + "9" * 90 + " = 1", id="a long exponent"),
    pytest.param("(" * 5_000 + "1" + ")" * 5_000 + " + 1 = 2", id="nested brackets"),
    pytest.param(r"\frac{" * 3_000 + "1 = 2", id="nested fractions"),
    pytest.param("1 / 0 = 1, 0 / 0 = 0, 0^(-1) = 2, (-1)^(1/2) = 1", id="no value"),
    pytest.param("__import__('os').system('false') + 1 = 2, (lambda: 1)() + 1 = 2, [].x + 1 = 2", id="code"),
    pytest.param("1e999999 * 2 = 3, 1/1e-999999 = 2, inf - inf = 0, nan + 1 = 2", id="floats"),
    pytest.param("\\binom{12000}{6000} = 1 + 1, 1000! / 999! = 1, 99999! = 1", id="combinatorics"),
    pytest.param("+".join("1" for _ in range(5_000)) + " = 5000", id="a long sum"),
]


@pytest.mark.parametrize("solution", HOSTILE)
def test_hostile_equalities_are_passed_over_or_checked_and_never_raise(solution: str) -> None:
    began = time.process_time()
    read_path(solution)
    assert time.process_time() - began < 1


ENDLESS = [
    *(
        "(",
        "{",
        "\\text{",
        "\\frac{",
        "\\[",
        "$",
        "<<",
        "<<1+1=2>>",
        "=",
        "1 = ",
        "1 + 1 = 2\n",
        "1 ",
        "11",
        "1:",
        "111 ",
    ),
    *(
        "a ",
        "a/",
        "a'",
        "a^2 ",
        "1 a ",
        " ",
        "\n",
        "\n =",
        "- ",
        "1. ",
        "**",
        "\\\\",
        "\\\\ & ",
        "!",
        "of ",
        "1 and ",
        "1/2 ",
    ),
    *("1,000", "(a", "\\begin{a}", "\\quad ", "_{", "^{", "≈", "1 x ", "\\binom{12000}{6000} = 1 + 1\n", "0.1 / 3 * "),
    *("999! * 1 = 2\n", "7^7 = 1\n", "\\sqrt{3}^7 + 1 = 2\n", "1%", "a-b ", "1-1 ", "& ", "; ", "per day 1 "),
]


@pytest.mark.parametrize("text", ENDLESS)
def test_the_longest_texts_take_bounded_time(text: str) -> None:
    began = time.process_time()
    read_path(text * (LONGEST // len(text) + 1))
    assert time.process_time() - began < 4


def test_no_more_than_a_bound_of_equalities_is_read() -> None:
    text = "\n".join(f"{number} + 1 = {number + 1}" for number in range(2 * MOST_EQUALITIES))
    assert len(equalities(text)) == MOST_EQUALITIES


NUMBERS = st.integers(1, 400).map(lambda value: (str(value), Fraction(value)))


def _combined(parts: st.SearchStrategy[tuple[str, Fraction]]) -> st.SearchStrategy[tuple[str, Fraction]]:
    def combine(made: tuple[tuple[str, Fraction], str, tuple[str, Fraction]]) -> tuple[str, Fraction]:
        (one, first), sign, (other, second) = made
        value = {"+": first + second, "-": first - second, "*": first * second}[sign]
        return f"({one} {sign} {other})", value

    return st.tuples(parts, st.sampled_from("+-*"), parts).map(combine)


@given(st.recursive(NUMBERS, _combined, max_leaves=8), st.integers(-3, 3))
def test_computed_equalities_hold_and_others_do_not(made: tuple[str, Fraction], off: int) -> None:
    text, value = made
    found = equalities(f"So {text} + 1 = {value + 1 + off} in all.")
    assert len(found) == 1
    assert found[0].holds == (off == 0) or (abs(off) <= abs(value) / 100 and found[0].holds)


@given(st.recursive(NUMBERS, _combined, max_leaves=8))
def test_the_spelling_of_an_equality_is_read_as_itself(made: tuple[str, Fraction]) -> None:
    text, value = made
    [one] = equalities(f"{text} + 1 = {value + 1}")
    assert [again.text for again in equalities(one.text)] == [one.text]


@given(st.text(alphabet="0123456789+-*/^=().,$%!?{}\\ \nabxfrc<>:", max_size=300))
def test_any_text_has_a_path(text: str) -> None:
    path = read_path(text)
    assert path.key and path == read_path(text)


def _rows(path: Path, each: int = 1) -> list[dict[str, Any]]:
    """Each n-th row; a completion may hold other line ends than JSON lines have."""
    return [json.loads(line) for line in path.read_text().split("\n")[::each] if line]


def test_of_right_model_outputs_none_is_dropped_for_its_arithmetic(data: Path) -> None:
    outputs = [
        row["candidate"]
        for row in _rows(data / "answers" / "pairs.jsonl")
        if row["form"] == "full" and row["equal"] and row["kind"].startswith("real")
    ]
    assert len(outputs) == 210
    assert [output for output in outputs if not read_path(output).holds] == []


# Human solutions of the train splits are right; those that do not hold were looked at, all of them. In GSM8K four in
# five state something wrong (`14*20=140`); in MATH about half do, and the others are rare notation.
def test_few_human_solutions_in_prose_do_not_hold_and_their_calculator_marks_are_found_without_the_marks(
    data: Path,
) -> None:
    marked = found = dropped = 0
    for row in _rows(data / "gsm8k" / "train.jsonl", each=9):
        prose = equalities(re.sub(r"<<[^>]*>>", "", row["answer"]))
        dropped += not all(one.holds for one in prose)
        texts = {one.text for one in prose}
        for mark in re.findall(r"<<[^>]*>>", row["answer"]):
            for one in equalities(mark):
                marked += 1
                found += one.text in texts
    assert marked > 2_500 and found / marked > 0.95
    assert dropped <= 6


def test_few_human_solutions_in_latex_do_not_hold(data: Path) -> None:
    paths = [read_path(row["solution"]) for row in _rows(data / "math" / "train.jsonl", each=8)]
    assert sum(not path.holds for path in paths) <= 6
