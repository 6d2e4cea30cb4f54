"""Pass rates: which problems the model sometimes solves, measured once before the training and kept in a file.

A problem that every completion solves, or none, gives all its completions the same reward, so they teach nothing.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from personamath.files import written_whole
from personamath.training.grpo.problems import Problem
from personamath.training.processes import say
from personamath.training.record import RowCounts

FILE_NAME = "pass_rates.jsonl"
# Problems measured at a time: enough to fill vLLM, few enough to lose little when the run is stopped.
AT_ONCE = 256

CountSolved = Callable[[Sequence[Problem], int, int], list[int]]
"""Samples completions of some problems (problems, samples of each, seed); returns how many solve each."""


class Kept(NamedTuple):
    """What the filter leaves."""

    problems: list[Problem]
    counts: RowCounts
    pass_rate: float
    """The mean over all problems that were measured, kept or not."""


def measure(
    problems: Sequence[Problem], samples: int, rng_seed: int, count_solved: CountSolved, path: Path, writes: bool
) -> list[int]:
    """Return how many of its samples solve each problem; what the file has is not measured again.

    Every process of the run calls this, and the one that `writes` keeps the file. The seed of each part depends on
    its place, so that a run which was stopped in between measures the same.
    """
    solved = read(path)
    for start in range(len(solved), len(problems), AT_ONCE):
        part = problems[start : start + AT_ONCE]
        solved += count_solved(part, samples, rng_seed + start)
        if writes:
            write(path, solved, samples)
        say(f"pass rates: {len(solved):,} of {len(problems):,} problems")
    return solved


def keep(
    problems: Sequence[Problem], solved: Sequence[int], samples: int, low: float, high: float, counts: RowCounts
) -> Kept:
    """Keep the problems that a share of samples between `low` and `high` solves, both included."""
    rates = [number / samples for number in solved]
    kept = [problem for problem, rate in zip(problems, rates, strict=True) if low <= rate <= high]
    dropped = {
        **counts.dropped,
        f"solved in less than {low:.0%} of samples": sum(rate < low for rate in rates),
        f"solved in more than {high:.0%} of samples": sum(rate > high for rate in rates),
    }
    left = RowCounts(
        read=counts.read,
        used=len(kept),
        dropped={reason: number for reason, number in dropped.items() if number},
        truncated=counts.truncated,
        tokens=counts.tokens,
        label_tokens=counts.label_tokens,
    )
    return Kept(kept, left, sum(rates) / len(rates) if rates else 0.0)


def read(path: Path) -> list[int]:
    """Read how many samples solved each problem so far."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line)["solved"] for line in lines]


def write(path: Path, solved: Sequence[int], samples: int) -> None:
    """Write the file anew, whole: one line for each problem, in order."""
    lines = (json.dumps({"problem": place, "samples": samples, "solved": count}) for place, count in enumerate(solved))
    with written_whole(path) as partial:
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
