"""The statistics of scores: bootstrap intervals, and McNemar's exact test."""

from collections.abc import Sequence
from math import comb
from typing import NamedTuple

RESAMPLES = 10_000
"""Of a bootstrap: the ends of a 95 % interval then move by a few hundredths of a point between two rng seeds."""
RNG_SEED = 2410
"""Of every bootstrap, so that the same values always give the same interval."""
COVERAGE = 0.95


class Interval(NamedTuple):
    """A value with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap_mean(values: Sequence[float]) -> Interval:
    """The mean of at least one value with its percentile bootstrap interval, whatever the order of the values.

    Resampling n values with replacement is drawing how often each distinct value comes: one multinomial draw.
    """
    import numpy as np

    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    shares = counts / counts.sum()
    draws = np.random.default_rng(RNG_SEED).multinomial(len(values), shares, size=RESAMPLES)
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(draws @ distinct / len(values), [tail, 1 - tail])
    return Interval(float(shares @ distinct), float(low), float(high))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p of McNemar's exact test: how items that only one of two runs got right fall, if none is better."""
    trials, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(trials, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << trials))
