"""Load a task's problems from the Hub, at the commit that the task names, or from a local file."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from personamath.errors import BadInput
from personamath.evaluation.scores import DataSource
from personamath.evaluation.tasks.sources import DATA_SETS, Doc, Row
from personamath.files import in_one_line, local_path
from personamath.sources.tables import read_file

Reader = Callable[[Iterable[Row]], list[Doc]]


class HubData(NamedTuple):
    """The dataset of a task's problems on the Hub."""

    repo: str
    configs: Sequence[str | None]
    """Read in this order; None is the dataset's only one."""
    split: str
    """In the notation of `datasets`, e.g. `test` or `train+test`."""
    revision: str
    """A commit."""


class Loaded(NamedTuple):
    """Problems and their source."""

    docs: list[Doc]
    source: DataSource


def load(name: str, read: Reader, hub: HubData, files: Mapping[str, str]) -> Loaded:
    """Load the problems of the dataset `name` from its file in `files`, or else from the Hub.

    Raises BadInput if they cannot be read, or lack a column of the dataset.
    """
    if not isinstance(files, Mapping) or not files.keys() <= set(DATA_SETS):
        raise BadInput(f"--metadata files: {files}; give paths by dataset name, one of {', '.join(DATA_SETS)}")
    file = files.get(name)
    place = file or f"{hub.repo} at {hub.revision}"
    try:
        docs = read([row.values for row in read_file(local_path(str(file)))] if file else rows_of(name, hub))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise BadInput(
            f"{place}: not the columns of {name} ({in_one_line(error)}); use those of {hub.repo} on the Hub"
        ) from None
    if not docs:
        raise BadInput(f"{place}: contains no problems of {name}; use the data of {hub.repo} on the Hub")
    if file:
        return Loaded(docs, DataSource(Path(file).name, None, None, None, True, fingerprint(docs)))
    config = ", ".join(each for each in hub.configs if each) or None
    return Loaded(docs, DataSource(hub.repo, config, hub.split, hub.revision, False, fingerprint(docs)))


def rows_of(name: str, hub: HubData) -> list[Row]:
    """Load the rows from the Hub, through `datasets` and its cache; raises BadInput if it cannot be reached."""
    import datasets

    rows: list[Row] = []
    try:
        for config in hub.configs:
            rows.extend(datasets.load_dataset(hub.repo, config, split=hub.split, revision=hub.revision))
    except Exception as error:  # whatever the Hub's client raises, the remedy is the same
        raise BadInput(
            f"cannot load {hub.repo} at {hub.revision} from the Hub ({in_one_line(error)}); check the network, or give "
            f"{name} from a local file: --metadata '{json.dumps({'files': {name: 'PATH'}})}'"
        ) from error
    return rows


def fingerprint(docs: Sequence[Mapping[str, Any]]) -> str:
    """Return a digest of the questions and references that ignores their order and white space, 128 bits in hex."""
    texts = sorted(" ".join(f"{doc['question']}\n{doc['answer']}".split()) for doc in docs)
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]
