r"""The graders the paper released, faults included, for scores that are to be compared with the paper's.

GSM8K's reads `\boxed{1,234,567}` as 1234, rounds 3.4 to 3, and takes `\frac{7}{2}` for 7. MATH's compares two strings
after Hendrycks et al.'s normalisation (`math_equivalence.py` of the MATH dataset, to which the paper added a last step
that reads both as floating-point numbers). Everything else in the project uses `grade`.
"""

import re
from fractions import Fraction

FIRST_NUMBER = re.compile(r"[-+]?\d*[.,/]?\d+")


def grade_paper_gsm8k(reference: str, completion: str) -> bool:
    r"""Verdict of the paper's GSM8K grader: the first number after the last `\boxed{`, rounded, is the reference."""
    _, box, after = completion.rpartition("\\boxed{")
    number = FIRST_NUMBER.search(after)
    if not box or not number:
        return False
    try:
        return round_number(number[0]) == int(reference.replace(",", ""))
    except (ValueError, ArithmeticError):  # where the released script stops with an error
        return False


def round_number(text: str) -> int:
    """A number as the released grader reads it; a fraction over 0 is its numerator."""
    numerator, slash, denominator = text.partition("/")
    if slash and denominator != "0":
        return round(float(Fraction(text)))
    return round(float(numerator.replace(",", "")))


def grade_paper_math(reference: str, completion: str) -> bool:
    r"""Verdict of the paper's MATH grader: what the last `\boxed{` holds and the reference have one normal form."""
    answer = last_boxed(completion)
    if answer is None:
        return False
    try:
        return as_float(math_normal_form(reference)) == as_float(math_normal_form(answer))
    except (ValueError, IndexError):
        return reference == answer


def as_float(text: str) -> float | str:
    """The paper's own last step: a text that Python reads as a number is that number, `infinity` and `nan` included."""
    try:
        return float(text)
    except ValueError:
        return text


def last_boxed(completion: str) -> str | None:
    r"""Contents of the last box, where it is a closed `\boxed{`; counts escaped braces, unlike `extract`."""
    start = completion.rfind("\\boxed")
    if not completion.startswith("\\boxed{", start) or start < 0:
        return None
    depth = 0
    for brace in re.finditer(r"[{}]", completion[start:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return completion[start + len("\\boxed{") : start + brace.start()]
    return None


def math_normal_form(text: str) -> str:
    """Hendrycks et al.'s normal form of an answer; raises ValueError or IndexError if the original fails."""
    for old, new in [("\n", ""), ("\\!", ""), ("\\\\", "\\"), ("tfrac", "frac"), ("dfrac", "frac"), ("\\left", ""),
                     ("\\right", ""), ("^{\\circ}", ""), ("^\\circ", ""), ("\\$", "")]:  # fmt: skip
        text = text.replace(old, new)
    text = without_units(text).replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.")
    if not text:
        return text
    if text[0] == ".":
        text = "0" + text
    if text.count("=") == 1 and text.index("=") <= 2:
        text = text.partition("=")[2]
    text = braced_fractions(braced_roots(text).replace(" ", ""))
    return slashed_fraction(r"\frac{1}{2}" if text == "0.5" else text)


def without_units(text: str) -> str:
    r"""Without what follows `\text{ `."""
    before, *units = text.split("\\text{ ")
    if len(units) > 1:
        raise ValueError("two units")
    return before


def braced_roots(text: str) -> str:
    r"""`\sqrt3` as `\sqrt{3}`."""
    first, *rest = text.split("\\sqrt")
    return first + "".join("\\sqrt" + (part if part[0] == "{" else f"{{{part[0]}}}{part[1:]}") for part in rest)


def braced_fractions(text: str) -> str:
    r"""`\frac12` and `\frac1{2}` as `\frac{1}{2}`."""
    first, *rest = text.split("\\frac")
    fixed = first
    for part in rest:
        if part[0] == "{":
            fixed += "\\frac" + part
        elif len(part) < 2:
            return text
        else:
            fixed += f"\\frac{{{part[0]}}}" + (part[1:] if part[1] == "{" else f"{{{part[1]}}}{part[2:]}")
    return fixed


def slashed_fraction(text: str) -> str:
    r"""`1/2` as `\frac{1}{2}`, if the whole text is one; raises ValueError on a slash between other things."""
    if text.count("/") != 1:
        return text
    numerator, denominator = (int(part) for part in text.split("/"))
    return rf"\frac{{{numerator}}}{{{denominator}}}" if text == f"{numerator}/{denominator}" else text
