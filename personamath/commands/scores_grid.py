"""What `personamath scores --grid` prints: for each task a table of methods, then what each pair shows."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from personamath.evaluation.scores import Comparison, GridTask, Method, caveats, compare_grid


def grid_report(methods: Sequence[Method]) -> Iterator[str]:
    """Yield the lines to print. Raises BadInput if the models cannot be compared."""
    for task in compare_grid(methods):
        yield from task_lines(task)
        yield ""
    yield "Intervals are 95 %: a bootstrap over problems, the same ones for every method, and over training seeds."
    if limits := caveats(methods):
        yield "\nWhat limits this comparison:"
        yield from (f"  {limit}" for limit in limits)


def task_lines(task: GridTask) -> Iterator[str]:
    """Yield one task's table, then a sentence for each pair of methods, those with a shown difference first."""
    yield f"{task.task}: {task.metric}, in percent, on {task.n:,} problems that every model scored"
    width = max(len(score.method) for score in task.scores)
    yield f"  {'':{width}}  score  95 % interval   training seeds"
    for score in task.scores:
        value, low, high = (100 * end for end in score.mean)
        seeds = " ".join(f"{100 * each:.1f}" for each in score.by_seed)
        yield f"  {score.method:{width}}  {value:>5.1f}  {f'{low:.1f} to {high:.1f}':<14}  {seeds}"
    shown = [pair for pair in task.pairs if pair[2].shown]
    yield f"  {len(shown):,} of {len(task.pairs):,} pairs of methods differ; at 95 %, one in twenty would by chance"
    for one, other, compared in (*shown, *(pair for pair in task.pairs if not pair[2].shown)):
        yield f"  {in_words(one, other, compared)}"


def in_words(one: str, other: str, compared: Comparison) -> str:
    """Return what the data can show of two methods."""
    if compared.shown:
        return f"{one} against {other}: {compared.words()}"
    return f"{one} and {other} cannot be told apart: {compared.words()}"


def grid_as_json(methods: Sequence[Method]) -> dict[str, Any]:
    """Return everything that is printed, with shares from 0 to 1."""
    return {
        "methods": {method.name: method.seeds for method in methods},
        "tasks": {
            task.task: {
                "metric": task.metric,
                "n": task.n,
                "scores": [asdict(score) | {"mean": score.mean._asdict()} for score in task.scores],
                "pairs": [
                    {"method": one, "other_method": other}
                    | asdict(compared)
                    | {"difference": compared.difference._asdict(), "shown": compared.shown}
                    | {"words": in_words(one, other, compared)}
                    for one, other, compared in task.pairs
                ],
            }
            for task in compare_grid(methods)
        },
        "limits": caveats(methods),
    }
