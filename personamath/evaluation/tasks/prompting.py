"""What a task asks: the prompts of `personamath.training.prompts`, filled with a problem."""

from collections.abc import Mapping
from typing import Any

from personamath.training import prompts


def alpaca(doc: Mapping[str, Any]) -> str:
    """The prompt that models are trained on."""
    return prompts.alpaca(doc["question"])


def paper(doc: Mapping[str, Any]) -> str:
    """The prompt that the paper evaluates with."""
    return prompts.paper_evaluation(doc["question"])
