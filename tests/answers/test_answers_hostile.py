"""Answers made to hang, crash, bloat or break out: each ends in at most two seconds, quietly."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from personamath.answers import equivalent, extract, grade, grade_paper_gsm8k, grade_paper_math
from personamath.answers.normal_form import LONGEST

SECONDS = 2.0
MEGABYTES = 500

TOWERS = [
    "9^{9^{9^9}}", "9^{9^{9^{9^{9^9}}}}", "((((9!)!)!)!)!", "10^{10^{10^{10}}}!", "2^{2^{2^{2^{2^2}}}}", "x^{x^{x^x}}",
    "(1+10^{-15})^{10^{16}}", "0.5^{10^{17}}", "1e999", "1e999999999", r"\exp(10^{19})", r"\sin(10^{10^{10}})",
    r"\lfloor 10^{500}\pi \rfloor", r"\binom{1000000}{500000}", "10000000000000!", "(-1)^{10^{100}}", "i^{i^{i^i}}",
    "1/0", r"\frac{1}{0}", r"\frac{1}{1-1}", "0^0", "0^{-1}", r"\log 0", r"\tan 90°", r"\sqrt[0]{5}", r"\log_1 5",
]  # fmt: skip

# What is nested or repeated, as long as it is still read, and much longer
NESTED = [
    ("{", "5", "}"), ("(", "5", ")"), ("[", "1,2", ")"), (r"\{1,", "1", r"\}"), (r"\sqrt{", "2", "}"),
    ("2^{", "2", "}"), (r"1+\frac{1}{", "2", "}"), (r"\text{", "a", "}"), ("|", "x", "|"), (r"\boxed{", "5", "}"),
    ("x_{", "1", "}"),
    (r"\begin{pmatrix}", "1", r"\end{pmatrix}"), ("((", "5", "))!"), (r"\left(", "5", r"\right)"),
]  # fmt: skip
REPEATED = [
    "1", "x", "{", "}", "(", "|", "-", "+-", "2^", "x^-", "5!", "!", "°", "%", "'", "_", "_{", "^{", "x_", r"\frac",
    r"\sqrt", r"\sin", "1,", "1, ", "(1,2),", r"\pm 1,", r"[0,1]\cup", "x=", "1<", r"x\le ", "1&", r"1\\", "1/",
    "(x+1)^{99}", "(x+1)", r"\sqrt{2}+", r"\sqrt{2}\cdot ", "12 34/5 ", "1 000 ", "1.", "0.12", " ", " x", ",.;:",
    "...", "$", r"\$", r"\!", "{,}", "~", "**", r"\over ", r"\text{", r"\text{and}", "a and b or ", "real ", "no real ",
    "aa ", "a.", r"\overline{3", r"\\",
]  # fmt: skip
SIZES = [LONGEST - 10, 100_000]
LONG = [
    *(opening * (size // len(opening + closing) - 1) + inside + closing * (size // len(opening + closing) - 1)
      for opening, inside, closing in NESTED for size in SIZES),
    *((pattern * size)[:size] + end for pattern in REPEATED for end in ("", "5", "x") for size in SIZES),
]  # fmt: skip
CODE = [
    "__import__('pathlib').Path('{}').touch()",
    "exec(\"open('{}', 'w')\")",
    "open('{}', 'w')",
    "$(touch {})",
    "`touch {}`",
    r"\write18{{touch {}}}",
    r"\input{{{}}}",
]
ODD = [
    "٣٤٥",
    "５６",
    "⁷",
    "−5",
    "½½",
    "\x00",
    "\ud800",
    "\u202e5",
    "𝟓",
    "①",
    "Ⅷ",
    "五",
    "ﷺ" * 400,
    "🙂",
    "\\",
    "\\\\",
    "%",
    "_",
    "^",
    "",
]
OPEN = [r"\int_0^1 x^x dx", r"\sum_{n=1}^{99999} n", r"\prod_{k=1}^{99999} k", r"\lim_{x \to 0} \frac{\sin x}{x}"]


def in_short(text: str) -> str:
    """A name for a test."""
    return f"{len(text)} {text[-20:]!a}"


USES: list[Callable[[str], object]] = [
    extract,
    lambda text: extract(rf"\boxed{{{text}"),
    lambda text: equivalent(text, "5"),
    lambda text: equivalent("x = [1, 2)", text),
    lambda text: equivalent(text, text + " + 0"),
    lambda text: grade("5", rf"\boxed{{{text}}}"),
    lambda text: grade(text, rf"so \boxed {text}"),
    lambda text: grade_paper_gsm8k("5", rf"\boxed{{{text}}}"),
    lambda text: grade_paper_math(text, rf"\boxed{{{text}}}"),
]


def peak_memory() -> int:
    """The most bytes that this process has held so far; 0 where the system does not say it."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.fixture(scope="module")
def peak_before() -> int:
    """The peak before any hostile text."""
    return peak_memory()


@pytest.mark.parametrize("text", [*TOWERS, *LONG, *ODD, *OPEN], ids=in_short)
def test_hostile_text_ends_in_two_seconds_in_every_function_and_bloats_nothing(text: str, peak_before: int) -> None:
    # Of this process: others may keep the machine busy, and the worker's time has a limit of its own.
    for use in USES:
        start = time.process_time()
        use(text)
        assert time.process_time() - start < SECONDS
    assert peak_memory() - peak_before < MEGABYTES * 2**20


def nested_set(width: int, depth: int, leaf: str) -> str:
    """A set of sets of sets, with the same leaf everywhere."""
    return leaf if depth == 0 else rf"\{{{','.join([nested_set(width, depth - 1, leaf)] * width)}\}}"


@pytest.mark.parametrize(("width", "depth"), [(2, 7), (3, 5), (4, 4)])
@pytest.mark.parametrize("leaves", [("1", "2"), ("x", "y")])
def test_two_nested_sets_are_told_apart_in_two_seconds(width: int, depth: int, leaves: tuple[str, str]) -> None:
    start = time.process_time()
    assert not equivalent(*(nested_set(width, depth, leaf) for leaf in leaves))
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("code", CODE)
def test_code_in_the_box_is_text(code: str, tmp_path: Path) -> None:
    written = tmp_path / "written"
    text = code.format(written)
    for use in USES:
        use(text)
    assert not written.exists()


@pytest.mark.parametrize("text", [*TOWERS, *LONG, *OPEN], ids=in_short)
def test_hostile_text_equals_itself_and_not_six(text: str) -> None:
    assert equivalent(text, text)
    assert not equivalent(text, "6")
