"""What runs of many sizes take, by arithmetic from one run that is finished: the table in docs/scaling.md.

    personamath augment ... --output RUN
    python benchmarks/capacity.py RUN --rows 70000 1000000 100000000

Measured in RUN, for each row: seed problems, requests, prompt tokens. Given, as options: tokens of a completion, whose
price, and what a second of each machine does. All else follows; disk as `personamath plan` reckons it, uncompressed.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from personamath.methods import PersonaMath
from personamath.methods.method import Usage
from personamath.runs.plan import Plan
from personamath.teachers.prices import Price, find_price
from personamath.teachers.rates import BATCH, DIRECT

# Requests whose completions are graded.
GRADED = [kind.name for kind in PersonaMath.outline.kinds if kind.role != "rewrite"]


@dataclass(frozen=True)
class Rates:
    """What one run of this kind comes to for each published row."""

    seeds: float
    requests: float
    graded: float
    prompt_tokens: float


def main() -> None:
    """Measure, multiply and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run directory of a finished run")
    parser.add_argument("--rows", type=int, nargs="+", default=[70_000, 1_000_000, 100_000_000])
    parser.add_argument("--completion-tokens", type=float, default=500, help="of one completion, on average")
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
    rates = measure(options.run)
    price = find_price(options.model)
    assert price, f"no price for {options.model}"
    for line in table(options, rates, price):
        print(line)


def measure(run: Path) -> Rates:
    """What the run came to for each row."""
    facts = json.loads((run / "run.json").read_text())
    rows = sum(sum(counts.values()) for counts in facts["rows"].values())
    requests = {purpose: sum(outcomes.values()) for purpose, outcomes in facts["requests"].items()}
    return Rates(
        seeds=sum(facts["problems"]["seed_problems"].values()) / rows,
        requests=sum(requests.values()) / rows,
        graded=sum(requests[purpose] for purpose in GRADED) / rows,
        prompt_tokens=sum(tokens["prompt"] for tokens in facts["tokens"].values()) / rows,
    )


def table(options: argparse.Namespace, rates: Rates, price: Price) -> Iterable[str]:
    """The lines of the Markdown table."""
    tokens = float(options.completion_tokens)

    def completion_tokens(rows: int) -> float:
        return rows * rates.requests * tokens

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
