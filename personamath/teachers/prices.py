"""What a teacher costs, and what a run has cost: tokens by model and purpose, and their price."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from math import isfinite
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.records import Completion, Request
from personamath.teachers.price_list import look_up
from personamath.teachers.rates import DIRECT, REUSED, Rates

UNKNOWN_PRICE = "no price known for {model}: give --price-in and --price-out, in USD per million tokens"


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens, by how a request was sent."""

    prompt: float
    completion: float
    cached: float | None = None
    """Of prompt tokens that the provider had in its cache; None if they cost what others do."""
    tiers: Mapping[str, Rates] = field(default_factory=dict)
    """Of requests that were sent in another way, by its name: `batch`, or a service tier such as `flex`. A tier that
    is not here costs what direct requests do."""
    source: str = "--price-in, --price-out"
    """Where the price is from: a page, or the command line."""
    date: str | None = None
    """The version of the list that has the price, or the day it was read; None for the command line."""
    priced_for: str | None = DIRECT
    """How to price requests that do not say how they were sent: `direct`, or a name in `tiers`; None if a run did not
    record it."""

    def rates(self, sent: str = "") -> Rates:
        """The prices of requests that were sent in this way; if it is empty, in the way that the run sends them."""
        return self.tiers.get(sent or self.priced_for or DIRECT) or Rates(self.prompt, self.completion, self.cached)

    def usd(self, prompt_tokens: float, completion_tokens: float, cached_tokens: float = 0, sent: str = "") -> float:
        """The cost of these tokens; the cached ones are among those of the prompt."""
        return self.rates(sent).usd(prompt_tokens, completion_tokens, cached_tokens)

    def sent_as(self, tier: str) -> "Price":
        """The price of a run that sends its requests in this way; unchanged if that has no price of its own."""
        return replace(self, priced_for=tier) if tier in self.tiers else self

    def as_dict(self) -> dict[str, Any]:
        """For run.json, which has the other prices elsewhere: earlier versions of PersonaMath refuse more keys here."""
        prompt, completion, _ = self.rates()
        return {"prompt": prompt, "completion": completion, "source": self.source, "date": self.date}


@cache
def find_price(
    model: str, price_in: float | None = None, price_out: float | None = None, base_url: str | None = None
) -> Price | None:
    """The given price, else the list price of this model at this address, else None.

    A model that is not in the list is not taken to be free: only the user knows whose hardware answers.
    """
    if (price_in is None) != (price_out is None):
        raise BadInput("--price-in and --price-out go together: give both, in USD per million tokens")
    listed = look_up(model, base_url)
    direct = listed.direct() if listed else None
    if price_in is None or price_out is None:
        return Price(*direct, listed.tiers(), listed.source, listed.date) if listed and direct else None
    if not (isfinite(price_in) and isfinite(price_out) and min(price_in, price_out) >= 0):
        raise BadInput("--price-in and --price-out must be 0 or more, in USD per million tokens")
    if listed is None or direct is None:
        return Price(price_in, price_out)
    given = Rates(price_in, price_out)
    scaled = {tier: rates.scaled(direct, given) for tier, rates in listed.tiers().items()}
    return Price(price_in, price_out, direct.scaled(direct, given).cached, scaled)


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of each model: the run's own price for the recipe's teachers, the list price for any other model."""

    teacher: str
    price: Price | None
    """The teacher's; None if it is not known."""
    others: Mapping[str, Price | None] = field(default_factory=dict)
    """The prices of the models of other roles."""

    def of(self, model: str) -> Price | None:
        """The price of a model; None if it is not known."""
        if model == self.teacher:
            return self.price
        return self.others[model] if model in self.others else find_price(model)

    def as_dict(self, models: Iterable[str]) -> dict[str, Any]:
        """For inputs.json: the whole price of each model, None where it is not known."""
        return {model: (price := self.of(model)) and asdict(price) for model in models}

    @classmethod
    def of_dict(cls, content: Mapping[str, Any]) -> "Prices | None":
        """Read what `as_dict` wrote; None if there is no model in it."""
        found = {model: price and _price_of(price) for model, price in content.items()}
        return cls(teacher := next(iter(found)), found[teacher], found) if found else None


