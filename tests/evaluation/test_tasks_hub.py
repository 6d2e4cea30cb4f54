"""A task's problems from the Hub: the real `datasets` client against a local Hub, at the commit that the task names."""

import json
import os
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from tests.support import programs
from tests.support.local_hub import LocalHub
from tests.support.task_files import ROWS

pytestmark = pytest.mark.slow

REPO = "alice/hendrycks_math"
CARD = """---
configs:
- config_name: algebra
  data_files: [{split: train, path: algebra/train.jsonl}, {split: test, path: algebra/test.jsonl}]
- config_name: geometry
  data_files: [{split: test, path: geometry/test.jsonl}]
---
"""
SCRIPT = """
import json, sys
from personamath.evaluation.tasks import sources
from personamath.evaluation.tasks.data import HubData, load
repo, configs, split, revision = json.loads(sys.argv[1])
loaded = load("math", sources.math, HubData(repo, configs, split, revision), {})
print(json.dumps([[doc["question"] for doc in loaded.docs], loaded.source.config, loaded.source.fingerprint]))
"""


def upload(api: HfApi, files: dict[str, list[str]]) -> str:
    """One commit of MATH rows, by file, that ask these questions; gives the commit."""
    row = ROWS["math"][0][0]
    texts = {path: "".join(json.dumps(row | {"problem": asked}) + "\n" for asked in files[path]) for path in files}
    additions = [CommitOperationAdd(path, content.encode()) for path, content in ({"README.md": CARD} | texts).items()]
    return api.create_commit(REPO, additions, commit_message="rows", repo_type="dataset").oid


def load(hub: LocalHub, configs: list[str], split: str, revision: str) -> Any:
    """What a task would load, in a process whose Hub is the local one."""
    clean = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    asked = json.dumps([REPO, configs, split, revision])
    done = programs.run(SCRIPT, asked, environment=clean | {"HF_ENDPOINT": hub.endpoint}, kind="training")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_problems_are_those_of_the_pinned_commit_config_by_config(hub: LocalHub, api: HfApi) -> None:
    api.create_repo(REPO, repo_type="dataset")
    files = {"algebra/train.jsonl": ["t"], "algebra/test.jsonl": ["a", "b"], "geometry/test.jsonl": ["g"]}
    pinned = upload(api, files)
    moved = upload(api, files | {"algebra/test.jsonl": ["changed"]})
    questions, config, fingerprint = load(hub, ["algebra", "geometry"], "test", pinned)
    assert questions == ["a", "b", "g"] and config == "algebra, geometry"
    questions, _, changed = load(hub, ["algebra", "geometry"], "test", moved)
    assert questions == ["changed", "g"] and changed != fingerprint
    assert load(hub, ["algebra"], "train+test", pinned)[0] == ["t", "a", "b"]
