"""95 % intervals: of shares, and of effects that are freed from what else differs."""

from collections.abc import Sequence
from math import sqrt

from personamath.evaluation.scores.statistics import Interval

RESAMPLES = 500
"""Of a bootstrap over seed problems: the ends move by about a tenth of the interval's width."""
RNG_SEED = 2410
Z = 1.959963984540054
"""Of a normal distribution, 95 % lies within so many standard deviations."""


def wilson(successes: int, trials: int) -> Interval:
    """A share with Wilson's interval; of no trials nothing is known, and the share is given as 0."""
    if not trials:
        return Interval(0.0, 0.0, 1.0)
    share, z2 = successes / trials, Z * Z
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    low = middle - half if successes else 0.0
    return Interval(share, low, middle + half if successes < trials else 1.0)


def adjusted_means(groups: Sequence[int], blocks: Sequence[int], values: Sequence[float]) -> list[Interval]:
    """The mean of each group as it would be if every group had met all blocks alike.

    A least-squares fit of group effects beside one effect for each block (here: a seed problem, so that a group which
    happened to draw hard problems is not blamed for them), shifted so that the groups' means, weighted by their sizes,
    give the mean of all. Intervals are percentiles over resampled blocks. Groups are numbered from 0, as are blocks.
    """
    import numpy as np

    group, block, value = np.asarray(groups), np.asarray(blocks), np.asarray(values, dtype=np.float64)
    size, count = int(group.max()) + 1, int(block.max()) + 1
    in_block = np.zeros((count, size))
    np.add.at(in_block, (block, group), 1.0)
    trials, totals = in_block.sum(1), np.bincount(block, value, count)
    sums = np.zeros((count, size))
    np.add.at(sums, (block, group), value)
    # What each block adds to the normal equations once its own effect is taken out.
    cross = -np.einsum("bi,bj->bij", in_block, in_block) / np.maximum(trials, 1)[:, None, None]
    cross[:, np.arange(size), np.arange(size)] += in_block
    right = sums - in_block * (totals / np.maximum(trials, 1))[:, None]
    flat = cross.reshape(count, -1)

    def means(weights: "np.ndarray") -> "np.ndarray":
        effects = np.linalg.pinv((weights @ flat).reshape(size, size)) @ (weights @ right)
        sizes = weights @ in_block
        overall = (weights @ totals) / max(sizes.sum(), 1)
        return np.asarray(effects + overall - (effects @ sizes) / max(sizes.sum(), 1))

    rng = np.random.default_rng(RNG_SEED)
    drawn = [means(rng.multinomial(count, np.full(count, 1 / count)).astype(float)) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [Interval(*map(float, found)) for found in zip(means(np.ones(count)), low, high, strict=True)]
