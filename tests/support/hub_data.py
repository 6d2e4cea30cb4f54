"""Datasets on a local Hub, written straight into its repositories."""

import json
from collections.abc import Mapping, Sequence

from tests.support.local_hub import LocalHub
from tests.support.local_hub.storage import Repository


def dataset(hub: LocalHub, repo: str, questions: Mapping[str, Sequence[str]]) -> str:
    """A dataset with these questions in the column `task` of each config, as its train and its test split."""
    splits = {
        name: [{"split": split, "path": f"{name}-{split}.jsonl"} for split in ("train", "test")] for name in questions
    }
    configs = [{"config_name": name, "data_files": files} for name, files in splits.items()]
    Repository.create(hub.root / "datasets" / f"{repo}.git", private=False)
    files = {"README.md": f"---\n{json.dumps({'configs': configs})}\n---\n"}
    for name, asked in questions.items():
        rows = "".join(json.dumps({"task": question}) + "\n" for question in asked)
        files |= {f"{name}-train.jsonl": rows, f"{name}-test.jsonl": rows}
    return commit(hub, repo, files)


def commit(hub: LocalHub, repo: str, files: Mapping[str, str]) -> str:
    """One more commit on main with these files."""
    repository = hub.repository(repo)
    added = [(path, text.encode()) for path, text in files.items()]
    return repository.commit(repository.resolve("main"), added, [], "data", "me")
