r"""The prompts that a teacher gets (arXiv 2410.01504 v1), verbatim, and the functions that fill them.

The paper prints line breaks as `\n`; here they are line breaks. The teacher never sees a reference answer: the paper
rejects that, because right answers then come with made-up reasoning.
"""

import re

# Section 3.1, "inference". The paper gives the text up to the colon, "followed by the problem".
INFERENCE = (
    "Please provide a detailed, step-by-step explanation for the following math problem. At the end of the "
    "explanation, present the final answer enclosed in `\\boxed{}` \n Math problem:{problem}"
)

# Section 3.1, "rewriting".
REWRITING = "Math problem: {problem} \nPlease rephrase the above math problem with the following persona:\n{persona}"

# Section 3.2, "reflection"; used for wrongly solved problems and for the rewrites of recovered ones.
REFLECTION = (
    "The following input consists of a math problem and a corresponding explanation. However, this explanation is "
    "incorrect, please reflect on its errors and then generate a corrected, detailed, step-by-step explanation for "
    "the following math problem. Divide your response into two parts: Review of Incorrect Explanation and Corrected "
    "Explanation. At the end of the explanation, present the final answer enclosed in \\boxed{ }. \n"
    "Math Problem: {problem} \nIncorrect Explanation: {explanation}"
)

_PLACEHOLDER = re.compile(r"\{(problem|persona|explanation)\}")


def inference(problem: str) -> str:
    """Ask for a step-by-step solution of a problem."""
    return _fill(INFERENCE, problem=problem)


def rewriting(problem: str, persona: str) -> str:
    """Ask for the problem as the persona would put it."""
    return _fill(REWRITING, problem=problem, persona=persona)


def reflection(problem: str, explanation: str) -> str:
    """Ask for a review of an incorrect explanation and a corrected one."""
    return _fill(REFLECTION, problem=problem, explanation=explanation)


def _fill(template: str, **values: str) -> str:
    # One pass, so that a problem whose text holds `{persona}` is left as it is; `str.format` would trip over \boxed{}.
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)
