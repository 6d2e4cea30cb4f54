"""Kinds of answers that graders mistake and that must not be refused.

Each kind has more than one example, so that the kind is mended and not the example.
"""

import pytest

from personamath.answers import equivalent

SAME = [
    ("(1,3)", r"x>1\text{ and }x<3"), ("1<x<3", "x<3 and x>1"),
    (r"[-\frac12,\sqrt2)", r"x\geq-\frac{1}{2}\text{ and }x<\sqrt{2}"),
    ("5 ft", "5'"), (r"30^\circ", r"30^\circ C"), ("30", "30'"), ("5 euros", "5"), (r"\frac{dx}{2}", r"\frac{xd}{2}"),
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
    ("3x^2",r"\frac{d}{dx}x^3"), ("2t", r"\frac{d}{dt}t^2"),
    ("2m", r"\frac{d}{dm}m^2"),(r"\cos x",r"\frac{d}{dx}\sin x"),(r"2x",r"\frac{\mathrm{d}}{\mathrm{d}x}x^2"),
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
    ("ab","ba"), ("uvw", "wvu"), ("ijk", "kji"),("xyz","yxz"),("abc","cab"),("pqr","rqp"),("mn","nm"),("2ab","2ba"),
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
    ("5","EUR 5"),
    ("5","€5"), ("€5","5 euros"), ("€1,250.50","1250.50"), ("£5",r"\pounds 5"), ("5€","€5"), ("-€5","-5"),
    ("5","US$5"), ("0.75","75 cents"), ("75","75 cents"), ("3.50",r"\text{USD } 3.50"),
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
    # Piecewise functions and systems
    (r"\begin{cases} \frac{n}{2}, & \text{if } n \text{ is even} \\ 3n+1, & \text{if } n \text{ is odd} \end{cases}",
     r"\begin{cases} n/2 & n \text{ even} \\ 3n+1 & n \text{ odd} \end{cases}"),
    (r"\begin{cases} 0 & \text{if } x \le 0 \\ 1 & \text{else} \end{cases}",
     r"\begin{cases} 0 & x \le 0 \\ 1 & \text{otherwise} \end{cases}"),
    (r"\left\{\begin{matrix} x=2 \\ y=3 \end{matrix}\right.", "(2,3)"),
    # Words after a number
    (r"3\pi", r"3\text{ pi}"),
    # Two values beside a word
    ("7,8", r"7\ \&\ 8"), ("1,2", r"1 \text{ and/or } 2"),
    # Formulas among words
    (r"\frac{1}{12}\text{ for even }n", r"\frac{1}{12}\text{ for even $n$}"),
    # Derivatives
    (r"\frac{dy}{dx}", "dy/dx"),
    # Times and ratios
    ("7{:}30", "7:30"), ("2:3", r"2\text{ to }3"), (r"1:30\text{ PM}", r"1{:}30\text{ p.m.}"),
    (r"12{:}30\text{ p.m.}", "12:30 pm"),
    # Degrees and minutes
    (r"25^\circ 30'", r"25\text{ degrees }30\text{ minutes}"),
    # Domains
    (r"\{x \in \mathbf{Z} : 2 \le x \le 5\}", r"\{2,3,4,5\}"), (r"\{2k: k\in\mathbb{Z}\}", r"\{2n: n\in\mathbb{Z}\}"),
    # Inverse functions
    (r"\sinh^{-1} 2", r"\operatorname{arsinh} 2"), (r"\arctan x", r"\operatorname{atan} x"),
    # Units after a space
    ("8", r"8\,m"), ("12", r"12\:m"), ("12", r"12\>m"), ("9", r"9\,s"), ("9", r"9\ h"), ("9", r"9\,g"),
    ("9", r"9\mspace{3mu}cm"), ("9", r"9\enspace m"),
    # Factorials
    ("{}_nC_2", r"\frac{n(n-1)}{2}"),
    # More notations
    ("20", "P(5,2)"), ("20", "{}_5P_2"), ("20", "_5P_2"), ("20", "^5P_2"), ("20", "{}^5P_2"), ("20", "{}^{5}P_{2}"),
    ("20", "P_5^2"), ("20", "P^5_2"), ("20", "P_2^5"), ("20", "A_5^2"), ("10", "C_5^2"), ("10", "C^5_2"),
    ("10", "C_2^5"), ("210", "{}_{7}P_{3}"), (r"\frac{3}{10}", r"\frac{{}_3C_2}{{}_5C_2}"),
    ("200", r"C(5,2) \cdot P(5,2)"), ("n(n-1)", "P(n,2)"),
    (r"\begin{pmatrix}3\\4\end{pmatrix}", r"(3,4)^{\mathrm T}"),
    (r"\begin{pmatrix}3\\4\end{pmatrix}", r"\begin{smallmatrix}3\\4\end{smallmatrix}"),
    (r"\begin{pmatrix}3\\4\end{pmatrix}", r"\left(\begin{smallmatrix}3\\4\end{smallmatrix}\right)"),
    (r"\begin{pmatrix}3\\4\end{pmatrix}", r"\begin{psmallmatrix}3\\4\end{psmallmatrix}"),
    (r"\begin{pmatrix}3\\4\end{pmatrix}", r"\begin{pmatrix}3\cr4\end{pmatrix}"),
    (r"3\mathbf{i}+4\mathbf{j}", r"3\hat{i}+4\hat{j}"), ("6", r"\gcd(12,18)"), ("36", r"\operatorname{lcm}(12,18)"),
    ("36", r"\text{lcm}(12,18)"), ("5", r"\max(2,5)"), ("2", r"\min\{2,5\}"),
    # Matrices of one cell
    ("3", r"\begin{pmatrix}3\end{pmatrix}"), ("3", r"\begin{array}{c}3\end{array}"),
    ("3", r"\begin{bmatrix}3\end{bmatrix}"), ("3", r"\left[\begin{array}{c}3\end{array}\right]"),
    (r"\begin{pmatrix}3\end{pmatrix}", "[3]"),
    # Sets
    (r"(-\infty,0)\cup(0,\infty)", r"\mathbb{R}\backslash\{0\}"),
    # Names
    (r"\frac57", r"\frac{[ABC]}{[DEF]}=\frac57"), (r"\frac57", r"\frac{\text{Area}(ABC)}{\text{Area}(DEF)}=\frac57"),
    ("45", r"m(\angle XYZ)=45^\circ"), ("30", r"\text{Area of }\triangle ABC=30"),
    (r"\frac12", r"\cos\theta=\frac12"), (r"\frac12", r"\tan(A+B) = \frac12"),
    (r"\frac12", r"\cos \angle ABC = \frac12"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\mathbf{v}=\begin{pmatrix}1\\2\end{pmatrix}"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\mathbf{A}^{-1}=\begin{pmatrix}1\\2\end{pmatrix}"),
    # Distances
    (r"\mathbb{R}\setminus\{2,3\}", r"x \in \mathbb{R}, x \ne 2, 3"),
    (r"\mathbb{R}\setminus\{2,3\}", r"x \notin \{2,3\}"),
    (r"\mathbb{R}\setminus\{2,3\}", r"\text{all real numbers except } 2 \text{ and } 3"),
    (r"\mathbb{R}\setminus\{2\}", r"\text{all real numbers except }2"),
    # Names that do not matter
    (r"\frac{\pi}{3}+2n\pi", r"\frac{\pi}{3}+2\pi k\text{ for integer }k"),
    (r"\frac{\pi}{3}+2n\pi", r"\frac{\pi}{3}+2\pi k, \text{ where }k\text{ is an integer}"),
    (r"\frac{\pi}{3}+2n\pi", r"x=\frac{\pi}{3}+2\pi k\ (k\in\mathbb{Z})"), ("x^3+C", "x^3+K"),
    (r"\sin x+C", r"\sin x+k"),
    # Remarks
    (r"\frac17", r"\frac17\text{ or approximately }0.14"), (r"\frac17", r"\frac17, \text{ or about } 0.143"),
    (r"\frac17", r"\frac17 \text{ which is approximately } 0.143"), (r"\frac12", r"\frac12\text{ or }0.5"),
    (r"\frac12", r"\frac12\text{ (or 0.5)}"), (r"\frac12", r"\frac12\text{ (or }0.5)"),
    (r"\frac12", r"\frac12\ (\text{or } 50\%)"), (r"\frac12", r"\frac12 \text{ or } 50\%"),
    ("f(x)=x+1", r"f(x)=x+1, x\in\mathbb{R}"), ("7", r"7\ \checkmark"), ("7", r"7 \blacksquare"),
    ("7", r"7\ \square"), ("5", r"5 \text{ (rounded to the nearest integer)}"),
    ("5.3", r"5.3\text{ (to one decimal place)}"), ("5.3", r"\text{approximately }5.3"), ("5.3", r"\text{about }5.3"),
    # Congruences
    (r"x\equiv 3\pmod 7", "x≡3 (mod 7)"), (r"n\equiv 1,4\pmod 5", r"n\equiv 1\pmod5\text{ or }n\equiv4\pmod5"),
    (r"n\equiv 1,4\pmod 5", r"n\equiv 4,1\pmod{5}"), ("4", r"25\ \text{mod}\ 7"), (r"3\pmod 7", r"3\pmod{7}"),
    # Numbers in words
    ("1000", "a thousand"), ("100", "a hundred"), (r"\frac12", "half"), (r"2\frac12", "two and a half"),
    (r"2\frac13", "two and one third"),
    # Times and amounts
    (r"12:00\text{ noon}", "12:00 p.m."), (r"12:00\text{ noon}", "noon"), (r"2\text{ weeks}", r"14\text{ days}"),
    (r"1\text{ km}", r"1000\text{ m}"),
    # Characters
    ("x_{12}", "x₁₂"), ("a_n", "aₙ"), (r"\sqrt[3]{5}", "∛5"), (r"x \ge 5", "x ⩾ 5"), (r"30^\circ", "30˚"),
    (r"\Delta", "Δ"), (r"\mu", "μ"), (r"\mu", "µ"), (r"\mathbb{Z}", "ℤ"), (r"\mathbb{R}\setminus\{0\}", "ℝ∖{0}"),
    (r"\sum_{k=1}^{3}k", "∑_{k=1}^{3}k"), (r"\ell", "ℓ"), (r"\phi", "ϕ"),
    # Faces and environments
    ("8", r"\textcolor[rgb]{1,0,0}{8}"), ("8", r"\colorbox{yellow}{8}"), ("8", r"\bbox[yellow]{8}"),
    ("8", r"\bold{8}"), ("8", r"\pmb{8}"), ("8", r"\mathop{8}"), ("8", r"\mathstrut 8"),
    ("8", r"\begin{equation}8\end{equation}"), ("8", r"\begin{equation*}x=8\end{equation*}"),
    ("8", r"\begin{aligned}[t]x&=8\end{aligned}"), ("8", r"\begin{array}{c}8\end{array}"),
    ("8", r"\begin{array}{l} x = 8 \end{array}"), ("8", r"\begin{center}8\end{center}"),
    ("8", r"\begin{math}8\end{math}"), ("8", r"\enclose{circle}{8}"), ("8", r"\framebox{8}"), ("8", r"\strut 8"),
    (r"\frac34", "^3/_4"), (r"\frac34", r"{}^3\!/_4"), (r"\frac34", "^{3}/_{4}"),
    # Currencies
    ("7.25", r"\textdollar 7.25"), ("7.25", r"\text{ USD}\ 7.25"), ("7.25", r"\pounds 7.25"),
    ("7.25", r"\pounds7.25"), ("7.25", "₹7.25"), ("7.25", "CA$7.25"), ("7.25", "A$7.25"), ("7.25", r"C\$7.25"),
    ("7.25", r"725\cent"), ("7.25", r"\$7.25/\text{hour}"),
    # Units
    ("8", r"8\ \mathrm{m\,s^{-1}}"), ("8", r"8\ \mathrm{m\cdot s^{-2}}"), ("8", "8 m^2"), ("8", r"8\text{ }\Omega"),
    ("8", r"8\,\Omega"), ("8", "8 L"), (r"8\text{ m/s}", r"8\ \mathrm{m\,s^{-1}}"),
    # Choices and quotation marks
    ("7,8", r"\text{The solutions are }7\text{ and }8"), ("7,8", r"\text{The values are } x = 7 \text{ and } x = 8"),
    ("C", "C)"), ("C", r"\text{The correct answer is C}"), ("C", r"\text{The correct option is (C)}"), ("7", "'7'"),
    ("7", "‘7’"), ("7", "*7*"), ("7", '\\text{"7"}'),
    # What led to the answer
    ("9", r"3x=27 \to x=9"), ("9", r"3x=27 \rightarrow x=9"), ("9", r"3x=27 \iff x=9"),
    ("9", r"3x=27 \Leftrightarrow x=9"), ("9", r"3x=27 \therefore x=9"), ("9", r"3x=27, \text{ so } x=9"),
    ("9", r"3x=27\text{ so }x=9"), ("9", r"\text{so } x=9"), ("9", r"\text{Therefore, } x = 9"),
    ("9", r"\text{Thus } 9"), ("9", r"\text{Hence, }9"), ("9", "3x = 27 => x = 9"), ("9", "3x = 27 -> x = 9"),
    # Spaces at the end
    ("8", r"8\newline"), ("8", r"8\par"), ("8", r"8\hfill"), ("8", r"8\nonumber"),
    # As models write answers of MATH
    (r"\frac{1}{2}", "P = 0.5"), (r"\frac{1}{2}", r"\dfrac{1}{2} \text{ of the pie}"), ("12", "A = 12"),
    ("12", r"\text{Area} = 12"), ("12", r"12 \text{ units squared}"), ("12", r"12 \text{ ways}"),
    ("1,2,3", r"1, 2, \text{ and } 3"), ("1,2,3", r"\boxed{1}, \boxed{2}, \boxed{3}"),
    (r"2+\sqrt3, 2-\sqrt3", r"\{2+\sqrt3, 2-\sqrt3\}"), ("(3,4)", "P = (3,4)"),
    (r"\left( 2, \frac{5\pi}{3} \right)", r"(2, 5\pi/3)"), ("[0,9/8]", r"\left[0, \dfrac{9}{8}\right]"),
    ("[0,9/8]", r"x \in [0, 1.125]"), (r"(5,\infty)", "x>5"), (r"(5,\infty)", r"(5,+\infty)"),
    ("x^2+2x+1", "x^2 + 2 x + 1"), ("x^2+2x+1", "y = x^2+2x+1"),
    (r"\frac{x^2}{16} - \frac{y^2}{9} = 1", "9x^2-16y^2=144"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\mathbf{v} = \begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    (r"-\frac{1}{2}", r"\frac{-1}{2}"), (r"\frac{2\sqrt3}{3}", r"\frac{2}{\sqrt{3}}"),
    (r"\frac{2\sqrt3}{3}", r"\frac23\sqrt3"), (r"8\sqrt{2}-4-\pi", r"8\sqrt2 - \pi - 4"), ("861_{12}", "861_{(12)}"),
    ("152A_{11}", r"152\text{A}_{11}"), (r"\text{B,C}", r"B \text{ and } C"),
    (r"\text{ellipse}", r"\text{an ellipse}"), (r"\text{even}", r"\text{Even}"), (r"\text{June 20}", "June 20"),
    ("3:5", r"3\text{ to }5"), (r"\log\left(\frac{2007}{2006}\right)", r"\log 2007 - \log 2006"),
    ("2-9i,-2+9i", r"\pm(2-9i)"), ("0.0011_{2}", "0.0011_2"), (r"\$32,\!348", r"\$32,348"),
    (r"\frac{1}{29,\!322,\!216}", "1/29322216"), ("15", r"\{15\}"), ("15", r"15\text{.}"), ("x^{7}-1", "x^7-1"),
    (r"1.5 \text{ inches}", r"1\frac12 \text{ in}"),
    # What is counted
    ("5", "5 boys"), ("5 boys", "5 boy"), ("5 tall boys", "5 boys"), ("5 boys, 3 girls", "3 girls, 5 boys"),
    ("5, 3", "5 boys, 3 girls"), ("5 inches", "5 inches tall"), ("8", "8 students left"),
    ("12 ways", "12 arrangements"),
    ("5 dollars", "5 dollars per ticket"), ("5 square units", "5 cm^2"), ("5 units", "5 cm"), ("5 loaves", "5 loaf"),
    ("5 cookies", "5 cookie"), ("5 knives", "5 knife"), ("5 cities", "5 city"), ("5 buses", "5 bus"),
    ("5 women", "5 woman"),
    ("5 gal", "5 gallons"), ("5 kids", "5 children"), ("5 mph", "5 miles each hour"), ("2 dozen eggs", "24 eggs"),
    ("5 million people", "5000000"), ("5 years", "5 years of age"), ("5 gallons of water now", "5 gallons"),
    ("8 hours", "8 hours later"), ("5 students", "5 people"),
    # Codes of currencies
    ("$5", "USD 5"), ("$5", "CAD 5"), ("C$5", "CAD 5"), ("USD 5", "5 dollars"), ("£5", "5 GBP"), ("¥5", "JPY 5"),
    ("5", "5 CNY"), ("CHF 5", "5 CHF"), ("5", "CHF 5"), ("EUR -5", "-5"), ("Rs. 500", "500 INR"),
    ("$1,250.50", "1250.5"),
    ("USD 0.75", "75 cents"), ("$5.", "5"),
    # A wide space between values
    ("1,2", r"1\quad2"), (r"2,\sqrt3", r"2\quad\sqrt3"), ("x=1,y=2", r"x=1\quad y=2"),
    ("(1,2),(3,4)", r"(1,2)\quad(3,4)"),
    ("5", r"5\quad"), ("5", r"5\quad\text{cm}"), ("2,3", r"x=2\quad\text{or}\quad x=3"),
    ("5", r"\text{Answer:}\quad 5"),
    ("6", r"2\cdot\quad 3"), (r"n\pi", r"n\pi,\quad n\in\mathbb{Z}"),
    (r"x\equiv 2\pmod 5", r"x\equiv 2\quad(\text{mod } 5)"),
    (r"\begin{cases} x \quad x>0 \\ 0 \quad x\le 0\end{cases}", r"\begin{cases} x & x>0 \\ 0 & x\le 0\end{cases}"),
    # A unit behind a fraction, a root or pi
    (r"\frac12", r"\frac12\,m"), (r"\frac{1}{2}", r"\frac 1 2\,m^2"), (r"\sqrt{3}", r"\sqrt{3}\,m"),
    (r"4\pi", r"4\pi\,cm"),
    (r"\pi", r"\pi\,m"), (r"2\frac12", r"2\frac12\,h"), (r"\frac12\,m", r"\frac12\text{ m}"),
    (r"\frac{m}{2}", r"\frac12 m"),
    (r"\frac12 m v^2", r"\frac{mv^2}{2}"), (r"2\pi h", r"2h\pi"),
    # Periods and prefixes
    ("1/3", "0.(3)"), ("1/6", "0.1(6)"), ("1/7", r"0.\dot{1}4285\dot{7}"), ("A5_{16}", "0xA5"),
    ("101_2", "101 (base 2)"),
    ("101_2", "0b101"), (r"-\infty", "negative infinity"), (r"\pm3", "+/-3"), ("2:3", "2∶3"), ("3:00", "3 o'clock"),
    ("2020-01-02", "2020-01-02"), ("No", "no"),
    # Variants of all kinds
    (r"\frac29", r"\frac{2}{9}\text{, or about }0.22"), ("6", r"20 \mod{7}"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_answers_of_each_kind_are_recognized(one: str, other: str) -> None:
    assert equivalent(one, other)
    assert equivalent(other, one)
