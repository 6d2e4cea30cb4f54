"""How near the requests in flight that a run finds by itself come to the best fixed number, at servers of all sizes.

    python -m benchmarks.concurrency

A simulation (`tests/support/queueing.py`): answers of 5 s on average with all slots taken, and log-normal lengths.
Servers of 1 to 1,000 slots answer at a fixed speed, or more slowly the more they have at a time, as vLLM does. Shares
are of the tokens that came after the first minute. `CPU` is the time that the limit itself takes for each answer.

The second table is about very slow servers, which answer in 40 or 60 s: some of their answers take longer than the
time-out however few requests are in flight.
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
SLOW_S = 3_600.0
FOUND_S = 600.0


class Slow(NamedTuple):
    """A very slow server."""

    slots: int
    seconds: float
    timeout_s: float
    batches: bool = False


SLOW = (
    Slow(48, 60.0, 600.0),
    Slow(48, 60.0, 600.0, batches=True),
    Slow(1, 60.0, 600.0),
    Slow(48, 60.0, 120.0),
    Slow(48, 40.0, 120.0),
    Slow(300, 40.0, 120.0),
    Slow(4, 40.0, 120.0),
    Slow(1, 40.0, 120.0),
)


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
    print(f"\nCPU: {cpu_us():.1f} µs an answer\n")
    print("| slots | answers of | time-out | minutes 2 to 10 | minutes 11 to 60 | at the end | time-outs | given up |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for slow in SLOW:
        print(measure_slow(slow, options.seeds), flush=True)


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


def measure_slow(slow: Slow, seeds: int) -> str:
    """A line of the second table; of the shares the smallest, and time-outs beside those of the best fixed number."""
    slowdown = 4 / (slow.slots - 1) if slow.batches else 0.0
    shape = Shape(slow.slots, slowdown, slow.seconds, timeout_s=slow.timeout_s)
    shares: dict[tuple[float, float], list[float]] = {(WARM_UP_S, FOUND_S): [], (FOUND_S, SLOW_S): []}
    found, fixed = list[Run](), list[Run]()
    for seed in range(seeds):
        runs = [simulate(shape, Fixed(n), SLOW_S, seed) for n in (slow.slots, 2 * slow.slots)]
        fixed.append(max(runs, key=lambda one: one.per_second(FOUND_S, SLOW_S)))
        found.append(simulate(shape, Limit(slow.timeout_s), SLOW_S, seed))
        for when, of in shares.items():
            if best := fixed[-1].per_second(*when):
                of.append(found[-1].per_second(*when) / best)
    cells = [f"{min(of):.0%}" for of in shares.values()]
    ends = sorted(run.allowed[-1] for run in found)
    timeouts, at_best = (sum(run.failures["timeout"] for run in of) for of in (found, fixed))
    given_up, given_up_at_best = (sum(run.given_up for run in of) for of in (found, fixed))
    batches = ", batches" if slow.batches else ""
    return (
        f"| {slow.slots}{batches} | {slow.seconds:.0f} s | {slow.timeout_s:.0f} s | {' | '.join(cells)} | "
        f"{ends[0]:,} to {ends[-1]:,} | {timeouts:,} (best {at_best:,}) | {given_up} (best {given_up_at_best}) |"
    )


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
