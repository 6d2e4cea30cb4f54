"""Prices that an endpoint states in its list of models.

Covered are OpenRouter (`pricing: {prompt, completion, input_cache_read}`, USD per token, as text) and Hugging Face's
router (`providers: [{provider, pricing: {input, output}}]`, USD per million tokens). The list is read without a key:
both publish it. An endpoint that states nothing, or does not answer soon, costs what the price list says.
"""

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from http.client import HTTPException
from math import isfinite
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from personamath.teachers.prices import Price
from personamath.teachers.proxies import proxy_for
from personamath.teachers.rates import PER, Rates
from personamath.teachers.urls import OPENAI_URL, checked, without_secrets

Json = Mapping[str, Any]

# A run waits for this list before it asks anything, but does not need it.
TIMEOUT_S = 3.0
# OpenRouter's list takes 1 MB. An endpoint that sends more is not read to its end.
MOST_BYTES = 16 * 2**20
_AT_ONCE = 2**16
CHEAPEST = "cheapest"
"""Behind the name of a model: Hugging Face's router is to choose the provider whose price is the lowest."""


class StatedPrices:
    """The prices that endpoints state. Each endpoint's list is read once, when a price there is first wanted."""

    def __init__(self) -> None:
        self._lists: dict[str, Mapping[str, Json]] = {}
        """The models of each base URL that was read."""

    def of(self, base_url: str, model: str) -> Price | None:
        """The price of a model at an endpoint, as the endpoint states it; None if it does not."""
        url = checked(base_url)
        if url == OPENAI_URL:  # it states none, and the price list has them
            return None
        if url not in self._lists:
            self._lists[url] = _read_models(url)
        rates = _rates(self._lists[url], model)
        if rates is None:
            return None
        return Price(*rates, source=without_secrets(url + "/models"), date=date.today().isoformat())


def _read_models(url: str) -> Mapping[str, Json]:
    """The endpoint's models by name; empty if it does not list them."""
    with suppress(OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {str(one["id"]): one for one in json.loads(_read(url))["data"]}
    return {}


def _read(url: str) -> bytes:
    """The body of the list of models, if it arrives in time; raises `TimeoutError` if it does not."""
    proxy = proxy_for(url)
    opener = build_opener(ProxyHandler({urlsplit(url).scheme: proxy} if proxy else {}))
    give_up_at = time.monotonic() + TIMEOUT_S
    pieces = list[bytes]()
    size = 0
    request = Request(url + "/models", headers={"Accept": "application/json"})
    with opener.open(request, timeout=TIMEOUT_S) as reply:
        while piece := reply.read1(_AT_ONCE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES or time.monotonic() > give_up_at:
                raise TimeoutError
    return b"".join(pieces)


def _rates(models: Mapping[str, Json], model: str) -> Rates | None:
    """The rates of a model, whose name may end in a colon and the provider or the variant to choose."""
    name, _, choice = model.partition(":")
    entry = models.get(model) or models.get(name)
    if entry is None:
        return None
    with suppress(LookupError, TypeError, ValueError, AttributeError):
        if entry.get("providers"):
            return _of_providers(entry["providers"], choice)
        return _per_token(entry["pricing"])
    return None


def _per_token(pricing: Json) -> Rates | None:
    """OpenRouter's form; -1 stands for a price that depends on the request."""
    return _checked(*(_number(pricing.get(side), PER) for side in ("prompt", "completion", "input_cache_read")))


def _of_providers(providers: Iterable[Json], choice: str) -> Rates | None:
    """Hugging Face's form: the chosen provider's, or the highest, because the router may choose any provider."""
    priced = {str(one["provider"]): rates for one in providers if (rates := _of_provider(one.get("pricing") or {}))}
    if choice in priced:
        return priced[choice]
    decide = min if choice == CHEAPEST else max
    return decide(priced.values(), key=lambda rates: (rates.completion, rates.prompt), default=None)


def _of_provider(pricing: Json) -> Rates | None:
    return _checked(_number(pricing.get("input"), 1), _number(pricing.get("output"), 1), None)


def _checked(prompt: float | None, completion: float | None, cached: float | None) -> Rates | None:
    return None if prompt is None or completion is None else Rates(prompt, completion, cached)


def _number(value: Any, times: float) -> float | None:
    """A price in USD per million tokens; None for anything that is not a price."""
    if value is None or isinstance(value, bool):
        return None
    price = float(value) * times
    return price if isfinite(price) and price >= 0 else None
