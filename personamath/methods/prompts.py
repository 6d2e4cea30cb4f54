r"""The prompts that methods share, and how a prompt is filled.

The three are PersonaMath's (arXiv 2410.01504 v1), verbatim; the paper prints line breaks as `\n`, here they are line
breaks. The teacher never sees a reference answer: the paper rejects that, because it leads to right answers with
made-up reasoning.
"""

import re
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# A placeholder as an author means it. What follows a word, a bracket or `^` is LaTeX, such as `\boxed{x}` or `x^{n}`.
_MEANT = re.compile(r"(?<![\w}\]^])\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template with `{name}` placeholders."""

    template: str
    says: str = ""
    """What it asks for, e.g. `solve a problem`."""
    reply: str = ""
    """What the reply must hold for the method to read it."""
    origin: str = ""
    """Where the text is from: a section of a paper, or the name of a file."""

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of its placeholders, each once; braces in LaTeX are none."""
        return tuple(dict.fromkeys(_MEANT.findall(self.template)))

    @property
    def filled(self) -> frozenset[str]:
        """The names in braces, LaTeX included: what `fill` would replace if it had a value."""
        return frozenset(_PLACEHOLDER.findall(self.template))

    def fill(self, **values: str) -> str:
        """The text to send. Only placeholders with a value are replaced, and values are never read as templates."""
        # One pass: `str.format` would trip over \boxed{}, and a problem may itself hold `{persona}`.
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), self.template)


INFERENCE = Prompt(
    "Please provide a detailed, step-by-step explanation for the following math problem. At the end of the "
    "explanation, present the final answer enclosed in `\\boxed{}` \n Math problem:{problem}",
    says="solve a problem",
    reply="a solution with the final answer in `\\boxed{}`; the whole reply becomes the row's response",
    origin="arXiv 2410.01504 v1, section 3.1",
)
"""Section 3.1, "inference". The paper gives the text up to the colon, "followed by the problem"."""

REWRITING = Prompt(
    "Math problem: {problem} \nPlease rephrase the above math problem with the following persona:\n{persona}",
    says="rewrite a problem for a persona",
    reply="the new problem, alone or below a heading such as `Rephrased Problem:`",
    origin="arXiv 2410.01504 v1, section 3.1",
)
"""Section 3.1, "rewriting"."""

REFLECTION = Prompt(
    "The following input consists of a math problem and a corresponding explanation. However, this explanation is "
    "incorrect, please reflect on its errors and then generate a corrected, detailed, step-by-step explanation for "
    "the following math problem. Divide your response into two parts: Review of Incorrect Explanation and Corrected "
    "Explanation. At the end of the explanation, present the final answer enclosed in \\boxed{ }. \n"
    "Math Problem: {problem} \nIncorrect Explanation: {explanation}",
    says="correct a wrong solution",
    reply="what was wrong, then a line `Corrected Explanation:`, and below it a solution with the final answer in "
    "`\\boxed{}`; without that line the reply is dropped",
    origin="arXiv 2410.01504 v1, section 3.2",
)
"""Section 3.2, "reflection"; used for wrongly solved problems and for the rewrites of recovered ones."""
