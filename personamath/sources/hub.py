"""Read the rows of a dataset on the Hub, through `datasets` and its cache."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.sources.rows import TableRow


class HubSplit(NamedTuple):
    """A split of a dataset on the Hub."""

    repo: str
    config: str | None
    """None if the dataset has only one config."""
    split: str


def read_hub(split: HubSplit) -> Iterator[TableRow]:
    """Read the rows of a Hub dataset through `datasets` and its cache."""
    for number, values in enumerate(_load(split)):
        yield TableRow(f"{split.repo} row {number}", values)


def resolved_commit(split: HubSplit) -> str | None:
    """Return the Hub commit that the cached rows of this split come from; None if `datasets` does not record it.

    This asks the cache, not the Hub, because the Hub's newest commit may differ from the one that was read.
    """
    return cached_commit(_load(split))


def cached_commit(rows: Any) -> str | None:
    """Return the Hub commit of a loaded `datasets.Dataset`; its cache folder is named after the commit."""
    folders = {Path(file["filename"]).parent.name for file in rows.cache_files}
    name = folders.pop() if len(folders) == 1 else ""
    return name if re.fullmatch(r"[0-9a-f]{40}", name) else None


def _load(split: HubSplit) -> Any:
    import datasets

    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(split.repo, split.config, split=split.split)
    except Exception as error:  # the remedy is the same for every error of the Hub's client
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(
            f"cannot load {split.repo} from the Hub ({reason}); check the name and the network, or give a local file"
        ) from error
