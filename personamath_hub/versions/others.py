"""Files on main that PersonaMath did not put there: a LICENSE, an edited README. Publishing must not take them away.

A commit of a version has a title such as `v1.0.0: PersonaMathQA`. Its description says that PersonaMath published it,
and lists the files of others that it left in place, so that the next version can still tell them from its own. People
and other tools write titles such as `v1.0.1: fix a typo`, too, so a title alone is not believed.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatch

from huggingface_hub.hf_api import GitCommitInfo, RepoFile

from personamath_hub.versions.revisions import RepoType
from personamath_hub.versions.tree import KEPT

_VERSIONS_TITLE = re.compile(r"v\d+\.\d+\.\d+: (.*)")
_MARK = "Published by PersonaMath."
_LEFT = "Left in place: "
LOADED: Mapping[RepoType, tuple[str, ...]] = {
    # transformers loads an adapter that it finds beside a model, and vLLM all files of weights.
    "model": (
        *("*.safetensors", "*.safetensors.index.json", "adapter_config.json", "adapter_model.*", "config.json"),
        *("tokenizer*", "vocab.*", "merges.txt", "added_tokens.json", "special_tokens_map.json"),
        *("chat_template.*", "additional_chat_templates/*"),
    ),
    # Its configs go before those of a card.
    "dataset": (".huggingface.yaml",),
}
"""Files that change what users load of a version, if others leave them beside it."""


def description(left: Iterable[str]) -> str:
    """Return the description of a version's commit, which leaves these files of others in place."""
    return "\n".join([_MARK, *(f"{_LEFT}{path}" for path in left)])


def is_version(commit: GitCommitInfo, message: str) -> bool:
    """Whether a commit put a version there. Those of earlier versions of PersonaMath have no mark, but this message."""
    title = _VERSIONS_TITLE.fullmatch(commit.title)
    return title is not None and (is_marked(commit) or title[1] == message)


def is_marked(commit: GitCommitInfo) -> bool:
    """Whether a commit's description says that PersonaMath published it."""
    return _MARK in commit.message


def files_of_others(
    history: Iterable[GitCommitInfo],
    there: Mapping[str, RepoFile],
    tree: Callable[[str], Mapping[str, RepoFile]],
    is_ours: Callable[[GitCommitInfo], bool],
) -> frozenset[str]:
    """Return the paths in `there`, the tree of the newest commit of `history`, that PersonaMath did not put there so.

    `tree` gives the tree of a commit; `is_ours` says which commits PersonaMath made.
    """
    newest = next(filter(is_ours, history), None)
    ours = dict(tree(newest.commit_id)) if newest else {}
    for line in newest.message.splitlines() if newest else ():
        ours.pop(line.strip().removeprefix(_LEFT), None)
    return frozenset(path for path, file in there.items() if not _same(file, ours.get(path))) - KEPT


def in_the_way(path: str, repo_type: RepoType, ours: Collection[str]) -> bool:
    """Whether a file of others cannot stay beside these: it would be loaded with them, or it needs their place."""
    if any(path.startswith(f"{own}/") or own.startswith(f"{path}/") for own in ours):
        return True
    return any(fnmatch(path, pattern) and path.count("/") == pattern.count("/") for pattern in LOADED[repo_type])


def _same(file: RepoFile, other: RepoFile | None) -> bool:
    if other is None:
        return False
    if file.lfs and other.lfs:
        return file.lfs.sha256 == other.lfs.sha256
    return file.blob_id == other.blob_id
