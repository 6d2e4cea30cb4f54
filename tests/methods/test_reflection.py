import pytest

from personamath.methods.reflection import Reflection, read_reflection
from personamath.records import Dropped

REVIEW = "The explanation adds where it should multiply."
CORRECTED = "There are 3 boxes of 12 pens.\n\n1. Multiply: 3 * 12 = 36.\n\nThe answer is $\\boxed{36}$."

HEADINGS = [
    "Corrected Explanation",
    "Corrected Explanation:",
    "corrected explanation:",
    "**Corrected Explanation**",
    "**Corrected Explanation:**",
    "**Corrected Explanation**:",
    "### Corrected Explanation",
    "### Corrected Explanation:",
    "### **Corrected Explanation**",
    "#### 2. Corrected Explanation",
    "## Part 2: Corrected Explanation",
    "**Part 2: Corrected Explanation**",
    "**Part II. Corrected Explanation:**",
    "2. **Corrected Explanation:**",
    "2) Corrected Explanation",
    "**2. Corrected Explanation**",
    "(2) Corrected Explanation:",
    "**Corrected, Detailed, Step-by-Step Explanation:**",
    "### Corrected Step-by-Step Explanation",
    "### Corrected and Detailed Explanation:",
    "Corrected Explanation -",
    "> **Corrected Explanation**",
    "- **Corrected Explanation**:",
    "### Corrected Explanation (Step by Step)",
    "### Corrected Explanation for the Math Problem:",
]


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_corrected_explanation_starts_after_its_heading_in_any_form(heading: str) -> None:
    completion = f"### Review of Incorrect Explanation\n\n{REVIEW}\n\n---\n\n{heading}\n\n{CORRECTED}"
    assert read_reflection(completion) == Reflection(REVIEW, CORRECTED)


REVIEW_HEADINGS = [
    "Review of Incorrect Explanation:",
    "**Review of Incorrect Explanation:**",
    "### Review of the Incorrect Explanation",
    "### Part 1: Review of Incorrect Explanation",
    "1. **Review of Incorrect Explanation**",
    "**Review:**",
]


@pytest.mark.parametrize("heading", REVIEW_HEADINGS)
def test_the_review_is_kept_without_its_heading(heading: str) -> None:
    completion = f"{heading}\n{REVIEW}\n\n### Corrected Explanation\n{CORRECTED}"
    assert read_reflection(completion) == Reflection(REVIEW, CORRECTED)


def test_text_may_follow_a_heading_on_its_line() -> None:
    completion = f"Review of Incorrect Explanation: {REVIEW}\n\nCorrected Explanation: {CORRECTED}"
    assert read_reflection(completion) == Reflection(REVIEW, CORRECTED)


def test_the_last_heading_counts_because_some_completions_open_with_an_outline() -> None:
    outline = "1. Review of Incorrect Explanation\n2. Corrected Explanation\n\n"
    completion = f"{outline}### Review of Incorrect Explanation\n{REVIEW}\n### Corrected Explanation\n{CORRECTED}"
    reflection = read_reflection(completion)
    assert isinstance(reflection, Reflection)
    assert reflection.explanation == CORRECTED
    assert reflection.review and reflection.review.endswith(REVIEW)


@pytest.mark.parametrize("ending", ["**Correct Solution:** $\\boxed{36}$", "The correct solution: $\\boxed{36}$"])
def test_a_closing_line_about_the_solution_is_part_of_the_explanation(ending: str) -> None:
    completion = f"### Review\n{REVIEW}\n### Corrected Explanation\n{CORRECTED}\n\n{ending}"
    assert read_reflection(completion) == Reflection(REVIEW, f"{CORRECTED}\n\n{ending}")


def test_a_completion_without_review_has_none() -> None:
    assert read_reflection(f"### Corrected Explanation\n{CORRECTED}") == Reflection(None, CORRECTED)


NOT_TOLD_APART = [
    CORRECTED,
    f"Review of Incorrect Explanation\n{REVIEW}\n\n{CORRECTED}",
    # a sentence that speaks of it is no heading
    f"{REVIEW} The corrected explanation is as follows. {CORRECTED}",
    f"Corrected explanations help. {CORRECTED}",
    # nothing below the heading
    f"### Review of Incorrect Explanation\n{REVIEW}\n### Corrected Explanation\n",
    "",
]


@pytest.mark.parametrize("completion", NOT_TOLD_APART)
def test_without_a_heading_or_a_text_below_it_the_attempt_is_not_kept(completion: str) -> None:
    assert read_reflection(completion) == Dropped("no corrected explanation")
