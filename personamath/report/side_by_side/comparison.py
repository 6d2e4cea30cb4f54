"""The comparison of runs as data: measures, differences, vocabulary, second chances and caveats."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from personamath.errors import BadInput
from personamath.evaluation.scores.statistics import Interval
from personamath.report.analysis.rows import RunData
from personamath.report.analysis.texts import Corpus, generators
from personamath.report.side_by_side.caveats import caveats
from personamath.report.side_by_side.measures import MEASURES, Measured, measured
from personamath.report.side_by_side.resampling import Difference, resampled
from personamath.report.side_by_side.second_chances import SecondChance, second_chances


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Word types of the questions, at an equal number of words of each run."""

    words: int
    """The words of the run with the fewest."""
    types: Mapping[str, Interval]
    """By run: the mean over shuffles of its questions, and the 2.5 and 97.5 percentiles."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A comparison of runs."""

    runs: tuple[Measured, ...]
    intervals: Mapping[str, Mapping[str, Interval]]
    """By run and measure: the value with its 95 % interval over seed problems."""
    differences: tuple[Difference, ...]
    vocabulary: Vocabulary | None
    """None if a run has no words in Latin letters."""
    second_chances: tuple[SecondChance, ...]
    caveats: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the sums of single seed problems, for JSON."""
        return {
            "runs": [
                {
                    "name": run.name,
                    "method": run.method,
                    "seed_problems": len(run.seeds),
                    "seed_problems_without_rows": without_rows(run),
                    "rows": run.rows,
                    "requests": run.requests,
                    "repeats": run.repeats,
                    "measures": {name: value._asdict() for name, value in self.intervals[run.name].items()},
                }
                for run in self.runs
            ],
            "measures": {measure.name: measure.says for measure in MEASURES},
            "differences": [
                {
                    "measure": each.measure.name,
                    "first": each.first,
                    "second": each.second,
                    "difference": each.difference._asdict(),
                    "shown": each.shown,
                }
                for each in self.differences
            ],
            "vocabulary": self.vocabulary
            and {
                "words": self.vocabulary.words,
                "types": {name: types._asdict() for name, types in self.vocabulary.types.items()},
            },
            "second_chances": [
                each._asdict()
                | {"recovered": each.recovered and asdict(each.recovered) | {"words": each.recovered.words()}}
                for each in self.second_chances
            ],
            "caveats": list(self.caveats),
        }


def compared(runs: Sequence[RunData]) -> SideBySide:
    """Compare at least two runs; raise `BadInput` for fewer, for a run given twice, and without all seed problems."""
    if len(runs) < 2:
        raise BadInput("a comparison needs at least two runs: personamath compare RUN RUN ...")
    names = short_names([run.name for run in runs])
    runs = [replace(run, name=name) for run, name in zip(runs, names, strict=True)]
    measures = tuple(measured(run) for run in runs)
    found = resampled(measures)
    return SideBySide(
        measures,
        found.intervals,
        found.differences,
        _vocabulary(runs),
        tuple(second_chances(runs)),
        tuple(caveats(runs)),
    )


def without_rows(run: Measured) -> int:
    """Return how many seed problems gave no row: the teacher's ceiling with this method."""
    return sum(not count for count in run.sums["rows_per_seed"].above)


def short_names(names: Sequence[str]) -> list[str]:
    """Return the last part of each path if these differ, else the names; raise `BadInput` for a name given twice."""
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"{twice} is given twice: compare it with another run")
    last = [PurePosixPath(name).name for name in names]
    return last if len(set(last)) == len(last) and all(last) else list(names)


def _vocabulary(runs: Sequence[RunData]) -> Vocabulary | None:
    import numpy as np

    corpora = {run.name: Corpus.of([row.problem for row in run.rows]) for run in runs}
    equal = min(len(corpus.words) for corpus in corpora.values())
    if equal == 0:
        return None
    types = {}
    for name, corpus in corpora.items():
        drawn = [float(corpus.growth(rng, np.array([equal]))[0]) for rng in generators()]
        low, high = np.percentile(drawn, [2.5, 97.5])
        types[name] = Interval(float(np.mean(drawn)), float(low), float(high))
    return Vocabulary(equal, types)
