"""Compare scored models with published ones, and measure what stage 2 adds."""

from collections.abc import Sequence

from personamath.evaluation.scores import MAIN_METRIC, ScoredRun, TaskRun
from personamath.evaluation.scores.statistics import bootstrap_mean, mcnemar
from personamath.report.analysis.paper import METAMATH_CARD, PAPER, PUBLISHED, STAGE_TWO_GAIN
from personamath.report.analysis.result import Analysis, Cell, Chart, LeftOut, Series, Table

TASKS = {"personamath_gsm8k": "GSM8K", "personamath_math": "MATH"}
PAPER_VARIANT = "_paper"
SCORES = ("scores", "Scores compared with the paper and others")
"""Name and title of the analysis of scores."""


def published_scores(scores: Sequence[ScoredRun]) -> Analysis:
    """Compare our scores with the paper's and with those of other datasets: table 3 and figure 2."""
    rows: list[tuple[Cell, ...]] = []
    bars: dict[str, list[tuple[str, float]]] = {"GSM8K": [], "MATH": []}
    for run in scores:
        for task in _tasks(run):
            score = task.score(MAIN_METRIC)
            rows.append((run.model, None, _benchmark(task), score.value, score.low, score.high, task.task))
            bars[_benchmark(task)].append(
                (f"{run.model}{', paper prompt' if task.task.endswith(PAPER_VARIANT) else ''}", score.value)
            )
    for one in PUBLISHED:
        for benchmark, value in (("GSM8K", one.gsm8k), ("MATH", one.math)):
            if value is not None:
                rows.append((one.model, one.base, benchmark, round(value / 100, 3), None, None, one.source))
                bars[benchmark].append((f"{one.model}, {one.base}", round(value / 100, 3)))
    ours = [row for row in rows if row[1] is None]
    finding = (
        "; ".join(f"{row[0]} solves {row[3]:.1%} of {row[2]} ({row[4]:.1%} to {row[5]:.1%})" for row in ours)
        if ours
        else "The scored models have no scores on GSM8K or MATH; these are published numbers"
    )
    return Analysis(
        *SCORES,
        f"{finding}.",
        Table(("model", "base model", "test", "solved %", "low %", "high %", "source"), tuple(rows)),
        Chart(
            "bars",
            "model",
            "solved %",
            tuple(Series(benchmark, *map(tuple, zip(*some, strict=True))) for benchmark, some in bars.items()),
        ),
        f"Table 3 and figure 2 of {PAPER}. Our scores come from PersonaMath's grader, with 95 % bootstrap intervals "
        f"over the problems. The other scores are as published and graded by their authors, in {PAPER} and, for other "
        f"datasets, in the {METAMATH_CARD}. The paper's baseline SFT is left out, because its numbers are not known.",
        _warning(scores),
    )


def stage_two(with_it: ScoredRun, without: ScoredRun) -> Analysis | LeftOut:
    """Measure what stage 2 adds with two models scored on the same problems: figure 4."""
    name, title = "stage-two", "With and without stage 2"
    pairs = [(task, other) for task in _tasks(with_it) for other in _tasks(without) if task.task == other.task]
    pairs = [(task, other) for task, other in pairs if _same_problems(task, other)]
    if not pairs:
        return LeftOut(name, title, "the two runs have no task in common that was scored on the same problems")
    rows: list[tuple[Cell, ...]] = []
    for task, other in pairs:
        first, second = ([item.values[MAIN_METRIC] for item in run.items] for run in (task, other))
        gain = bootstrap_mean([one - two for one, two in zip(first, second, strict=True)])
        p = mcnemar(
            sum(one > two for one, two in zip(first, second, strict=True)),
            sum(two > one for one, two in zip(first, second, strict=True)),
        )
        rows.append((task.task, task.n, task.score(MAIN_METRIC).value, other.score(MAIN_METRIC).value, *gain, p))
    sides = [("with stage 2", 0), ("without", 1)]
    series = []
    for label, place in sides:
        found = [pair[place].score(MAIN_METRIC) for pair in pairs]
        series.append(
            Series(
                label,
                tuple(pair[0].task for pair in pairs),
                tuple(one.value for one in found),
                tuple(one.low for one in found),
                tuple(one.high for one in found),
            )
        )
    gains = "; ".join(
        f"{_benchmark(task)}: {row[4]:+.1%} ({row[5]:+.1%} to {row[6]:+.1%})"
        for (task, _), row in zip(pairs, rows, strict=True)
    )
    return Analysis(
        name,
        title,
        f"Stage 2 changes the score by: {gains}; the paper reports {STAGE_TWO_GAIN:+.1%} on GSM8K.",
        Table(
            ("task", "problems", "with stage 2 %", "without %", "gain %", "low %", "high %", "McNemar's p"), tuple(rows)
        ),
        Chart("bars", "task", "solved %", tuple(series)),
        f"Figure 4 of {PAPER}. According to the caller, {with_it.model} was trained on both stages and {without.model} "
        "on stage 1 only. Gains are over the same problems, with 95 % bootstrap intervals and McNemar's exact test.",
        _warning([with_it, without]),
    )


def _tasks(run: ScoredRun) -> list[TaskRun]:
    """Return the tasks on GSM8K and MATH whose items are known."""
    return [
        task for task in run.tasks if task.task.removesuffix(PAPER_VARIANT) in TASKS and MAIN_METRIC in task.metrics
    ]


def _benchmark(task: TaskRun) -> str:
    return TASKS[task.task.removesuffix(PAPER_VARIANT)]


def _same_problems(one: TaskRun, other: TaskRun) -> bool:
    return [(item.id, item.question) for item in one.items] == [(item.id, item.question) for item in other.items]


def _warning(scores: Sequence[ScoredRun]) -> str | None:
    faults = [f"{run.model}: {fault}" for run in scores for fault in run.all_faults()]
    return "; ".join(faults) or None
