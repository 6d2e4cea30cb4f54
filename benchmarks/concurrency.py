"""How near the requests in flight that a run finds by itself come to the best fixed number, at servers of all sizes.

    python -m benchmarks.concurrency

A simulation (`tests/support/queueing.py`): answers of 5 s on average with all slots taken, log-normal lengths, and
servers of so many slots that answer at a fixed speed, or more slowly the more they have at a time, as vLLM does. Shares
are of the tokens that came after the first minute. `CPU` is the time that the limit itself takes for each answer.
"""

import argparse
import time
from typing import NamedTuple

from personamath.teachers.concurrency import Limit, Sent
from tests.support.queueing import Fixed, Run, Shape, simulate

SLOTS = (1, 4, 24, 64, 300, 1_000)
WARM_UP_S = 60.0
BEFORE = 256
"""Requests in flight before there was a limit."""
TIMED = 200_000


class Case(NamedTuple):
    """A kind of server and of answers."""

    name: str
    lengths: float
    noise: float
    batches: bool = False
    """Whether an answer takes five times as long with all slots taken as it takes alone."""


CASES = (
    Case("fixed speed", 0.6, 0.2),
    Case("fixed speed, lengths differ widely", 1.0, 0.2),
    Case("fixed speed, time hardly follows length", 0.6, 0.6),
    Case("batches continuously", 0.6, 0.2, batches=True),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(
        "| server | slots | share of the best fixed | in flight at the end | time-outs | given up | fixed 256: share |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for case in CASES:
        for slots in SLOTS:
            slowdown = 4 / (slots - 1) if case.batches and slots > 1 else 0.0
            shape = Shape(slots, slowdown, lengths=case.lengths, noise=case.noise)
            print(f"| {case.name} | {slots:,} | {measure(shape, options.seconds, options.seeds)} |", flush=True)
    print(f"\nCPU: {cpu_us():.1f} µs an answer")


def measure(shape: Shape, seconds: float, seeds: int) -> str:
    """The cells of a line; of the shares the smallest."""
    shares, before = [], []
    found = list[Run]()
    for seed in range(seeds):
        best = max(
            throughput(simulate(shape, Fixed(n), seconds, seed), seconds) for n in (shape.slots, 2 * shape.slots)
        )
        run = simulate(shape, Limit(shape.timeout_s), seconds, seed)
        found.append(run)
        shares.append(throughput(run, seconds) / best)
        before.append(throughput(simulate(shape, Fixed(BEFORE), seconds, seed), seconds) / best)
    ends = sorted(run.allowed[-1] for run in found)
    timeouts = sum(run.failures["timeout"] for run in found)
    given_up = sum(run.given_up for run in found)
    return f"{min(shares):.1%} | {ends[0]:,} to {ends[-1]:,} | {timeouts} | {given_up} | {min(before):.0%}"


def throughput(run: Run, seconds: float) -> float:
    """Tokens a second after the first minute."""
    return run.per_second(WARM_UP_S, seconds)


def cpu_us() -> float:
    """Microseconds that a limit takes for an answer."""
    limit = Limit(120.0)
    start = time.process_time()
    for number in range(TIMED):
        limit.answered(Sent(number * 0.01, limit.allowed), 500.0, limit.allowed, number * 0.01 + 5.0)
    return (time.process_time() - start) / TIMED * 1e6


if __name__ == "__main__":
    main()
