"""Numbers that others published, to stand beside ours; each with its source."""

from typing import NamedTuple

PAPER = "arXiv 2410.01504 v1"

COMPOSITION = {
    "gsm8k": ("6.6K", "30.8K", "0.1K", "1.1K", "38.7K"),
    "math": ("5.4K", "23.8K", "0.2K", "1.9K", "31.8K"),
    "all": ("12.1K", "54.6K", "0.3K", "3.1K", "70.3K"),
}
"""Table 2: kept rows in thousands by step and together, as printed there; its MATH row does not add up exactly."""
MEAN_LEVEL = {"right": 3.22, "wrong": 4.28}
"""Table 1: mean level of MATH's problems by the teacher's first answer."""
STAGE_TWO_GAIN = 0.025
"""Figure 4: what stage 2 adds on GSM8K, as a share of the problems."""


class Published(NamedTuple):
    """Scores of a model that others reported, as shares."""

    model: str
    base: str
    gsm8k: float
    math: float | None
    source: str


METAMATH_CARD = "model card of meta-math/MetaMath-7B-V1.0 on the Hub"
PUBLISHED = (
    Published("PersonaMath", "LLaMA-2-7B", 0.687, 0.242, f"{PAPER}, table 3"),
    Published("PersonaMath", "LLaMA-2-13B", 0.786, 0.285, f"{PAPER}, table 3"),
    Published("PersonaMath", "LLaMA-3.1-8B", 0.766, 0.366, f"{PAPER}, table 3"),
    Published("PersonaMath", "Qwen2.5-7B", 0.843, 0.566, f"{PAPER}, table 3"),
    Published("base model", "LLaMA-2-7B", 0.146, 0.025, f"{PAPER}, table 3"),
    Published("base model", "LLaMA-2-13B", 0.287, 0.039, f"{PAPER}, table 3"),
    Published("base model", "LLaMA-3.1-8B", 0.572, 0.203, f"{PAPER}, table 3"),
    Published("base model", "Qwen2.5-7B", 0.854, 0.498, f"{PAPER}, table 3"),
    Published("RFT", "LLaMA-2-7B", 0.503, None, METAMATH_CARD),
    Published("WizardMath", "LLaMA-2-7B", 0.549, 0.107, METAMATH_CARD),
    Published("WizardMath", "LLaMA-2-13B", 0.639, 0.140, METAMATH_CARD),
    Published("MAmmoTH, chain of thought", "LLaMA-2-7B", 0.505, 0.104, METAMATH_CARD),
    Published("MetaMath", "LLaMA-2-7B", 0.665, 0.198, METAMATH_CARD),
    Published("MetaMath", "LLaMA-2-13B", 0.723, 0.224, METAMATH_CARD),
)
