from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personamath.methods.rewriting import new_question
from personamath.records import Dropped, Problem
from personamath.sources.problems import ProblemSource, read_problems

ORIGINAL = "A box holds 12 pens. How many pens do 3 boxes hold?"
QUESTION = "A beekeeper fills 3 crates with 12 jars each. How many jars are there?"

WRAPPED = [
    # as it is
    "{}",
    "  {}\n\n",
    # names before it
    "Rephrased Problem: {}",
    "Rephrased Problem:\n{}",
    "Rephrased math problem:\n\n{}",
    "Math problem: {}",
    "Problem: {}",
    "**Rephrased Problem:** {}",
    "**Rephrased Problem**: {}",
    "**Rephrased Problem**\n\n{}",
    "**Rephrased Math Problem:**\n\n{}",
    "**Rewritten Problem (for a beekeeper):**\n\n{}",
    "*Rephrased for the persona:* {}",
    "Rephrased: {}",
    "Reworded version from the perspective of a beekeeper: {}",
    "Problem from the perspective of a beekeeper:\n{}",
    # headings
    "### Rephrased Problem\n{}",
    "### Rephrased Problem:\n\n{}",
    "## **Rephrased Math Problem**\n\n{}",
    "# Math Problem for a Beekeeper\n\n{}",
    # sentences to the reader
    "Sure! Here is the rephrased problem:\n\n{}",
    "Certainly! Here's the math problem rephrased for a beekeeper:\n\n{}",
    "Here is the math problem rephrased with the given persona:\n\n**Rephrased Problem:**\n\n{}",
    "Here's a version that a beekeeper might ask: {}",
    "I've rephrased the problem for this persona:\n\n{}",
    # rules, bold, quotes
    "---\n{}\n---",
    "Here is the rephrased problem:\n\n---\n\n{}\n\n---",
    "**{}**",
    '"{}"',
    "“{}”",
    '**Rephrased Problem:** "{}"',
    'Here is the rephrased problem:\n\n"**{}**"',
    # remarks below
    "{}\n\nThis rephrased problem keeps the numbers of the original.",
    "{}\n\n---\n\nThis version keeps the mathematical structure.",
    "{}\n\n(Note: the numbers are unchanged.)",
    "{}\n\nLet me know if you would like another version!",
]


@pytest.mark.parametrize("completion", WRAPPED)
def test_wrapping_comes_off_and_the_question_stays(completion: str) -> None:
    assert new_question(completion.replace("{}", QUESTION), ORIGINAL) == QUESTION


UNTOUCHED = [
    # words of the wrappings that belong to a question
    "Here is how a baker works: 3 trays of 12 rolls each go in. How many rolls is that?",
    "The problem of the beekeeper is this. She has 3 crates of 12 jars. How many jars has she?",
    "A new scenario for the bakery has 3 trays of 12 rolls. How many rolls is that?",
    'A sign says "3 crates" and another "12 jars each". How many jars are there?',
    '"Three crates," says the beekeeper, "with 12 jars each." How many jars are "there"',
    "How many **jars** are in 3 crates of **12**?",
    "I have 3 crates.\n\nEach holds 12 jars.\n\nHow many jars do I have? Note that one crate is full.",
    "To win, Ann needs 3 rounds of 12 points. How many points does Ann need?",
    "What is the answer to 3 times 12, if the answer is written in base 5?",
    "I run a bakery and bake 3 trays of 12 rolls. Here is my question: how many rolls do I have?",
    "I have a new scenario in my kitchen with 3 trays of 12 rolls, so tell me: how many rolls are there?",
    "Here is a scenario from my farm. There are 3 crates of 12 jars. Find the following: how many jars?",
    "This is a problem I met at work, with 3 trays of 12 rolls: how many rolls is that?",
    "Ann plays a board game.\nIn this version of the game each turn gives 12 points. How many points after 3 turns?",
    "A coat is sold at half price. What does it cost now?\n\nNote that the original price was $48.",
    "How many rolls are baked?\n\nNote: each version of the recipe makes 12 rolls a tray, and there are 3 trays.",
    # LaTeX and other scripts
    r"A baker cuts $\frac{3}{4}$ of 12 rolls. How many rolls are cut?",
    "Eine Imkerin füllt 3 Kisten mit je 12 Gläsern. Wie viele Gläser sind es?",
]


