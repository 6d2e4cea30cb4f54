"""List prices of models, from the package `genai-prices`, whose version dates them."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from personamath.teachers.rates import BATCH, Rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

FIRST_PARTIES = ("openai", "anthropic", "google", "deepseek", "mistral", "x-ai")
"""Whose models are known by their name alone, whatever endpoint serves them. Resellers ask other prices."""
# A request of this size has the price of short prompts; some models cost more from 128k or 200k tokens on.
TOKENS = 1_000
PER = 1_000_000 / TOKENS
TIERS = {
    BATCH: {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
"""Ways of sending a request that have their own prices, and what the list calls them."""


class Listed:
    """A model's prices, in USD per million tokens."""

    def __init__(self, provider: "Provider", model: "ModelInfo") -> None:
        self._provider = provider
        self._model = model
        self.source = (provider.pricing_urls or [provider.id])[0]
        """The provider's page."""
        self.date = f"genai-prices {version('genai-prices')}"
        """The version of the package that read it."""

    def direct(self) -> Rates | None:
        """Prices of requests that are sent one by one; None if the list has none."""
        return self._rates({})

    def tiers(self) -> Mapping[str, Rates]:
        """Prices of requests that are sent in another way, by its name, if the list has them."""
        direct = self.direct()
        found = {tier: self._rates(context) for tier, context in TIERS.items()}
        return {tier: rates for tier, rates in found.items() if rates and rates != direct}

    def _rates(self, context: Mapping[str, str]) -> Rates | None:
        from genai_prices import Usage, calc_price

        def price(cached: int) -> Any:
            usage = Usage(input_tokens=TOKENS, output_tokens=TOKENS, cache_read_tokens=cached)
            return calc_price(usage, self._model.id, provider_id=self._provider.id, price_context=context)

        try:
            fresh, cached = price(0), price(TOKENS)
        except LookupError:
            return None
        prompt, completion, of_cached = (
            float(one) * PER for one in (fresh.input_price, fresh.output_price, cached.input_price)
        )
        return Rates(prompt, completion, None if of_cached == prompt else of_cached)


def look_up(model: str, base_url: str | None = None) -> Listed | None:
    """A model in the list; None if it is not in it.

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
