"""The paper's two graders, as its authors released them: their verdicts are reproduced, faults included."""

import json
from pathlib import Path

import pytest

from personamath.answers import grade_paper_gsm8k, grade_paper_math

PAPER_GSM8K = [
    # A number's thousands are cut, a decimal is rounded, and a fraction is its numerator
    ("1234", r"\boxed{1,234,567}", True),
    ("3", r"\boxed{3.4}", True),
    ("7", r"\boxed{\frac{7}{2}}", True),
    ("4", r"\boxed{7/2}", True),
    ("5", r"\boxed{5/0}", True),
    # The first number after the box may stand outside of it, or in a name
    ("5", r"\boxed{x} and then 5 eggs", True),
    ("3", r"\boxed{x_1 = 3}", False),
    # No other box, no other answer
    ("5", r"\fbox{5}", False),
    ("5", "The answer is 5", False),
    ("five", r"\boxed{5}", False),
]

PAPER_MATH = [
    (r"\frac{1}{2}", r"\boxed{0.5}", True),
    (r"\frac{1}{4}", r"\boxed{0.25}", False),
    (r"\frac{1}{2}", r"\boxed{\frac12}", True),
    (r"\frac{1}{2}", r"\boxed{\frac1{2}}", True),
    (r"\frac{1}{2}", r"\boxed{1/2}", True),
    ("01/2", r"\boxed{1/2}", False),
    ("a/b", r"\boxed{a/b}", True),
    ("a/b", r"\boxed{b/a}", False),
    (r"\frac1", r"\boxed{\frac1}", True),
    (r"\sqrt{3}", r"\boxed{\sqrt3}", True),
    ("0.5", r"\boxed{.5}", True),
    (r"5\%", r"\boxed{5}", True),
    (r"\$5", r"\boxed{5}", True),
    ("xy=5", r"\boxed{5}", True),
    ("xyz=5", r"\boxed{5}", False),
    ("", r"\boxed{\text{ cm}}", True),
    # Two units: where the original stops with an error, only the same text is the same
    (r"5\text{ a}\text{ b}", r"\boxed{5\text{ a}\text{ b}}", True),
    (r"5\text{ a}\text{ b}", r"\boxed{5}", False),
    ("5", r"\boxed{x=5}", True),
    ("x^2+1", r"\boxed{1+x^2}", False),
    (r"\text{Evelyn}", r"\boxed{Evelyn}", False),
    ("1000", r"\boxed{1e3}", True),
    ("nan", r"\boxed{nan}", False),
    ("5", r"\boxed 5", False),
    ("5", r"\boxed{5", False),
]


@pytest.mark.parametrize(("reference", "completion", "correct"), PAPER_GSM8K)
def test_the_paper_takes_the_first_number_after_the_box(reference: str, completion: str, correct: bool) -> None:
    assert grade_paper_gsm8k(reference, completion) is correct


@pytest.mark.parametrize(("reference", "completion", "correct"), PAPER_MATH)
def test_the_paper_compares_normalised_strings(reference: str, completion: str, correct: bool) -> None:
    assert grade_paper_math(reference, completion) is correct


def test_the_paper_s_verdicts_on_real_outputs_are_reproduced(data: Path) -> None:
    rows = [json.loads(line) for line in (data / "answers" / "paper_verdicts.jsonl").read_text().splitlines()]
    graders = {"gsm8k": grade_paper_gsm8k, "math": grade_paper_math}
    verdicts = [graders[row["dataset"]](row["gold"], row["output"]) for row in rows]
    assert verdicts == [row["original_correct"] for row in rows]