@pytest.mark.parametrize("question", UNTOUCHED)
def test_questions_that_look_like_wrapping_are_left_alone(question: str) -> None:
    assert new_question(question, ORIGINAL) == question


@pytest.mark.parametrize("quoted", ['"{}"', "“{}”"])
def test_quotations_inside_a_quoted_question_stay(quoted: str) -> None:
    question = 'A label says "12 jars" and another "3 crates", she notes. How many jars are there?'
    assert new_question(quoted.replace("{}", question), ORIGINAL) == question


def test_what_the_original_says_of_an_answer_the_rewrite_may_say_too() -> None:
    original = "When the square root of $x$ is cubed, the answer is 64. What is $x$?"
    rewrite = "A tiler cubes the square root of $x$, and the answer is 64. What is $x$?"
    assert new_question(rewrite, original) == rewrite
    assert new_question(rewrite + r" $\boxed{16}$", original) == Dropped("holds a solution")


def test_every_real_question_comes_out_of_every_wrapping_as_it_went_in(data: Path) -> None:
    # Quotes or bold around a question that has its own (inch marks, figures that square with **) may stay: left out.
    wrappings = [wrapping for wrapping in WRAPPED if '"' not in wrapping and wrapping != "**{}**"]
    for source in (f"gsm8k:{data}/gsm8k/test.jsonl", f"math:{data}/math/test.jsonl"):
        for problem in read_problems([ProblemSource.parse(source)]):
            assert isinstance(problem, Problem)
            if r"\boxed" in problem.question:
                continue
            for wrapping in wrappings:
                original = "Before the rewrite: " + problem.question
                assert new_question(wrapping.replace("{}", problem.question), original) == problem.question


FIGURE = "[asy]\ndraw((0,0)--(1,0));\n[/asy]"

REJECTED = [
    ("", "empty rewrite"),
    ("  \n", "empty rewrite"),
    ("**Rephrased Problem:**", "empty rewrite"),
    ("Here is the rephrased problem:\n\n", "empty rewrite"),
    (ORIGINAL, "equal to the original"),
    (f"Rephrased Problem: {ORIGINAL.upper()}", "equal to the original"),
    (ORIGINAL.replace(" ", "\n"), "equal to the original"),
    (QUESTION + r" The answer is $\boxed{36}$.", "holds a solution"),
    (f"{QUESTION}\n\nSolution: 3 * 12 = 36", "holds a solution"),
    (f"{QUESTION}\n\n**Solution**\n\n3 * 12 = 36", "holds a solution"),
    (f"{QUESTION}\n\n### Step-by-Step Solution\n\n3 * 12", "holds a solution"),
    (f"{QUESTION}\n\n**Answer:** 36", "holds a solution"),
    (f"{QUESTION}\n\nStep 1: multiply.", "holds a solution"),
    (f"{QUESTION}\n\nTo solve this, we multiply 3 by 12.", "holds a solution"),
    (f"{QUESTION}\n#### 36", "holds a solution"),
    (f"{QUESTION} So the answer is 36.", "holds a solution"),
    (f"{QUESTION}\n{FIGURE}", "figure lost or changed"),
]


@pytest.mark.parametrize(("completion", "reason"), REJECTED)
def test_unusable_rewrites_are_dropped_under_their_own_name(completion: str, reason: str) -> None:
    assert new_question(completion, ORIGINAL) == Dropped(reason)


def test_a_figure_must_come_through_unchanged() -> None:
    original = f"What is the length of the segment? {FIGURE}"
    kept = f"An architect asks for the length of this wall. {FIGURE}"
    respaced = kept.replace("\n", "\n\n  ")
    assert new_question(kept, original) == kept
    assert new_question(respaced, original) == respaced
    assert new_question("An architect asks for the length of a wall.", original) == Dropped("figure lost or changed")
    assert new_question(kept.replace("(1,0)", "(2,0)"), original) == Dropped("figure lost or changed")


@given(st.text(max_size=400))
def test_any_completion_gives_a_question_or_a_reason(completion: str) -> None:
    result = new_question(completion, ORIGINAL)
    if isinstance(result, str):
        assert result and result in completion
        assert new_question(result, ORIGINAL) == result
