"""Stands in for vLLM where it is not installed: what a card's quick start asks of it, by transformers.

Put its parent folder on PYTHONPATH. Unlike vLLM it runs on any machine, and knows nothing else.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SamplingParams:
    temperature: float
    max_tokens: int
    stop: list[str]


@dataclass(frozen=True)
class CompletionOutput:
    text: str


@dataclass(frozen=True)
class RequestOutput:
    outputs: list[CompletionOutput]


class LLM:
    def __init__(self, model: str, *, revision: str | None = None, tokenizer_revision: str | None = None) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._model: Any = AutoModelForCausalLM.from_pretrained(model, revision=revision)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(model, revision=tokenizer_revision)

    def generate(self, prompts: list[str], sampling_params: SamplingParams) -> list[RequestOutput]:
        assert sampling_params.temperature == 0
        return [RequestOutput([CompletionOutput(self._complete(prompt, sampling_params))]) for prompt in prompts]

    def _complete(self, prompt: str, settings: SamplingParams) -> str:
        inputs = self._tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        output = self._model.generate(
            **inputs,
            max_new_tokens=settings.max_tokens,
            do_sample=False,
            stop_strings=settings.stop,
            tokenizer=self._tokenizer,
        )
        text: str = self._tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return text
