"""The prompts of the tasks: those of `personamath.training.prompts`, with a problem."""

from collections.abc import Mapping
from typing import Any

from personamath.training import prompts


def alpaca(doc: Mapping[str, Any]) -> str:
    """Return the prompt that models are trained with."""
    return prompts.alpaca(doc["question"])


def paper(doc: Mapping[str, Any]) -> str:
    """Return the prompt that the paper evaluates with."""
    return prompts.paper_evaluation(doc["question"])
