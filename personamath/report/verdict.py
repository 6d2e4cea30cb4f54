"""The verdict: what a reader should know of a dataset first, in a few numbers and plain sentences."""

import math
from typing import NamedTuple

from personamath.report.analysis.costs import spent
from personamath.report.analysis.intervals import LEAST, wilson
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.steps import StepShare, step_shares, whole_rows
from personamath.report.attention import Attention, attention
from personamath.report.wording import number_of

FEW_ROWS = 200
"""With fewer rows, most differences between groups of them are chance."""
PRECISE = 10_000
"""From here on, a count is rounded to three digits: nobody reads the rest."""
CENT = 0.01


class Figure(NamedTuple):
    """One number, shown large."""

    value: str
    label: str
    detail: str


class Verdict(NamedTuple):
    """The top of the report."""

    sentence: str
    figures: tuple[Figure, ...]
    steps: tuple[Figure, ...]
    """What each step kept, next to the paper's share; `label` is the step's name."""
    attention: tuple[Attention, ...]
    """What needs attention, the most important first."""


def verdict(data: RunData) -> Verdict:
    """Sum up the dataset of any method."""
    shares = step_shares(data)
    return Verdict(
        _sentence(data),
        (_rows(data), *_flagged(data), _overlap(data), *_costs(data)),
        tuple(map(_step, shares)),
        attention(data, shares),
    )


def _seeds(data: RunData) -> int:
    counted: dict[str, int] = data.provenance["funnel"]["problems"]["seed_problems"]
    return sum(counted.values())


def _sentence(data: RunData) -> str:
    if (whole := whole_rows(data)) is not None:
        part = f"{number_of(len(data.rows), 'row')}, each a problem with a solution: a part of a dataset of {whole:,}."
        return f"{part} Counts of requests and tokens in this report are those of the whole dataset."
    seeds, used = _seeds(data), len({row.seed_id for row in data.rows})
    have = "all problems have" if used == seeds else f"{used:,} of the problems {'has' if used == 1 else 'have'}"
    rows = number_of(len(data.rows), "row")
    became = f"{number_of(seeds, 'seed problem')} became {rows}, each a problem with a solution"
    sentence = f"{'So far, ' if data.unfinished else ''}{became}; {have} at least one."
    if len(data.rows) < FEW_ROWS:
        sentence += f" With {rows}, most differences between groups are chance."
    return sentence


def _rows(data: RunData) -> Figure:
    seeds = _seeds(data)
    whole = whole_rows(data) is None
    each = f"{len(data.rows) / seeds:.1f} for each seed problem" if seeds and whole else ""
    return Figure(counted(len(data.rows)), "rows", each)


def _flagged(data: RunData) -> list[Figure]:
    rewritten = [row for row in data.rows if row.step in data.rewriting]
    if not rewritten:
        return []
    flagged = sum(row.flag is not None for row in rewritten)
    return [Figure(counted(flagged), "flagged rewrites", _of(flagged, len(rewritten), "rewrites"))]


def _overlap(data: RunData) -> Figure:
    if not data.provenance.get("benchmarks"):
        return Figure("?", "overlapping rows", "not compared with test problems")
    overlapping = sum(row.overlap is not None for row in data.rows)
    return Figure(counted(overlapping), "overlapping rows", _of(overlapping, len(data.rows), "rows"))


def _of(part: int, whole: int, what: str) -> str:
    """Say what a number is a part of, as a share if there are enough."""
    return f"{part / whole:.1%} of {whole:,} {what}" if whole >= LEAST else f"of {whole:,} {what}"


def _costs(data: RunData) -> list[Figure]:
    """Return the cost in total and per kept row: money if the price is known, else tokens."""
    if not data.outline.kinds or whole_rows(data) is not None or (cost := spent(data)) is None:
        return []
    rows = max(len(data.rows), 1)
    total = "so far" if data.unfinished else "in total"
    tokens, each = f"{counted(cost.tokens)} tokens", f"{counted(round(cost.tokens / rows))} tokens"
    if cost.usd is None:
        return [
            Figure(counted(cost.tokens), f"tokens {total}", "no price is known"),
            Figure(counted(round(cost.tokens / rows)), "tokens per kept row", "dropped requests included"),
        ]
    return [
        Figure(money(cost.usd), f"cost {total}", tokens),
        Figure(money(cost.usd / rows), "cost per kept row", each),
    ]


def _step(step: StepShare) -> Figure:
    """Say how much a step kept; too few tries are counted, but not divided."""
    paper = f"the paper: {step.paper.share:.0%} on {step.paper.problems}" if step.paper else ""
    if step.tried < LEAST:
        few = "too few tries for a share"
        return Figure(f"{step.kept:,} of {step.tried:,}", step.label, f"{few}; {paper}" if paper else few)
    share, low, high = wilson(step.kept, step.tried)
    ours = f"{step.kept:,} of {step.tried:,} tries kept, 95% interval {low:.0%} to {high:.0%}"
    return Figure(f"{share:.0%}", step.label, f"{ours}; {paper}" if paper else ours)


def counted(number: int) -> str:
    """Format a count for people: `1,234`, `108K`, `2.35M`."""
    if number < PRECISE:
        return f"{number:,}"
    power = 1 if number < 999_500 else 2
    value = number / 1_000**power
    places = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:.{places}f}".rstrip("0").rstrip(".") + " KM"[power] if places else f"{value:,.0f}{' KM'[power]}"


def money(usd: float) -> str:
    """Format an amount for people: `$12.34`, and two digits of less than a cent."""
    if usd == 0 or usd >= CENT:
        return f"${usd:,.2f}" if usd else "$0"
    return f"${usd:.{1 - math.floor(math.log10(usd))}f}"
