"""Load datasets with `datasets`, as a user would, and print their rows as JSON.

python -m tests.support.load_datasets [--default] REPO REVISION [REPO REVISION ...]

A line for each: the rows by configuration; with --default, of that configuration alone. Of a repository on a Hub, these
are the same as those that are streamed.
"""

import json
import sys
from pathlib import Path
from typing import Any

from datasets import get_dataset_config_names, load_dataset


def main(words: list[str]) -> None:
    only = words[:1] == ["--default"]
    words = words[only:]
    for repo, revision in zip(words[::2], words[1::2], strict=True):
        configs = ["default"] if only else get_dataset_config_names(repo, revision=revision)
        rows = read(repo, revision, configs)
        assert Path(repo).is_dir() or rows == read(repo, revision, configs, streaming=True)
        print(json.dumps(rows))


def read(repo: str, revision: str, configs: list[str], streaming: bool = False) -> dict[str, list[Any]]:
    """The rows of each configuration."""
    return {
        config: [*load_dataset(repo, config, split="train", revision=revision, streaming=streaming)]
        for config in configs
    }


if __name__ == "__main__":
    main(sys.argv[1:])
