"""Building requests: the one place where a prompt, a model and its sampling become a `Request`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal

from personamath.files import in_one_line
from personamath.methods.prompts import INFERENCE, Prompt
from personamath.methods.reasoning import GPT_5_AND_LATER, O_SERIES, default_max_tokens
from personamath.records import Request

SOLVE = "inference"
"""Name of the prompt that asks for a solution; every method has it."""
OWN_FIELDS = {
    "messages": "holds the prompt, which PersonaMath writes: use the key `system` or the method's prompts instead",
    "model": "has its own key: use `teacher`",
    "max_tokens": "has its own key: use `max_tokens` outside of `request`",
    "max_completion_tokens": "has its own key: use `max_tokens` with `token_limit: max_completion_tokens`",
    "temperature": "has its own key: use `temperature` outside of `request`",
    "n": "must stay 1, because a method asks for each sample separately: remove it",
    "stream": "must stay off, because answers are read whole: remove it",
    "extra_body": "is a parameter of the OpenAI SDK, which no endpoint knows: write its fields right into `request`",
    "extra_headers": "is a parameter of the OpenAI SDK, which no endpoint knows: use `header`",
}
"""Fields of a request's body that `request` must not set, and why."""
# OpenAI's reasoning models, which refuse `max_tokens`. Routers put `openai/` before the name.
_REASONS = re.compile(rf"(?:openai/)?(?:{O_SERIES}|{GPT_5_AND_LATER})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """A model, and how it is asked. A recipe's roles have these keys."""

    model: str
    temperature: float | None
    """None leaves it out."""
    max_tokens: int | None
    """Limit on the tokens of a completion; None chooses it by whether the model reasons."""
    token_limit: Literal["max_tokens", "max_completion_tokens"] | None = None
    """The field in which the model takes `max_tokens`; None chooses it by the model's family."""
    system: str | None = None
    """The system's message; None sends none."""
    request: Mapping[str, Any] = field(default_factory=dict)
    """More fields of the body of every request."""

    @property
    def limit(self) -> int:
        """Limit on the tokens of a completion."""
        return default_max_tokens(self.model, self.request) if self.max_tokens is None else self.max_tokens

    def limited(self) -> "Sampler":
        """This sampler with its limit filled in."""
        return replace(self, max_tokens=self.limit)

    @property
    def limit_field(self) -> str:
        """The field in which the model takes `max_tokens`."""
        return self.token_limit or ("max_completion_tokens" if _REASONS.match(self.model) else "max_tokens")

    def faults(self) -> Iterator[str]:
        """The values that make no sense, each as a line that begins with its key."""
        if self.temperature is not None and not (isfinite(self.temperature) and self.temperature >= 0):
            yield f"temperature is {self.temperature}: it must be a number, 0 or more"
        for name in self.request:
            if name in OWN_FIELDS:
                yield f"request: {name} {OWN_FIELDS[name]}"
        try:
            json.dumps(self.request, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            yield f"request: its values must be valid in JSON ({in_one_line(error)}): put dates and the like in quotes"
        if self.max_tokens is not None and self.max_tokens < 1:
            yield f"max_tokens is {self.max_tokens}: it must be at least 1"


@dataclass(frozen=True, slots=True)
class Requests:
    """How a recipe asks: the teacher of each kind of request, and the prompts by name."""

    teacher: Sampler
    """The teacher of the kinds that have no other."""
    prompts: Mapping[str, Prompt] = field(default_factory=dict)
    by_kind: Mapping[str, Sampler] = field(default_factory=dict)
    """The other teachers, by the kind of request that they answer."""

    def of(self, kind: str) -> Sampler:
        """The teacher of a kind of request."""
        return self.by_kind.get(kind, self.teacher)

    def make(self, purpose: str, prompt: str, *, sample: int = 0, **values: str) -> Request:
        """A request of a kind, by the name of its prompt and the values of its placeholders."""
        return self._request(self.prompts[prompt].fill(**values), purpose, sample)

    def solve(self, purpose: str, question: str, sample: int = 0) -> Request:
        """A request to solve a problem; `sample` counts several attempts at one question, from 0."""
        return self._request(self.prompts.get(SOLVE, INFERENCE).fill(problem=question), purpose, sample)

    def _request(self, prompt: str, purpose: str, sample: int) -> Request:
        teacher = self.of(purpose)
        return Request(
            prompt,
            teacher.model,
            teacher.temperature,
            teacher.limit,
            sample,
            purpose,
            teacher.system,
            teacher.request,
            teacher.limit_field,
        )
