"""Characters of Unicode, rarer commands of LaTeX and abbreviations of units mean what they are called."""

import unicodedata

import pytest

from personamath.answers import equivalent

GREEK = "αβγδεζηθικλμνξπρστυφχψωϕϵµΓΔΘΛΞΠΣΦΨΩ"
# `GREEK SMALL LETTER ALPHA`, `GREEK CAPITAL LETTER GAMMA`; and three that are variants of others.
VARIANTS = {"ϕ": "phi", "ϵ": "epsilon", "µ": "mu"}


@pytest.mark.parametrize("letter", GREEK)
def test_a_greek_letter_is_the_command_of_its_name(letter: str) -> None:
    name = unicodedata.name(letter).rpartition(" ")[2].lower().replace("lamda", "lambda")
    command = VARIANTS.get(letter) or (name if letter.islower() else name.capitalize())
    assert equivalent(f"2{letter}+1", rf"1+2\{command}")
    assert not equivalent(f"2{letter}+1", r"1+2\zeta" if command != "zeta" else r"1+2\eta")


@pytest.mark.parametrize("character", "⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ₀₁₂₃₄₅₆₇₈₉ₐₑₙₘₖₓ")
def test_a_raised_or_lowered_character_is_its_plain_one(character: str) -> None:
    plain = unicodedata.normalize("NFKC", character)
    sign = "_" if "SUBSCRIPT" in unicodedata.name(character) else "^"
    assert equivalent(f"y{character}", f"y{sign}{plain}") and not equivalent(f"y{character}", f"y{plain}1")


WRITTEN = [
    ("5−3", "2"), ("5–7", "-2"), ("5‐7", "-2"), ("﹣5", "-5"), ("－5", "-5"), ("3×4", "12"), ("3·4", "12"),
    ("3⋅4", "12"), ("3∙4", "12"), ("6÷4", "3/2"), ("6⁄4", "3/2"), ("6∕4", "3/2"), ("30°", r"30^\circ"),
    ("30º", r"30^\circ"), ("2∶3", "2:3"), ("2：3", "2:3"), ("y′", "y'"), ("y’", "y'"), ("y″", "y''"),
    ("（1，2）", "(1,2)"), ("１．５", "1.5"), ("5％", r"5\%"), ("x＝5", "x=5"), ("1＋x", "x+1"), ("5。", "5"),
    ("1、2", "1,2"), ("［1,2］", "[1,2]"), (r"\｛1,2\｝", r"\{1,2\}"), ("5¢", "5 cents"), ("€5", "5 euros"),
    ("£5", "5 pounds"), ("¥5", "5 yen"), ("₹5", "5 rupees"), ("x=1∨x=2", "x=1 or x=2"), ("x>1∧x<3", "1<x<3"),
    ("3x=6⇒x=2", "2"), ("3x=6→x=2", "2"), ("3x=6⟹x=2", "2"), ("3x=6⟺x=2", "2"), ("3x=6⇔x=2", "2"),
    ("∠ABC=30°", "30"), ("x≡2 (mod 5)", r"x \equiv 2 \pmod 5"), (r"x∉\{2\}", r"x \ne 2"),
    (r"ℝ∖\{2\}", r"x \ne 2"), ("∑_{k=1}^{3}k", "6"), ("∏_{k=1}^{3}k", "6"), ("∫_0^1 2x dx", "1"),
    ("∛8", "2"), ("ℓ+1", r"1+\ell"), ("5✓", "5"), ("5■", "5"), ("x⩽5", r"x \le 5"), ("x≦5", r"x \le 5"),
    ("x≤5", r"x \le 5"), ("x⩾5", r"x \ge 5"), ("x≧5", r"x \ge 5"), ("x≥5", r"x \ge 5"), ("x≠5", r"x \ne 5"),
    ("√8", r"2\sqrt2"), ("∞", r"\infty"), ("±2", "2,-2"), ("∓2", "2,-2"), ("x≈5", "5"),
    ("x∈[1,2]", r"1\le x\le 2"), ("[0,1]∪[1,2]", "[0,2]"), ("[0,2]∩[1,3]", "[1,2]"), ("∅", r"\emptyset"),
    ("⟨1,2⟩", "(1,2)"), ("1,2,…", r"1,2,\ldots"), (r"\{x∈ℤ: 0<x<3\}", "1,2"), (r"\{x∈ℕ: 0<x<3\}", "1,2"),
    (r"\{x∈ℚ: x>0\}", r"\{x\in\mathbb{Q}: x>0\}"), ("x∈ℂ", r"x\in\mathbb{C}"), ("½", "1/2"), ("⅐", "1/7"),
    ("𝑥²", "x^2"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "answer"), WRITTEN)
