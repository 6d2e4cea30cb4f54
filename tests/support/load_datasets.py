"""Load datasets with `datasets`, as a user would, and print their rows as JSON.

python -m tests.support.load_datasets [--default] REPO REVISION [REPO REVISION ...]

A line for each: the rows by configuration, once they are the same as those that are streamed; with --default, of that
configuration alone.
"""

import json
import sys

from datasets import get_dataset_config_names, load_dataset


def main(words: list[str]) -> None:
    only = words[:1] == ["--default"]
    words = words[only:]
    for repo, revision in zip(words[::2], words[1::2], strict=True):
        rows, streamed = (
            {
                config: [*load_dataset(repo, config, split="train", revision=revision, streaming=streaming)]
                for config in (["default"] if only else get_dataset_config_names(repo, revision=revision))
            }
            for streaming in (False, True)
        )
        assert rows == streamed
        print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
