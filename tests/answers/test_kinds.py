"""Kinds of answers that graders mistake and that must not be accepted; what must not be refused is a table of its own.

Each kind has more than one example, so that the kind is mended and not the example.
"""

import json
from pathlib import Path

import pytest

from personamath.answers import equivalent, extract, grade

DIFFERENT = [
    # Feet, inches, minutes of arc and scales of temperature are units
    (r"30^\circ", "30'"), ("5'", "5''"), (r"5\text{ in}", "5'"), (r"20^\circ\text{C}", r"20^\circ\text{F}"),
    (r"5\text{ EUR}", r"5\text{ USD}"), (r"\$5", "€5"), ("£5", "€5"), ("¥5", r"\$5"), (r"\pounds 5", "€5"),
    ("€5", "5 dollars"),
    # Both inequalities hold, or one of them
    (r"x>0\text{ and }x<1", r"x>0\text{ or }x<1"), (r"x \ge 1 \land x \le 3", r"x \ge 1 \lor x \le 3"),
    (r"(-\infty,1)\cup(2,\infty)", r"x<1\text{ and }x>2"),
    # Differences and differentials are no factors
    (r"\frac{\Delta y}{\Delta x}", r"\frac{y}{x}"), (r"\frac{du}{u}", "d"),
    # Piecewise functions and systems are read whole
    (r"\begin{cases} x^2, & x > 0 \\ 0, & x \le 0 \end{cases}",
     r"\begin{cases} x^2, & x \ge 0 \\ 0, & x < 0 \end{cases}"),
    (r"f(x)=\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
     r"f(x)=\begin{cases} 2 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}"),
    (r"\left\{\begin{array}{ll} x+1 & x>0 \\ 3 & x\le 0\end{array}\right.",
     r"\left\{\begin{array}{ll} x+2 & x>0 \\ 3 & x\le 0\end{array}\right."),
    (r"\begin{aligned} x&=2 \\ y&=3 \end{aligned}", r"\begin{aligned} x&=1 \\ y&=3 \end{aligned}"),
    ("3", r"\begin{cases} x=2 \\ y=3 \end{cases}"), ("3", r"\begin{aligned} x&=2 \\ y&=3 \end{aligned}"),
    ("3",r"\begin{cases} 2, & n=1 \\ 3, & n>1 \end{cases}"),
    (r"\begin{cases} x+y=3 \\ x-y=1 \end{cases}", r"\begin{cases} x+y=4 \\ x-y=1 \end{cases}"),
    (r"\begin{cases} 2, & n=1 \\ 3, & n>1 \end{cases}",r"\begin{cases} 3, & n=1 \\ 2, & n>1 \end{cases}"),
    (r"\begin{cases} 1, & n \text{ even} \\ 0, & n \text{ odd} \end{cases}",
     r"\begin{cases} 0, & n \text{ even} \\ 1, & n \text{ odd} \end{cases}"),
    # An unknown function is not multiplied
    ("f(2x)","2f(x)"), ("g(x+1)","g(x)+g(1)"), ("f(x)g(x)","f(g(x))"), ("f(-x)","-f(x)"), ("h(3-x)","-h(x-3)"),
    ("f(x^2)","f(x)^2"), ("f(3)","3f"), (r"\frac{f(x+h)-f(x)}{h}","f(h)/h"), (r"\frac{f(2x)}{2}","f(x)"),
    ("f'(x)","f(x)"), ("f^{-1}(x)",r"\frac{1}{f(x)}"), ("f(x,y)","f(y,x)"), (r"2\phi(n)",r"\phi(2n)"),
    ("F(b)-F(a)","F(b-a)"),
    ("k(-x)", "-k(x)"), ("a(n+1)", "a(n)+a(1)"), ("y(2x)", "2y(x)"), (r"\sigma(2n)", r"2\sigma(n)"), ("f(0)", "0"),
    ("f^2(x)", "f(x^2)"), ("f_1(2x)", "2f_1(x)"), ("T(n-1)+1", "T(n)"),
    # Words after a number may go on computing
    ("2", r"2\text{ sevenths}"), ("1", r"1\text{ in a million}"), ("10", r"10\text{ a.m.}"), ("3", r"3\text{ theta}"),
    ("2",r"2\text{ to }5"), ("2",r"2\text{ or more}"), ("3",r"3\text{ times 4}"), ("5",r"5\text{ minus 2}"),
    ("4",r"4\text{ squared}"), ("6",r"6\text{ and a half}"), ("2",r"2\text{ hundred}"), ("3",r"3\text{ in 4}"),
    ("5",r"5\text{ mod 7}"), ("7",r"7\text{ pounds 3 ounces}"), ("3",r"3\text{ sqrt 2}"),
    ("2",r"2\text{ remainder 1}"), ("5",r"5\text{ hours 20 minutes}"), ("1",r"1\text{ over 2}"),
    ("3",r"3\text{ pi cm}"), ("3",r"3\text{ or }4"), ("5",r"5\text{ choose }2"), ("3",r"3\text{ out of }5"),
    ("3",r"3\text{ per cent of 5}"), ("3",r"\text{3 out of 5}"), ("3","3 out of 5"),
    # Two values beside a word are no product
    (r"3\sqrt2",r"3\ \text{and}\ \sqrt2"), (r"2x",r"2\;\text{or}\;x"), ("12",r"1\ \text{or}\ 2"),
    (r"2\sqrt3",r"2\quad\text{or}\quad\sqrt3"), (r"2\pi",r"2\,\mathrm{or}\,\pi"), (r"2\pi",r"2\ \mbox{ or }\ \pi"),
    ("xy",r"x\ \text{or}\ y"), (r"2\sqrt3",r"2\ or\ \sqrt3"), (r"2\sqrt{3}",r"2,\ \sqrt{3}"),
    (r"2\sqrt3", r"2\ \text{,}\ \sqrt3"), ("5i", r"5\ \text{or}\ i"), (r"2\sqrt3", r"2\ \vee\ \sqrt3"),
    # An absolute value bends
    ("|x+500|","x+500"), ("|x-5000|","x-5000"), ("|x-300|","300-x"), (r"\sqrt{x^2+40x+400}","x+20"),
    (r"\sqrt{(x+y)^2}","x+y"), ("|2x+50|","2x+50"), (r"\sqrt{x^2-2xy+y^2}","x-y"),
    (r"\sqrt{5}|x-30|",r"\sqrt{5}(x-30)"), (r"|x+20|+1","x+21"), (r"\sqrt{2x^2+80x+800}",r"\sqrt2(x+20)"),
    (r"\frac{|x+15|}{3}",r"\frac{x+15}{3}"), (r"\sqrt[4]{(x+20)^4}","x+20"), (r"|x+20|\pi",r"\pi(x+20)"),
    # Braces and parentheses count among words
    (r"\frac{2}{13}\text{ if }n\text{ is odd}",r"\frac{21}{3}\text{ if }n\text{ is odd}"),
    (r"x^{12}\text{ for all even }n",r"x^1 2\text{ for all even }n"),
    (r"3(a+b)\text{ square}",r"3a+b\text{ square}"), (r"\sqrt{12}\text{ if even}",r"\sqrt{1}2\text{ if even}"),
    (r"2X\text{ for even }n",r"2x\text{ for even }n"),
    (r"\frac{1}{23}\text{ or so, depending on }n",r"\frac{12}{3}\text{ or so, depending on }n"),
    # A derivative is no fraction
    ("x^2",r"\frac{d}{dx}x^3"), ("3x",r"\frac{d}{dx}(x^3)"), (r"\frac{x}{t}",r"\frac{dx}{dt}"), ("xy","dy/dx"),
    ("y/x","dy/dx"), (r"\frac{y}{x^2}",r"\frac{d^2y}{dx^2}"), ("0",r"\frac{dy}{dx}"),
    (r"\frac{f}{x}",r"\frac{\partial f}{\partial x}"), ("2",r"\frac{d}{dx}x^2"),
    (r"\frac{f(x)}{x}",r"\frac{d}{dx}f(x)"), (r"\frac{x}{2}",r"\frac{d^2}{dx^2}x^3"),
    (r"\frac{\theta}{t}", r"\frac{d\theta}{dt}"), (r"\frac{y}{x}", r"\frac{\mathrm{d}y}{\mathrm{d}x}"),
    # Letters have a case, and nothing has a tolerance
    ("0.5000001",r"\int_0^1 x dx"), ("0.693147",r"\int_1^2\frac{1}{x}dx"),
    ("1.644934",r"\sum_{n=1}^\infty \frac{1}{n^2}"), ("AB",r"a\,b"), (r"2\pi\,R",r"2\pi r"), ("V",r"\,v"),
    ("X^2",r"x\,^2"), (r"\sqrt{A}",r"\sqrt{\,a}"), ("3N",r"3\;n"), (r"\frac{M}{2}",r"\frac{m\,}{2}"),
    ("0.8414709848",r"\int_0^1 \cos x dx"), (r"X+\sum_{k=1}^{3}k",r"x+6"),
    # A time of day is no ratio
    ("2:15","4:30"), ("10:20","20:40"), ("1:10","2:20"), ("12:30","6:15"), ("1:2:3","1:3:2"), ("1:2:3","1/6"),
    ("2:30 pm","2:30 am"),
    ("1:15:30", "2:31:00"), ("3:15", "6:30 p.m."), ("12:00", "24:00"),
    # Degrees and minutes do not commute
    (r"45^\circ 15'",r"15^\circ 45'"), (r"10^\circ 20' 30''",r"10^\circ 30' 20''"), (r"10^\circ 20'","200"),
    ("5'8\"","8'5\""), ("5 ft 8 in","8 ft 5 in"), (r"30^\circ20'",r"600^\circ"),
    # Named values have an order
    ("a=1, b=2, c=3","3,2,1"), (r"x=1 \text{ and } y=2","2,1"), ("2,1","x=1, y=2"), (r"m=3, n=5","5,3"),
    ("p=2, q=3",r"\{3,2\}"), (r"x=1,y=2",r"(2,1)"), ("x=1, y=2","x=2, y=1"), (r"\alpha=1,\beta=2","2,1"),
    ("m=2, b=-3", "-3,2"), (r"\begin{cases} x=1 \\ y=2 \end{cases}", "2,1"), ("x=1, y=2, x=3, y=4", "(2,1),(4,3)"),
    # A set of sets is not its members
    (r"\{\{1,2\}\}",r"\{1,2\}"), (r"\{\{1\}\}",r"\{1\}"), (r"\{1,\{2\}\}",r"\{1,2\}"), (r"\{\{\}\}",r"\{\}"),
    (r"\{\emptyset,\{\emptyset\}\}",r"\{\emptyset,\emptyset\}"), (r"\{\{1\},\{2\}\}","1,2"),
    (r"\{1\},\{2\}",r"\{1,2\}"), (r"\{\{1\}\}","1"), (r"\{\{1,2\},\{3\}\}",r"\{1,2,3\}"),
    (r"\{\{1,2\},3\}",r"\{\{1,3\},2\}"), (r"\{\emptyset\}",r"\{\}"), (r"\{0\}",r"\emptyset"),
    # A set has a domain
    (r"\{x\in\mathbb{Z}: 0<x<4\}","(0,4)"), (r"\{x\in\mathbb{N}\mid x>2\}",r"(2,\infty)"),
    (r"\{x \in \mathbb{Q} : 0<x<1\}","(0,1)"), (r"\{2n : n\in\mathbb{Z}\}",r"\{3n : n\in\mathbb{Z}\}"),
    (r"\{x\in\mathbb{Z}: x\ge0\}",r"\{x\in\mathbb{R}: x\ge0\}"), (r"\{x : x\in\mathbb{Z}, 1\le x\le3\}","[1,3]"),
    (r"1\le x\le 3, x\in\mathbb{Z}","[1,3]"), (r"\{n\in\mathbb{Z} : n<3\}",r"n<3"),
    (r"\{x\in\mathbb{N}: x\le 5\}",r"x\le5"), (r"\{x^2 : x > 2\}",r"(2,\infty)"),
    (r"\{n \in \mathbb{Z}^+ \mid n \le 3\}",r"(-\infty,3]"),
    # Short words are no products
    ("on","no"), ("so","os"), ("god","dog"), ("act","cat"), ("saw","was"), ("top","pot"), ("is","si"), ("up","pu"),
    ("tea","eat"), ("fed", "def"),
    # Primes count
    ("y_2'","y_2"), ("x_1''","x_1"), ("a_{2}'","a_2"), ("f'(2)","f(2)"), ("x'","x"), ("A'","A"), ("y''","y'"),
    ("P_1'","P_1"),
    # Two formulas are two
    ("34","$3$$4$"), ("12","$1$ $2$"), ("123",r"\(12\)\(3\)"), ("1234","$1$$234$"), ("-12","$-1$$2$"),
    ("12",r"\(1\) \(2\)"),
    # What cannot be told from another value is not equal to it
    ("1",r"\tanh 400"), ("-1",r"\tanh(-300)"), ("0",r"1-\tanh 200"), ("1",r"\coth 200"),
    (r"\frac{\pi}{2}",r"\arctan 10^{200}"), ("1",r"\cos 10^{-100}"), ("0",r"e^{-1000}"), ("1",r"1+e^{-400}"),
    ("1",r"\sqrt{1+10^{-170}}"), ("2",r"1+\tanh 300"), ("1",r"\tanh 50^2"), ("0",r"\operatorname{sech} 500"),
    ("1","e^{10^{-160}}"), ("1",r"2^{10^{-160}}"), ("1",r"\cosh 10^{-90}"), ("1",r"\sec 10^{-90}"),
    (r"\frac{\pi}{2}",r"\arccos 10^{-170}"), ("1",r"\frac{e^{200}-e^{-200}}{e^{200}+e^{-200}}"),
    # A double factorial
    ("120","5!!"),("40320","4!!"),("24","4!!"),("n!","n!!"),("720","(3)!!"),("6","3!!"),
    # An inverse function is no reciprocal
    (r"\frac{1}{\cosh x}",r"\cosh^{-1}x"), (r"\frac{1}{\tanh 2}",r"\tanh^{-1}2"), (r"\frac1{\sec 2}",r"\sec^{-1}2"),
    (r"\cos 2",r"\sec^{-1}(2)"), (r"\tan 3",r"\cot^{-1}3"), (r"\frac{1}{\sin x}",r"\sin^{-1} x"),
    (r"\sin 2",r"\csc^{-1}2"), (r"\frac{1}{\ln 2}",r"\ln^{-1}2"), (r"\frac{1}{\log 5}",r"\log^{-1} 5"),
    ("q",r"p \implies q"),
    # A letter beside a number is no unit for symbolic algebra
    ("3h", r"\sum_{k=1}^{2}k"), ("5m", r"\int_0^1 10x dx"), ("2t", r"\int_0^1 4x dx"),
    # A word that only joins others says nothing
    ("3", "and"), ("37", "thirty or seven"),
    # Words after a number
    ("3", r"3\text{ dozen}"), ("3", r"3\text{ million}"), ("2", r"2\text{ billion}"), ("4", r"4\text{ thousand}"),
    # Absolute values
    ("|x+1000000|", "x+1000000"), ("|x-200000|", "200000-x"), (r"\ln|x+20|", r"\ln(x+20)"), (r"\ln|x|", r"\ln x"),
    # Formulas among words
    (r"-(a-b)\text{ for odd }n", r"-a-b\text{ for odd }n"),
    # Times and ratios
    ("1:05", "1:5"), ("0:30", "0"),
    # Sets in sets
    (r"\{[1,2]\}", "[1,2]"),
    # Words and products
    ("am", "ma"), ("pm", "mp"), ("as", "sa"), ("at", "ta"), ("an", "na"), ("by", "yb"), ("and", "dan"),
    (r"\text{ab}", r"\text{ba}"), ("be", "eb"), ("my", "ym"), ("ha", "ah"), ("hi", "ih"),
    # Primes
    ("ABC", "A'B'C'"),
    # Formulas side by side
    ("2x", "$2$$x$"), (r"3\pi", r"$3$$\pi$"), (r"3\sqrt2", r"$3$ $\sqrt2$"), ("xy", "$x$$y$"),
    # What cannot be told apart
    ("3", r"\log_{10}(1000+10^{-170})"), ("2", r"\sqrt{4+10^{-160}}"), (r"\frac{\pi}{4}", r"\arctan(1-10^{-170})"),
    ("1", r"\cos(2\pi+10^{-100})"),
    # Names
    (r"P(A)=\frac14", r"P(B)=\frac14"),
    # Distances
    (r"x\ne2,3", r"y\ne2,3"),
    # Numbers in words
    ("37", "thirty or seven"),
    # Currencies
    (r"0.75\text{ cents}", r"\$0.75"), (r"75\text{ cents}", r"\$75"),
    # Tuples
    ("(3,4)", "(y,x) = (3,4)"),
    # What is counted
    ("5 boys", "5 girls"), (r"3\text{ cats}", r"3\text{ dogs}"), ("5 boys, 3 girls", "3 boys, 5 girls"),
    (r"5\text{ boys and }3\text{ girls}", r"3\text{ boys and }5\text{ girls}"), ("5 hours", "5 boys"),
    ("5 red balls", "5 blue balls"), ("12 adult tickets", "12 child tickets"), ("5 miles north", "5 miles south"),
    ("5 dollars profit", "5 dollars loss"), ("5 quarts", "5 gallons"), ("5 nickels", "5 dimes"), ("5 men", "5 women"),
    ("$5", "5 apples"), (r"5\%\text{ discount}", r"5\%\text{ markup}"), ("2 dozen eggs", "2 dozen rolls"),
    ("5 minutes early", "5 minutes late"),
    # A time before another is no length of time
    ("8", "8 hours ago"), (r"5", r"5\text{ years ago}"), ("3", "3 days earlier"),
    ("10", r"10\text{ minutes past noon}"),
    ("3 days ago", "3 days later"), ("5", "5 weeks prior"), ("5", "5 in debt"), ("5", "5 days before"),
    # Codes of currencies
    ("EUR 5", "USD 5"), ("GBP 5", "$5"), ("5 CAD", "5 USD"), ("A$5", "US$5"), (r"\text{EUR }5", r"\text{USD }5"),
    ("CHF 5", "EUR 5"), ("5 SEK", "5 NOK"), ("C$5", "€5"), ("CNY 5", "JPY 5"), ("₹5", "USD 5"), ("€5", "$5"),
    ("$5", r"5\%"), ("-USD 5", "USD 5"), ("5EUR", "5USD"), ("USD 1,000", "EUR 1,000"),
    # A wide space is no sign of a product
    (r"2\sqrt3", r"2\quad\sqrt3"), (r"2\pi", r"2\qquad\pi"), ("2x", r"2\quad x"), ("xy", r"x\qquad y"),
    ("-1", r"2\quad-3"),
    (r"2\frac12", r"2\quad\frac12"), (r"f(x)=x^2\quad x>0", r"f(x)=x^2\quad x<0"),
    # A unit behind a fraction
    (r"\frac12\,m", r"\frac12\,s"), (r"\frac12\,m", r"\frac12\,x"), (r"4\pi\,m", r"4\pi\,s"),
    # Sets of intervals
    (r"\{[1,2],[3,4]\}", r"[1,2]\cup[3,4]"), (r"\{(1,2),(3,4)\}", r"(1,2)\cup(3,4)"),
    # Decimals, prefixes of bases, and dates are no products and differences
    ("0", "0.(3)"), ("0.123", "0.12(3)"), ("0", "0xA5"), ("0", "0b11"), ("2020-01-02", "2020-02-01"),
    ("2017", "2020-01-02"), ("1/4040", "1/2/2020"), ("Ab", "aB"),
    # Near misses of answers of MATH
    ("12", r"12\text{ or }13"), ("12", "12!"), ("12", "12^2"), ("12", "10-12"), ("12", r"\text{at least } 12"),
    ("12", r"\text{not }12"), ("12", "12+"), ("12", r"\ge 12"), ("12", r"2 \cdot 12"), ("12", r"12\text{ hundred}"),
    ("12", r"\sqrt{12}"), ("12", r"\text{12 or 13}"), ("12", "12 R 3"), ("10000", "10.000"), (r"64\%", "0.064"),
    (r"64\%", r"64^\circ"), (r"60^\circ", r"\frac{\pi}{3}"), ("1,2,3", "1 < 2 < 3"), ("(3,4)", "3,4"),
    ("(3,4)", "(3,4,0)"), (r"(-\infty,3] \cup [4,\infty)", r"(-\infty,3) \cup (4,\infty)"), (r"(5,\infty)", "5"),
    ("x^2+2x+1", "x^2-2x+1"), ("x^2+2x+1", "x^2+2y+1"), ("x^2+2x+1", "x = -1"), ("y = 2x+3", "y = 3x+2"),
    ("y = 2x+3", "y = |2x+3|"), ("x+y-z+1=0", "x+y-z+1"), ("x+y-z+1=0", "x+y-z=1"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", "(1,2)"),
    (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{pmatrix} 1 & 2 & 3 & 4 \end{pmatrix}"),
    (r"-\frac{1}{2}", r"\frac{1}{2}"), (r"-\frac{1}{2}", r"\frac{-1}{-2}"), (r"\frac{2\sqrt3}{3}", "1.1547"),
    ("C", r"\text{A, C}"), ("C", r"\text{C and D}"), (r"\text{B,C}", r"\text{B}"),
    (r"\text{ellipse}", r"\text{circle}"), (r"\text{June 20}", "20"), ("3:5", "5:3"), ("3:5", "35"),
    (r"\log\left(\frac{2007}{2006}\right)", r"\frac{\log 2007}{\log 2006}"), ("AB=9, CD=4", "9"), ("D, E", "D, F"),
    (r"1,\!000,\!000", "1 billion"), (r"\text{No}", r"\text{Yes}"), ("15", "1, 5"), ("5x^2", "5x^3"), ("5x^2", "5x2"),
    (r"\frac{x+5}{6}", "x + 5/6"), (r"0.\overline{12}", r"0.1\overline{2}"), ("a+b+c+3x", "a+b+c"),
    (r"\sqrt{x}", "x"), (r"\pi a^2", r"\pi a"), ("3-i", "3"), (r"10\frac{1}{12}", r"\frac{10}{12}"), ("CD", "DC + 1"),
]  # fmt: skip

BOXES = [
    (r"\boxed{\boxed{1}, \boxed{2}}", r"\boxed{1}, \boxed{2}"),
    (r"\boxed{\text{so } \boxed{7}}", r"\text{so } \boxed{7}"),
    (r"\boxed{3} and then \boxed{\boxed{4}}", r"\boxed{4}"),
    (r"\boxed{5 is cut off, but \boxed{6} is not", "6"),
    (r"\boxed{\frac{1}{2}} or \boxed{\frac{1}{3}}", r"\frac{1}{3}"),
]


@pytest.mark.parametrize(("completion", "answer"), BOXES)
def test_the_last_box_that_stands_in_no_other_is_the_answer(completion: str, answer: str) -> None:
    assert extract(completion) == answer


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_answers_of_each_kind_are_told_apart(one: str, other: str) -> None:
    assert not equivalent(one, other)
    assert not equivalent(other, one)


def test_outsiders_are_graded_right(data: Path) -> None:
    lines = (data / "answers" / "outsiders.jsonl").read_text(encoding="utf-8").split("\n")
    pairs = [json.loads(line) for line in lines if line]
    accepted = [
        grade(pair["gold"], pair["candidate"]).correct
        if pair["form"] == "full"
        else equivalent(pair["gold"], pair["candidate"])
        for pair in pairs
    ]
    wrongly_accepted = [pair for pair, equal in zip(pairs, accepted, strict=True) if equal and not pair["equal"]]
    same = [equal for pair, equal in zip(pairs, accepted, strict=True) if pair["equal"]]
    assert wrongly_accepted == []
    assert sum(same) >= 0.75 * len(same), f"{sum(same)} of {len(same)} accepted"
