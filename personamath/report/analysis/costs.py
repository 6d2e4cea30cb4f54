"""The cost of a kept row by step, for any method: tokens, and money if the price is known."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from personamath.folder.teachers import has_roles, model_of
from personamath.methods.method import Kind
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.steps import whole_rows
from personamath.teachers.prices import Price, find_price

NAME, TITLE = "costs", "Cost of a kept row"
_PRICED_FOR = {
    "direct": "the prices of direct requests; batches may cost less",
    "batch": "the prices of batches, for every request of the run, however it was sent",
    None: "but the run did not record whether these are the prices of direct requests or of batches",
}


def costs(data: RunData) -> Analysis | LeftOut:
    """Compute the tokens and money of each step, in total and per kept row of that step."""
    tokens = data.provenance["funnel"]["tokens"]
    if not any(count for counts in tokens.values() for count in counts.values()):
        return LeftOut(NAME, TITLE, "the endpoint did not count tokens")
    if whole_rows(data) is not None:
        return LeftOut(NAME, TITLE, "only the tokens of the whole dataset were counted, and this is a part of it")
    prices = {kind.name: _price_of(kind, data) for kind in data.outline.kinds}
    priced = None not in prices.values()
    rows: list[tuple[Cell, ...]] = []
    for step in data.outline.steps:
        kinds = [kind.name for kind in data.outline.kinds if kind.step == step.name]
        kept = sum(row.step == step.name for row in data.rows)
        rows.append(_row(step.label, kept, kinds, tokens, prices, data.cached_shares))
    rows.append(_row("all", len(data.rows), list(prices), tokens, prices, data.cached_shares))
    shown = [row for row in rows if row[1]]
    unit, column = ("USD per 1,000 kept rows", 6) if priced else ("tokens per kept row", 4)
    series = Series(unit, tuple(str(row[0]) for row in shown), tuple(float(row[column] or 0) for row in shown))
    whole = f"{rows[-1][4]:,.0f} tokens" + (f", {rows[-1][6]:,.2f} USD per 1,000 rows" if priced else "")
    return Analysis(
        NAME,
        TITLE,
        f"A kept row took {whole}, including all dropped requests.",
        Table(
            (
                "step",
                "kept rows",
                "prompt tokens",
                "completion tokens",
                "tokens per kept row",
                "USD",
                "USD per 1,000 kept rows",
            ),
            tuple(rows),
        ),
        Chart("bars", "step", unit, (series,)),
        "A step's cost includes all of its requests, also those that led to no row. " + _note(data, priced),
    )


class Spent(NamedTuple):
    """What all requests of a run took, also those whose answers came from another run."""

    tokens: int
    """Prompt and completion tokens."""
    usd: float | None
    """None if the price of a model is unknown."""


def spent(data: RunData) -> Spent | None:
    """Return what the run's requests took; None if the endpoint did not count tokens."""
    tokens = data.provenance["funnel"]["tokens"]
    if data.outline.kinds and not any(count for counts in tokens.values() for count in counts.values()):
        return None
    prices = {kind.name: _price_of(kind, data) for kind in data.outline.kinds}
    _, _, prompt, completion, _, usd, _ = _row("all", len(data.rows), list(prices), tokens, prices, data.cached_shares)
    return Spent(int(prompt or 0) + int(completion or 0), None if usd is None else float(usd))


def _price_of(kind: Kind, data: RunData) -> Price | None:
    """The price of a kind of request: that of the model that has its role."""
    recipe = data.provenance["recipe"]
    model = model_of(recipe, kind.role)
    return (data.prices.get(model) if has_roles(recipe) else data.price) or find_price(model)


def _note(data: RunData, priced: bool) -> str:
    """Say which prices the costs are based on, or which models have no price."""
    recipe = data.provenance["recipe"]
    by_model = {model_of(recipe, kind.role): _price_of(kind, data) for kind in data.outline.kinds}
    if not priced:
        return f"No price is known for {' and '.join(model for model, price in by_model.items() if not price)}."
    said = [
        _prices(price, f" of {model}" if has_roles(recipe) else "", bool(data.cached_shares))
        for model, price in by_model.items()
        if price
    ]
    return " ".join(said)


def _prices(price: Price, whose: str, some_cached: bool) -> str:
    rates, dated = price.rates(), f", {price.date}" if price.date else ""
    cached = f", {rates.cached:g} for cached prompt tokens" if some_cached and rates.cached is not None else ""
    return (
        f"Prices{whose}: {rates.prompt:g} and {rates.completion:g} USD per million prompt and completion tokens"
        f"{cached} ({price.source}{dated}), {_priced_for(price)}."
    )


def _priced_for(price: Price) -> str:
    other = f"the prices of the service tier {price.priced_for}, for every request of the run"
    return _PRICED_FOR.get(price.priced_for, other)


def _row(
    name: str,
    kept: int,
    kinds: Sequence[str],
    tokens: Mapping[str, Mapping[str, int]],
    prices: Mapping[str, Price | None],
    cached: Mapping[str, float],
) -> tuple[Cell, ...]:
    prompt, completion = (sum(tokens[kind][side] for kind in kinds) for side in ("prompt", "completion"))
    usd: float | None = 0.0
    for kind in kinds:
        price = prices[kind]
        usd = (
            None
            if usd is None or price is None
            else usd
            + price.usd(
                tokens[kind]["prompt"], tokens[kind]["completion"], tokens[kind]["prompt"] * cached.get(kind, 0)
            )
        )
    per_row = (prompt + completion) / kept if kept else None
    return (name, kept, prompt, completion, per_row, usd, usd / kept * 1_000 if usd is not None and kept else None)
