"""Intervals of measures and of their differences, by resampling seed problems: the unit that was sampled.

Rows of one seed problem are alike, so resampling rows would give intervals that are too short.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from personamath.evaluation.scores.statistics import RNG_SEED, Interval
from personamath.report.analysis.intervals import wilson
from personamath.report.side_by_side.measures import MEASURES, SEEDS_WITH_ROWS, Measure, Measured

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 2_000
"""The ends of an interval vary by about a twentieth of its width."""
AT_ONCE = 100
"""Resamples in memory at once: 12 MB for the 15,000 seed problems of GSM8K and MATH."""


class Difference(NamedTuple):
    """One measure in two runs."""

    measure: Measure
    first: str
    second: str
    values: tuple[float, float]
    difference: Interval
    """The first run's value minus the second's, with its interval."""

    @property
    def shown(self) -> bool:
        """Whether the interval of the difference excludes 0."""
        return self.difference.low > 0 or self.difference.high < 0


class Resampled(NamedTuple):
    """All measures with their intervals, and all differences."""

    intervals: Mapping[str, Mapping[str, Interval]]
    """By run and measure."""
    differences: tuple[Difference, ...]
    """Pair by pair; measures that only one of the two runs has are left out."""


def resampled(runs: Sequence[Measured]) -> Resampled:
    """Resample the seed problems of all runs together, so that differences are paired where runs share them."""
    import numpy as np

    order = {seed: place for place, seed in enumerate(dict.fromkeys(seed for run in runs for seed in run.seeds))}
    keys = [(run, measure) for run in runs for measure in MEASURES if measure.name in run.sums]
    above, below = np.zeros((len(order), len(keys))), np.zeros((len(order), len(keys)))
    for column, (run, measure) in enumerate(keys):
        places = [order[seed] for seed in run.seeds]
        above[places, column], below[places, column] = run.sums[measure.name].above, run.sums[measure.name].below
    values = above.sum(0) / below.sum(0)
    drawn = np.concatenate(list(_draws(above, below)))
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    intervals: dict[str, dict[str, Interval]] = {run.name: {} for run in runs}
    for column, (run, measure) in enumerate(keys):
        ends = Interval(float(values[column]), float(low[column]), float(high[column]))
        if measure.name == SEEDS_WITH_ROWS:
            ends = wilson(int(above[:, column].sum()), len(run.seeds))
        intervals[run.name][measure.name] = ends
    columns = {(run.name, measure.name): column for column, (run, measure) in enumerate(keys)}
    return Resampled(intervals, tuple(_differences(runs, columns, values, drawn)))


def _draws(above: "np.ndarray", below: "np.ndarray") -> Iterator["np.ndarray"]:
    """Yield the measures of resampled seed problems, some resamples at a time; nan where nothing is below."""
    import numpy as np

    rng = np.random.default_rng(RNG_SEED)
    seeds = len(above)
    for _ in range(RESAMPLES // AT_ONCE):
        weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), AT_ONCE).astype(float)
        under = weights @ below
        yield np.divide(weights @ above, under, out=np.full(under.shape, np.nan), where=under > 0)


def _differences(
    runs: Sequence[Measured], columns: Mapping[tuple[str, str], int], values: "np.ndarray", drawn: "np.ndarray"
) -> Iterator[Difference]:
    import numpy as np

    for first, second in combinations(runs, 2):
        for measure in MEASURES:
            one, two = columns.get((first.name, measure.name)), columns.get((second.name, measure.name))
            if one is not None and two is not None:
                low, high = np.nanpercentile(drawn[:, one] - drawn[:, two], [2.5, 97.5])
                pair = (float(values[one]), float(values[two]))
                yield Difference(
                    measure, first.name, second.name, pair, Interval(pair[0] - pair[1], float(low), float(high))
                )
