"""Answers made to hang, crash, bloat or break out: each ends in at most two seconds, quietly."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from personamath.answers import equivalent, extract, grade, grade_paper_gsm8k, grade_paper_math

SECONDS = 2.0
MEGABYTES = 500

TOWERS = [
    *(
        "9^{9^{9^9}}",
        "9^{9^{9^{9^{9^9}}}}",
        "((((9!)!)!)!)!",
        "10^{10^{10^{10}}}!",
        "2^{2^{2^{2^{2^2}}}}",
        "x^{x^{x^x}}",
    ),
    *("(1+10^{-15})^{10^{16}}", "0.5^{10^{17}}", "1e999", "1e999999999", r"\exp(10^{19})", r"\sin(10^{10^{10}})"),
    *(r"\lfloor 10^{500}\pi \rfloor", r"\binom{1000000}{500000}", "10000000000000!", "(-1)^{10^{100}}", "i^{i^{i^i}}"),
    *("1/0", r"\frac{1}{0}", r"\frac{1}{1-1}", "0^0", "0^{-1}", r"\log 0", r"\tan 90°", r"\sqrt[0]{5}", r"\log_1 5"),
]
LONG = [
    *("1" * 100_000, "x" * 100_000, r"\frac" * 20_000, "{" * 100_000, "}" * 100_000, "{" * 5_000 + "5" + "}" * 5_000),
    *("(" * 900 + "5" + ")" * 900, r"\sqrt{" * 300 + "2" + "}" * 300, r"\sqrt" * 390 + "2", r"\sin" * 390 + "x"),
    *(
        "-" * 1_900 + "5",
        "2^" * 900 + "2",
        "x^-" * 600 + "1",
        "5" + "!" * 1_900,
        "|" * 1_900,
        "x" * 1_900,
        "1/" * 900 + "1",
    ),
    *(
        "1," * 900 + "1",
        "(1,2)," * 300 + "(1,2)",
        r"\{1," * 300 + "1" + r"\}" * 300,
        r"\pm 1," * 300,
        "[0,1]\\cup" * 200,
    ),
    *("x=" * 900 + "y", "1<" * 900 + "2", r"\begin{pmatrix}" * 100, r"\begin{pmatrix}" + "1&" * 800, "1 000 " * 300),
    *("(x+1)^{99}" * 60, r"\sqrt{2}+" * 90 + "1", r"1+\frac{1}{" * 100 + "2" + "}" * 100, "0." + "12" * 900 + "..."),
    *(" " * 1_999 + "x", r"\text{" + " " * 1_900, "{" + r" \over" * 300, ",.;:" * 480 + "x", "5 " + "a" * 1_900 + "1"),
    *("real " * 390, "a and b or " * 180, "$" * 1_990, "{,}" * 600, "_{" * 600, "'" * 1_900, r"\boxed{" * 10_000),
]
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


@pytest.mark.parametrize("text", [*TOWERS, *LONG, *ODD, *OPEN], ids=lambda text: ascii(text[:30]))
def test_hostile_text_ends_in_two_seconds_in_every_function(text: str) -> None:
    for use in USES:
        start = time.perf_counter()
        use(text)
        assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize("code", CODE)
def test_code_in_the_box_is_text(code: str, tmp_path: Path) -> None:
    written = tmp_path / "written"
    text = code.format(written)
    for use in USES:
        use(text)
    assert not written.exists()


@pytest.mark.parametrize("text", [*TOWERS, *LONG, *OPEN], ids=lambda text: ascii(text[:30]))
def test_hostile_text_equals_itself_and_not_five(text: str) -> None:
    assert equivalent(text, text)
    assert not equivalent(text, "5")


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read from resource")
def test_hostile_text_does_not_bloat_the_process_or_its_worker() -> None:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    for text in [*TOWERS, *LONG, *OPEN]:
        for use in USES:
            use(text)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    assert after - before < MEGABYTES * 2**20
    assert workers < MEGABYTES * 2**20
