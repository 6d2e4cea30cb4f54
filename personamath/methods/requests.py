"""Building requests: the one place where a prompt, a model and its sampling become a `Request`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from personamath.methods.prompts import INFERENCE, Prompt
from personamath.records import Request

SOLVE = "inference"
"""Name of the prompt that asks for a solution; every method has it."""


@dataclass(frozen=True, slots=True)
class Requests:
    """How a recipe asks: the teacher, its sampling, and the prompts by name."""

    model: str
    temperature: float | None
    """None leaves it out."""
    max_tokens: int
    """Limit on the tokens of a completion."""
    prompts: Mapping[str, Prompt] = field(default_factory=dict)
    system: str | None = None
    """The system's message; None sends none."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """More fields of the body of every request."""
    token_limit: str = "max_tokens"
    """The field in which the model takes `max_tokens`."""

    def make(self, purpose: str, prompt: str, *, sample: int = 0, **values: str) -> Request:
        """A request of a kind, by the name of its prompt and the values of its placeholders."""
        return self._request(self.prompts[prompt].fill(**values), purpose, sample)

    def solve(self, purpose: str, question: str, sample: int = 0) -> Request:
        """A request to solve a problem; `sample` counts several attempts at one question, from 0."""
        return self._request(self.prompts.get(SOLVE, INFERENCE).fill(problem=question), purpose, sample)

    def _request(self, prompt: str, purpose: str, sample: int) -> Request:
        return Request(
            prompt,
            self.model,
            self.temperature,
            self.max_tokens,
            sample,
            purpose,
            self.system,
            self.extra,
            self.token_limit,
        )
