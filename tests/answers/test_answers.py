"""The grader's tables: what is extracted, and which answers are the same."""

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from personamath.answers import Grade, equivalent, extract, grade
from personamath.answers.extraction import after_answer
from personamath.answers.grading import grade_cheaply
from personamath.answers.normal_form import RULES
from tests.conftest import REPO

EXTRACTED = [
    # The last box counts, wherever it stands
    (r"The answer is $\boxed{5}$.", "5"),
    (r"First \boxed{3}, then finally \boxed{5}.", "5"),
    (r"\fbox{5} and \boxed{6}", "6"),
    (r"\boxed{6}, that is \fbox{5}", "5"),
    # Braces nest, and escaped ones do not count
    (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
    (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
    (r"\boxed{\left\{ x : x > 2 \right\}}", r"\left\{ x : x > 2 \right\}"),
    (r"\boxed{\begin{pmatrix} 1 \\ 2 \end{pmatrix}}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    ("\\boxed{\n  5\n}", "5"),
    # Without braces, up to a space or the formula's end
    (r"So $\boxed 5$.", "5"),
    (r"So \(\boxed 12\).", "12"),
    (r"$\boxed\frac12$", r"\frac12"),
    (r"$\boxed \frac{1}{2}$", r"\frac{1}{2}"),
    (r"\boxed 5 is the answer", "5"),
    (r"$\boxed x$", "x"),
    (r"$\boxed -5$", "-5"),
    # A box that is only spoken of is none
    (r"So \boxed{5}, where \boxed marks the answer.", "5"),
    (r"So \boxed{5}, where \(\boxed\) is the frame.", "5"),
    (r"where \boxed marks the answer", None),
    # No box, no answer: the last number is not one
    ("The answer is 5.", None),
    ("#### 5", None),
    (r"The answer is \text{boxed} 5", None),
    (r"\boxedtext{5}", None),
    ("", None),
    # A box that is cut off has no answer, and no earlier one stands in for it
    (r"\boxed{5", None),
    (r"\boxed{\frac{1}{2}", None),
    (r"\boxed{5} so that \boxed{\frac{1}", None),
    (r"\boxed \frac{1}{2", None),
    (r"\boxed", None),
    # Neither has an empty one
    (r"\boxed{}", None),
    (r"\boxed{5} in the form \boxed{ }", None),
]  # fmt: skip

SAME = [
    # Numbers as written: signs, zeros, decimals, fractions, other scripts
    ("007", "7"), ("+3", "3"), ("2.50", "2.5"), (".5", "0.5"), ("0", "-0"), ("720", "720.00"), ("-5", "−5"),
    (r"\frac{1}{2}", "0.5"), ("1/2", r"\frac12"), (r"\frac{-1}{2}", r"-\frac{1}{2}"), (r"\frac{1}{-2}", r"-\frac12"),
    (r"\dfrac{3}{4}", r"\tfrac{6}{8}"), (r"{1 \over 108}", r"\frac{1}{108}"),
    (r"\frac{\sqrt6}3", r"\frac{\sqrt{6}}{3}"),
    ("５", "5"), ("٥", "5"), ("½", "0.5"), ("3½", "3.5"),
    # Mixed numbers: an integer beside a proper fraction of integers is their sum
    (r"3\frac{1}{2}", "7/2"), ("3 1/2", "3.5"), (r"-3\frac12", "-3.5"), (r"6\frac{1}{6}\text{ feet}", "37/6"),
    (r"14\frac{6}{7}", r"\frac{104}{7}"), (r"2\frac{x}{3}", r"\frac{2x}{3}"),
    # Thousands separators
    ("1,234", "1234"), ("-2,500", "-2500"), (r"85,\!184", "85184"), (r"11{,}880", "11880"), (r"11\,880", "11880"),
    ("1 000 000", "1000000"), ("x = 1,234", "1234"), (r"1,234\pi", r"1234 \pi"), (r"\$16,\!386.20", "16386.2"),
    (r"\{1,005\}", "1005"), ("100, 000", "0, 100"),
    # Repeating decimals, also as three periods and dots
    (r"0.\overline{3}", r"\frac{1}{3}"), (r"0.1\overline{6}", "1/6"), (r"1.\overline{2}", r"\frac{11}{9}"),
    (r"0.\dot{3}", "1/3"), ("0.333...", "1/3"), (r"0.\overline{142857}", "1/7"), (r"0.\overline{9}", "1"),
    # Scientific notation
    (r"1.5 \times 10^{3}", "1500"), ("1.5e3", "1500"), (r"1.5 \cdot 10^{-3}", "0.0015"),
    (r"1.2 \times 10^5", "120,000"),
    # Currency, percent and words that are numbers
    (r"\$30", "30"), ("$30", "30"), ("€77", "77"), ("30 dollars", r"\$30"), (r"50\%", "50"), (r"50\%", "0.5"),
    ("28 percent", r"28\%"), (r"44\%", r"44 \%"), ("1.45 million", "1450000"), ("1.45 million", "1450000 dollars"),
    ("2 dozen", "24"), (r"\$2 \text{ million}", "2,000,000"),
    (r"\mbox{four}", "4"),
    # Units and degrees may be left out
    (r"12 \text{ cm}", "12"), ("12 cm", "12"), ("12 cm", r"12 \text{ centimeters}"), ("93.33cm", "93.33"),
    (r"15\mbox{ cm}^2", r"15 \text{ square centimeters}"), (r"15\mbox{ cm}^2", "15"),
    (r"14 \text{ right triangles}", "14"),
    ("7 days", r"7 \text{ days}"), ("1 mile per hour", "1"), ("6'", "6"), ('10"', r"10 \text{ inches}"),
    (r"99\pi \text{ square inches}", r"99\pi"),
    (r"\frac{3}{4}\pi\text{ inches}", r"3\pi/4"), (r"480 + 480\sqrt{3}\text{ feet}", r"480+480\sqrt3"),
    ("5.9 hours (about)", "5.9"), ("540 ways", "540"), ("20 miles per hour", "20"), ("5 square units", "5"),
    ("60 mph", r"60 \text{ miles per hour}"),
    (r"3 \text{ m/s}", "3 meters per second"), ("7 men", "7"), ("5 sec", "5"),
    ("8 m/s", "8"), ("3 cups of flour", "3"), ("4 times", "4"), ("12 cm2", "12"),
    (r"30^\circ", "30"), (r"30^{\circ}", "30°"), (r"30^\circ", r"30 \text{ degrees}"),
    (r"\frac{270}7\text{ degrees}", r"\frac{270}{7}^\circ"),
    (r"20^\circ\text{C}", "20"),
    # The base of a number is its unit
    ("101_2", "101_{2}"), ("204_5", r"204_{\text{five}}"), ("(101)_2", "101_2"), ("101_2", "101"),
    (r"\text{A5}_{11}", "A5_{11}"),
    ("a_{3}", "a_3"),
    # Punctuation, markup and layout
    ("5.", "5"), ("5 .", "5"), (r"5\text{.}", "5"), ("3.5.", "3.5"), ("1,2.", "1,2"), ("**5**", "5"), (r"\(5\)", "5"),
    (r"\[5\]", "5"),
    ("{5}", "5"), (r"\boxed{5}", "5"), ("(5)", "5"), (r"5 \,", "5"), (r"\displaystyle 5", "5"),
    (r"\left( 1, 2 \right)", "(1,2)"),
    (r"\begin{pmatrix} 1 & -1 \\ 1 & \phantom -1 \end{pmatrix}", r"\begin{pmatrix} 1 & -1 \\ 1 & 1 \end{pmatrix}"),
    # What leads to the answer
    ("= 5", "5"), (r"\text{The answer is } 5", "5"), ("The answer is 5", "5"),
    (r"\text{The answer is 5.}", "5"), (r"\text{Total: } 5", "5"), ("Answer: 5", "5"),
    (r"\frac{5}{10} = \frac{1}{2}", "1/2"), (r"x = \frac{1}{3} \approx 0.33", r"\frac13"),
    (r"\approx 8.24 \text{ mph}", "8.24"),
    # Equations solved for a name are its value
    ("x = 5", "5"), ("5 = x", "5"), (r"\theta = 30^\circ", "30"), ("y = 2x+1", "2x+1"), ("f(x) = x^2", "x^2"),
    ("AB = 5", "5"),
    (r"\angle ABC = 30^\circ", "30"), ("(x, y) = (3, 5)", "(3,5)"), ("x=3, y=5", "(3,5)"), ("x=1, x=2", "1,2"),
    ("a_{37} = 19, a_3 = 2", r"a_3 = 2, a_{37} = 19"),
    # Other equations are the same if they differ by a factor
    ("2x+3y=6", "4x + 6y = 12"), ("x^2+y^2=1", "y^2 + x^2 = 1"), ("y-2 = 3(x-1)", "y = 3x - 1"),
    ("3x^2 - 5 = 0", "3x^2=5"),
    # Inequalities are intervals, and so are conditions of sets
    (r"0 \leq x \leq 1", "[0,1]"), ("x > 5", r"(5, \infty)"), ("5 < x", "x > 5"), (r"x \le 0", r"(-\infty, 0]"),
    ("x < 1", "-x > -1"),
    (r"x \in [-2,7]", r"-2 \le x \le 7"), (r"\{x \mid x > 2\}", r"(2,\infty)"), (r"k \geq 2", r"[2,\infty)"),
    ("x != 3", r"x \neq 3"),
    (r"(-\infty,2)\cup(2,\infty)", r"x \neq 2"), (r"x<1 \text{ or } x>3", r"(3,\infty) \cup (-\infty,1)"),
    (r"s^2 \le 8r^2", r"8r^2 \ge s^2"),
    (r"-80\leq g(x)\leq 82", r"g(x) \in [-80,82]"), (r"(-\infty,\infty)", r"\mathbb{R}"),
    (r"\text{all real numbers}", r"\mathbb R"),
    # Tuples, lists, sets, unions
    ("(3, 5)", r"\left(3,5\right)"), (r"\langle 1, 2 \rangle", "(1,2)"), ("(0.5, 3)", r"\left(\frac{1}{2}, 3\right)"),
    ("1,2", "2, 1"),
    (r"1 \text{ and } 2", "1, 2"), ("1 or 2", "1,2"), (r"7, -2, \text{ and } -5", "-5,-2,7"),
    (r"\{1,2\}", r"\left\{ 2, 1 \right\}"),
    (r"\{1,2\}", "1,2"), ("(1,2),(3,4)", "(3,4), (1,2)"), ("100,200,300", "100, 200, 300"),
    (r"\{-1\} \cup [0,7)", r"[0, 7) \cup \{-1\}"),
    (r"x \in \{1, 2\}", "1,2"),
    # Plus or minus is both
    (r"\pm 2", "2, -2"), (r"x = \pm 2", r"\{-2, 2\}"), (r"3 \pm 2\sqrt{2}", r"3+\sqrt8, 3-\sqrt8"),
    (r"\pm 1, \pm 2", "1,-1,2,-2"),
    (r"\{1\pm\sqrt{5},-2\}", r"-2, 1+\sqrt5, 1-\sqrt5"), (r"(\pm 3, 0)", "(3,0), (-3,0)"),
    # Matrices in any brackets, and with a factor
    (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{bmatrix} 1&2\\3&4 \end{bmatrix}"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\frac{1}{2}\begin{pmatrix} 2 \\ 4 \end{pmatrix}"),
    (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\left[\begin{array}{cc} 1.0 & 2 \end{array}\right]"),
    (r"A = \begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\[4pt] 2 \end{pmatrix}"),
    (r"-\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} -1 \\ -2 \end{pmatrix}"),
    # Expressions with variables
    ("x^2+2x+1", "(x+1)^2"), ("2x - 13", "-13+2x"), ("n(n+1)/2", r"\frac{n^2+n}{2}"), (r"\frac{x^2-1}{x-1}", "x+1"),
    (r"\frac{a}{b}", "a/b"),
    ("2^{n+1}", r"2 \cdot 2^n"), (r"\sqrt{x^2}", "|x|"), (r"36x\sqrt{35x}", r"6x\sqrt{1260x}"), ("x^{-1}", r"\frac1x"),
    ("x²", "x^2"),
    (r"\sin^2 x", r"(\sin x)^2"), (r"\tan^2(y)+1", r"\sec^2(y)"), (r"2 \sin b \cos a", r"2\cos a \sin b"),
    (r"\pi r^2", r"r^2\pi"),
    (r"\frac{1}{7}\triangle ABC", r"\frac17 \triangle ABC"), ("|x-1|", "|1-x|"), ("x**2", "x^2"), ("2*x", "2x"),
    ("(-1)^{n+1}", "(-1)^{n-1}"), ("(-1)^{2n}", "1"), (r"1-\tanh x", r"\frac{2}{e^{2x}+1}"),
    # Radicals, trigonometry, logarithms, factorials
    (r"10\sqrt{6}", r"\sqrt{600}"), (r"\sqrt{\frac{1}{2}}", r"\frac{\sqrt2}{2}"),
    (r"\frac{2}{\sqrt5-1}", r"\frac{\sqrt5+1}{2}"), ("2^{1/3}", r"\sqrt[3]{2}"),
    (r"\sqrt[3]{-8}", "-2"), (r"\tan 15^\circ", r"2-\sqrt3"), (r"\sin 30°", "0.5"),
    (r"\cos 58^\circ", r"\sin 32^\circ"), (r"\arctan 1", r"\frac{\pi}{4}"),
    (r"\tan^{-1}(1)", r"\pi/4"), (r"\log_2 8", "3"), (r"\log 100", "2"), (r"\ln(e^5)", "5"), ("5!", "120"),
    (r"\binom{10}{3}", "120"), (r"{5 \choose 2}", "10"),
    (r"\lfloor 3.7 \rfloor", "3"), ("2^{10}", "1024"), (r"2^{2005}", r"2 \cdot 2^{2004}"), ("√2", r"\sqrt{2}"),
    ("sqrt(2)", r"\sqrt2"), ("pi/4", r"\frac\pi4"),
    # Complex numbers
    ("3+4i", "4i + 3"), (r"\frac{1+i}{2}", r"\frac12+\frac{i}{2}"), ("i^2", "-1"), (r"\sqrt{-4}", "2i"),
    (r"3+4\mathrm{i}", "3+4i"), (r"i\sqrt{3}", r"\sqrt{3}i"),
    # Unsimplified
    ("10-3", "7"), ("2 * (1125 / 30)", "75"), (r"\frac{22}{2}", "11"), (r"4 \times (-2)", "-8"),
    # Infinity and nothing
    (r"\infty", r"+\infty"), (r"\infty", "infinity"), (r"\text{no solution}", r"\emptyset"),
    ("There is no solution.", "No real solutions"), (r"\{\}", r"\varnothing"),
    # Words, times and choices
    (r"\text{Friday}", "friday."), (r"\text{ellipse}", r"\textbf{ellipse}"), (r"\text{Yes}", "yes"),
    ("about 1.5", r"\text{About } 1.5"), (r"\text{June 20}", "June 20"), ("ellipse", "an ellipse"),
    (r"\text{4:30 p.m.}", "4:30 PM"), (r"8\!:\!34 \text{ p.m.}", "8:34 pm"), ("2:3", "2 : 3"), (r"\text{(C)}", "C"),
    (r"\textbf{(C)}", r"\mathrm{C}"),
    (r"(\text{C})", "(C)"), (r"\text{(C)}\ 12", "C"), ("C. 12", r"\text{(C)}"), (r"\text{A, B, and D}", "A,B,D"),
    (r"\text{e}", "e"),
]  # fmt: skip

DIFFERENT = [
    # Rounding is another number
    (r"\frac{1}{3}", "0.33"), (r"\frac13", "0.333333333333333"), (r"\pi", "3.14159265358979"), (r"10\sqrt{6}", "24.49"),
    (r"\frac{22}{7}", r"\pi"),
    (r"0.\overline{9}", "0.99"), ("2.5", "2.05"), ("67", "66.7"),
    # Large numbers to the last digit, and powers by their size
    ("12345678901234567890", "12345678901234567891"), ("9007199254740993", "9007199254740992"),
    ("1/2^{99}", "1/2^{98}"), ("2^{2005}", "2^{2004}"),
    ("2^{1000000000}", "2^{1000000001}"), ("10^{100}+1", "10^{100}"),
    (r"12345678901234567890\sqrt2", r"12345678901234567891\sqrt2"),
    (r"\sqrt{2}+2^{-1000}", r"\sqrt{2}"), ("9^{9^{9^9}}", "9^{9^{9^8}}"), (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
    # Percentages, thousands and lists are not mixed up
    ("50", "0.5"), ("100", "1"), ("5", r"50\%"), ("12", "1,2"), ("(1,234)", "1234"), ("32349", "32, 349"),
    ("100,200", "200,100"), ("1.5", "1,5"),
    ("1,005", "1,5"), ("1,000", r"\{1,0\}"), (r"\{1,005\}", r"\{1,5\}"), ("(1,000, 2)", "(1,0,2)"),
    # Units that differ, and bases
    (r"12 \text{ cm}", r"12 \text{ m}"), (r"12 \text{ hours}", "12 minutes"), (r"144 \text{ m}^3", r"144 \text{ m}^2"),
    (r"30^\circ", r"30 \text{ cm}"),
    ("101_2", "101_3"), ("101_2", "110_2"), ("101_2", "5"), (r"\text{A5}_{11}", "5A_{11}"),
    (r"3 \text{ m/s}", r"3 \text{ ft/s}"), (r"3 \text{ m/s}", r"3 \text{ m/s}^2"),
    (r"20 \text{ miles per hour}", "20 kilometers per hour"),
    # Words after a number that compute with it are no unit
    ("3 ln 2", "3 ln 3"), ("2 sin x", "2 cos x"), ("3 pi", "3"), ("2 sqrt(3)", "2"), ("6 ab", "6"), ("2 xy", "2"),
    ("5 choose 2", "5 choose 3"), ("5 to 3", "5 to 2"), ("1 in 3", "1 in 2"), ("2 out of 3", "2"),
    ("10 mod 3", "10 mod 2"), ("2 of 3", "2"), ("3 times x", "3"),
    # Signs, order of operations, variables
    ("5", "-5"), (r"\$5", r"-\$5"), ("a-b", "b-a"), ("-3^2", "9"), ("x^{2y}", "x^2y"), ("x+1", "x-1"), ("x^2", "2x"),
    ("x^2", "x³"), ("f(x)", "f(y)"), ("3x", "3"),
    ("3ab", "3"), ("5m", "5"), (r"\sqrt{x^2}", "x"), (r"\frac{x+1}{2}", r"\frac{x}{2}+1"), ("2x^2", "(2x)^2"),
    ("n(n+1)/2", r"\frac{n(n-1)}{2}"), ("7", "⁷"),
    (r"\log_2 8", r"\log_3 8"), (r"\sin 30", "0.5"), (r"\sqrt{2}+\sqrt{5}", r"\sqrt{7}"), ("5!", "5"),
    (r"\frac{80}{9}", "809"),
    ("(-1)^n", "1"), ("(-1)^k", "-1"), ("(-1)^{n+k}", "1"), ("2^n+(-1)^n", "2^n-1"), ("|x-100|", "100-x"),
    (r"\lfloor n/100 \rfloor", r"\lfloor n/99 \rfloor"),
    # Equations and inequalities
    ("x=5", "y=5"), ("x=5", "x=-5"), ("x+y=1", "1"), ("a^2+b=0", "0"), ("xy=5", "5"), ("x^2+y^2=1", "x^2+y^2=2"),
    ("x<1", "x>1"), ("x<1", r"x \le 1"),
    (r"x \neq 3", "x = 3"), ("x=1, y=2", "(2,1)"), (r"[2,5)", r"2 \le x \le 5"),
    # Brackets, order, number of parts
    ("(3,5)", "(5,3)"), ("(3,5)", "[3,5]"), ("(3,5)", r"\{3,5\}"), ("(3,5)", "(3,5,0)"), ("(0,1)", "[0,1)"),
    ("[0,1]", "[1,0]"), ("1,2", "1"), ("1,2", "1,2,3"),
    (r"\{1,1,2\}", r"\{1,2,2\}"), ("1, 2, 3", "1, 2, 3, ..."), ("40 or 44", "40"), (r"\pm 2", "2"),
    (r"1+\sqrt{19}", r"1\pm\sqrt{19}"), (r"\pm 1, \pm 2", "1,2"),
    (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "(1,2)"),
    (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}"),
    (r"2+\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 3 \\ 4 \end{pmatrix}"),
    (r"2+\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 2 \\ 4 \end{pmatrix}"),
    (r"1-2\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} -1 \\ -3 \end{pmatrix}"),
    # Complex numbers and infinity
    ("3+4i", "3-4i"), ("5", "5i"), (r"3+4\mathrm{i}", "3"), (r"\infty", r"-\infty"), (r"\infty", "5"),
    # Nothing, and what says nothing
    (r"\emptyset", "0"), ("0", "None"), ("0", ""), ("0", "."), ("10", "..."), ("0", r"\%"), ("0", "-"),
    (r"\frac{1}{0}", "0"), (r"\frac{1}{0}", r"\frac{2}{0}"),
    # Words and choices
    (r"\text{about }1.5", r"\text{about }15"), (r"\text{about }1,5", r"\text{about }15"),
    (r"\text{Monday}", "Tuesday"), (r"\text{east}", "seat"), ("ACF", r"\text{CAF}"), (r"\text{June 20}", "20"),
    ("4:30", "4:31"), ("A", "B"), ("A,B", "A"),
    ("B", "(B) or (C)"), ("B", "(B)(C)"), ("B", "(B) + 1"), ("B", "(B) 12, (C) 13"), ("B", "B: C"),
    (r"\text{(A)}", "(B) 12"), ("d", r"\text{E}"), ("2", "2:10 pm"),
    ("7", "No solution, there is a mistake in the problem."),
    # A calculation is its last value
    ("5", "6 - 4 - 5 = -3"), ("440", "360 + 120 = 480"),
    # One that contradicts itself has none
    (r"56\%", r"0.53 = 56\%"), ("3", "1 + 1 = 3"),
]  # fmt: skip


@pytest.mark.parametrize(("completion", "answer"), EXTRACTED)
def test_the_last_box_is_the_answer(completion: str, answer: str | None) -> None:
    assert extract(completion) == answer


AFTER = [
    (r"\boxed{5} eggs", " eggs"),
    (r"So $\boxed 5$.", "$."),
    (r"\boxed{1}, no: \fbox{ 2 } it is", " it is"),
    (r"\boxed{\boxed{1}} x", " x"),
    (r"\boxed{} x", None),
    (r"\boxed{5", None),
    ("5", None),
]


@pytest.mark.parametrize(("completion", "after"), AFTER)
def test_what_follows_the_answer_begins_behind_its_box(completion: str, after: str | None) -> None:
    assert after_answer(completion) == after


@pytest.mark.parametrize(("reference", "answer"), SAME)
def test_two_spellings_of_one_answer_are_the_same(reference: str, answer: str) -> None:
    assert equivalent(reference, answer)
    assert equivalent(answer, reference)


@pytest.mark.parametrize(("reference", "answer"), DIFFERENT)
def test_two_answers_are_different(reference: str, answer: str) -> None:
    assert not equivalent(reference, answer)
    assert not equivalent(answer, reference)


@pytest.mark.parametrize(
    ("reference", "completion", "expected"),
    [
        ("5", r"\boxed{5}", Grade(True, "5", "exact", None)),
        ("0.5", r"\boxed{\frac12}", Grade(True, r"\frac12", "rational", None)),
        ("0.5", r"\boxed{\frac13}", Grade(False, r"\frac13", "rational", "another number")),
        ("(1,2)", r"\boxed{(1, 4/2)}", Grade(True, "(1, 4/2)", "structure", None)),
        ("(1,2)", r"\boxed{[1, 2]}", Grade(False, "[1, 2]", "structure", "other brackets")),
        (r"\sqrt8", r"\boxed{2\sqrt2}", Grade(True, r"2\sqrt2", "numeric", None)),
        ("x+1", r"\boxed{x-1}", Grade(False, "x-1", "numeric", "another value")),
        ("6", r"\boxed{\sum_{k=1}^{3} k}", Grade(True, r"\sum_{k=1}^{3} k", "symbolic", None)),
        ("7", r"\boxed{\sum_{k=1}^{3} k}", Grade(False, r"\sum_{k=1}^{3} k", "symbolic", "different")),
        ("5", "It is 5.", Grade(False, None, "none", "no box")),
        ("5", r"It is \boxed{5", Grade(False, None, "none", "the last box is cut off")),
        ("5", r"It is \boxed{}", Grade(False, None, "none", "the last box is empty")),
        ("5", r"\boxed{?}", Grade(False, "?", "none", "not an expression that can be read")),
    ],
)
def test_a_grade_says_what_decided_and_why(reference: str, completion: str, expected: Grade) -> None:
    assert grade(reference, completion) == expected


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.pattern.pattern)
def test_every_rule_of_the_normal_form_has_a_reason(rule: tuple[object, str, str]) -> None:
    assert rule[2]


def documented() -> list[tuple[str, str, str]]:
    """The examples of the documentation: every two that stand together, and whether they are said to be the same."""
    text = (REPO / "docs" / "grading.md").read_text()
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ") and line.count("|") == 5]
    examples = []
    for _, same, different, _ in rows:
        subject = spans_of(same)[:1]
        for cell, said in ((same, "same"), (different, "different")):
            for group in map(spans_of, cell.split("; ")):
                pairs = combinations(group if len(group) > 1 else subject + group, 2)
                examples += [(*pair, said) for pair in pairs]
    return examples


def spans_of(markdown: str) -> list[str]:
    """What is set as code."""
    return re.findall(r"`([^`]+)`", markdown)


@pytest.mark.parametrize(("one", "other", "said"), documented())
def test_the_examples_of_the_documentation_hold(one: str, other: str, said: str) -> None:
    assert equivalent(one, other) == (said == "same")


def test_importing_the_grader_loads_no_computer_algebra() -> None:
    code = "import personamath.answers, sys; sys.exit(bool({'sympy', 'math_verify', 'mpmath'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_labelled_pairs_are_told_apart(data: Path) -> None:
    pairs = [
        json.loads(line)
        for line in (data / "answers" / "pairs.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    ]
    said = [
        grade(pair["gold"], pair["candidate"]).correct
        if pair["form"] == "full"
        else equivalent(pair["gold"], pair["candidate"])
        for pair in pairs
    ]
    wrong = [pair for pair, equal in zip(pairs, said, strict=True) if equal != pair["equal"]]
    false_positives = [pair for pair in wrong if not pair["equal"]]
    assert len(wrong) <= 0.015 * len(pairs), wrong
    assert len(false_positives) <= 0.002 * sum(said), false_positives
    assert not [pair for pair in wrong if pair["kind"] == "real_nobox"]


def test_the_cheap_rules_decide_nearly_all_real_outputs(data: Path) -> None:
    pairs = [
        json.loads(line)
        for line in (data / "answers" / "pairs.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    ]
    real = [pair for pair in pairs if pair["kind"].startswith("real_")]
    decided = [pair for pair in real if grade_cheaply(pair["gold"], pair["candidate"])]
    assert len(decided) >= 0.98 * len(real)


def test_every_reference_answer_of_math_equals_itself_in_other_dress(data: Path) -> None:
    dresses = ["${}$", r"\(\displaystyle {}\)", " {} .", r"\boxed{{{}}}", "{{{}}}"]
    for split in ("train", "test"):
        for line in (data / "math" / f"{split}.jsonl").read_text().splitlines()[::7]:
            reference = extract(json.loads(line)["solution"])
            if reference is not None and not reference.endswith("."):
                assert [dress for dress in dresses if not equivalent(reference, dress.format(reference))] == []
