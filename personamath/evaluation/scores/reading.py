"""lm-eval's results and samples, read from what its `--output_path` wrote, and everything that speaks against them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.evaluation.scores.records import FACTS, DataSource, Item, ScoredModel, ScoredRun, TaskRun
from personamath.sources.tables import read_file

PREFIX = "personamath_"
"""Of the names of our tasks; results of others are left alone."""
HOW = "run lm_eval with --output_path FOLDER --log_samples"
CHANGEABLE = frozenset({"max_gen_toks"})
"""What `--gen_kwargs` may change without making another score of it; the card states it."""
ENOUGH = 20
"""Problems after which completions that never differ are no accident."""
ROUNDING = 1e-6
"""By how much the mean of the samples may differ from what lm-eval wrote, which is the same mean."""


class Output(NamedTuple):
    """A results file of lm-eval."""

    path: Path
    content: dict[str, Any]

    def samples_path(self, task: str) -> Path:
        """Where lm-eval writes the samples of a task beside it: both names end in the time of the run."""
        return self.path.with_name(f"samples_{task}_{self.path.stem.rpartition('_')[2]}.jsonl")

    def tasks(self) -> list[str]:
        """Our tasks in it; groups have no configuration."""
        return sorted(name for name in self.content["configs"] if name.startswith(PREFIX))


def read_results(paths: Sequence[Path]) -> ScoredRun:
    """Read one model's results: files `results_….json`, or folders that hold some at any depth.

    The samples are expected beside them, as lm-eval writes them. Results that must not be published are read as well;
    `ScoredRun.unfit` says why. Raises BadInput where there is nothing to read, a file is torn, or a task comes twice.
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
    used = [output for output in outputs if output.tasks()]
    first = used[0].content
    tasks = [read_task(task, output) for task, output in sorted(found, key=lambda pair: pair[0])]
    return ScoredRun(
        tasks=tuple(tasks),
        sha=text(first["config"].get("model_sha")),
        backend=str(first["config"].get("model")),
        harness=str(first.get("lm_eval_version")),
        faults=(*differences(used), *models(tasks)),
    )


def results_files(paths: Sequence[Path]) -> list[Path]:
    """The results files that the paths are or hold, each once."""
    files: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.rglob("results_*.json")) if path.is_dir() else [path]
        if not inside:
            raise BadInput(f"{path}: holds no results_….json; {HOW}")
        files.update(dict.fromkeys(file.resolve() for file in inside))
    return list(files)


