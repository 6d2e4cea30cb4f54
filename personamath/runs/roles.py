"""The roles of a recipe's teacher, as far as they do not decide rows: which endpoint answers one, and at what price."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.files import nearest, validated
from personamath.methods.method import ROLES
from personamath.methods.requests import Sampler
from personamath.methods.roles import DEFAULT, role_keys
from personamath.recipe import Recipe
from personamath.teachers.keys import check_key_variables
from personamath.teachers.prices import UNKNOWN_PRICE, Price, Prices, find_price
from personamath.teachers.rates import DIRECT
from personamath.teachers.routed import Route
from personamath.teachers.stated_prices import StatedPrices
from personamath.teachers.urls import all_checked, without_secrets

_PRICES = ("price_in", "price_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSetup:
    """Where to ask a role's teacher, and at what price."""

    base_url: tuple[str, ...] = ()
    """Empty to use the recipe's endpoints."""
    api_key_env: tuple[str, ...] = ()
    """Environment variable that holds the key of `base_url`, as the setup has it."""
    price_in: float | None = None
    """USD per million prompt tokens; None to look it up."""
    price_out: float | None = None

    def __post_init__(self) -> None:
        """Refuse endpoints, prices and keys that no run can mean."""
        object.__setattr__(self, "base_url", all_checked(self.base_url))
        if self.api_key_env and not self.base_url:
            raise BadInput("api_key_env belongs to a role's base_url: give both, or set api_key_env outside of teacher")
        check_key_variables(self.api_key_env, len(self.base_url))
        prices = [price for price in (self.price_in, self.price_out) if price is not None]
        if len(prices) == 1:
            raise BadInput("price_in and price_out go together: give both, in USD per million tokens")
        if not all(isfinite(price) and price >= 0 for price in prices):
            raise BadInput("price_in and price_out must be 0 or more, in USD per million tokens")


_OF_SETUP = tuple(each.name for each in fields(RoleSetup))
_KEYS = (*(each.name for each in fields(Sampler)), *_OF_SETUP)


def split_roles(settings: Mapping[str, Any], place: str) -> tuple[dict[str, Any], dict[str, RoleSetup]]:
    """Take the keys that do not decide rows out of a `teacher` that is a mapping of roles.

    Returns the other settings, and the setup by role. Prices beside the roles are those of the default model. Raises
    `BadInput` for an unknown key of a role, or a wrong value.
    """
    if not isinstance(teacher := settings.get("teacher"), Mapping):
        return dict(settings), {}
    roles = role_keys(teacher, place)
    prices = {key: settings[key] for key in _PRICES if settings.get(key) is not None}
    if prices and DEFAULT not in roles:
        raise BadInput(
            f"{place}: {' and '.join(prices)} would be the default teacher's, but teacher has no default: put prices "
            "into the roles, e.g. teacher.solve.price_in"
        )
    by_role: dict[str, RoleSetup] = {role: _role_setup(role, roles.get(role, {}), prices, place) for role in ROLES}
    of_recipe: dict[str, Any] = {
        role: {key: value for key, value in keys.items() if key not in _OF_SETUP} for role, keys in roles.items()
    }
    if DEFAULT in roles:
        of_recipe[DEFAULT] = roles[DEFAULT]["model"]
    return {**settings, "teacher": of_recipe}, by_role


def _role_setup(role: str, keys: Mapping[str, Any], prices: Mapping[str, Any], place: str) -> RoleSetup:
    place = f"{place}: teacher.{role}"
    for key in keys:
        if key not in _KEYS:
            raise BadInput(f"{place}: unknown key {key!r}; {nearest(key, _KEYS)}")
    values = {key: value for key, value in keys.items() if key in _OF_SETUP}
    if not keys.get("model") and not values.keys() & set(_PRICES):
        values |= prices
    try:
        return validated(RoleSetup, values, place)
    except BadInput as error:
        raise error if str(error).startswith(place) else BadInput(f"{place}: {error}") from None


