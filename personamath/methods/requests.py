"""Building requests: the one place where a prompt, a model and its sampling become a `Request`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from personamath.methods.prompts import INFERENCE, Prompt
from personamath.records import Request

SOLVE = "inference"
"""Name of the prompt that asks for a solution; every method has it."""


@dataclass(frozen=True, slots=True)
class Requests:
    """How a recipe asks: the teacher, its sampling, and the prompts by name."""

    model: str
    temperature: float
    max_tokens: int
    """Limit on the tokens of a completion."""
    prompts: Mapping[str, Prompt] = field(default_factory=dict)

    def make(self, purpose: str, prompt: str, *, sample: int = 0, **values: str) -> Request:
        """A request of a kind, by the name of its prompt and the values of its placeholders."""
        text = self.prompts[prompt].fill(**values)
        return Request(text, self.model, self.temperature, self.max_tokens, sample, purpose)

    def solve(self, purpose: str, question: str, sample: int = 0) -> Request:
        """A request to solve a problem; `sample` counts several attempts at one question, from 0."""
        text = self.prompts.get(SOLVE, INFERENCE).fill(problem=question)
        return Request(text, self.model, self.temperature, self.max_tokens, sample, purpose)
