import pytest

from personamath.sources.reference_answers import MOST_CHARACTERS, read_answer

FOUND = [
    # Bare answers.
    ("40", "40"),
    (" 007 ", "007"),
    (r"\frac{3}{4}", r"\frac{3}{4}"),
    ("B", "B"),
    ("(A)", "(A)"),
    ("$1,200", "1,200"),
    ("$$3$$", "3"),
    ("$x$ or $y$", "$x$ or $y$"),
    ("3.50", "3.50"),
    ("12 apples", "12 apples"),
    ("x=5", "x=5"),
    ("True", "True"),
    ("40%", "40%"),
    ("5 ft. 3 in.", "5 ft. 3 in."),
    (r"7\text{ hours}.", r"7\text{ hours}."),
    ("\\begin{pmatrix} 1 \\\\\n2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\\n2 \\end{pmatrix}"),
    # After GSM8K's mark.
    ("#### 40", "40"),
    ("5 + 3 = <<5+3=8>>8\n#### 8\nThat is all.", "8"),
    ("#### 8\u2028That is all.", "8"),
    ("#### 8\\nThat is all.", "8"),
    ("#### 8<br>That is all.", "8"),
    # Beside a marked answer stands what says nothing.
    *(
        (f"so\n{line}", "72")
        for line in (
            "#### 72 (answer)",
            "#### 72 ###",
            "####72####",
            "##### 72",
            "#### 72 (final answer)",
            "#### 72 [END]",
            "#### 72 # the answer",
            "#### 72 // answer",
            "#### 72 -- done",
            "#### 72 <!-- checked -->",
            "#### 72</answer>",
            "#### <b>72</b>",
            "#### 72<br>",
            "#### 72 <eos>",
            "#### 72&nbsp;",
            "| #### 72 |",
            "#### 72 **",
            "**#### 72**",
            "#### 72\n####",
            "#### 72\n\n####  \n",
            "####72",
            "#### 72 {answer}",
        )
    ),
    # What may say something stays, and the grader reads it.
    ("#### **72**", "**72**"),
    ("#### 72.", "72."),
    ("#### 72 or 73", "72 or 73"),
    ("#### 3 (mod 5)", "3 (mod 5)"),
    ("#### 72 (or 73)", "72 (or 73)"),
    ("#### A (72)", "A (72)"),
    ("#### 1 < x", "1 < x"),
    ("#### a<b", "a<b"),
    # In a box.
    (r"Halve both sides: $x = \boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
    ("First \\boxed{3}, then \\boxed{4}.\n#### 5", "4"),
]


@pytest.mark.parametrize(("text", "answer"), FOUND)
def test_an_answer_of_ones_own_is_bare_or_marked(text: str, answer: str) -> None:
    assert read_answer("shop", text) == (answer, None)


BARE = (
    r"no `####` or `\boxed`, and more than a bare answer (one line of up to 200 characters and 5 words, "
    "and no sentence)"
)
UNGRADED = "an answer that cannot be graded, such as one with a brace that is not closed,"
NOT_FOUND = [
    ("shop", "", "no answer"),
    ("shop", " \n", "no answer"),
    ("shop", "$", "no answer"),
    ("shop", "The answer is 40.", BARE),
    ("shop", "He has 5 apples left.", BARE),
    ("shop", "She buys 3 and then she eats 2 of them", BARE),
    ("shop", "5 + 3 = 8\n8 + 1 = 9", BARE),
    ("shop", "7" * (MOST_CHARACTERS + 1), BARE),
    ("shop", "####", "nothing after `####`"),
    ("shop", r"so $\boxed{}$", "the last box is empty"),
    ("shop", r"so $\boxed{3", "the last box is cut off"),
    ("shop", r"\frac{1}{2", UNGRADED),
    ("gsm8k", "40", "no `####`"),
    ("gsm8k", "#### ", "nothing after `####`"),
    ("gsm8k", "#### }", UNGRADED),
    ("math", "40", r"no `\boxed`"),
    ("math", "#### 40", r"no `\boxed`"),
    ("math", r"$\boxed{}$", "the last box is empty"),
]


@pytest.mark.parametrize(("source", "text", "why"), NOT_FOUND)
def test_a_text_without_an_answer_says_why(source: str, text: str, why: str) -> None:
    assert read_answer(source, text) == (None, why)
