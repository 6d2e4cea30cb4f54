"""The scored completions of a model as a dataset: one config for each task, one parquet file for each model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from personamath.errors import BadInput
from personamath.evaluation.scores import TaskRun
from personamath.evaluation.scores.completions import ScoredProblem, read_completions
from personamath.folder.layout import CARD
from personamath.folder.leaks import Secrets
from personamath.folder.markdown import code, table
from personamath.folder.parquet_writer import parquet_writer
from personamath.folder.rendering import render
from personamath_hub.models.published_scores import BASE_MODEL, MODEL, completions_path
from personamath_hub.models.scores import Scores

SAMPLES = "samples"


def samples_repo(repo_id: str) -> str:
    """Return the dataset repository of a model's scored completions."""
    return f"{repo_id}-{SAMPLES}"


def write_samples(folder: Path, scores: Scores, repo_id: str, version: str, secrets: Secrets) -> str:
    """Write the dataset folder of the completions behind these scores; returns what was checked, in a line.

    A row is one problem. It holds what the task's problem, the model and the graders said, and nothing of lm-eval's
    settings, which name places on the machine. Raises `BadInput` if a text has a key or a path of this machine.
    """
    count = 0
    for split, run in _runs(scores):
        problems = read_completions(run)
        completions = _table(problems, run.metrics)
        _refuse_leaks(completions, run, secrets)
        path = folder / completions_path(run.task, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        with parquet_writer(path, completions.schema) as writer:
            writer.write_table(completions)
        count += sum(len(problem.completions) for problem in problems)
    (folder / CARD).write_text(_card(scores, repo_id, version), encoding="utf-8")
    return f"no key and no path of this machine in {count:,} scored completions"


def own_problems(scores: Scores, samples: str) -> Iterator[str]:
    """Name the local files whose problems are published with the completions, in lines for the user."""
    for name in sorted({run.data.name for run in scores.model.tasks if run.data.local}):
        yield f"{samples} will show the problems and answers of the local file {name}"


def _runs(scores: Scores) -> Iterator[tuple[str, TaskRun]]:
    """Give every task that was scored, with its split; the base model's on tasks of the model only."""
    yield from ((MODEL, run) for run in scores.model.tasks)
    tasks = {run.task for run in scores.model.tasks}
    yield from ((BASE_MODEL, run) for run in (scores.base.tasks if scores.base else ()) if run.task in tasks)


def _table(problems: list[ScoredProblem], metrics: tuple[str, ...]) -> pa.Table:
    columns = {
        "id": (pa.int32(), [problem.id for problem in problems]),
        "question": (pa.string(), [problem.question for problem in problems]),
        "answer": (pa.string(), [problem.answer for problem in problems]),
        "subject": (pa.string(), [problem.subject for problem in problems]),
        "level": (pa.int32(), [problem.level for problem in problems]),
        "prompt": (pa.string(), [problem.prompt for problem in problems]),
        "completions": (pa.list_(pa.string()), [list(problem.completions) for problem in problems]),
        **{metric: (pa.float64(), [problem.values[metric] for problem in problems]) for metric in metrics},
    }
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})


def _refuse_leaks(completions: pa.Table, run: TaskRun, secrets: Secrets) -> None:
    for name in ("question", "answer", "subject", "prompt", "completions"):
        for chunk in completions[name].chunks:
            texts = chunk.flatten() if name == "completions" else chunk
            if leak := secrets.in_column(texts):
                raise BadInput(
                    f"{run.samples_file}: a text of column {name} contains {leak.what}; "
                    "remove it, or push without --with-samples"
                )


def _card(scores: Scores, repo_id: str, version: str) -> str:
    splits: dict[str, list[str]] = {}
    for split, run in _runs(scores):
        splits.setdefault(run.task, []).append(split)
    return render(
        "samples.md.jinja",
        {},
        metadata=yaml.safe_dump(_metadata(splits), sort_keys=False).strip(),
        repo_id=repo_id,
        samples=samples_repo(repo_id),
        version=version,
        first=scores.model.tasks[0].task,
        base=scores.base and scores.base.model,
        tasks=_tasks_table(scores, splits),
    )


def _metadata(splits: dict[str, list[str]]) -> dict[str, Any]:
    configs = [
        {
            "config_name": task,
            "data_files": [{"split": split, "path": completions_path(task, split)} for split in found],
        }
        for task, found in splits.items()
    ]
    return {"language": ["en"], "tags": ["math", "evaluation"], "configs": configs}


def _tasks_table(scores: Scores, splits: dict[str, list[str]]) -> str:
    rows = [
        [
            f"`{run.task}`",
            run.version,
            ", ".join(f"`{split}`" for split in splits[run.task]),
            f"{run.n:,}",
            f"{run.samples:,}",
            ("local file " if run.data.local else "") + code(run.data.name),
        ]
        for run in scores.model.tasks
    ]
    header = ["config", "version", "splits", "problems", "completions of each", "problems from"]
    return table(header, rows, text_columns=(0, 1, 2, 5))
