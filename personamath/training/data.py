"""The dataset of a run: rows of a version on the Hub or of a local folder, and their entry in the record."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from personamath.errors import BadInput
from personamath.files import first_cause, folder_for_libraries, in_one_line, read_json
from personamath.records import SIMULATED
from personamath.sources.hub import cached_commit
from personamath.training.examples import Example, PromptFormat, make_examples
from personamath.training.jsonl import sound
from personamath.training.record import RowCounts, TrainingData

COLUMNS = ("problem", "response")
TEACHER = "teacher"
"""The column that says which model wrote a row."""
FILE_TYPES = {".parquet": "parquet", ".jsonl": "json"}
"""What `datasets` calls the type of a file, by its ending."""
# Of a dataset folder; `folder.layout` is in a layer above.
PROVENANCE = "provenance.json"
# Rows tokenized together: enough to occupy the tokenizer's threads, few enough to keep in memory.
BATCH_ROWS = 1000


def load_rows(
    name: str, config: str, revision: str | None, allow_simulated: bool, columns: Sequence[str] = COLUMNS
) -> tuple[Any, TrainingData]:
    """Load the rows, a `datasets.Dataset` with these columns, and describe where they come from.

    They are on the Hub, in a dataset folder, or in a JSONL or parquet file. A dataset on the Hub needs a revision, so
    that the run can be repeated. Raises BadInput if the dataset cannot be loaded, lacks a column, or is simulated
    and `allow_simulated` is false.
    """
    local = Path(name).exists()
    if not local and revision is None:
        raise BadInput(f"dataset_revision is missing: name a version of {name}, e.g. --dataset_revision v1.0.0")
    if local and revision is not None:
        raise BadInput(f"dataset_revision is {revision}, but {name} is local and has no revisions: leave it out")
    if Path(name).is_file() and Path(name).suffix not in FILE_TYPES:
        raise BadInput(f"{name}: a dataset in one file must end in {' or '.join(FILE_TYPES)}")
    try:
        rows = _read(name, config, revision)
    except Exception as error:  # whatever `datasets` or the Hub's client raises, the remedy is the same
        raise BadInput(_why(name, config, revision, error)) from error
    if missing := [column for column in columns if column not in rows.column_names]:
        raise BadInput(f"{name}: column {missing[0]!r} is missing; it has {', '.join(rows.column_names)}")
    rows = rows.select_columns([column for column in (*columns, TEACHER) if column in rows.column_names])
    _check_text(rows, name)
    simulated = _is_simulated(rows, name, revision)
    if simulated and not allow_simulated:
        raise BadInput(
            f"{name}: its rows are simulated, and nobody should train on them; to try it anyway: --allow_simulated true"
        )
    return rows.select_columns(list(columns)), TrainingData(
        name=without_machine(name) if local else name,
        config=config,
        revision=revision,
        commit=None if local else _commit(rows, name),
        local=local,
        simulated=simulated,
    )


def _read(name: str, config: str, revision: str | None) -> Any:
    import datasets

    path = Path(name)
    if path.is_file():
        with (
            sound(path) if path.suffix == ".jsonl" else nullcontext(path) as sound_path,
            folder_for_libraries(sound_path.parent) as folder,
        ):
            return datasets.load_dataset(FILE_TYPES[path.suffix], data_files=str(folder / path.name), split="train")
    with folder_for_libraries(path) if path.is_dir() else nullcontext(name) as source:
        return datasets.load_dataset(str(source), config, split="train", revision=revision)


def _check_text(rows: Any, name: str) -> None:
    """Raise BadInput where a column claims to be text and is not UTF-8, which a broken parquet file can."""
    start = 0
    for table in rows.with_format("arrow").iter(BATCH_ROWS):
        try:
            table.validate(full=True)
        except ValueError as error:  # pyarrow's ArrowInvalid is one
            raise BadInput(
                f"{name}: not text in UTF-8 within rows {start:,} to {start + len(table) - 1:,} "
                f"({in_one_line(error)}): write the file again"
            ) from None
        start += len(table)


def _is_simulated(rows: Any, name: str, revision: str | None) -> bool:
    """Whether the embedded teacher wrote the rows: by their teachers, else by the dataset's provenance."""
    if TEACHER in rows.column_names:
        return any(str(teacher).startswith(SIMULATED) for teacher in rows.unique(TEACHER))
    if Path(name).exists():
        provenance = Path(name) / PROVENANCE
        return provenance.is_file() and bool(read_json(provenance, "make the dataset again").get("simulated"))
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RemoteEntryNotFoundError

    try:
        provenance = Path(hf_hub_download(name, PROVENANCE, repo_type="dataset", revision=revision))
    except RemoteEntryNotFoundError:  # PersonaMath did not make it
        return False
    except (LocalEntryNotFoundError, HfHubHTTPError) as error:
        raise BadInput(f"{name}: cannot read its {PROVENANCE} ({in_one_line(error)}); try again") from error
    return bool(read_json(provenance, "publish the dataset again").get("simulated"))


