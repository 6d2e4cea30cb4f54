"""Compare methods over a grid: each method is a few training seeds, and each training seed is one scored model."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from personamath.errors import BadInput
from personamath.evaluation.scores.comparison import Comparison, incomparable
from personamath.evaluation.scores.reading import read_results
from personamath.evaluation.scores.records import ScoredRun, TaskRun
from personamath.evaluation.scores.statistics import Interval, bootstrap_grid, mcnemar

RESULTS = "results_*.json"


@dataclass(frozen=True, slots=True)
class Method:
    """One method with its trained models."""

    name: str
    """The name of its folder."""
    seeds: tuple[str, ...]
    """Names of the folders of its training seeds, sorted."""
    runs: tuple[ScoredRun, ...]
    """As many as `seeds`."""


@dataclass(frozen=True, slots=True)
class MethodScore:
    """The headline metric of one method on one task."""

    method: str
    by_seed: tuple[float, ...]
    """The score of each training seed, 0 to 1, over the problems that all methods scored."""
    mean: Interval
    """Over training seeds, with an interval over problems and training seeds."""


@dataclass(frozen=True, slots=True)
class GridTask:
    """One task of a grid."""

    task: str
    metric: str
    n: int
    """How many problems every model scored."""
    scores: tuple[MethodScore, ...]
    """In the order of the methods."""
    pairs: tuple[tuple[str, str, Comparison], ...]
    """Every pair of methods, with the first one's difference from the second."""


def read_method(folder: Path) -> Method:
    """Read one method's results: a folder with a folder for each training seed, or the results of a single model.

    Raises BadInput if there is nothing to read.
    """
    children = [] if any(folder.glob(RESULTS)) else sorted(path for path in folder.glob("*") if path.is_dir())
    found = children or [folder]
    return Method(folder.resolve().name, tuple(path.name for path in found), tuple(read_results([p]) for p in found))


def read_grid(folders: Sequence[Path]) -> list[Method]:
    """Read at least two methods; raises BadInput if two have one name."""
    names = [folder.resolve().name for folder in folders]
    if len(names) < 2:
        raise BadInput("--grid compares methods: give the folders of at least two, one for each method")
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadInput(f"two of the folders are named {twice[0]!r}, which names the method: rename one")
    return [read_method(folder) for folder in folders]


def compare_grid(methods: Sequence[Method]) -> list[GridTask]:
    """Compare the methods on every task that all of their models have, problem by problem.

    Raises BadInput if no task is in all, or two models' results of a task cannot be compared.
    """
    runs = [run for method in methods for run in method.runs]
    shared = [task.task for task in runs[0].tasks if all(task.task in tasks_of(run) for run in runs)]
    if not shared:
        raise BadInput("no task is in the results of every model: score all of them with the same --tasks")
    return [_task(methods, task) for task in shared]


def caveats(methods: Sequence[Method]) -> list[str]:
    """Say what limits the comparison, a sentence each."""
    found: dict[str, list[str]] = {}
    records: dict[str, str] = {}
    every = {task for method in methods for run in method.runs for task in tasks_of(run)}
    for method in methods:
        if len(method.seeds) == 1:
            found.setdefault("one training seed: another training run may differ", []).append(method.name)
        for seed, run in zip(method.seeds, method.runs, strict=True):
            cell = f"{method.name}/{seed}"
            said = [f"{task} is missing and left out" for task in sorted(every - tasks_of(run).keys())]
            record = run.training_record
            if record and record in records:
                said.append(f"the same model as {records[record]}")
            elif record:
                records[record] = cell
            for reason in (*said, *run.all_faults()):
                found.setdefault(reason, []).append(cell)
    return [f"{reason} ({', '.join(where)})" for reason, where in found.items()]


def tasks_of(run: ScoredRun) -> dict[str, TaskRun]:
    """Return the tasks of a run by name."""
    return {task.task: task for task in run.tasks}


def _task(methods: Sequence[Method], name: str) -> GridTask:
    runs = [[tasks_of(run)[name] for run in method.runs] for method in methods]
    first = runs[0][0]
    for method, of_method in zip(methods, runs, strict=True):
        for seed, run in zip(method.seeds, of_method, strict=True):
            if reason := incomparable(first, run):
                raise BadInput(f"{method.name}/{seed}: {name}: {reason}")
            if run.main_metric != first.main_metric:
                raise BadInput(f"{method.name}/{seed}: {name}: not compared: its metric is {run.main_metric}")
    questions = set.intersection(*({item.question for item in run.items} for of in runs for run in of))
    if not questions:
        raise BadInput(f"{name}: not compared: no problem is in the results of every model")
    values = [[_values(run, questions) for run in of_method] for of_method in runs]
    scores = [
        MethodScore(method.name, tuple(sum(of) / len(of) for of in seeds), bootstrap_grid(seeds))
        for method, seeds in zip(methods, values, strict=True)
    ]
    pairs = [
        (one.name, other.name, _compare(first, seeds, others))
        for (one, seeds), (other, others) in combinations(zip(methods, values, strict=True), 2)
    ]
    return GridTask(name, first.main_metric, len(questions), tuple(scores), tuple(pairs))


def _values(run: TaskRun, questions: set[str]) -> list[float]:
    """Values of the headline metric, in the order of the questions' digests."""
    values = {item.question: item.values[run.main_metric] for item in run.items if item.question in questions}
    return [values[question] for question in sorted(questions)]


def _compare(run: TaskRun, seeds: list[list[float]], others: list[list[float]]) -> Comparison:
    pairs = [
        (sum(a) / len(a), sum(b) / len(b))
        for a, b in zip(zip(*seeds, strict=True), zip(*others, strict=True), strict=True)
    ]
    better, worse = sum(one > two for one, two in pairs), sum(one < two for one, two in pairs)
    whole = len(seeds) == len(others) == 1 and all(value in (0, 1) for pair in pairs for value in pair)
    difference = bootstrap_grid(seeds, others)
    return Comparison(
        task=run.task,
        metric=run.main_metric,
        n=len(pairs),
        value=sum(one for one, _ in pairs) / len(pairs),
        other=sum(two for _, two in pairs) / len(pairs),
        difference=difference,
        better=better,
        worse=worse,
        p=mcnemar(better, worse) if whole else None,
    )