def test_a_character_means_its_latex(written: str, answer: str) -> None:
    assert equivalent(written, answer)


COMMANDS = [
    ("(1,\n2)", "(1,2)"), ("x\n+ 1", "1+x"), ("US$2 million", "2000000"), (r"\tg x", r"\tan x"),
    (r"\ctg x", r"\cot x"), (r"\cosec x", r"\csc x"), (r"\arctg x", r"\arctan x"),
    (r"\arcctg x", r"\operatorname{arccot} x"), (r"\dbinom52", "10"), (r"x\lt 1", "x<1"), (r"x\gt 1", "x>1"),
    (r"x\simeq 5", "5"), (r"6\div 4", "3/2"), (r"3\ast 4", "12"), (r"3\star 4", "12"),
    (r"1,2,\dots", "1,2,..."), (r"\lvert x\rvert", "|x|"), (r"\lbrace 1,2\rbrace", r"\{1,2\}"),
    (r"\lbrack 1,2\rbrack", "[1,2]"), (r"2\colon 3", "2:3"), (r"x\not\in\{2\}", r"x\ne 2"),
    (r"[0,1]\bigcup[1,2]", "[0,2]"), (r"\Re", r"\mathbb{R}"), (r"\infin", r"\infty"), (r"30^{\degree}", "30°"),
    (r"x\leqq 5", r"x\le 5"), (r"x\geqslant 5", r"x\ge 5"), (r"x =< 5", r"x\le 5"), (r"\empty", r"\emptyset"),
    (r"x\land y", r"x\wedge y"), (r"0o17", "17_8"), (r"f^{\prime\prime}(x)", "f''(x)"), (r"17 \bmod{5}", "2"),
    (r"\underline{5}", "5"), (r"5\tag{1}", "5"), (r"\textstyle 5", "5"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "answer"), COMMANDS)
def test_a_symbol_has_many_commands(written: str, answer: str) -> None:
    assert equivalent(written, answer)


UNITS = [
    ("percent", "%"), ("degrees", "deg"), ("millimeters", "mm"), ("centimetres", "cm"), ("metres", "meters"),
    ("kilometers", "km"), ("inches", "in"), ("feet", "ft"), ("yards", "yd"), ("miles", "mi"),
    ("seconds", "sec"), ("minutes", "min"), ("hours", "hr"), ("days", "day"), ("weeks", "wk"),
    ("months", "month"), ("years", "yr"), ("milligrams", "mg"), ("grams", "gm"), ("kilograms", "kg"),
    ("ounces", "oz"), ("pounds", "lbs"), ("milliliters", "ml"), ("litres", "liters"), ("dollars", "bucks"),
    ("euros", "EUR"), ("rupees", "INR"), ("yen", "JPY"), ("yuan", "renminbi"), ("francs", "CHF"),
    ("won", "KRW"), ("pesos", "peso"), ("rubles", "roubles"), ("gallons", "gal"), ("quarts", "qt"),
    ("pints", "pint"), ("cups", "cup"), ("tablespoons", "tbsp"), ("teaspoons", "tsp"), ("tons", "tonnes"),
    ("acres", "acre"), ("miles per hour", "mph"), ("kilometers per hour", "kph"),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(UNITS)), ids=[unit for unit, _ in UNITS])
def test_a_unit_is_its_abbreviation_and_no_other_unit(place: int) -> None:
    unit, short = UNITS[place]
    other = UNITS[place - 1][0]
    assert equivalent(f"7 {unit}", f"7 {short}") and equivalent(f"7 {unit}", "7")
    assert not equivalent(f"7 {unit}", f"7 {other}") and not equivalent(f"7 {short}", f"7 {other}")
