"""The statistics of scores: bootstrap intervals, and McNemar's exact test."""

from collections.abc import Sequence
from math import comb
from typing import Any, NamedTuple

RESAMPLES = 10_000
"""Enough that the ends of a 95 % interval differ by a few hundredths of a point between two rng seeds."""
RNG_SEED = 2410
"""One for every bootstrap, so that the same values always give the same interval."""
COVERAGE = 0.95


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap_mean(values: Sequence[float]) -> Interval:
    """Return the mean of the values with its percentile bootstrap interval; their order does not matter.

    Resampling n values with replacement only decides how often each distinct value occurs: one multinomial draw.
    """
    import numpy as np

    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    shares = counts / counts.sum()
    draws = np.random.default_rng(RNG_SEED).multinomial(len(values), shares, size=RESAMPLES)
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(draws @ distinct / len(values), [tail, 1 - tail])
    return Interval(float(shares @ distinct), float(low), float(high))


def bootstrap_grid(seeds: Sequence[Sequence[float]], others: Sequence[Sequence[float]] = ()) -> Interval:
    """Return the mean over training seeds and problems, less that of `others`, with its percentile bootstrap interval.

    Each sequence has the values of one training seed, on the same problems in the same order. Problems are resampled
    for all seeds together, which pairs them. Of m training seeds, m - 1 are drawn with replacement, so that the
    variance of their mean is unbiased (Rao and Wu 1988); a single training seed adds nothing to the interval.
    """
    import numpy as np

    values = np.asarray([*seeds, *others], dtype=np.float64)
    distinct, counts = np.unique(values, axis=1, return_counts=True)
    rng = np.random.default_rng(RNG_SEED)
    problems = rng.multinomial(values.shape[1], counts / counts.sum(), size=RESAMPLES)
    resampled = problems @ distinct.T / values.shape[1]

    def drawn_mean(means: Any) -> Any:
        m = means.shape[1]
        if m < 2:
            return means.sum(axis=1)
        times = rng.multinomial(m - 1, np.full(m, 1 / m), size=RESAMPLES)
        return (times * means).sum(axis=1) / (m - 1)

    drawn = drawn_mean(resampled[:, : len(seeds)]) - drawn_mean(resampled[:, len(seeds) :])
    mean = values[: len(seeds)].mean() - (values[len(seeds) :].mean() if others else 0)
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(float(mean), float(low), float(high))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p of McNemar's exact test, from how many items only one of the two runs got right."""
    trials, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(trials, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << trials))
