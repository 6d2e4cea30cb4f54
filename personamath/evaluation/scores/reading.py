"""Read one model's scores from lm-eval's files, with every reason why they should not be published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.evaluation.scores.lm_eval_files import (
    HOW,
    PREFIX,
    Output,
    Results,
    SampleCount,
    read_output,
    read_samples,
    results_files,
)
from personamath.evaluation.scores.records import ScoredRun, TaskRun

CHANGEABLE = frozenset({"max_gen_toks"})
"""What `--gen_kwargs` may change without making it a different score; the card states it."""
ENOUGH = 20
"""With this many problems, completions that never differ are no coincidence."""
ROUNDING = 1e-6
"""By how much the mean of the samples may differ from the mean in the results file."""


def read_results(paths: Sequence[Path]) -> ScoredRun:
    """Read one model's results: files `results_….json`, or folders that contain some at any depth.

    The samples are expected beside them, where lm-eval writes them. Results that must not be published are read too;
    `ScoredRun.all_faults` says why. Raises BadInput if there is nothing to read, a file is torn, or a task occurs
    twice.
    """
    outputs = [read_output(path) for path in results_files(paths)]
    found = [(task, output) for output in outputs for task in output.tasks()]
    if not found:
        raise BadInput(f"{paths[0]}: no results of a task named {PREFIX}…; {HOW} --tasks personamath")
    at: dict[str, Path] = {}
    for task, output in found:
        if task in at:
            raise BadInput(f"{task} is in {at[task]} and in {output.path}: name the one to read")
        at[task] = output.path
    used = [output.content for output in outputs if output.tasks()]
    tasks = [read_task(task, output) for task, output in sorted(found, key=lambda pair: pair[0])]
    return ScoredRun(
        tasks=tuple(tasks),
        sha=used[0].config.model_sha or None,
        backend=used[0].config.model,
        harness=used[0].lm_eval_version,
        faults=(*differences(used), *models(tasks)),
    )


def differences(contents: Sequence[Results]) -> Iterator[str]:
    """A sentence for each thing that should be the same in all files and differs."""
    yield from several("commits of the model", (content.config.model_sha or "" for content in contents))
    yield from several("backends", (content.config.model for content in contents))
    yield from several("versions of lm-eval", (content.lm_eval_version for content in contents))


def models(tasks: Sequence[TaskRun]) -> Iterator[str]:
    """A sentence where several models were scored, or one model before and after it was trained again."""
    yield from several("models", (f"{run.model.name}@{run.model.revision or 'main'}" for run in tasks))
    if len({run.model.training_record for run in tasks}) > 1:
        yield "the model was trained again, or moved, between the results"


def several(what: str, values: Iterable[object]) -> Iterator[str]:
    """A sentence where the values differ."""
    found = sorted({str(value) for value in values})
    if len(found) > 1:
        yield f"the results are of {len(found)} {what}: {', '.join(found)}"


def read_task(task: str, output: Output) -> TaskRun:
    """Read one task of a results file, with its samples."""
    content, config = output.content, output.task_config(task)
    counts, facts = content.n_samples.get(task, SampleCount()), config.metadata.personamath
    samples_file = output.samples_path(task)
    items, limits, alike = read_samples(samples_file)
    run = TaskRun(
        task=task,
        model=facts.model,
        version=str(content.versions.get(task)),
        n=counts.effective,
        n_original=counts.original,
        n_published=config.metadata.problems,
        prompt=facts.prompt,
        generation=config.generation_kwargs or {},
        limits=(min(limits), max(limits)) if limits else None,
        samples=config.repeats,
        data=facts.data,
        date=began(content),
        items=items,
        faults=(),
        samples_file=samples_file,
    )
    results = content.results.get(task, {})
    faults = [
        *faults_of_run(content),
        *faults_of_data(run, config.metadata.fingerprint),
        *faults_of_items(run, results),
    ]
    if run.samples > 1 and run.n >= ENOUGH and alike:
        faults.append(f"the {run.samples} completions of every problem are the same: the server does not sample")
    return replace(run, faults=tuple(faults))


def began(content: Results) -> str | None:
    """When lm-eval began, ISO 8601 in UTC."""
    return datetime.fromtimestamp(content.date, UTC).isoformat(timespec="seconds") if content.date else None


def faults_of_run(content: Results) -> Iterator[str]:
    """Options of lm-eval that make it a different score."""
    if content.config.limit is not None:
        yield f"scored with --limit {content.config.limit:g}: a preview, not a score"
    if content.chat_template or content.system_instruction:
        yield "scored with a chat template or a system instruction, which the model was not trained with"
    asked = content.config.gen_kwargs or {}
    changed = ", ".join(f"{name}={value}" for name, value in asked.items() if name not in CHANGEABLE)
    if changed:
        yield f"generated with other settings than the task's: --gen_kwargs {changed}"


def faults_of_data(run: TaskRun, published: str | None) -> Iterator[str]:
    """What is wrong with the problems of a task; `published` is the digest of the dataset's own."""
    if run.n != run.n_original:
        yield f"{run.n:,} of {run.n_original:,} problems were scored"
    if run.n_published is not None and run.n_original != run.n_published:
        yield f"the data has {run.n_original:,} problems, and the dataset {run.n_published:,}"
    elif run.data.local and published and run.data.fingerprint != published:
        yield f"the problems of {run.data.name} are not those of the dataset"


def faults_of_items(run: TaskRun, results: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the samples of a task."""
    if not run.items:
        yield f"the samples are missing; {HOW}"
        return
    ids = [item.id for item in run.items]
    if len(ids) != run.n or len(set(ids)) != len(ids):
        yield f"{len(set(ids)):,} different samples of {run.n:,} problems"
    if any(item.values.keys() != run.items[0].values.keys() for item in run.items):
        yield "the samples do not have the same metrics"
        return
    for metric in run.metrics:
        stated = results.get(f"{metric},none")
        mean = sum(item.values[metric] for item in run.items) / len(run.items)
        if not isinstance(stated, int | float) or abs(mean - stated) > ROUNDING:
            yield f"the samples average {metric} {mean:.4f}, the results say {stated}: they are from two runs"