def _price_of(content: Mapping[str, Any]) -> Price:
    return Price(**{**content, "tiers": {tier: Rates(*rates) for tier, rates in content["tiers"].items()}})


class Paid(NamedTuple):
    """Answers of one model for one purpose, summed up."""

    model: str
    purpose: str
    answers: int
    prompt_tokens: int
    completion_tokens: int
    uncounted: int
    """Answers whose tokens the endpoint did not count."""
    cached_tokens: int = 0
    """Prompt tokens that the provider had in its cache."""
    reasoning_tokens: int = 0
    """Completion tokens that are reasoning."""
    sent: str = ""
    """How the requests were sent: `direct`, `batch` or a service tier; empty where that is not known."""

    @classmethod
    def of(cls, model: str, purpose: str, completion: Completion) -> "Paid":
        """One answer."""
        prompt, written = completion.prompt_tokens or 0, completion.completion_tokens
        answers = cls(model, purpose, 1, prompt, written or 0, int(written is None))
        if (by := completion.answered_by) is None:
            return answers
        sent = by.processing or by.service_tier or DIRECT
        return answers._replace(
            cached_tokens=by.cached_tokens or 0, reasoning_tokens=by.reasoning_tokens or 0, sent=sent
        )

    @classmethod
    def wasted(cls, request: Request, usage: tuple[int | None, int | None]) -> "Paid | None":
        """Tokens of a reply that was no answer; None if the endpoint did not count them."""
        prompt, written = usage
        if not prompt and not written:
            return None
        return cls(request.model, request.purpose, 0, prompt or 0, written or 0, 0)

    def plus(self, more: "Paid") -> "Paid":
        """These answers and more of the same model and purpose, sent in the same way."""
        counts = (one + other for one, other in zip(self[2:-1], more[2:-1], strict=True))
        return Paid._make((self.model, self.purpose, *counts, self.sent))


ThrownAway = Callable[[Paid], Awaitable[None]]
"""Takes what a reply cost that was no answer: it is paid for like one. May raise what ends the request."""


async def not_counted(_: Paid) -> None:
    """Nobody keeps a bill."""


