"""List prices of models, from the package `genai-prices`, whose version dates them."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

FIRST_PARTIES = ("openai", "anthropic", "google", "deepseek", "mistral", "x-ai")
"""Whose models are known by their name alone, whatever endpoint serves them. Resellers ask other prices."""
# A request of this size has the price of short prompts; some models cost more from 128k or 200k tokens on.
TOKENS = 1_000
PER = 1_000_000 / TOKENS


class Listed:
    """A model's prices, in USD per million tokens."""

    def __init__(self, provider: "Provider", model: "ModelInfo") -> None:
        self._provider = provider
        self._model = model
        self.source = (provider.pricing_urls or [provider.id])[0]
        """The provider's page."""
        self.date = f"genai-prices {version('genai-prices')}"
        """The version of the package that read it."""

    def direct(self) -> tuple[float, float] | None:
        """Of prompt and completion tokens; None where the list has no price for them."""
        return self._price({})

    def batch_share(self) -> float | None:
        """The share of the direct price that a batch costs; None where the list says nothing of batches."""
        direct, batch = self.direct(), self._price({"processing": "batch"})
        return batch[1] / direct[1] if direct and batch and direct[1] and batch != direct else None

    def _price(self, context: dict[str, str]) -> tuple[float, float] | None:
        from genai_prices import Usage, calc_price

        usage = Usage(input_tokens=TOKENS, output_tokens=TOKENS)
        try:
            found: Any = calc_price(usage, self._model.id, provider_id=self._provider.id, price_context=context)
        except LookupError:
            return None
        return (float(found.input_price) * PER, float(found.output_price) * PER)


def look_up(model: str, base_url: str | None = None) -> Listed | None:
    """A model in the list; None where it is not in it.

    At the address of a provider that the list knows, it is that provider's model. Anywhere else only the exact name of
    a first party's model counts: a server of one's own may serve any model under any name.
    """
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    if base_url is not None:
        try:
            return Listed(*snapshot.find_provider_model(model, None, None, base_url))
        except LookupError:
            pass  # nobody's address, or a model that this provider does not list
    for name in FIRST_PARTIES:
        try:
            provider, found = snapshot.find_provider_model(model, None, name, None)
        except LookupError:
            continue
        if _is_named(found, model):
            return Listed(provider, found)
    return None


def _is_named(model: "ModelInfo", name: str) -> bool:
    """Whether this is the model's own name, and not one that merely resembles it."""
    names = [model.id]
    clauses: list[Any] = [model.match]
    while clauses:
        clause = clauses.pop()
        clauses += getattr(clause, "or_", [])
        names.append(getattr(clause, "equals", ""))
    return name.lower() in (one.lower() for one in names)
