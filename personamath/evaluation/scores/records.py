"""The records of evaluation: a score, the items behind it, the task and the run they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from personamath.evaluation.scores.statistics import bootstrap_mean

MAIN_METRIC = "exact_match"
"""The headline metric where a problem has one completion: the share of answers that our grader finds correct."""

FACTS = "personamath"
"""Key in a task's `metadata` under which lm-eval's results hold its `prompt`, `data` and `model`."""


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over problems, with its interval: what another sample of problems might have given."""

    task: str
    """lm-eval's name, e.g. `personamath_gsm8k`."""
    metric: str
    """E.g. `exact_match`."""
    group: str
    """`all`, or a part of the task, e.g. `subject=Algebra` or `level=5`."""
    n: int
    """How many problems it is the mean of."""
    value: float
    """A share, 0 to 1."""
    low: float
    high: float
    """Ends of the 95 % bootstrap interval over the problems."""


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """The model that was scored."""

    name: str
    """Hub id, a server's name for it, or the name of a local folder."""
    revision: str | None
    """The revision requested from the Hub, e.g. `v1.0.0`; None if none was given, and for a local folder."""
    training_record: str | None
    """SHA-256 of the training.json in a local folder, which identifies the training; None if there is none."""
    local: bool
    """Whether it was a local folder."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """The problems of a task."""

    name: str
    """Hub id, e.g. `openai/gsm8k`, or the name of a local file."""
    config: str | None
    """Dataset config; None if the dataset has only one, and for a local file."""
    split: str | None
    """None for a local file."""
    revision: str | None
    """The commit that was requested; None for a local file."""
    local: bool
    """Whether it was a local file."""
    fingerprint: str
    """Digest of the problems and reference answers; it does not depend on the file format."""


@dataclass(frozen=True, slots=True)
class Item:
    """One problem of a task, with its value of each metric."""

    id: int
    """Its position in the task's data, counted from 0."""
    question: str
    """Digest of the question: the same problem has the same digest in every run of the task."""
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
    """`metadata.version` of the task: scores of different versions are not comparable."""
    n: int
    """How many problems were scored."""
    n_original: int
    """How many problems the task's data has; more than `n` where `--limit` or `--samples` left some out."""
    n_published: int | None
    """How many problems the published dataset has; None if the task does not say."""
    prompt: str
    """The prompt with `{instruction}` for the problem, as in training.json's `prompt.evaluation`."""
    generation: Mapping[str, Any]
    """lm-eval's `generation_kwargs`: `max_gen_toks`, `until`, `temperature`, ..."""
    limits: tuple[int, int] | None
    """The lowest and the highest limit of new tokens: `max_gen_toks`, reduced to fit the model's context; None if
    the samples were not logged."""
    samples: int
    """How many completions each problem has."""
    data: DataSource
    date: str | None
    """When lm-eval began, ISO 8601 in UTC; None if the file does not say."""
    items: tuple[Item, ...]
    """In the order of their ids; empty where the samples were not logged."""
    faults: tuple[str, ...]
    """Why this task's scores must not be published, a sentence each; empty where they may be."""
    samples_file: Path | None = None
    """lm-eval's file with the completions behind these scores; None if it is not known."""

    @property
    def main_metric(self) -> str:
        """The task's headline metric: the first."""
        return self.metrics[0]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics; every item has a value of each."""
        return tuple(self.items[0].values) if self.items else ()

    def score(self, metric: str, group: str = "all") -> Score:
        """Return the score of a metric over a group of `groups()`."""
        values = [item.values[metric] for item in self.items if group == "all" or group in groups_of(item)]
        return Score(self.task, metric, group, len(values), *bootstrap_mean(values))

    def groups(self) -> tuple[str, ...]:
        """Return `all`, then every subject and every level of the items."""
        found = {group for item in self.items for group in groups_of(item)}
        return ("all", *sorted(found, key=lambda group: (group.startswith("level="), group)))

    def scores(self) -> list[Score]:
        """Return the score of every metric over all items, and over every subject and level."""
        return [self.score(metric, group) for group in self.groups() for metric in self.metrics]


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """The scores of one model: the tasks of one or more runs of lm-eval."""

    tasks: tuple[TaskRun, ...]
    """At least one, sorted by name, each once."""
    sha: str | None
    """The commit of the model on the Hub, as lm-eval reports it; None for a local folder."""
    backend: str
    """lm-eval's `--model`, e.g. `vllm`."""
    harness: str
    """Version of lm-eval."""
    faults: tuple[str, ...]
    """Reasons not to publish that are not of a single task, e.g. that several models were scored."""

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.tasks[0].model.name

    @property
    def revision(self) -> str | None:
        """The revision requested from the Hub, e.g. `v1.0.0`; None if none was given."""
        return self.tasks[0].model.revision

    @property
    def training_record(self) -> str | None:
        """SHA-256 of the training.json in the folder that was scored; None if there is none."""
        return self.tasks[0].model.training_record

    def all_faults(self) -> list[str]:
        """Return every reason why these scores must not reach a card, a sentence each; empty where they may."""
        return [*self.faults, *(f"{run.task}: {fault}" for run in self.tasks for fault in run.faults)]

    def scores(self) -> list[Score]:
        """Return the scores of every task, in order."""
        return [score for run in self.tasks for score in run.scores()]


def groups_of(item: Item) -> list[str]:
    """Return the names of the groups that an item belongs to, except `all`."""
    subject = [f"subject={item.subject}"] if item.subject else []
    return subject + ([f"level={item.level}"] if item.level is not None else [])