def read_output(path: Path) -> Output:
    """A results file; raises BadInput where it is missing or none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; {HOW}") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {error}; {HOW}") from None
    parts = ("results", "configs", "versions", "n-samples", "config")
    if not isinstance(content, dict) or not all(isinstance(content.get(part), dict) for part in parts):
        raise BadInput(f"{path}: not a results file of lm-eval; {HOW}")
    return Output(path, content)


def began(content: Mapping[str, Any]) -> str | None:
    """When lm-eval began; it writes seconds since 1970."""
    seconds = content.get("date")
    if not isinstance(seconds, int | float):
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def text(value: Any) -> str | None:
    """A text that says something."""
    return str(value) if value else None


def differences(outputs: Sequence[Output]) -> Iterator[str]:
    """What should be one in all files, and is not."""
    contents = [output.content for output in outputs]
    yield from several("commits of the model", (content["config"].get("model_sha") or "" for content in contents))
    yield from several("backends", (content["config"].get("model") for content in contents))
    yield from several("versions of lm-eval", (content.get("lm_eval_version") for content in contents))


def models(tasks: Sequence[TaskRun]) -> Iterator[str]:
    """A sentence, if the tasks were scored on more than one model, or on one before and after it was trained again."""
    yield from several("models", (f"{run.model.name}@{run.model.revision or 'main'}" for run in tasks))
    if len({run.model.training_record for run in tasks}) > 1:
        yield "the model was trained again, or moved, between the results"


def several(what: str, values: Iterable[object]) -> Iterator[str]:
    """A sentence, if the values differ."""
    found = sorted({str(value) for value in values})
    if len(found) > 1:
        yield f"the results are of {len(found)} {what}: {', '.join(found)}"


def read_task(task: str, output: Output) -> TaskRun:
    """One task of a results file, with its samples."""
    content, config = output.content, output.content["configs"][task]
    counts, metadata = content["n-samples"].get(task, {}), config.get("metadata") or {}
    try:
        facts = metadata[FACTS]
        data, model, prompt = DataSource(**facts["data"]), ScoredModel(**facts["model"]), str(facts["prompt"])
    except (KeyError, TypeError):
        raise BadInput(
            f"{output.path}: {task} does not say what it was scored on; score it again with this package"
        ) from None
    items, limits, alike = read_samples(output.samples_path(task))
    run = TaskRun(
        task=task,
        model=model,
        version=str(content["versions"].get(task)),
        n=int(counts.get("effective", 0)),
        n_original=int(counts.get("original", 0)),
        n_published=metadata.get("problems"),
        prompt=prompt,
        generation=config.get("generation_kwargs") or {},
        limits=(min(limits), max(limits)) if limits else None,
        samples=int(config.get("repeats", 1)),
        data=data,
        date=began(content),
        items=items,
        faults=(),
    )
    results = content["results"].get(task, {})
    found = [*faults_of_run(content), *faults_of_task(run, metadata), *faults_of_items(run, results)]
    if run.samples > 1 and run.n >= ENOUGH and alike:
        found.append(f"the {run.samples} completions of every problem are the same: the server does not sample")
    return replace(run, faults=tuple(found))


class Samples(NamedTuple):
    """What the samples file of a task holds."""

    items: tuple[Item, ...]
    """By id; none where the samples were not logged."""
    limits: set[int]
    """How many new tokens the completions might have."""
    alike: bool
    """Whether all completions of every problem are the same."""


def read_samples(path: Path) -> Samples:
    """The samples of a task; raises BadInput where a line is torn or none of ours."""
    items: list[Item] = []
    limits: set[int] = set()
    alike = True
    for place, row in read_file(path) if path.is_file() else ():
        try:
            doc = row["doc"]
            values = {metric: float(row[metric]) for metric in row["metrics"]}
            items.append(Item(int(row["doc_id"]), str(row["doc_hash"]), doc["level"], doc["subject"], values))
            limits.update(int(asked["arg_1"]["max_gen_toks"]) for asked in row["arguments"].values())
            alike = alike and len({text for texts in row["resps"] for text in texts}) == 1
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"{place}: not a sample of a task of this package ({error!r}); {HOW}") from None
    return Samples(tuple(sorted(items, key=lambda item: item.id)), limits, alike)


def faults_of_run(content: Mapping[str, Any]) -> Iterator[str]:
    """What lm-eval was asked for that makes another score of it."""
    if content["config"].get("limit") is not None:
        yield f"scored with --limit {content['config']['limit']:g}: a look, not a score"
    if content.get("chat_template") or content.get("system_instruction"):
        yield "scored with a chat template or a system instruction, which the model was not trained with"
    asked = content["config"].get("gen_kwargs") or {}
    changed = ", ".join(f"{name}={value}" for name, value in asked.items() if name not in CHANGEABLE)
    if changed:
        yield f"generated otherwise than the task says: --gen_kwargs {changed}"


def faults_of_task(run: TaskRun, metadata: Mapping[str, Any]) -> Iterator[str]:
    """What speaks against the data of a task."""
    if run.n != run.n_original:
        yield f"{run.n:,} of {run.n_original:,} problems were scored"
    if run.n_published is not None and run.n_original != run.n_published:
        yield f"the data holds {run.n_original:,} problems, and not the {run.n_published:,} of the dataset"
    elif run.data.local and run.data.fingerprint != metadata.get("fingerprint", run.data.fingerprint):
        yield f"the problems of {run.data.name} are not those of the dataset"


def faults_of_items(run: TaskRun, results: Mapping[str, Any]) -> Iterator[str]:
    """What speaks against the samples of a task."""
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
            yield f"the samples come to {metric} {mean:.4f}, the results say {stated}: they are of two runs"
