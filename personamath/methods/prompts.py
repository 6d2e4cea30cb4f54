r"""The prompts that methods share, and how a prompt is filled.

The three are PersonaMath's (arXiv 2410.01504 v1), verbatim; the paper prints line breaks as `\n`, here they are line
breaks. The teacher never sees a reference answer: the paper rejects that, because it leads to right answers with
made-up reasoning.
"""

import re
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template with `{name}` placeholders."""

    template: str

    def fill(self, **values: str) -> str:
        """The text to send. Only placeholders with a value are replaced, and values are never read as templates."""
        # One pass: `str.format` would trip over \boxed{}, and a problem may itself hold `{persona}`.
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), self.template)


INFERENCE = Prompt(
    "Please provide a detailed, step-by-step explanation for the following math problem. At the end of the "
    "explanation, present the final answer enclosed in `\\boxed{}` \n Math problem:{problem}"
)
"""Section 3.1, "inference". The paper gives the text up to the colon, "followed by the problem"."""

REWRITING = Prompt(
    "Math problem: {problem} \nPlease rephrase the above math problem with the following persona:\n{persona}"
)
"""Section 3.1, "rewriting"."""

REFLECTION = Prompt(
    "The following input consists of a math problem and a corresponding explanation. However, this explanation is "
    "incorrect, please reflect on its errors and then generate a corrected, detailed, step-by-step explanation for "
    "the following math problem. Divide your response into two parts: Review of Incorrect Explanation and Corrected "
    "Explanation. At the end of the explanation, present the final answer enclosed in \\boxed{ }. \n"
    "Math Problem: {problem} \nIncorrect Explanation: {explanation}"
)
"""Section 3.2, "reflection"; used for wrongly solved problems and for the rewrites of recovered ones."""
