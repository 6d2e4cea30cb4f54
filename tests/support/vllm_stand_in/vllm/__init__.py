"""Stands in for vLLM where it is not installed: `LLM.chat` with the same names, answered by the simulated teacher.

Put its folder on PYTHONPATH. `model` must be the simulated teacher's; beside vLLM's arguments `LLM` takes the sources
of the problems that it knows, and how long a call takes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from personamath.records import CHARACTERS_PER_TOKEN
from personamath.sources.problems import ProblemSource
from personamath.teachers.simulated import MODEL, SimulatedTeacher
from tests.support.scripted_teacher import PAPER_HABITS
from vllm.exceptions import VLLMValidationError


@dataclass
class SamplingParams:
    """The fields that are used."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int | None = 16


@dataclass
class CompletionOutput:
    """One completion."""

    text: str
    token_ids: Sequence[int]
    finish_reason: str | None = "stop"


@dataclass
class RequestOutput:
    """One conversation's outcome."""

    prompt_token_ids: list[int] | None
    outputs: list[CompletionOutput] = field(default_factory=list)


class LLM:
    """Answers as the simulated teacher; refuses prompts that do not fit `max_model_len`."""

    def __init__(
        self,
        model: str,
        *,
        max_model_len: int | None = None,
        problems: Sequence[str] = (),
        call_s: float = 0.0,
    ) -> None:
        if model != MODEL:
            raise OSError(f"{model} is not a local folder\nand is not a valid model identifier")
        self._longest = max_model_len
        self._call_s = call_s
        self._teacher = SimulatedTeacher((ProblemSource.parse(source) for source in problems), PAPER_HABITS)
        self.calls: list[int] = []
        """How many conversations each call had."""

    def get_default_sampling_params(self) -> SamplingParams:
        """As a generation config might have them."""
        return SamplingParams(temperature=0.6, top_p=0.8)

    def chat(
        self,
        messages: Sequence[Any],
        sampling_params: SamplingParams | Sequence[SamplingParams] | None = None,
        use_tqdm: bool | Callable[..., Any] = True,
    ) -> list[RequestOutput]:
        """An answer to each conversation, in order."""
        assert isinstance(sampling_params, Sequence) and len(sampling_params) == len(messages) and not use_tqdm
        assert {params.top_p for params in sampling_params} == {0.8}
        self.calls.append(len(messages))
        prompts = [conversation[-1]["content"] for conversation in messages]
        for prompt in prompts:
            if self._longest and len(_tokens(prompt)) > self._longest:
                raise VLLMValidationError(f"The prompt has {len(_tokens(prompt))} tokens, more than {self._longest}.")
        time.sleep(self._call_s)
        return [self._output(prompt) for prompt in prompts]

    def _output(self, prompt: str) -> RequestOutput:
        text = self._teacher.complete(prompt)
        return RequestOutput(_tokens(prompt), [CompletionOutput(text, _tokens(text))])


def _tokens(text: str) -> list[int]:
    return [0] * (len(text) // CHARACTERS_PER_TOKEN + 1)
