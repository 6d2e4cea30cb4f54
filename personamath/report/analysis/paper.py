"""Published numbers to compare ours with, each with its source."""

from typing import NamedTuple

PAPER = "arXiv 2410.01504 v1"

MEAN_LEVEL = {"right": 3.22, "wrong": 4.28}
"""Table 1: mean level of MATH's problems by the teacher's first answer."""
STAGE_TWO_GAIN = 0.025
"""Figure 4: the gain from stage 2 on GSM8K, as a share of the problems."""


class Published(NamedTuple):
    """Published scores of a model, in percent."""

    model: str
    base: str
    gsm8k: float
    math: float | None
    source: str


class PaperScores(NamedTuple):
    """The paper's scores of one base model on GSM8K and MATH, in percent."""

    base: tuple[float, float]
    """Before fine-tuning."""
    tuned: tuple[float, float]
    """After fine-tuning."""


PAPER_SCORES = {
    "LLaMA-2-7B": PaperScores((14.6, 2.5), (68.7, 24.2)),
    "LLaMA-2-13B": PaperScores((28.7, 3.9), (78.6, 28.5)),
    "LLaMA-3.1-8B": PaperScores((57.2, 20.3), (76.6, 36.6)),
    "Qwen2.5-7B": PaperScores((85.4, 49.8), (84.3, 56.6)),
}
"""Table 3: zero-shot, greedy, with the paper's own prompt and graders."""
METAMATH_CARD = "model card of meta-math/MetaMath-7B-V1.0 on the Hub"
PUBLISHED = (
    *(Published("PersonaMath", name, *scores.tuned, f"{PAPER}, table 3") for name, scores in PAPER_SCORES.items()),
    *(Published("base model", name, *scores.base, f"{PAPER}, table 3") for name, scores in PAPER_SCORES.items()),
    Published("RFT", "LLaMA-2-7B", 50.3, None, METAMATH_CARD),
    Published("WizardMath", "LLaMA-2-7B", 54.9, 10.7, METAMATH_CARD),
    Published("WizardMath", "LLaMA-2-13B", 63.9, 14.0, METAMATH_CARD),
    Published("MAmmoTH, chain of thought", "LLaMA-2-7B", 50.5, 10.4, METAMATH_CARD),
    Published("MetaMath", "LLaMA-2-7B", 66.5, 19.8, METAMATH_CARD),
    Published("MetaMath", "LLaMA-2-13B", 72.3, 22.4, METAMATH_CARD),
)
