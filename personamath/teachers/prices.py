"""What a teacher costs, and what a run has cost: tokens by purpose, and the money they come to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.resources import files
from math import isfinite
from typing import Any, NamedTuple

import yaml

from personamath.errors import BadInput
from personamath.records import Completion, Purpose

PRICE_LIST = "prices.yaml"
PER = 1_000_000
"""Prices are per so many tokens."""
UNKNOWN_PRICE = "no price known for {model}: give --price-in and --price-out, in USD per million tokens"


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens of direct requests."""

    prompt: float
    completion: float
    batch: float | None = None
    """What share of it a batch costs; None where that is not known."""
    source: str = "--price-in, --price-out"
    """Who says so: a page, or the command line."""
    date: str | None = None
    """When it said so; None for the command line."""

    def usd(self, prompt_tokens: float, completion_tokens: float) -> float:
        """What so many tokens cost."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / PER

    def in_batches(self) -> "Price":
        """The same through the Batch API; at the full price where its share is not known."""
        share = 1.0 if self.batch is None else self.batch
        return replace(self, prompt=self.prompt * share, completion=self.completion * share, batch=None)

    def as_dict(self) -> dict[str, Any]:
        """For run.json."""
        return {"prompt": self.prompt, "completion": self.completion, "source": self.source, "date": self.date}


def find_price(model: str, price_in: float | None = None, price_out: float | None = None) -> Price | None:
    """The price given, else the one in the list for this model's exact name; None where neither is there.

    A name that is not in the list is never taken to be free: only the user knows whose hardware answers.
    """
    if (price_in is None) != (price_out is None):
        raise BadInput("--price-in and --price-out go together: give both, in USD per million tokens")
    listed = _price_list().get(model)
    if price_in is None or price_out is None:
        return listed
    if not (isfinite(price_in) and isfinite(price_out) and min(price_in, price_out) >= 0):
        raise BadInput("--price-in and --price-out must be 0 or more, in USD per million tokens")
    return Price(price_in, price_out, listed.batch if listed else None)


def _price_list() -> dict[str, Price]:
    path = files("personamath.teachers") / PRICE_LIST
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(entries, dict):
        raise BadInput(f"{path}: expected model names and their prices")
    return {str(model): _listed(f"{path}: {model}", entry) for model, entry in entries.items()}


def _listed(where: str, entry: Any) -> Price:
    try:
        price = Price(
            float(entry["prompt"]),
            float(entry["completion"]),
            None if entry.get("batch") is None else float(entry["batch"]),
            str(entry["source"]),
            str(entry["date"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f"{where}: expected prompt, completion, date and source, and perhaps batch ({error!r})"
        ) from None
    if not all(isfinite(value) and value >= 0 for value in (price.prompt, price.completion, price.batch or 0)):
        raise BadInput(f"{where}: prices must be 0 or more")
    return price


class Paid(NamedTuple):
    """Answers of one purpose, as a journal sums them up."""

    purpose: Purpose
    answers: int
    prompt_tokens: int
    completion_tokens: int
    uncounted: int
    """Answers whose tokens the endpoint did not count."""


@dataclass(slots=True)
class Bill:
    """What the answers of a run directory cost: every journaled answer once, however often it is used."""

    price: Price | None
    answers: Counter[Purpose] = field(default_factory=Counter)
    prompt_tokens: Counter[Purpose] = field(default_factory=Counter)
    completion_tokens: Counter[Purpose] = field(default_factory=Counter)
    uncounted: int = 0
    usd: float = 0.0
    """0 while there is no price."""

    @classmethod
    def so_far(cls, price: Price | None, paid: Iterable[Paid]) -> "Bill":
        """The bill of what a journal holds."""
        bill = cls(price)
        for purpose, answers, prompt, completion, uncounted in paid:
            bill.answers[purpose] += answers
            bill._charge(purpose, prompt, completion)
            bill.uncounted += uncounted
        return bill

    def add(self, purpose: Purpose, completion: Completion) -> None:
        """One more answer."""
        self.answers[purpose] += 1
        self._charge(purpose, completion.prompt_tokens or 0, completion.completion_tokens or 0)
        self.uncounted += completion.completion_tokens is None

    def merge(self, other: "Bill") -> None:
        """Add what another bill holds, of other answers; at this bill's price."""
        for purpose, answers in other.answers.items():
            self.answers[purpose] += answers
            self._charge(purpose, other.prompt_tokens[purpose], other.completion_tokens[purpose])
        self.uncounted += other.uncounted

    def _charge(self, purpose: Purpose, prompt: int, completion: int) -> None:
        self.prompt_tokens[purpose] += prompt
        self.completion_tokens[purpose] += completion
        if self.price:
            self.usd += self.price.usd(prompt, completion)

    @property
    def tokens(self) -> int:
        """Of prompts and completions together."""
        return self.prompt_tokens.total() + self.completion_tokens.total()

    def as_dict(self, purposes: Iterable[Purpose]) -> dict[str, Any]:
        """For run.json: by purpose and together; money is None where no price is known."""
        return {
            "price": self.price.as_dict() if self.price else None,
            "usd": round(self.usd, 6) if self.price else None,
            "answers": self.answers.total(),
            "answers_without_token_counts": self.uncounted,
            "by_purpose": {purpose: self._of(purpose) for purpose in purposes},
        }

    def _of(self, purpose: Purpose) -> dict[str, Any]:
        prompt, completion = self.prompt_tokens[purpose], self.completion_tokens[purpose]
        return {
            "answers": self.answers[purpose],
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "usd": round(self.price.usd(prompt, completion), 6) if self.price else None,
        }


@dataclass(frozen=True, slots=True)
class Caps:
    """How much a run directory may come to, over all the commands that worked on it; None is no cap."""

    usd: float | None = None
    answers: int | None = None

    def reached(self, bill: Bill, in_flight: int) -> bool:
        """Whether one more answer might pass a cap, if those in flight cost what the others cost on average."""
        if self.answers is not None and bill.answers.total() + in_flight >= self.answers:
            return True
        if self.usd is None:
            return False
        answered = bill.answers.total()
        return bill.usd + in_flight * (bill.usd / answered if answered else 0.0) >= self.usd
