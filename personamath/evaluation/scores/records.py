"""The vocabulary of evaluation: a score, the items behind it, the task and the run they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personamath.evaluation.scores.statistics import bootstrap_mean

MAIN_METRIC = "exact_match"
"""Of a task with one completion for each problem: the share that our grader finds right."""

FACTS = "personamath"
"""Key in a task's `metadata` under which lm-eval's results tell its `prompt`, `data` and `model`."""


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over problems, with the interval that the choice of the problems leaves."""

    task: str
    """lm-eval's name, e.g. `personamath_gsm8k`."""
    metric: str
    """E.g. `exact_match`."""
    group: str
    """`all`, or the part of the task it is over, e.g. `subject=Algebra` or `level=5`."""
    n: int
    """Problems."""
    value: float
    """A share, 0 to 1."""
    low: float
    high: float
    """Ends of the 95 % bootstrap interval over the problems."""


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """The model that was scored."""

    name: str
    """Hub id, what a server calls it, or the name of a local folder."""
    revision: str | None
    """What was asked of the Hub, e.g. `v1.0.0`; None where lm-eval was not told, and for a local folder."""
    training_record: str | None
    """SHA-256 of the training.json in a local folder, which tells one training from another; None without one."""
    local: bool
    """Whether it was a local folder."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """The problems of a task."""

    name: str
    """Hub id, e.g. `openai/gsm8k`, or the name of a local file."""
    config: str | None
    """Dataset config; None where the dataset has one only, and for a local file."""
    split: str | None
    """None for a local file."""
    revision: str | None
    """The commit that was asked for; None for a local file."""
    local: bool
    """Whether it was a local file."""
    fingerprint: str
    """Digest over the problems and reference answers, whatever file they came in."""


@dataclass(frozen=True, slots=True)
class Item:
    """One problem of a task, and what each metric gave it."""

    id: int
    """Its place in the task's data, counted from 0."""
    question: str
    """Digest of the question; two runs of one task have the same under the same id."""
    level: int | None
    subject: str | None
    values: Mapping[str, float]
    """By metric, 0 to 1."""


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One task of a run."""

    task: str
    model: ScoredModel
    version: str
    """`metadata.version` of the task: another version is another score."""
    n: int
    """Problems that were scored."""
    n_original: int
    """Problems of the task's data as it was read; more than `n` where `--limit` or `--samples` left some out."""
    n_published: int | None
    """Problems of the dataset that the task is named after; None where the task does not say."""
    prompt: str
    """With `{instruction}` for the problem, as in training.json's `prompt.evaluation`."""
    generation: Mapping[str, Any]
    """lm-eval's `generation_kwargs`: `max_gen_toks`, `until`, `temperature`, ..."""
    limits: tuple[int, int] | None
    """The least and the most new tokens that a completion might have: `max_gen_toks`, fitted to the model's context;
    None where the samples were not logged."""
    samples: int
    """Completions of each problem."""
    data: DataSource
    date: str | None
    """When lm-eval began, ISO 8601 in UTC; None where it does not say."""
    items: tuple[Item, ...]
    """In the order of their ids; empty where the samples were not logged."""
    faults: tuple[str, ...]
    """Why this task's scores must not be published, a sentence each; empty where nothing speaks against it."""

    @property
    def main_metric(self) -> str:
        """The metric that the task is told by: the first of them."""
        return self.metrics[0]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that every item has a value of."""
        return tuple(self.items[0].values) if self.items else ()

    def score(self, metric: str, group: str = "all") -> Score:
        """The score of a metric over a group of `groups()`."""
        values = [item.values[metric] for item in self.items if group == "all" or group in groups_of(item)]
        return Score(self.task, metric, group, len(values), *bootstrap_mean(values))

    def groups(self) -> tuple[str, ...]:
        """`all`, then every subject and every level that its items have."""
        found = {group for item in self.items for group in groups_of(item)}
        return ("all", *sorted(found, key=lambda group: (group.startswith("level="), group)))

    def scores(self) -> list[Score]:
        """Every metric over all items and, where there are any, over every subject and level."""
        return [self.score(metric, group) for group in self.groups() for metric in self.metrics]


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """What one model got: the tasks of one or more runs of lm-eval."""

    tasks: tuple[TaskRun, ...]
    """At least one; in the order of their names, each once."""
    sha: str | None
    """The commit it resolved to, as lm-eval reports it; None for a local folder."""
    backend: str
    """lm-eval's `--model`, e.g. `vllm`."""
    harness: str
    """Version of lm-eval."""
    faults: tuple[str, ...]
    """What speaks against publishing beside the faults of the tasks, e.g. that several models were scored."""

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.tasks[0].model.name

    @property
    def revision(self) -> str | None:
        """What was asked of the Hub, e.g. `v1.0.0`; None where lm-eval was not told."""
        return self.tasks[0].model.revision

    @property
    def training_record(self) -> str | None:
        """SHA-256 of the training.json in the folder that was scored; None without one."""
        return self.tasks[0].model.training_record

    def unfit(self) -> list[str]:
        """Every reason why these scores must not reach a card, a sentence each; empty where there is none."""
        return [*self.faults, *(f"{run.task}: {fault}" for run in self.tasks for fault in run.faults)]

    def scores(self) -> list[Score]:
        """Of every task, in order."""
        return [score for run in self.tasks for score in run.scores()]


def groups_of(item: Item) -> list[str]:
    """The names of the groups an item belongs to, `all` apart."""
    subject = [f"subject={item.subject}"] if item.subject else []
    return subject + ([f"level={item.level}"] if item.level is not None else [])
