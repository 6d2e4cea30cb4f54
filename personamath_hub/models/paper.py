"""The paper's models: their settings and scores (arXiv 2410.01504 v1, section 4 and appendix A)."""

from collections.abc import Mapping
from dataclasses import dataclass

from personamath.report.analysis.paper import PAPER_SCORES

BENCHMARKS = {"gsm8k": "GSM8K", "math": "MATH"}
"""The paper's benchmarks, by the part of our task's name; zero-shot, greedy, with its own prompt and graders."""


@dataclass(frozen=True, slots=True)
class PaperModel:
    """One model of the paper's tables."""

    name: str
    base: Mapping[str, float]
    """Scores of the base model by benchmark, in percent."""
    tuned: Mapping[str, float]
    """Scores of the fine-tuned model."""
    effective_batch_size: int
    max_length: int

    @property
    def recipe(self) -> dict[str, object]:
        """Its training settings, in TRL's names."""
        return {
            "effective_batch_size": self.effective_batch_size,
            "max_length": self.max_length,
            "num_train_epochs": 3,
            "learning_rate": 2e-5,
            "lr_scheduler_type": "cosine",
            "warmup_steps": 0.03,
            "weight_decay": 0.0,
            "max_grad_norm": 1.0,
        }


def _model(name: str, batch: int, max_length: int) -> PaperModel:
    base, tuned = (dict(zip(BENCHMARKS, scores, strict=True)) for scores in PAPER_SCORES[name])
    return PaperModel(name, base, tuned, batch, max_length)


_LLAMA_31 = _model("LLaMA-3.1-8B", 16, 4096)

PAPER_MODELS: Mapping[str, PaperModel] = {
    "meta-llama/Llama-2-7b-hf": _model("LLaMA-2-7B", 16, 4096),
    "meta-llama/Llama-2-13b-hf": _model("LLaMA-2-13B", 128, 2048),
    "meta-llama/Llama-3.1-8B": _LLAMA_31,
    "meta-llama/Meta-Llama-3.1-8B": _LLAMA_31,
    "Qwen/Qwen2.5-7B": _model("Qwen2.5-7B", 16, 2048),
}
"""By the base model's name on the Hub."""
