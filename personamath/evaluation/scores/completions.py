"""The scored completions of a task, read from lm-eval's samples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from personamath.errors import BadInput
from personamath.evaluation.scores.lm_eval_files import HOW
from personamath.evaluation.scores.records import TaskRun
from personamath.sources.tables import read_file


@dataclass(frozen=True, slots=True)
class ScoredProblem:
    """One problem of a task, with the model's completions and their verdicts."""

    id: int
    """Its position in the task's data, counted from 0."""
    question: str
    answer: str
    """The reference answer."""
    subject: str | None
    level: int | None
    prompt: str
    """The text that the model completed."""
    completions: tuple[str, ...]
    """One for each sample of the task."""
    values: Mapping[str, float]
    """By metric, 0 to 1."""


def read_completions(run: TaskRun) -> list[ScoredProblem]:
    """Read the completions behind a task's scores, by id; raises `BadInput` if a line is torn or of another form."""
    path = run.samples_file
    if path is None or not path.is_file():
        raise BadInput(f"{run.task}: its completions are missing; {HOW}")
    return sorted(_problems(read_file(path), run.metrics), key=lambda problem: problem.id)


def _problems(rows: Iterator[tuple[Any, Mapping[str, Any]]], metrics: tuple[str, ...]) -> Iterator[ScoredProblem]:
    for place, row in rows:
        try:
            doc = row["doc"]
            yield ScoredProblem(
                id=int(row["doc_id"]),
                question=str(doc["question"]),
                answer=str(doc["answer"]),
                subject=doc["subject"],
                level=doc["level"],
                prompt=str(next(iter(row["arguments"].values()))["arg_0"]),
                completions=tuple(str(text) for texts in row["resps"] for text in texts),
                values={metric: float(row[metric]) for metric in metrics},
            )
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
            raise BadInput(f"{place}: not a sample of a task of this package ({error!r}); {HOW}") from None
