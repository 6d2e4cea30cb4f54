"""The problems of a run: rows of the config `rl`, with the prompt as the plain text that the model was trained on."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from personamath.errors import BadInput
from personamath.files import in_one_line, is_visible
from personamath.rewards import read_reference
from personamath.training.data import load_rows
from personamath.training.examples import has_special, special_ids, tokenize
from personamath.training.prompts import alpaca
from personamath.training.record import RowCounts, TrainingData

COLUMNS = ("prompt", "solution")
LAYOUT = 'it must be [{"role": "user", "content": PROBLEM}]'
Dropped = Literal["no readable solution", "empty", "special token in the text", "longer than max_prompt_length"]


class Problem(NamedTuple):
    """A problem as trainer and reward get it."""

    prompt: str
    """The Alpaca prompt around the problem, as in fine-tuning."""
    solution: str
    """The reference answer, as the dataset has it."""


def load_problems(
    name: str, config: str, revision: str | None, allow_simulated: bool
) -> tuple[list[tuple[str, Any]], TrainingData]:
    """Load problems and their solutions from the Hub, a dataset folder, or a JSONL or parquet file.

    Raises BadInput if they cannot be loaded, a prompt is not one user message, or the rows are simulated and
    `allow_simulated` is false.
    """
    rows, data = load_rows(name, config, revision, allow_simulated, COLUMNS)
    prompts = [_problem(prompt, f"{name}: row {number}") for number, prompt in enumerate(rows["prompt"])]
    return list(zip(prompts, rows["solution"], strict=True)), data


def make_problems(
    rows: Sequence[tuple[str, Any]], tokenizer: Any, max_prompt_length: int
) -> tuple[list[Problem], RowCounts]:
    """Render the problems that can be trained on, in order, and count the rows."""
    specials = special_ids(tokenizer)
    prompts = [alpaca(problem) for problem, _ in rows]
    used: list[Problem] = []
    dropped: Counter[str] = Counter()
    tokens = 0
    for (problem, solution), prompt, ids in zip(rows, prompts, tokenize(prompts, tokenizer), strict=True):
        reason: Dropped | None = None
        if read_reference(solution) is None:
            reason = "no readable solution"
        elif not is_visible(problem):
            reason = "empty"
        elif has_special(ids, specials, tokenizer):
            reason = "special token in the text"
        elif len(ids) > max_prompt_length:
            reason = "longer than max_prompt_length"
        if reason:
            dropped[reason] += 1
            continue
        used.append(Problem(prompt, str(solution)))
        tokens += len(ids)
    counts = RowCounts(
        read=len(rows),
        used=len(used),
        dropped=dict(dropped.most_common()),
        truncated=0,
        tokens=tokens,
        label_tokens=0,
    )
    return used, counts


def problems_digest(problems: Sequence[Problem]) -> str:
    """Return a digest of all problems in their order."""
    digest = sha256()
    for problem in problems:
        digest.update(json.dumps(problem).encode())
    return digest.hexdigest()


def as_dataset(problems: Sequence[Problem]) -> Any:
    """Return problems as the trainer takes them, a `datasets.Dataset`."""
    import datasets

    return datasets.Dataset.from_list([problem._asdict() for problem in problems])


def _problem(prompt: Any, place: str) -> str:
    """Return the problem in a prompt of one user message."""
    message = prompt[0] if isinstance(prompt, list) and len(prompt) == 1 else None
    if isinstance(message, Mapping) and message.get("role") == "user" and isinstance(message.get("content"), str):
        return str(message["content"])
    raise BadInput(f"{place}: prompt is {in_one_line(repr(prompt), 80)}; {LAYOUT}")
