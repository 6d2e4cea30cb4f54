"""The files that lm-eval writes with `--output_path FOLDER --log_samples`: one of results, one of samples a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.evaluation.scores.records import DataSource, Item, ScoredModel
from personamath.files import from_json, read_json
from personamath.sources.tables import read_file

PREFIX = "personamath_"
"""How the names of our tasks begin; results of other tasks are ignored."""
HOW = "run lm_eval with --output_path FOLDER --log_samples"
AGAIN = "score it again with this package"


@dataclass(frozen=True, slots=True)
class Facts:
    """What our tasks add to their `metadata`, under the key `FACTS`."""

    prompt: str
    data: DataSource
    model: ScoredModel


@dataclass(frozen=True, slots=True)
class Metadata:
    """A task's `metadata`, as far as it is read."""

    personamath: Facts
    problems: int | None = None
    """How many problems the published dataset has; None if the task does not say."""
    fingerprint: str | None = None
    """Digest of the published problems; None if the task does not say."""


@dataclass(frozen=True, slots=True)
class TaskConfig:
    """A task's configuration, as far as it is read."""

    metadata: Metadata
    generation_kwargs: dict[str, Any] | None = None
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Invocation:
    """How lm-eval was called."""

    model: str = "unknown"
    """`--model`, e.g. `vllm`."""
    model_args: dict[str, Any] | str | None = None
    """`--model_args`, parsed or as typed."""
    model_sha: str | None = None
    """The commit of a model on the Hub; empty for a local folder."""
    limit: float | None = None
    gen_kwargs: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SampleCount:
    """How many problems a task has, and how many of them were scored."""

    original: int = 0
    effective: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    """A results file, as far as it is read; hyphens in keys are underscores here."""

    results: dict[str, dict[str, Any]]
    configs: dict[str, dict[str, Any]]
    """By the names of tasks; groups have none."""
    versions: dict[str, Any]
    n_samples: dict[str, SampleCount]
    config: Invocation
    lm_eval_version: str = "unknown"
    date: float | None = None
    """When lm-eval began, in seconds since 1970."""
    chat_template: Any = None
    system_instruction: Any = None


class Output(NamedTuple):
    """A results file and what it holds."""

    path: Path
    content: Results

    def samples_path(self, task: str) -> Path:
        """Return where lm-eval writes the samples of a task: both names end in the time of the run."""
        return self.path.with_name(f"samples_{task}_{self.path.stem.rpartition('_')[2]}.jsonl")

    def tasks(self) -> list[str]:
        """Return the names of our tasks in it."""
        return sorted(name for name in self.content.configs if name.startswith(PREFIX))

    def task_config(self, task: str) -> TaskConfig:
        """Return a task's configuration; raises BadInput if another version of the task wrote it."""
        return from_json(TaskConfig, self.content.configs[task], f"{self.path}: {task}", AGAIN)


class Samples(NamedTuple):
    """What the samples file of a task holds."""

    items: tuple[Item, ...]
    """By id; empty where the samples were not logged."""
    limits: set[int]
    """How many new tokens the completions could have."""
    alike: bool
    """Whether all completions of every problem are the same."""


def results_files(paths: Sequence[Path]) -> list[Path]:
    """List the results files among the paths and in folders among them, each once."""
    files: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.rglob("results_*.json")) if path.is_dir() else [path]
        if not inside:
            raise BadInput(f"{path}: contains no results_….json; {HOW}")
        files.update(dict.fromkeys(file.resolve() for file in inside))
    return list(files)


def read_output(path: Path) -> Output:
    """Read a results file; raises BadInput if it is missing or something else."""
    content = {name.replace("-", "_"): value for name, value in read_json(path, HOW).items()}
    return Output(path, from_json(Results, content, str(path), HOW))


def read_samples(path: Path) -> Samples:
    """Read the samples of a task; raises BadInput if a line is torn or not of one of our tasks."""
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
