"""The paper's prompts, verbatim, and how they are filled."""

from personamath.methods.prompts import INFERENCE, REFLECTION, REWRITING


def test_the_prompts_are_the_papers() -> None:
    assert INFERENCE.fill(problem="1 + 1?") == (
        "Please provide a detailed, step-by-step explanation for the following math problem. At the end of the "
        "explanation, present the final answer enclosed in `\\boxed{}` \n Math problem:1 + 1?"
    )
    assert REWRITING.fill(problem="1 + 1?", persona="A cook") == (
        "Math problem: 1 + 1? \nPlease rephrase the above math problem with the following persona:\nA cook"
    )
    assert REFLECTION.fill(problem="1 + 1?", explanation="It is 3.") == (
        "The following input consists of a math problem and a corresponding explanation. However, this explanation is "
        "incorrect, please reflect on its errors and then generate a corrected, detailed, step-by-step explanation for "
        "the following math problem. Divide your response into two parts: Review of Incorrect Explanation and "
        "Corrected Explanation. At the end of the explanation, present the final answer enclosed in \\boxed{ }. \n"
        "Math Problem: 1 + 1? \nIncorrect Explanation: It is 3."
    )


def test_braces_in_a_problem_are_left_as_they_are() -> None:
    problem = r"Find $\frac{a}{b}$ with {persona} and {problem} in {0}."
    assert REWRITING.fill(problem=problem, persona="{problem}") == (
        f"Math problem: {problem} \nPlease rephrase the above math problem with the following persona:\n{{problem}}"
    )