@dataclass(slots=True)
class Bill:
    """What a run directory cost: every journaled answer once, however often it is used, and what was thrown away.

    Answers taken from another run are only counted: that run paid for them.
    """

    prices: Prices | None
    """None to count tokens only."""
    usd: float = 0.0
    """The money of the answers whose model has a price."""
    answers: int = 0
    unpriced: Counter[str] = field(default_factory=Counter)
    """Answers that are not in `usd` because their model has no price, by model."""
    reused: int = 0
    """Answers taken from other runs, in addition to `answers`."""
    _paid: dict[tuple[str, str, str], Paid] = field(default_factory=dict)

    @classmethod
    def so_far(cls, prices: Prices | None, paid: Iterable[Paid]) -> "Bill":
        """The bill of what a journal holds."""
        bill = cls(prices)
        bill.merge(paid)
        return bill

    def merge(self, paid: Iterable[Paid]) -> None:
        """Add other answers, at this bill's prices."""
        for one in paid:
            self.add(one)

    def add(self, paid: Paid) -> None:
        """Add one more answer, or several."""
        if paid.sent == REUSED:
            self.reused += paid.answers
            return
        key = paid.model, paid.purpose, paid.sent
        self._paid[key] = self._paid[key].plus(paid) if key in self._paid else paid
        self.answers += paid.answers
        if price := self._price(paid.model):
            self.usd += price.usd(paid.prompt_tokens, paid.completion_tokens, paid.cached_tokens, paid.sent)
        else:
            self.unpriced[paid.model] += paid.answers

    def paid(self) -> list[Paid]:
        """Its answers by model, purpose and how they were sent."""
        return list(self._paid.values())

    @property
    def tokens(self) -> int:
        """Of prompts and completions together."""
        return sum(paid.prompt_tokens + paid.completion_tokens for paid in self._paid.values())

    @property
    def reasoning_share(self) -> float | None:
        """The share of the completion tokens that is reasoning; None if no reply counts any."""
        reasoning = sum(paid.reasoning_tokens for paid in self._paid.values())
        written = sum(paid.completion_tokens for paid in self._paid.values())
        return reasoning / written if reasoning and written else None

    @property
    def uncounted(self) -> int:
        """Answers whose tokens the endpoint did not count."""
        return sum(paid.uncounted for paid in self._paid.values())

    @property
    def known_usd(self) -> float | None:
        """`usd`; None if no answer has a price, or if there is no answer and the teacher has no price."""
        if self.answers:
            known = self.answers > self.unpriced.total()
        else:
            known = self.prices is not None and self.prices.price is not None
        return self.usd if known else None

    @property
    def usd_each(self) -> float:
        """The average cost of an answer whose price is known; 0 while there is none."""
        priced = self.answers - self.unpriced.total()
        return self.usd / priced if priced else 0.0

    def as_dict(self, purposes: Iterable[str]) -> dict[str, Any]:
        """For run.json: together, by purpose and by model; money is None if no price is known.

        The first price is the teacher's. `answers_without_price` are not in the money beside it.
        """
        paid = self.paid()
        return {
            **_priced(self.prices.price if self.prices else None),
            **self._sums(paid),
            "answers_without_token_counts": self.uncounted,
            "by_purpose": {purpose: self._sums(one for one in paid if one.purpose == purpose) for purpose in purposes},
            "by_model": {
                model: self._of_model([one for one in paid if one.model == model])
                for model in sorted({one.model for one in paid})
            },
        }

    def _of_model(self, paid: list[Paid]) -> dict[str, Any]:
        by_purpose = {
            purpose: self._sums(one for one in paid if one.purpose == purpose)
            for purpose in sorted({one.purpose for one in paid})
        }
        return {**_priced(self._price(paid[0].model)), **self._sums(paid), "by_purpose": by_purpose}

    def _sums(self, paid: Iterable[Paid]) -> dict[str, Any]:
        bill = Bill.so_far(self.prices, paid)
        return {
            "usd": None if bill.known_usd is None else round(bill.known_usd, 6),
            "answers": bill.answers,
            "prompt_tokens": sum(one.prompt_tokens for one in bill.paid()),
            "completion_tokens": sum(one.completion_tokens for one in bill.paid()),
            "cached_prompt_tokens": sum(one.cached_tokens for one in bill.paid()),
            "reasoning_tokens": sum(one.reasoning_tokens for one in bill.paid()),
            "answers_without_price": bill.unpriced.total(),
        }

    def _price(self, model: str) -> Price | None:
        return self.prices.of(model) if self.prices else None


def _priced(price: Price | None) -> dict[str, Any]:
    if price is None:
        return {"price": None, "priced_for": None}
    return {
        "price": price.as_dict(),
        "priced_for": price.priced_for,
        "price_of_cached_tokens": price.rates().cached,
        "prices_of_tiers": {tier: rates._asdict() for tier, rates in price.tiers.items()},
    }


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits on a run directory, over all the commands that worked on it; None is no limit."""

    usd: float | None = None
    answers: int | None = None

    def reached(self, bill: Bill, in_flight: int) -> bool:
        """Whether one more answer might pass a cap, if those in flight cost what the others cost on average."""
        if self.answers is not None and bill.answers + in_flight >= self.answers:
            return True
        return self.usd is not None and bill.usd + in_flight * bill.usd_each >= self.usd
