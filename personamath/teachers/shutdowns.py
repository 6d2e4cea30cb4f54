"""Models that a provider switches off, so that a run says so before it is paid for."""

from datetime import date
from typing import NamedTuple

from personamath.teachers.urls import is_openai


class Shutdown(NamedTuple):
    """The end of a model at OpenAI."""

    on: date
    successor: str
    """The model that OpenAI names in its place."""


_JANUARY = Shutdown(date(2027, 1, 14), "gpt-6-luna")
SHUTDOWNS = {
    "gpt-4o-mini-2024-07-18": _JANUARY,
    "gpt-4o-mini": _JANUARY,
    "gpt-4o": _JANUARY,
    "gpt-4.1": _JANUARY,
    "gpt-4.1-mini": _JANUARY,
    "gpt-4.1-nano": _JANUARY,
}
"""As the OpenAI SDK 3.52 states them (`types/shared/chat_model.py`)."""


def shutdown_warning(model: str, base_url: str, today: date) -> str | None:
    """A sentence if OpenAI switches this model off, or has; None for other models and other addresses."""
    if not is_openai(base_url) or model not in SHUTDOWNS:
        return None
    on, successor = SHUTDOWNS[model]
    verb = "switched off" if on <= today else "switches off"
    return f"OpenAI {verb} {model} on {on:%-d %B %Y}; its successor is {successor} (recipes/augment-{successor}.yaml)"
