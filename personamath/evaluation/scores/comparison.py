"""Two runs of the same tasks, compared problem by problem."""

from dataclasses import dataclass

from personamath.evaluation.scores.records import TaskRun
from personamath.evaluation.scores.statistics import Interval, bootstrap_mean, mcnemar

LEVEL = 0.05
"""Of significance: what the tests show would come of chance alone in at most one of twenty comparisons."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one task, in two runs, over the problems that both have."""

    task: str
    metric: str
    n: int
    """Problems that both runs scored."""
    value: float
    """The run's share of right answers, 0 to 1."""
    other: float
    """The share of the run that it is compared with."""
    difference: Interval
    """`value` minus `other`, with its paired bootstrap interval."""
    better: int
    """Problems on which the run does better."""
    worse: int
    p: float | None
    """Of McNemar's exact test; None where a problem can be right in part."""

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: the interval excludes 0, and so does the test where there is one."""
        excludes = self.difference.low > 0 or self.difference.high < 0
        return excludes and (self.p is None or self.p < LEVEL)

    def words(self) -> str:
        """The result in words, in points of a hundred."""
        points, half = 100 * self.difference.value, 50 * (self.difference.high - self.difference.low)
        found = f"better on {self.better:,} problems, worse on {self.worse:,}"
        test = found if self.p is None else f"{found}; McNemar's p {told(self.p)}"
        if not self.shown:
            return f"no difference shown: {points:+.1f} ± {half:.1f} ({test})"
        return f"{'better' if points > 0 else 'worse'} by {abs(points):.1f} ± {half:.1f} ({test})"


def incomparable(run: TaskRun, other: TaskRun) -> str | None:
    """Why two runs of a task cannot be compared, in words; None where they can."""
    if run.version != other.version:
        return f"not compared: versions {run.version} and {other.version} of the task are two scores"
    if not run.items or not other.items:
        return "not compared: the samples are missing"
    if not {item.question for item in run.items} & {item.question for item in other.items}:
        return "not compared: no problem is in both"
    return None


def compare_runs(run: TaskRun, other: TaskRun) -> list[Comparison]:
    """Every metric that both runs of a task have, over the problems that both scored; not if `incomparable`."""
    by_question = {item.question: item for item in other.items}
    pairs = [(item, by_question[item.question]) for item in run.items if item.question in by_question]
    return [
        compare(run.task, metric, [(one.values[metric], two.values[metric]) for one, two in pairs])
        for metric in run.metrics
        if metric in other.metrics
    ]


def compare(task: str, metric: str, pairs: list[tuple[float, float]]) -> Comparison:
    """One metric on the problems that both runs scored, at least one."""
    better, worse = sum(one > two for one, two in pairs), sum(one < two for one, two in pairs)
    whole = all(value in (0, 1) for pair in pairs for value in pair)
    return Comparison(
        task=task,
        metric=metric,
        n=len(pairs),
        value=sum(one for one, _ in pairs) / len(pairs),
        other=sum(two for _, two in pairs) / len(pairs),
        difference=bootstrap_mean([one - two for one, two in pairs]),
        better=better,
        worse=worse,
        p=mcnemar(better, worse) if whole else None,
    )


def told(p: float) -> str:
    """A p value as one reads it, with its sign."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
