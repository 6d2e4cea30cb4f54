"""Kinds of answers that graders mistake: what must not be accepted, and what must not be refused.

Each kind has more than one example, so that the kind is mended and not the example.
"""

import json
from pathlib import Path

import pytest

from personamath.answers import equivalent, extract, grade

DIFFERENT = [
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
    ("tea","eat"),
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
]  # fmt: skip

SAME = [
    (r"\begin{cases} x+1, & x \ge 0 \\ x-1, & x < 0 \end{cases}",
     r"\begin{cases} x-1 & \text{if } x < 0 \\ 1+x & \text{if } x \ge 0 \end{cases}"),
    (r"f(x)=\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
     r"\begin{cases} 1, & x > 0, \\ 0, & \text{otherwise.} \end{cases}"),
    (r"\begin{cases} x=2 \\ y=3 \end{cases}", "x=2, y=3"), (r"\begin{cases} x=2 \\ y=3 \end{cases}", "(2,3)"),
    (r"\begin{cases} x=2 \\ y=3 \end{cases}", r"\begin{cases} y=3 \\ x=2 \end{cases}"),
    (r"(2,3)",r"\begin{aligned} x&=2 \\ y&=3 \end{aligned}"),
    (r"\left\{\begin{array}{ll} x+1 & x>0 \\ 3 & x\le 0\end{array}\right.",
     r"\begin{cases} x+1, & x > 0 \\ 3, & x \le 0\end{cases}"),
    ("f(2x+2)","f(2(x+1))"), ("3-2f(x)","-2f(x)+3"), ("f(4-x)","f(-x+4)"), ("f(g(x))",r"f\left(g(x)\right)"),
    ("f'(x)",r"f^{\prime}(x)"), (r"\frac{h(a+b)}{2}",r"\frac{ha+hb}{2}"), ("f^{-1}(x)",r"f^{-1}( x )"),
    ("12",r"12\text{ square feet}"), ("14",r"14 \text{ right triangles}"), ("3",r"3\text{ apples}"),
    ("3",r"3\text{ each}"), ("20",r"20\text{ students}"), ("6",r"6\text{ of them}"),
    ("2,3",r"2\;\text{or}\;3"), ("x=2,x=3",r"x=2\ \text{ or }\ x=3"), (r"2,\sqrt3",r"2\ \text{or}\ \sqrt3"),
    ("5,6",r"5\text{ or }6"), ("5,6",r"5\text{ and 6}"),
    ("|x+20|","|-x-20|"), (r"\sqrt{x^2+20x+100}","|x+10|"), (r"\sqrt{(x-10)^2}","|10-x|"),
    (r"\sqrt3|x+9|",r"|\sqrt3x+9\sqrt3|"),
    (r"\frac{1}{12}\text{ for even }n",r"\frac1{12}\text{ for even }n"),
    (r"2(x+3)\text{ for odd }x",r"2x+6 \text{ for odd }x"), (r"0.5\text{ for even }n",r"\frac12\text{ for even }n"),
    ("3x^2",r"\frac{d}{dx}x^3"),(r"\cos x",r"\frac{d}{dx}\sin x"),(r"2x",r"\frac{\mathrm{d}}{\mathrm{d}x}x^2"),
    (r"\frac13",r"\int_0^1 x^2 dx"), (r"\frac{11}{6}",r"\sum_{k=1}^{3}\frac{1}{k}"), ("24",r"\prod_{k=1}^4 k"),
    ("10",r"\sum_{i=1}^{4} i"),
    ("1:15","1:15"),("1:15","01:15"),("2:3","4:6"),("1:2:3","2:4:6"),(r"3\!:\!15","3:15"),
    (r"30^\circ 15'",r"30.25^\circ"), ("5 ft 6 in","5.5 ft"), (r"10^\circ 30' ",r"10.5"), ("66 inches","5 ft 6 in"),
    ("5'6\"","5.5 feet"),
    ("(9,4)","AB=9, CD=4"),("1,2","x=1,y=2"),("x=1,y=2","y=2,x=1"),("(1,2,3)","x=1, y=2, z=3"),
    (r"\{\{1\},\{2\}\}",r"\{\{2\},\{1\}\}"),(r"\{\emptyset\}",r"\{\{\}\}"),(r"\{5\}","5"),(r"x\in\{5\}","5"),
    (r"\{x\in\mathbb{Z}\mid 1\le x\le3\}",r"\{1,2,3\}"), (r"\{x\in\mathbb{R}\mid 1\le x\le3\}","[1,3]"),
    (r"\{y : y>2\}",r"\{x : x > 2\}"), (r"\{n\in\mathbb{N}: n<3\}",r"\{k \in \mathbb{N} \mid k < 3\}"),
    (r"\{x\in\mathbb{Z} : x>2\}",r"\{x : x\in\mathbb{Z}, x > 2\}"),
    ("ab","ba"),("xyz","yxz"),("abc","cab"),("pqr","rqp"),("mn","nm"),("2ab","2ba"),
    ("x_1'","x_{1}'"),("6'","6"),("1,2","$1$$2$"),("0",r"\tanh 0"),
    ("15","5!!"),("8","4!!"),("48","6!!"),("3,4",r"\boxed{3},\boxed{4}"),
    (r"\frac{\pi}{4}",r"\cot^{-1}1"), (r"\operatorname{arcsinh} 1",r"\sinh^{-1} 1"),
    (r"\ln(1+\sqrt2)",r"\sinh^{-1}1"), (r"\frac{\pi}{6}",r"\csc^{-1}2"),
    # Space commands before letters
    ("(3,4)",r"x=3,\quad y=4"), ("12",r"12\;\text{cm}"), ("7",r"7\,kg"), ("3x",r"3\,x"), ("5","5\\,"),
    ("ab",r"a\,b"), (r"2\pi",r"2\,\pi"), ("7",r"7\ cm"),
    # Factorials and binomials, at natural numbers
    ("n!","n(n-1)!"), (r"\frac{(n+2)!}{n!}","(n+2)(n+1)"), (r"\binom{n}{3}",r"\frac{n(n-1)(n-2)}{6}"),
    (r"\binom{n}{k}",r"\binom{n}{n-k}"), (r"\binom{n+1}{2}",r"\frac{n(n+1)}{2}"),
    (r"\binom{n}{k}+\binom{n}{k+1}",r"\binom{n+1}{k+1}"), ("n!/2",r"\frac{n!}{2}"), ("(2n)!",r"2n(2n-1)!"),
    # Sets that are computed
    ("[0,5)",r"[0,2)\cup[2,5)"), (r"(0,1)",r"(0,2)\cap(-1,1)"), (r"\{1,2,3\}",r"\{1\}\cup\{2,3\}"),
    (r"(-\infty,\infty)",r"(-\infty,1]\cup[0,\infty)"), (r"[1,2]",r"[0,2]\cap[1,3]"),
    (r"[0,1)\cup(1,2]",r"[0,2]\setminus\{1\}"), (r"\mathbb{R}",r"(-\infty,0)\cup[0,\infty)"),
    (r"\{1\}",r"\{1,2\}\setminus\{2\}"), (r"\emptyset",r"\{1\}\cap\{2\}"), (r"[0,\sqrt2]",r"[0,1]\cup[1,\sqrt2]"),
    # Names of more kinds
    (r"\frac25",r"\frac{AD}{DB}=\frac25"), ("60",r"\angle A=60^\circ"), (r"0.3",r"P(X>2)=0.3"), ("24",r"[ABCD]=24"),
    ("5","|AB|=5"), ("3","f(2)=3"), ("6",r"\text{Area}=6"), ("2","AB/CD=2"), ("45",r"m\angle B = 45^\circ"),
    ("7","E(X)=7"), ("12",r"S_{ABC}=12"), ("2:3","AB:CD=2:3"), ("3",r"f'(1)=3"), ("5",r"n(A\cap B)=5"),
    ("2x",r"\frac{dy}{dx}=2x"), ("6",r"\text{area}(ABC)=6"),
    # What x is not, and distances
    (r"\mathbb{R}\setminus\{2\}",r"x\ne2"), (r"\mathbb{R}\setminus\{-1,1\}",r"x\ne\pm1"),
    (r"x\neq 1, 2",r"x\ne 1,\ x\ne 2"), ("-2<x<6","|x-2|<4"), ("[-3,3]",r"|x|\le3"),
    (r"(-\infty,-3)\cup(3,\infty)","|x|>3"), ("x>3 \\text{ or } x<-3","|x|>3"),
    # Names that do not matter
    ("f(x)=2x+1","f(n)=2n+1"), ("g(x)=x^2+x","g(y)=y^2+y"), (r"\frac\pi2+2n\pi",r"\frac\pi2+2k\pi"),
    ("x^2+x+C","x^2+x+c"), (r"\frac{\pi}{3}+2\pi n, n\in\mathbb{Z}",r"\frac{\pi}{3}+2\pi k, k\in\mathbb{Z}"),
    (r"x=n\pi",r"x=k\pi"), (r"180^\circ n",r"180^\circ k"),
    (r"\frac{\pi}{3}+2\pi n, n\in\mathbb{Z}",r"\frac{\pi}{3}+2\pi k"),
    # Remarks beside the answer
    (r"\sqrt2",r"\sqrt2\approx1.414"), (r"\sqrt2",r"\sqrt2\ (\approx 1.41)"),
    (r"\frac{25}{3}",r"\frac{25}{3}\text{ (approximately }8.33)"), ("5",r"5\text{ (approx. 5.0)}"),
    (r"\pi",r"\pi\;(\text{about }3.14)"), ("x^2",r"x^2\text{ for all real }x"),
    ("f(x)=x",r"f(x)=x \text{ for all } x"), (r"2\pi",r"2\pi\ (\text{approximately } 6.28)"),
    # Congruences and remainders
    (r"x\equiv 2\pmod 5",r"x\equiv7\pmod{5}"), ("x \\equiv 3 \\pmod{7}","x \\equiv 3 \\ (\\text{mod } 7)"),
    ("1",r"15 \bmod 7"), ("2",r"17 \mod 5"), ("x\\equiv1\\pmod{3}","x \\equiv 1 (\\bmod 3)"), ("4","19 mod 5"),
    # Ordinals and numbers in words
    ("3",r"3^{\text{rd}}"), ("21","21st"), ("2",r"2^{\text{nd}}"), ("30","thirty"), ("25","twenty-five"),
    ("3/4","three quarters"), ("1/2","one half"), ("100","one hundred"), ("12",r"\text{twelve}"),
    ("5",r"\text{five}"), ("15",r"15^{th}"), ("2/3",r"\text{two-thirds}"), ("120","one hundred twenty"),
    # Times of day, and quantities in two units
    ("9:00 a.m.","9 am"), ("9:15 pm","21:15"), ("12:00 p.m.","noon"), ("1.5 hours","1 hour 30 minutes"),
    ("2.25 hours","2 hours and 15 minutes"), ("10:05 AM","10:05 a.m."), ("7:00",r"7\!:\!00"),
    ("90 minutes","1 hour 30 minutes"),
    # Invisible and compatible characters
    ("7","\u200f7"), ("5","\u2066 5\u2069"), ("x^{-1}","x⁻¹"), ("10^{12}","10¹²"), ("3/8","⅜"), ("1/6","⅙"),
    ("x","𝑥"), ("2","𝟐"), ("x^n","xⁿ"), ("2.5","2½"),
    # Colors, sizes and environments
    ("7",r"\textcolor{blue}{7}"), ("7",r"{\color{red}7}"), ("7",r"\Large{7}"), ("7",r"{\large 7}"),
    ("x=3",r"\begin{align*}x&=3\end{align*}"), ("7",r"\begin{aligned}x&=3+4\\&=7\end{aligned}"),
    (r"\frac34",r"\sfrac{3}{4}"), ("5",r"\mathbf{5}"), ("5",r"\underline{5}"),
    ("5",r"\begin{gathered}5\end{gathered}"), ("5",r"\mathbf 5"),
    # Currencies
    ("5","EUR 5"), ("5","US$5"), ("0.75","75 cents"), ("75","75 cents"), ("3.50",r"\text{USD } 3.50"),
    ("1,000","$1,000 USD"), ("0.05","5¢"), ("20","20 USD"), ("12.50","12.50 USD"),
    # Quotients and products of units
    ("10",r"10\,\mathrm{m/s}"), ("10",r"10\,\frac{\mathrm{m}}{\mathrm{s}}"),
    ("9.8",r"9.8\,\mathrm{m}/\mathrm{s}^2"), ("9.8",r"9.8\ \frac{\text{m}}{\text{s}^2}"),
    ("60",r"60\ \frac{\text{km}}{\text{h}}"), ("5",r"5\text{ kg}\cdot\text{m}"), ("5",r"5\ \text{kg}\,\text{m}"),
    ("5",r"5\,\text{m}\,\text{s}^{-1}"), ("9.8",r"9.8 \text{ m/s}^2"), ("8",r"8\,\text{g/cm}^3"),
    # More notations
    ("35","C(7,3)"), ("-1",r"\operatorname{cis}\pi"), (r"\cot x",r"\operatorname{ctg} x"),
    (r"\arctan x",r"\operatorname{arctg} x"), (r"\begin{pmatrix}1\\2\\3\end{pmatrix}",r"(1,2,3)^\top"),
    (r"\begin{pmatrix}1&2\end{pmatrix}",r"\begin{pmatrix}1\\2\end{pmatrix}^T"), ("10",r"\binom52"),
    ("10","{}_5C_2"), (r"1+i",r"\sqrt2\operatorname{cis}45^\circ"), ("10",r"{5\choose2}"), ("10","_5C_2"),
    ("10","^5C_2"),
    # Choices, quotation marks and or
    ("2,3",r"x=2 \vee x=3"), ("2,3",r"\text{either }2\text{ or }3"), ("C",r"\text{Choice C}"), ("D","Option D"),
    ("7",r"``7''"), ("2,3","x=2 ∨ x=3"), ("B",r"\textbf{Option B}"), ("B","Answer: B"), ("B",r"\text{Answer: B}"),
    ("A","Option (A)"), ("-1,3",r"x=-1\lor x=3"),
    # Orders of writing
    (r"2^3\cdot 5^2",r"2^3 5^2"), ("2^3*3",r"2^3 \cdot 3"), (r"x_1^2",r"x^2_1"), (r"90^\circ-\theta",r"90-\theta"),
    (r"a_{n}^{2}",r"a^{2}_{n}"), (r"\frac{180^\circ-x}{2}",r"\frac{180-x}{2}"), ("2^4 * 3",r"2^{4} 3"),
    # What led to the answer
    ("4",r"3x=12 \Rightarrow x=4"), ("5",r"x-2=3\implies x=5"), ("3",r"2x = 6 \Longrightarrow x = 3"),
    ("4",r"x^2=16, x>0 \implies x=4"),
    # Trailing spaces
    ("7","7\\ "),("7",r"7\\"),("7",r"7\;"),(r"\sqrt2",r"\sqrt2\ "),("7","7\\,\\"),
    # Chains
    ("a<b<c","c>b>a"), (r"1\le x\le 2y",r"2y\ge x\ge1"), (r"\frac14<\frac13<\frac12",r"0.25<\frac13<0.5"),
    ("a>b>c","c<b<a"),
    # Tuples by their names
    ("(1,2),(3,4)",r"x=1,y=2\text{ or }x=3,y=4"), ("(1,2),(3,4)",r"(x,y)=(1,2),(3,4)"),
    ("(1,2),(3,4)",r"(x,y)=(1,2)\text{ or }(x,y)=(3,4)"), ("(5,2),(7,2)",r"p=7,q=2;\ p=5,q=2"),
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


@pytest.mark.parametrize(("one", "other"), SAME)
def test_answers_of_each_kind_are_recognized(one: str, other: str) -> None:
    assert equivalent(one, other)
    assert equivalent(other, one)


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
