"""Read the rows of a dataset on the Hub, through `datasets` and its cache."""

import re
from collections.abc import Iterator
from typing import Any

from personamath.errors import BadInput
from personamath.files import in_one_line
from personamath.sources.hub.cache import cached_commit, open_cached
from personamath.sources.hub.commits import resolve
from personamath.sources.hub.split import HubSplit
from personamath.sources.rows import TableRow


def read_hub(split: HubSplit) -> Iterator[TableRow]:
    """Read the rows of a split at its commit, or at the commit that its revision is now."""
    rows = _load(resolve([split]).of(split))
    for number, values in enumerate(rows):
        yield TableRow(f"{split.repo} row {number}", values)


def _load(split: HubSplit) -> Any:
    import datasets
    from huggingface_hub.constants import is_offline_mode

    datasets.disable_progress_bars()
    try:
        # The cache first: a copy of a commit never changes, and asking the Hub for it takes several requests.
        rows = open_cached(split, offline=is_offline_mode())
        if rows is None:
            rows = datasets.load_dataset(split.repo, split.config, split=split.split, revision=split.commit)
    except Exception as error:  # whatever `datasets` raises, the place is the same
        raise BadInput(_why_not(split, error)) from error
    if cached_commit(rows) != split.commit:
        # Where the Hub fails midway, `datasets` takes the newest copy in its cache; and first of all a local folder.
        raise BadInput(
            f"{split.shown}: `datasets` loaded other data than commit {split.commit}: check the network, and that no "
            f"folder {split.repo} lies in the working directory"
        )
    return rows


def _why_not(split: HubSplit, error: Exception) -> str:
    """Explain in one line why a split cannot be loaded; the texts are those of `datasets` 4 and 5."""
    text = str(error)
    found = re.search(r"\[(.*?)\]", text, re.DOTALL)
    there = ", ".join(re.findall(r"['\"](.*?)['\"]", found[1])) if found else "not known"
    with_config = f"{split.shown}:{split.config}" if split.config else split.shown
    if "Config name is missing" in text:
        first = there.partition(",")[0]
        return f"{split.shown}: has several configs: name one of them, as in {split.shown}:{first}; there are {there}"
    if "BuilderConfig" in text and "not found" in text:
        return f"{split.shown}: has no config {split.config!r}; there are {there}"
    if "Unknown split" in text:
        return f"{with_config}: has no split {split.split!r}; there are {there}"
    if "gated dataset" in text:
        return (
            f"{split.repo}: access is restricted: ask for it on its page on the Hub, then log in with `hf auth login`"
        )
    reason = in_one_line(error.__cause__ or error)  # "An error occurred while generating the dataset" has a cause
    return f"cannot load {with_config} from the Hub ({reason}); check the name and the network, or give a local file"
