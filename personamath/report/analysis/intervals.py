"""95 % intervals of shares, and of group effects adjusted for other differences."""

from collections.abc import Sequence
from math import sqrt

from personamath.evaluation.scores.statistics import Interval

RESAMPLES = 500
"""Resamples of a bootstrap over seed problems: the ends vary by about a tenth of the interval's width."""
RNG_SEED = 2410
Z = 1.959963984540054
"""95 % of a normal distribution lies within this many standard deviations."""
LEAST = 30
"""Fewest rows or tries for a share or a mean. The 95 % interval of a share near one half is then 34 points wide
(Wilson); with fewer it says next to nothing."""
TOO_FEW = f"Shares of fewer than {LEAST} are left out: they would say nothing."


def wilson(successes: int, trials: int) -> Interval:
    """Return a share with Wilson's interval; without trials the share is 0 and the interval is 0 to 1."""
    if not trials:
        return Interval(0.0, 0.0, 1.0)
    share, z2 = successes / trials, Z * Z
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    low = middle - half if successes else 0.0
    return Interval(share, low, middle + half if successes < trials else 1.0)


def share(successes: int, trials: int) -> tuple[float, float, float] | tuple[None, None, None]:
    """Return a share and the ends of its interval for a table; empty cells for fewer than `LEAST` trials."""
    return wilson(successes, trials) if trials >= LEAST else (None, None, None)


def adjusted_means(groups: Sequence[int], blocks: Sequence[int], values: Sequence[float]) -> list[Interval]:
    """Estimate each group's mean as if every group had the same mix of blocks.

    A least-squares fit has one effect per group and one per block. A block is a seed problem here, so a group that
    happened to draw hard problems is not blamed for them. The means are shifted so that their average, weighted by
    group size, is the overall mean. Intervals are percentiles over resampled blocks. Groups and blocks count from 0.
    """
    import numpy as np

    group, block, value = np.asarray(groups), np.asarray(blocks), np.asarray(values, dtype=np.float64)
    size, count = int(group.max()) + 1, int(block.max()) + 1
    in_block = np.zeros((count, size))
    np.add.at(in_block, (block, group), 1.0)
    trials, totals = in_block.sum(1), np.bincount(block, value, count)
    sums = np.zeros((count, size))
    np.add.at(sums, (block, group), value)
    # The contribution of each block to the normal equations, after its own effect is removed.
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
