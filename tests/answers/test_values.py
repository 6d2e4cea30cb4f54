"""Values at the edges: powers and roots of special numbers, functions by their definition, sets, what has no value."""

import pytest

from personamath.answers import equivalent

LONG_NUMBER = "7" * 160
LONG = [
    f"{letter}^{sign}{power}"
    for letter, sign in (("x", ""), ("x", "-"), ("y", "-"), ("z", ""))
    for power in range(2, 10)
]

SAME = [
    # Powers
    ("x^-1", "1/x"), ("2^{3^2}", "512"), ("2^3^2", "512"), ("4^{-1/2}", "1/2"), ("(-8)^{1/3}", "-2"),
    ("(-8)^{2/3}", "4"), ("0^3", "0"), (r"\sqrt{0}+1", "1"), (r"\sqrt{\frac{4}{9}}", "2/3"), (r"\sqrt[3]{27}", "3"),
    (r"\sqrt[4]{16}", "2"),
    # Complex numbers
    ("i^3", "-i"), ("(1+i)^2", "2i"), (r"e^{i\pi}", "-1"), ("|3+4i|", "5"),
    # Functions by their definition
    (r"\log_{10} 1000", "3"), (r"\log_2 \frac18", "-3"), (r"\lg 1000", "3"), (r"\exp(1)", "e"),
    (r"\coth 1", r"\frac{1}{\tanh 1}"), (r"\operatorname{sech} 1", r"\frac{1}{\cosh 1}"),
    (r"\sec 1", r"\frac{1}{\cos 1}"), (r"\csc 1", r"\frac{1}{\sin 1}"), (r"\cot 1", r"\frac{\cos 1}{\sin 1}"),
    (r"\max(1,\sqrt2)", r"\sqrt2"), (r"\min(1,\sqrt2)", "1"), (r"\gcd(12,18,4)", "2"),
    # Rounded, also where the value is irrational, or looks as if it were
    (r"\lfloor \pi \rfloor", "3"), (r"\lceil \pi \rceil", "4"), (r"\lfloor -\pi \rfloor", "-4"),
    (r"\lceil 3.2 \rceil", "4"),
    (r"\lfloor (\sqrt2)^2 \rfloor", "2"), (r"\lceil (\sqrt2)^2 \rceil", "2"),
    # Factorials
    ("0!", "1"), ("7!!", "105"), (r"\binom{7}{2}", "21"), (r"\binom{5}{0}", "1"),
    (r"\ln 1", "0"), (r"\log_2 1", "0"), (r"5+\ln 1", "5"),
    # A mixed number among factors
    (r"2\frac{1}{2}\pi", r"\frac{5\pi}{2}"), (r"3\frac12 x", r"\frac{7x}{2}"),
    # As many terms as one writes down
    ("+".join(LONG), "+".join(reversed(LONG))),
    # Sets by a condition
    (r"\{x\in\mathbb{Z}: -1<x<3\}", r"\{0,1,2\}"), (r"\{x\in\mathbb{Z}: -1\le x\le 1\}", r"\{-1,0,1\}"),
    (r"\{x\in\mathbb{Z}: 0<x<100\}", r"\{n\in\mathbb{Z}: 0<n<100\}"),
    # Sets that are not computed
    (r"\{x\} \cup \{y\}", r"\{x,y\}"), (r"\{x\} \cup \{x,y\}", r"\{y,x\}"), (r"[0,a) \cup [2,b]", r"[2,b]\cup[0,a)"),
    (r"[0,x)\cup[1,2]", r"[1,2]\cup[0,x)"), (rf"[0,{LONG_NUMBER}]\cup[1,2]", rf"[1,2]\cup[0,{LONG_NUMBER}]"),
    (r"\{1\}\cup\{\{2\}\}", r"\{1,\{2\}\}"), (r"x\ne a, b", r"\mathbb{R}\setminus\{a,b\}"), ("1<|x|<3", "3>|x|>1"),
    (r"(-\infty,\infty)\cup(-\infty,\infty)", r"\mathbb{R}"), (r"\emptyset\cup\emptyset", r"\emptyset"),
    (r"\begin{matrix} x=2 \\ y=3 \end{matrix}", "x=2,y=3"),
    # Formulas among words
    (r"\frac{n}{2}\text{ if even, }3n\text{ if odd}", r"0.5n\text{ if even, }n\cdot 3\text{ if odd}"),
    # Functions in cases, without a column for the condition
    (r"\begin{cases} 1 \text{ if } x>0 \\ 2 \text{ if } x \le 0 \end{cases}",
     r"\begin{cases} 2, & x \le 0 \\ 1, & x>0 \end{cases}"),
    (r"\begin{cases} 1, x>0 \\ 2, x \le 0 \end{cases}", r"\begin{cases} 2, & x \le 0 \\ 1, & x>0 \end{cases}"),
    # Names
    (r"x\equiv 2\pmod n", r"x \equiv 2 (\bmod n)"), (r"2\vec{v}", r"\vec{v}+\vec{v}"), ("f(x)=x+t", "f(y)=y+t"),
    ("(x,y)=(1,2,3)", "(1,2,3)"), (r"\sin 2xy", r"\sin(2yx)"), (r"\log 2x", r"\log(x\cdot 2)"),
    (r"\{\theta : \theta > 2\}", r"(2,\infty)"),
    # Functions of variables
    (r"\sqrt{x}\sqrt{y}", r"\sqrt{xy}"), (r"\ln(x^2)", r"2\ln x"), (r"\sqrt2\frac12", r"\frac{\sqrt2}{2}"),
    (r"\sqrt[3]2\frac12", r"\frac{\sqrt[3]2}{2}"), ("e^{ix}", r"\cos x+i\sin x"), (r"\log_2 x", r"\frac{\ln x}{\ln 2}"),
    (r"x^{\frac12}", r"\sqrt{x}"), (r"2\%x", "0.02x"), (r"\sin^2 x+\cos^2 x", "1"), (r"\frac{n!}{(n-2)!}", "n(n-1)"),
    (r"\arcsin x+\arccos x", r"\frac{\pi}{2}"), (r"\sinh x", r"\frac{e^x-e^{-x}}{2}"), ("2^{-n}", r"\frac{1}{2^n}"),
    ("-|x|", "-|-x|"), (r"|x|\cdot|y|", "|xy|"), (r"\lceil x \rceil", r"-\lfloor -x\rfloor"), ("(2n)!!", "2^n n!"),
    # Integrals and sums of a number times something
    (r"\int_0^1 2x dx", "1"), (r"\int_{-1}^1 3x^2 dx", "2"), (r"\sum_{k=1}^3 2k", "12"), (r"\sum_{k=10}^{11} 2k", "42"),
    ("2^3 3^2", "72"),
    # Numbers in words
    ("two hundred and five", "205"), ("three thousand four hundred", "3400"), ("minus twelve million", "-12000000"),
    # Times of day, amounts
    ("50 cents", "0.5 dollars"), ("midnight", "12:00 a.m."), ("0:30", "00:30"),
    # Transposed
    ("A^T", r"A^\top"), ("A^T", r"A^{\intercal}"), (r"(1,2)^\top", r"\begin{pmatrix}1\\2\end{pmatrix}"),
]  # fmt: skip

