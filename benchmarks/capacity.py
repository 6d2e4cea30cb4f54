"""What runs of many sizes take, by arithmetic from the plan of one: the table in docs/scaling.md.

    python benchmarks/capacity.py --rows 70000 1000000 100000000

From `personamath plan` of the paper's recipe, for each row of the paper: seed problems, requests, tokens, money and
disk. Given, as options: whose price, and what a second of each machine does. All else follows.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from personamath import load_recipe
from personamath.methods import PersonaMath
from personamath.methods.method import Usage
from personamath.runs.dataset import Inputs
from personamath.runs.plan import Plan, from_expectation, survey
from personamath.teachers.prices import Price, find_price
from personamath.teachers.rates import BATCH, DIRECT

# Requests whose completions are graded.
GRADED = [kind.name for kind in PersonaMath.outline.kinds if kind.role != "rewrite"]
# Rows of the paper (v1, table 2), from the seed problems of both sources.
PAPER_ROWS = 70_300
CONFIG = Path(__file__).parents[1] / "recipes" / "augment-paper-v1.yaml"


@dataclass(frozen=True)
class Rates:
    """What the paper's run comes to for each published row."""

    seeds: float
    requests: float
    graded: float
    prompt_tokens: float
    completion_tokens: float


def main() -> None:
    """Plan, multiply and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", action="append", help="local copies of the recipe's problems")
    parser.add_argument("--personas", help="a local copy of the recipe's personas")
    parser.add_argument("--rows", type=int, nargs="+", default=[70_000, 1_000_000, 100_000_000])
    parser.add_argument("--model", default="gpt-4o-mini", help="whose price is taken")
    parser.add_argument("--gpu-tokens", type=float, default=6_300, help="completion tokens a second of one GPU")
    parser.add_argument("--gpus", type=int, default=8, help="of the fleet, for the hours")
    parser.add_argument("--loop-requests", type=float, default=1_100, help="a second, of one event loop")
    parser.add_argument(
        "--cpu-seconds", type=float, default=0.36, help="of the client, for 1,000 requests, local engine"
    )
    parser.add_argument("--grades", type=float, default=8_582, help="a second, of one core")
    parser.add_argument("--written-rows", type=float, default=1_350, help="a second, into the dataset folder")
    options = parser.parse_args()
    copies = {name: value for name in ("problems", "personas") if (value := getattr(options, name))}
    rates = planned(copies)
    price = find_price(options.model)
    assert price, f"no price for {options.model}"
    for line in table(options, rates, price):
        print(line)


def planned(copies: dict[str, object]) -> Rates:
    """What the plan of the paper's recipe comes to for each row; `copies` replaces its problems and personas."""
    recipe = load_recipe(CONFIG, **copies)
    inputs = Inputs.read(recipe)
    seeds = survey(inputs.problems()).seeds
    plan = from_expectation(recipe.method, seeds, inputs.personas)
    return Rates(
        seeds=sum(plan.seeds.values()) / PAPER_ROWS,
        requests=plan.total.requests / PAPER_ROWS,
        graded=sum(plan.usage[kind].requests for kind in GRADED) / PAPER_ROWS,
        prompt_tokens=plan.total.prompt_tokens / PAPER_ROWS,
        completion_tokens=plan.total.completion_tokens / PAPER_ROWS,
    )


def table(options: argparse.Namespace, rates: Rates, price: Price) -> Iterable[str]:
    """The lines of the Markdown table."""

    def completion_tokens(rows: int) -> float:
        return rows * rates.completion_tokens

    def prompt_tokens(rows: int) -> float:
        return rows * rates.prompt_tokens

    def usd(rows: int, sent: str = DIRECT) -> float:
        return float(price.usd(prompt_tokens(rows), completion_tokens(rows), sent=sent))

    def disk_bytes(rows: int) -> float:
        usage = {"all": Usage(rows * rates.requests, prompt_tokens(rows), completion_tokens(rows))}
        return float(Plan({}, usage).disk_bytes)

    hours: dict[str, Callable[[int], float]] = {
        f"{options.gpus} GPUs": lambda rows: completion_tokens(rows) / options.gpu_tokens / options.gpus / 3600,
        "one event loop": lambda rows: rows * rates.requests / options.loop_requests / 3600,
        "one core grading": lambda rows: rows * rates.graded / options.grades / 3600,
        "writing the dataset": lambda rows: rows / options.written_rows / 3600,
    }
    cells: dict[str, Callable[[int], str]] = {
        "seed problems": lambda rows: _count(rows * rates.seeds),
        "requests": lambda rows: _count(rows * rates.requests),
        "prompt tokens": lambda rows: _count(prompt_tokens(rows)),
        "completion tokens": lambda rows: _count(completion_tokens(rows)),
        f"{options.model}, USD": lambda rows: f"{usd(rows):,.0f}",
        "the same in batches, USD": lambda rows: f"{usd(rows, BATCH):,.0f}" if BATCH in price.tiers else "?",
        "GPU hours": lambda rows: f"{completion_tokens(rows) / options.gpu_tokens / 3600:,.1f}",
        "disk": lambda rows: _size(disk_bytes(rows)),
        "core-hours of grading": lambda rows: f"{hours['one core grading'](rows):,.2f}",
        "core-hours of the client": lambda rows: f"{rows * rates.requests * options.cpu_seconds / 3.6e6:,.2f}",
        **{f"hours, {name}": partial(_hours, of) for name, of in hours.items()},
        "met first": lambda rows: max(hours, key=lambda name: hours[name](rows)),
    }
    yield f"| rows | {' | '.join(_count(rows) for rows in options.rows)} |"
    yield f"|---|{'---:|' * len(options.rows)}"
    for name, cell in cells.items():
        yield f"| {name} | {' | '.join(cell(rows) for rows in options.rows)} |"


def _hours(of: Callable[[int], float], rows: int) -> str:
    return f"{of(rows):,.2f}"


def _count(number: float) -> str:
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= unit:
            return f"{number / unit:,.1f}{name}".replace(".0", "")
    return f"{number:,.0f}"


def _size(number: float) -> str:
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number:,.0f} bytes"


if __name__ == "__main__":
    main()
