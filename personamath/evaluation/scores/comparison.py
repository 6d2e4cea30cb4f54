"""Compare two runs of the same tasks problem by problem."""

from dataclasses import dataclass

from personamath.evaluation.scores.records import TaskRun
from personamath.evaluation.scores.statistics import Interval, bootstrap_mean, mcnemar

LEVEL = 0.05
"""The significance level: where there is no difference, at most one comparison in twenty shows one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of one task in two runs, over the problems that both scored."""

    task: str
    metric: str
    n: int
    """How many problems both runs scored."""
    value: float
    """The run's share of correct answers, 0 to 1."""
    other: float
    """The other run's share."""
    difference: Interval
    """`value` minus `other`, with its paired bootstrap interval."""
    better: int
    """On how many problems the run does better."""
    worse: int
    """On how many it does worse."""
    p: float | None
    """The p value of McNemar's exact test; None if an answer can be partly correct."""

    @property
    def shown(self) -> bool:
        """Whether the difference is significant: the interval excludes 0 and p, where there is one, is below LEVEL."""
        excludes = self.difference.low > 0 or self.difference.high < 0
        return excludes and (self.p is None or self.p < LEVEL)

    def words(self) -> str:
        """Return the result in words, in percentage points."""
        points, half = 100 * self.difference.value, 50 * (self.difference.high - self.difference.low)
        found = f"better on {self.better:,} problems, worse on {self.worse:,}"
        test = found if self.p is None else f"{found}; McNemar's p {p_value(self.p)}"
        if not self.shown:
            return f"no difference shown: {points:+.1f} ± {half:.1f} ({test})"
        return f"{'better' if points > 0 else 'worse'} by {abs(points):.1f} ± {half:.1f} ({test})"


def incomparable(run: TaskRun, other: TaskRun) -> str | None:
    """Return why two runs of a task cannot be compared; None if they can."""
    if run.version != other.version:
        return f"not compared: versions {run.version} and {other.version} of the task are different scores"
    if not run.items or not other.items:
        return "not compared: the samples are missing"
    if not {item.question for item in run.items} & {item.question for item in other.items}:
        return "not compared: no problem is in both"
    return None


def compare_runs(run: TaskRun, other: TaskRun) -> list[Comparison]:
    """Compare every metric that both runs of a task have; the runs must not be `incomparable`."""
    by_question = {item.question: item for item in other.items}
    pairs = [(item, by_question[item.question]) for item in run.items if item.question in by_question]
    return [
        compare(run.task, metric, [(one.values[metric], two.values[metric]) for one, two in pairs])
        for metric in run.metrics
        if metric in other.metrics
    ]


def compare(task: str, metric: str, pairs: list[tuple[float, float]]) -> Comparison:
    """Compare one metric, given both values of at least one problem."""
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


def p_value(p: float) -> str:
    """Format a p value with its sign, e.g. `= 0.021`."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
