"""Datasets on the Hub by the names that users write: real clients against a local Hub, in processes of their own."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import programs
from tests.support.hub_data import commit, dataset
from tests.support.local_hub import LocalHub, local_hub

SCRIPT = """
import json, sys
from personamath.errors import BadInput
from personamath.sources.named import Sources
found = []
for text in json.loads(sys.argv[1]):
    try:
        sources, notes = Sources.parse((), None, (text,)).resolved()
        source = sources.benchmarks[0]
        found.append([list(source.read()), source.splits[0].commit, list(notes)])
    except BadInput as error:
        found.append(str(error))
print(json.dumps(found))
"""


class Hub:
    """A local Hub, and what it and the cache were left with."""

    def __init__(self, server: LocalHub, home: Path) -> None:
        self.server = server
        self.home = home
        self.first = dataset(server, "me/sums", {"easy": ["1 + 1?"], "hard": ["7 * 8?"]})
        self.second = commit(server, "me/sums", {"easy-test.jsonl": '{"task": "2 + 2?"}\n'})
        repository = server.repository("me/sums")
        repository.git("update-ref", "refs/tags/v1.0", self.first)
        repository.git("update-ref", "refs/heads/next/one", self.first)
        self.single = dataset(server, "me/single", {"default": ["3 + 3?"]})
        dataset(server, "me/gated", {"default": ["4 + 4?"]})
        dataset(server, "me/private", {"default": ["5 + 5?"]})
        server.repository("me/gated").settings |= {"gated": "manual"}
        server.repository("me/private").settings |= {"private": True}

    def read(self, texts: Sequence[str], **environment: str) -> list[Any]:
        """What a fresh process reads of each, or why it does not."""
        clean = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
        env = clean | {"HF_ENDPOINT": self.server.endpoint, "HF_HOME": str(self.home)} | environment
        done = programs.run(SCRIPT, json.dumps(list(texts)), environment=env)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with local_hub(tmp_path_factory.mktemp("hub")) as server:
        yield Hub(server, tmp_path_factory.mktemp("home"))


def test_a_name_is_read_at_the_commit_of_its_revision(hub: Hub) -> None:
    cases = {
        "me/sums:easy:task": ("2 + 2?", hub.second, "main"),
        "me/sums@main:easy:task": ("2 + 2?", hub.second, "main"),
        "me/sums@v1.0:easy:task": ("1 + 1?", hub.first, "v1.0"),
        "me/sums@next/one:easy:task": ("1 + 1?", hub.first, "next/one"),
        "me/sums@next%2Fone:easy:task": ("1 + 1?", hub.first, "next/one"),
        f"me/sums@{hub.first}:easy:task": ("1 + 1?", hub.first, None),
        f"me/sums@{hub.first[:7]}:hard:train:task": ("7 * 8?", hub.first, hub.first[:7]),
        "me/single:task": ("3 + 3?", hub.single, "main"),
        "me/single:default:train:task": ("3 + 3?", hub.single, "main"),
    }
    for (text, (question, oid, revision)), found in zip(cases.items(), hub.read(list(cases)), strict=True):
        repo = text.partition("@")[0].partition(":")[0]
        notes = [f"{repo}: {revision} is commit {oid}"] if revision else []
        assert found == [[question], oid, notes], text


WRONG = [
    ("me/sums:task", "me/sums: has several configs: name one of them, as in me/sums:easy; there are easy, hard"),
    ("me/sums:eazy:task", "me/sums: has no config 'eazy'; there are easy, hard"),
    ("me/sums:easy:dev:task", "me/sums:easy: has no split 'dev'; there are train, test"),
    ("me/sums@v1.0:easy:dev:task", "me/sums@v1.0:easy: has no split 'dev'; there are train, test"),
    ("me/sums:easy:tusk", "me/sums row 0: no column 'tusk'; the nearest known one is 'task'"),
    ("me/sums@v1:easy:task", "me/sums: has no revision 'v1'; the nearest known one is 'v1.0', and any commit"),
    (f"me/sums@{'0' * 40}:easy:task", f"me/sums: has no revision '{'0' * 40}'; known are"),
    ("me/sum:task", "me/sum: no such dataset on the Hub, or it is private, and no such file here: check the name"),
    ("me/private:task", "me/private: no such dataset on the Hub, or it is private"),
    ("me/gated:task", "me/gated: access is restricted: ask for it on its page on the Hub, then log in"),
    ("me/a..b:task", "me/a..b: not a name of a dataset on the Hub"),
]


def test_what_is_not_there_is_told_with_what_is(hub: Hub) -> None:
    for (text, message), found in zip(WRONG, hub.read([text for text, _ in WRONG]), strict=True):
        assert isinstance(found, str) and found.startswith(message) and "\n" not in found, (text, found)


def test_a_wrong_token_is_told(hub: Hub) -> None:
    (found,) = hub.read(["me/single:task"], HF_TOKEN="hf_wrong")
    assert found.startswith("me/single: the Hub answered 401 (") and found.endswith("check HF_TOKEN")


@pytest.mark.parametrize("away", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}], ids=str)
def test_without_the_hub_a_commit_is_read_from_the_cache_and_main_is_the_copy_that_is_there(
    hub: Hub, away: dict[str, str]
) -> None:
    hub.read(["me/sums:easy:task", "me/sums@v1.0:easy:task", "me/single:task"])
    texts = [
        *("me/sums:easy:task", f"me/sums@{hub.first}:easy:task", "me/single:task"),
        *("me/sums@v1.0:easy:task", "me/sums@v2.0:easy:task"),
        *("me/other:task", f"me/other@{hub.first}:task", "me/sums:easy:dev:task"),
    ]
    main, pinned, single, tag, unknown, nothing, nothing_pinned, split = hub.read(texts, **away)
    assert main[:2] == [["2 + 2?"], hub.second] and pinned == [["1 + 1?"], hub.first, []]
    assert single[:2] == [["3 + 3?"], hub.single] and tag[:2] == [["1 + 1?"], hub.first]
    assert main[2][0].startswith(f"me/sums: main is commit {hub.second} in the cache (")
    assert unknown.startswith("me/sums@v2.0: cannot look up which commit this is") and hub.first in unknown
    assert nothing.startswith("cannot load me/other from the Hub (") and "it is not in the cache" in nothing
    assert nothing_pinned == nothing.replace("me/other", f"me/other@{hub.first}")
    assert split.startswith("me/sums:easy: has no split 'dev'; there are")


def test_a_copy_of_a_commit_is_read_without_asking_for_its_files_again(hub: Hub) -> None:
    hub.read([f"me/sums@{hub.first}:easy:task"])
    hub.server.heal()
    hub.read([f"me/sums@{hub.first}:easy:task"])
    assert [asked for asked in hub.server.requests if "resolve" in asked] == []