DIFFERENT = [
    ("y'(2x)", "2y'(x)"), ("f^2(x)", "f(x)^3"), ("2^{3^2}", "64"), ("A^T", "A"), ("midnight", "noon"),
    (r"\lfloor \pi \rfloor", "4"), (r"\lceil \pi \rceil", "3"), (r"\{x\in\mathbb{N}: -1<x<3\}", r"\{0,1,2\}"),
    # Sets
    (r"\{x\} \cup \{y\}", r"\{x,z\}"), (r"x\ne1, y\ne2", r"x\ne2, y\ne1"), (r"[0,1)\cup(1,2]", "[0,2]"),
    ("(1,2", "(1,2)"),
    (r"\{x\in\mathbb{Z}: 0<x<100\}", r"\{x\in\mathbb{Z}: 0<x<99\}"), (r"\{x\in\mathbb{N}: 0\le x<3\}", r"\{1,2\}"),
    (rf"[0,{LONG_NUMBER}]\cup[1,2]", rf"[0,{LONG_NUMBER}1]\cup[1,2]"), ("1<|x|<3", "1<|x|<4"), (r"1\cup2", "3"),
    # Names
    (r"x\equiv 2\pmod n", r"x \equiv 2\pmod m"), (r"\vec{v}", r"\vec{w}"), (r"\vec{v}", "v"), (r"\bar{2x}", "2x"),
    ("C_5^n", "C_5"), ("f(a)=3", "f(b)=3"), ("f(x)=x+t", "f(t)=t+x"), ("(x,y)=(1,2,3)", "(2,1,3)"),
    # Functions of variables
    ("f(i)+1", "f(2i)+1"), ("f(x,y)", "f(x)"), ("x^{1/2}", "x^{1/3}"), (r"\sqrt[3]{x}", r"\sqrt[4]{x}"),
    ("n!", "(n+1)!"), ("3 sinx", "3 siny"),
    (r"\lfloor x\rfloor", "x"), (r"\lceil x \rceil", r"\lfloor x \rfloor"), ("i x", "x"), ("e^x", "e^{-x}"),
    (r"\arcsin x", r"\arccos x"), ("|x|y", "xy"), ("0", r"\exp(-1000)"),
    # Words among formulas
    (r"2n\text{ if even, }3n\text{ if odd}", r"2n\text{ if even, }3n\text{ if prime}"),
    # Times of day, amounts, words
    ("9:00", "9:00 a.m."), ("13:30 p.m.", "1:30 p.m."), ("25:00", "1:00"), ("0:30 p.m.", "12:30 p.m."),
    ("5 ft 8 m", "5"),
    ("8 in 5 ft", "5 ft 8 in"), ("50 cents", "0.5 euros"), ("twenty thirty", "50"),
    # What cannot be read
    ("5!!!", "5!"), ("2 3", "23"), ("2 3", "6"), ("x)", "x"), ("1" * 101 + "x", "1" * 101 + "y"),
    # No value
    (r"\gcd(1.5,3)", "1.5"), (r"5 \bmod 0", "5"), (r"\max(i,1)", "1"), ("(-1)!", "1"), ("2.5!", "2"), ("(-1)!!", "1"),
    (r"\lfloor i \rfloor", "0"), (r"\log 0", "0"), ("0^{-1}", "0"), (r"\tan 90^\circ", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_of_one_value_are_the_same(one: str, other: str) -> None:
    assert equivalent(one, other)
    assert equivalent(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_values_and_what_has_no_value_are_different(one: str, other: str) -> None:
    assert not equivalent(one, other)
    assert not equivalent(other, one)
