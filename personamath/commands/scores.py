"""`personamath scores`: print lm-eval's scores with intervals, and compare two runs."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from personamath.commands.scores_grid import grid_as_json, grid_report
from personamath.evaluation.scores import (
    Score,
    ScoredRun,
    TaskRun,
    compare_runs,
    incomparable,
    read_grid,
    read_results,
)
from personamath.files import local_path

DESCRIPTION = """\
Read the results that lm-eval writes with --output_path and --log_samples. Print every metric with its 95 % bootstrap
interval, MATH also by subject and level, and every reason not to publish the scores.

  personamath scores scores/me__PersonaMath-Qwen2.5-7B
  personamath scores scores/me__PersonaMath-Qwen2.5-7B --against scores/Qwen__Qwen2.5-7B

With --against, two runs are compared on the problems that both scored: with a paired bootstrap, and for right-or-wrong
metrics also with McNemar's exact test.

  personamath scores --grid scores/persona scores/direct scores/rejection

With --grid, every RESULTS is the folder of one method, with a folder in it for each training seed, such as
scores/persona/42. The methods are compared problem by problem, and the command says which cannot be told apart.
"""

WIDTH = 24
"""Width of the first column, in characters."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "results",
        type=local_path,
        nargs="+",
        metavar="RESULTS",
        help="a file results_….json, or a folder of such files",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--against", type=local_path, nargs="+", metavar="RESULTS", help="results of another run to compare with"
    )
    how.add_argument(
        "--grid", action="store_true", help="compare methods: each RESULTS has a folder for each training seed"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with shares from 0 to 1")


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    if options.grid:
        methods = read_grid(options.results)
        if options.json:
            options.show(grid_as_json(methods))
        else:
            print("\n".join(grid_report(methods)))
        return 0
    scored = read_results(options.results)
    other = read_results(options.against) if options.against else None
    if options.json:
        options.show(as_json(scored, other))
    else:
        print("\n".join(report(scored, other)))
    return 0


def report(scored: ScoredRun, other: ScoredRun | None) -> Iterator[str]:
    """Yield the lines to print."""
    yield title(scored) + (f", against {title(other)}" if other else "")
    others = {run.task: run for run in other.tasks} if other else {}
    for run in scored.tasks:
        yield ""
        yield from task_lines(run)
        if run.task in others:
            yield from comparison_lines(run, others[run.task])
    for name, which in (("", scored), ("other run, ", other)):
        if which and which.all_faults():
            yield f"\nNot for a card ({name}{which.model}):"
            yield from (f"  {reason}" for reason in which.all_faults())


def title(scored: ScoredRun) -> str:
    """Name the model, its revision, the backend and the version of lm-eval."""
    at = scored.revision or scored.sha
    return f"{scored.model}{f'@{at}' if at else ''} ({scored.backend}, lm-eval {scored.harness})"


def task_lines(run: TaskRun) -> Iterator[str]:
    """Yield the lines of one task: every metric, then the headline metric by subject and level."""
    data = run.data
    yield f"{run.task} {run.version}: {settings(run)}, {data.name}{f'@{data.revision[:12]}' if data.revision else ''}"
    if not run.items:
        return
    yield f"  {'':{WIDTH}} {'n':>6}  score  95 % interval"
    yield from (line(metric, run.score(metric)) for metric in run.metrics)
    if run.groups()[1:]:
        yield f"  {run.main_metric} by subject and level"
        yield from (line(group.replace("=", " "), run.score(run.main_metric, group)) for group in run.groups()[1:])


def settings(run: TaskRun) -> str:
    """Describe the number of problems and the sampling."""
    least, most = run.limits or (0, 0)
    limit = f"at most {most:,} new tokens" if least == most else f"at most {least:,} to {most:,} new tokens"
    how = f"{run.samples} samples at {run.generation.get('temperature')}" if run.samples > 1 else "greedy"
    return f"{run.n:,} problems, {how}" + (f", {limit}" if run.limits else "")


def line(name: str, score: Score) -> str:
    """Format one score in percent."""
    low, high = 100 * score.low, 100 * score.high
    return f"  {name:{WIDTH}} {score.n:>6,}  {100 * score.value:>5.1f}  {low:.1f} to {high:.1f}"


def comparison_lines(run: TaskRun, other: TaskRun) -> Iterator[str]:
    """Yield the comparison of a task, or the reason why the runs cannot be compared."""
    if reason := incomparable(run, other):
        yield f"  {reason}"
        return
    compared = compare_runs(run, other)
    yield f"  against the other run, on {compared[0].n:,} problems that both scored"
    yield from (f"  {each.metric:{WIDTH}} {each.words()}" for each in compared)


def as_json(scored: ScoredRun, other: ScoredRun | None) -> dict[str, Any]:
    """Return everything that is printed, plus every metric by subject and level."""
    content = run_as_json(scored)
    if other:
        others = {run.task: run for run in other.tasks}
        both = [(run, others[run.task]) for run in scored.tasks if run.task in others]
        content["against"] = run_as_json(other)
        content["comparison"] = {run.task: comparison_as_json(run, other) for run, other in both}
    return content


def run_as_json(scored: ScoredRun) -> dict[str, Any]:
    """Return one run with its scores, without the single items."""
    return {
        "model": asdict(scored.tasks[0].model) | {"sha": scored.sha},
        "backend": scored.backend,
        "lm_eval": scored.harness,
        "faults": scored.all_faults(),
        "tasks": [
            {name: getattr(run, name) for name in ("task", "version", "n", "n_original", "date", "prompt", "samples")}
            | {"generation": dict(run.generation), "limits": run.limits, "data": asdict(run.data)}
            | {"scores": [asdict(score) for score in run.scores()]}
            for run in scored.tasks
        ],
    }


def comparison_as_json(run: TaskRun, other: TaskRun) -> str | list[dict[str, Any]]:
    """Return the comparison of every metric, also in words, or the reason why the runs cannot be compared."""
    if reason := incomparable(run, other):
        return reason
    return [
        asdict(compared) | {"difference": compared.difference._asdict(), "words": compared.words()}
        for compared in compare_runs(run, other)
    ]
