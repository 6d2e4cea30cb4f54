"""The dataset of a run: a version on the Hub, or a local folder, as rows and as the record tells of it."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.records import SIMULATED
from personamath.sources.tables import cached_commit
from personamath.training.examples import Example, PromptFormat, make_examples
from personamath.training.record import RowCounts, TrainingData

COLUMNS = ("problem", "response")
# Rows tokenized together: enough for the tokenizer's threads, little enough to hold.
BATCH_ROWS = 1000


def load_rows(name: str, config: str, revision: str | None, allow_simulated: bool) -> tuple[Any, TrainingData]:
    """The rows (a `datasets.Dataset` with `problem` and `response`) and where they came from.

    A folder is read as it is; a dataset on the Hub only at a named revision, so that the run can be repeated. Raises
    BadInput where it cannot be loaded, lacks the columns, or is simulated and that is not allowed.
    """
    import datasets

    local = Path(name).is_dir()
    if not local and revision is None:
        raise BadInput(f"dataset_revision is missing: name a version of {name}, e.g. --dataset_revision v1.0.0")
    if local and revision is not None:
        raise BadInput(f"dataset_revision is {revision}, but {name} is a local folder, which has none: leave it out")
    try:
        rows = datasets.load_dataset(name, config, split="train", revision=revision)
    except Exception as error:  # whatever `datasets` or the Hub's client raises, what helps is the same
        raise BadInput(_why(name, config, revision, error)) from error
    if missing := [column for column in COLUMNS if column not in rows.column_names]:
        raise BadInput(f"{name}: column {missing[0]!r} is missing; it has {', '.join(rows.column_names)}")
    simulated = "teacher" in rows.column_names and any(
        str(teacher).startswith(SIMULATED) for teacher in rows.unique("teacher")
    )
    if simulated and not allow_simulated:
        raise BadInput(
            f"{name}: its rows are simulated, nobody should train on them; --allow_simulated true to try things out"
        )
    return rows.select_columns(list(COLUMNS)), TrainingData(
        name=without_machine(name) if local else name,
        config=config,
        revision=revision,
        commit=None if local else _commit(rows, name),
        local=local,
        simulated=simulated,
    )


def make_dataset(rows: Any, tokenizer: Any, prompt_format: PromptFormat, max_length: int) -> tuple[Any, RowCounts]:
    """Examples of all rows (columns `input_ids` and `labels`, as the trainer takes them), and counts of the rows."""
    encode = partial(_encode, tokenizer=tokenizer, prompt_format=prompt_format, max_length=max_length)
    examples = rows.map(
        encode, batched=True, batch_size=BATCH_ROWS, remove_columns=rows.column_names, desc="Making examples"
    )
    dropped = Counter(reason for reason in examples["dropped"] if reason)
    used = examples.filter(_is_kept, input_columns="dropped") if dropped else examples
    if not len(used):
        raise BadInput(f"no row can be trained on: {dict(dropped)}; raise max_length, or look at the data")
    counts = RowCounts(
        read=len(rows),
        used=len(used),
        dropped=dict(dropped.most_common()),
        truncated=sum(used["truncated"]),
        tokens=sum(used["tokens"]),
        label_tokens=sum(used["label_tokens"]),
    )
    return used.select_columns(["input_ids", "labels"]), counts


def without_machine(folder: str) -> str:
    """A folder's name for a record: as it was given where it is relative, else its last part."""
    return Path(folder).as_posix() if not Path(folder).is_absolute() else Path(folder).name


def _encode(
    batch: dict[str, list[str]], tokenizer: Any, prompt_format: PromptFormat, max_length: int
) -> dict[str, list[Any]]:
    made = make_examples(batch["problem"], batch["response"], tokenizer, prompt_format, max_length)
    kept = [item if isinstance(item, Example) else Example([], [], truncated=False) for item in made]
    return {
        "input_ids": [example.input_ids for example in kept],
        "labels": [example.labels for example in kept],
        "truncated": [example.truncated for example in kept],
        "tokens": [len(example.input_ids) for example in kept],
        "label_tokens": [sum(label >= 0 for label in example.labels) for example in kept],
        "dropped": ["" if isinstance(item, Example) else item for item in made],
    }


def _is_kept(dropped: str) -> bool:
    return not dropped


def _commit(rows: Any, name: str) -> str:
    """The commit of the Hub that the cached rows were loaded from."""
    commit = cached_commit(rows)
    if commit is None:
        raise BadInput(f"{name}: cannot tell its commit from the cache; download it and name the folder instead")
    return commit


def _why(name: str, config: str, revision: str | None, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    where = f"{name}@{revision}" if revision else name
    return f"cannot load {where}, config {config!r} ({reason}); check the name, the revision and HF_TOKEN"
