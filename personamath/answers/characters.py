"""Characters of all scripts and fonts as LaTeX or ASCII."""

import re
import unicodedata

INVISIBLE = [0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
"""Invisible characters that join or break a line, or change its direction."""

GREEK = [
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"),
    *("xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "phi", "epsilon", "mu"),
    *("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"),
]
CHARACTERS = str.maketrans(
    dict.fromkeys("−–—‐‑﹣－", "-")
    | dict.fromkeys("×·⋅∙", r"\cdot ")
    | dict.fromkeys("÷⁄∕", "/")
    | dict.fromkeys("°º˚", r"^\circ ")
    | dict.fromkeys("∶：", ":")
    | dict.fromkeys("′’", "'")
    | dict.fromkeys("“”„", '"')
    | dict.fromkeys(INVISIBLE, "")
    | dict(zip("（），．％＝＋。、［］｛｝", "(),.%=+.,[]{}", strict=True))
    | {
        "¢": r"\text{ cents}",
        "€": r"\euro ",
        "£": r"\pounds ",
        "¥": r"\yen ",
        "₹": r"\rupee ",
        "″": "''",
        "∨": r"\lor ",
        "∧": r"\land ",
        "⇒": r"\implies ",
        "∠": r"\angle ",
        "△": r"\triangle ",
        "≡": r"\equiv ",
        "∉": r"\notin ",
        "∖": r"\setminus ",
        "∑": r"\sum ",
        "∏": r"\prod ",
        "∫": r"\int ",
        "∛": r"\sqrt[3]",
        "⟺": r"\iff ",
        "⇔": r"\iff ",
        "ℓ": r"\ell ",
        "✓": "",
        "■": "",
    }
    | dict.fromkeys("→⟶⟹", r"\implies ")
    | dict.fromkeys("⩽≦", r"\le ")
    | dict.fromkeys("⩾≧", r"\ge ")
    | {letter: rf"\mathbb{{{name}}}" for letter, name in zip("ℤℕℚℂ", "ZNQC", strict=True)}
    | {"√": r"\sqrt ", "∞": r"\infty ", "±": r"\pm ", "∓": r"\mp ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne "}
    | {"≈": r"\approx ", "∈": r"\in ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ", "ℝ": r"\mathbb{R}"}
    | {"⟨": r"\langle ", "⟩": r"\rangle ", "…": r"\ldots "}
    | {letter: rf"\{name} " for letter, name in zip("αβγδεζηθικλμνξπρστυφχψωϕϵµΓΔΘΛΞΠΣΦΨΩ", GREEK, strict=True)}
)
"""The LaTeX command or ASCII character that each character means; invisible ones mean nothing."""

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ", "0123456789+-()n")
RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ]+")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₙₘₖₓ", "0123456789+-aenmkx")
LOWERED = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₙₘₖₓ]+")
COMPATIBILITY = re.compile("[¼-¾⅐-⅞\U0001d400-\U0001d7ff]")
"""Fractions in one character, and letters in mathematical fonts."""


def ascii_characters(text: str) -> str:
    """The text with each other known character replaced by LaTeX or ASCII."""
    if text.isascii():
        return text
    text = RAISED.sub(lambda run: f"^{{{run[0].translate(SUPERSCRIPTS)}}}", text)
    text = LOWERED.sub(lambda run: f"_{{{run[0].translate(SUBSCRIPTS)}}}", text)
    text = COMPATIBILITY.sub(lambda character: compatible(character[0]), text)
    return ascii_digits(text).translate(CHARACTERS)


def compatible(character: str) -> str:
    """The LaTeX of a fraction in one character, or the letter without its font."""
    plain = unicodedata.normalize("NFKC", character)
    numerator, slash, denominator = plain.partition("\u2044")
    return rf"\frac{{{numerator}}}{{{denominator}}}" if slash else plain


def ascii_digits(text: str) -> str:
    """The text with the decimal digits of every script as 0 to 9; superscripts are not among them."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(character, character)) for character in text)
