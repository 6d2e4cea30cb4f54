"""The human solutions of the seed problems as rows: the baseline of fine-tuning on GSM8K and MATH as they are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from personamath.answers import extract
from personamath.methods.method import Method, Outline, Step
from personamath.methods.prompts import Prompt
from personamath.methods.work import Work
from personamath.records import Problem, Solution

ORIGINAL = "original"
"""The method's only step."""

_CALCULATION = re.compile(r"<<[^>]*>>")
"""GSM8K's marks for a calculator, such as `<<48/2=24>>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original(Method):
    """Each seed problem with its own solution; nobody is asked."""

    prompts: ClassVar[Mapping[str, Prompt]] = {}
    outline: ClassVar[Outline] = Outline(
        method="original",
        title="the seed problems with their own solutions",
        how="""\
Each row is a seed problem with the solution that its source gives: without GSM8K's marks for a calculator, and with the
final answer boxed at the end. No model was asked.""",
        cite="",
        steps=(Step(ORIGINAL, "original", "seed problems with the solutions of their sources"),),
        kinds=(),
    )

    @property
    def reads_solutions(self) -> bool:
        """They are what it makes rows of."""
        return True

    async def augment(self, seed: Problem, work: Work) -> list[Solution]:
        """The seed problem's solution; nothing where its source gives only an answer."""
        solution = boxed(seed.solution or "", seed.answer)
        return [Solution(seed, ORIGINAL, solution, correct=True, request=None)] if solution else []


def boxed(solution: str, answer: str) -> str:
    """A solution without calculator marks, with its answer boxed at the end; empty where it is only an answer."""
    if extract(solution) is not None:
        return solution.strip()
    steps, marker, _ = _CALCULATION.sub("", solution).rpartition("####")
    steps = steps.strip()
    return f"{steps}\nThe final answer is $\\boxed{{{answer}}}$." if marker and steps else ""