def make_dataset(rows: Any, tokenizer: Any, prompt_format: PromptFormat, max_length: int) -> tuple[Any, RowCounts]:
    """Make examples of all rows (columns `input_ids` and `labels`, as the trainer takes them), and count the rows."""
    encode = partial(_encode, tokenizer=tokenizer, prompt_format=prompt_format, max_length=max_length)
    examples = rows.map(
        encode, batched=True, batch_size=BATCH_ROWS, remove_columns=rows.column_names, desc="Making examples"
    )
    dropped = Counter(reason for reason in examples["dropped"] if reason)
    used = examples.filter(_is_kept, input_columns="dropped") if dropped else examples
    if not len(used):
        raise BadInput(f"no row can be trained on: {dict(dropped)}; increase max_length, or check the data")
    counts = RowCounts(
        read=len(rows),
        used=len(used),
        dropped=dict(dropped.most_common()),
        truncated=sum(used["truncated"]),
        tokens=sum(used["tokens"]),
        label_tokens=sum(used["label_tokens"]),
    )
    return used.select_columns(["input_ids", "labels"]), counts


def examples_digest(examples: Any) -> str:
    """Return a digest of all examples in their order: of the rows, the prompt, the tokenizer and its EOS at once."""
    digest = hashlib.sha256()
    for table in examples.with_format("arrow").iter(BATCH_ROWS):
        for name in ("input_ids", "labels"):
            column = table[name].combine_chunks()
            for numbers in (column.value_lengths(), column.flatten()):
                digest.update(numbers.cast("int64").to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()


def without_machine(folder: str) -> str:
    """Return a folder's name for a record: a relative path as given, the last part of an absolute one."""
    return Path(folder).as_posix() if not Path(folder).is_absolute() else Path(folder).name


def _encode(
    batch: dict[str, list[Any]], tokenizer: Any, prompt_format: PromptFormat, max_length: int
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
    """Return the commit on the Hub that the cached rows were loaded from."""
    commit = cached_commit(rows)
    if commit is None:
        raise BadInput(f"{name}: its cache does not show its commit; download the dataset and name the folder instead")
    return commit


def _why(name: str, config: str, revision: str | None, error: Exception) -> str:
    if Path(name).is_file():  # without rows, `datasets` only says StopIteration
        cause = "it holds no rows" if isinstance(error, StopIteration) else in_one_line(first_cause(error))
        return f"cannot load {name} ({cause}): mend the file, or leave out the row"
    where = f"{name}@{revision}" if revision else name
    cause = in_one_line(first_cause(error) if Path(name).exists() else error)  # the Hub's own words come last
    return f"cannot load {where}, config {config!r} ({cause}); check the name, the revision and HF_TOKEN"
