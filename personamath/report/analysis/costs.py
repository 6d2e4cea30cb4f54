"""The cost of a kept row by step, for any method: tokens, and money if the price is known."""

from collections import Counter

from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table
from personamath.report.analysis.rows import RunData
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
    teacher = str(data.provenance["recipe"]["teacher"])
    price = data.price or find_price(teacher)
    rows: list[tuple[Cell, ...]] = []
    spent = Counter[str]()
    for step in data.outline.steps:
        of_step = Counter[str]()
        for kind in data.outline.kinds:
            if kind.step == step.name:
                of_step.update(tokens[kind.name])
        spent.update(of_step)
        kept = sum(row.step == step.name for row in data.rows)
        rows.append(_row(step.label, kept, of_step["prompt"], of_step["completion"], price))
    rows.append(_row("all", len(data.rows), spent["prompt"], spent["completion"], price))
    shown = [row for row in rows if row[1]]
    unit, column = ("USD per 1,000 kept rows", 6) if price else ("tokens per kept row", 4)
    series = Series(unit, tuple(str(row[0]) for row in shown), tuple(float(row[column] or 0) for row in shown))
    whole = f"{rows[-1][4]:,.0f} tokens" + (f", {rows[-1][6]:,.2f} USD per 1,000 rows" if price else "")
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
        "A step's cost includes all of its requests, also those that led to no row. "
        + (
            f"Prices: {_rates(price)} USD per million prompt and completion tokens "
            f"({price.source}{f', {price.date}' if price.date else ''}), {_priced_for(price)}."
            if price
            else f"No price is known for {teacher}."
        ),
    )


def _rates(price: Price) -> str:
    rates = price.rates()
    return f"{rates.prompt:g} and {rates.completion:g}"


def _priced_for(price: Price) -> str:
    other = f"the prices of the service tier {price.priced_for}, for every request of the run"
    return _PRICED_FOR.get(price.priced_for, other)


def _row(name: str, kept: int, prompt: int, completion: int, price: Price | None) -> tuple[Cell, ...]:
    usd = price.usd(prompt, completion) if price else None
    per_row = (prompt + completion) / kept if kept else None
    return (name, kept, prompt, completion, per_row, usd, usd / kept * 1_000 if usd is not None and kept else None)