class Teachers(NamedTuple):
    """The teachers of a recipe: who answers which kind of request, and at what price."""

    recipe: Recipe
    by_role: Mapping[str, RoleSetup]
    base_url: tuple[str, ...]
    """The endpoints of the roles that name no others."""
    stated: StatedPrices
    price_in: float | None = None
    """Price of the recipe's teacher where no role has a setup, like `price_out`."""
    price_out: float | None = None

    @property
    def routes(self) -> dict[str, Route]:
        """By kind of request, the model and the endpoints that answer it."""
        by_role = self.routes_by_role
        return {kind.name: by_role[kind.role] for kind in self.recipe.method.outline.kinds}

    @property
    def routes_by_role(self) -> dict[str, Route]:
        """By role, the model and the endpoints that answer it."""
        return {role: Route(of.model, self._urls(role)) for role, of in self.recipe.by_role.items()}

    @property
    def base_urls(self) -> tuple[str, ...]:
        """All endpoints, each once."""
        return tuple(dict.fromkeys(url for route in self.routes.values() for url in route.base_urls))

    def keys(self, own: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], bool]]:
        """Yield the endpoints to ask, the variables of their keys, and whether they are the recipe's own.

        `own` are the variables of the recipe's own endpoints.
        """
        for role in self.recipe.by_role:
            setup = self.by_role.get(role, RoleSetup())
            if setup.api_key_env or not set(setup.base_url) <= set(self.base_url):
                yield setup.base_url, setup.api_key_env, False
            else:
                yield self.base_url, own, True

    def prices(self, tier: str | None = None, ask: bool = True) -> Prices:
        """The price of each model; raises `BadInput` if two roles give one model two prices.

        `tier` is how all requests are sent; None: as each role's `request` says. `ask` the endpoints for their prices.
        """
        found: dict[str, Price | None] = {}
        for role, (model, urls) in self.routes_by_role.items():
            price = self._price(role, model, urls[0], ask)
            price = price and price.sent_as(tier or self.tier(role))
            if model in found and _usd(found[model]) != _usd(price):
                raise BadInput(f"{model} has two prices: give every role that asks it the same price_in and price_out")
            found.setdefault(model, price)
        if not found:
            return Prices("", None)
        first = self.recipe.models[0]
        return Prices(first, found.pop(first), found)

    def tier(self, role: str) -> str:
        """How a role's requests are sent, as its `request` says."""
        return str(self.recipe.by_role[role].request.get("service_tier", DIRECT))

    def check_one_endpoint(self, option: str) -> None:
        """Refuse roles with endpoints of their own where an option allows one endpoint only."""
        if len(self.base_urls) > 1:
            named = " and ".join(map(without_secrets, self.base_urls))
            raise BadInput(
                f"{option} works with one endpoint, and the roles name {named}: give every role the same one"
            )

    def check_one_model(self, option: str) -> None:
        """Refuse roles with several models or endpoints where an option runs only one model."""
        if len(self.recipe.models) > 1:
            named = " and ".join(self.recipe.models)
            raise BadInput(f"{option} runs one model, and the roles name {named}: serve each, and give its base_url")
        for role, setup in self.by_role.items():
            if setup.base_url:
                raise BadInput(f"{option} asks no endpoint: take base_url out of teacher.{role}")

    def unknown_price(self, model: str) -> str:
        """Return a line on a model without a price, and what to do about it."""
        if not self.by_role and not self.recipe.roles:
            return UNKNOWN_PRICE.format(model=model)
        role = next(role for role, of in self.recipe.by_role.items() if of.model == model)
        return (
            f"no price known for {model}: give price_in and price_out in teacher.{role} of the recipe, in USD per "
            "million tokens"
        )

    def _urls(self, role: str) -> tuple[str, ...]:
        return (self.by_role[role].base_url if role in self.by_role else ()) or self.base_url

    def _price(self, role: str, model: str, url: str, ask: bool) -> Price | None:
        """The price that the user gave, else the one that the endpoint states, else the listed one."""
        given = self._given(role, model)
        if given == (None, None) and ask and (stated := self.stated.of(url, model)):
            return stated
        price = find_price(model, *given, url)
        return (
            replace(price, source=", ".join(_PRICES)) if price and role in self.by_role and None not in given else price
        )

    def _given(self, role: str, model: str) -> tuple[float | None, float | None]:
        if role in self.by_role:
            return self.by_role[role].price_in, self.by_role[role].price_out
        return (self.price_in, self.price_out) if model == self.recipe.teacher else (None, None)


def _usd(price: Price | None) -> tuple[float, float] | None:
    return (price.prompt, price.completion) if price else None
