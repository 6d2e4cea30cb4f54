"""Files on main that no version put there: an edited README, a LICENSE, a figure. Publishing must not take them away.

A commit of a version has a title such as `v1.0.0: PersonaMathQA`. Its description lists the files of others that it
left in place, so that the next version can still tell them from its own.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from huggingface_hub.hf_api import GitCommitInfo, RepoFile

from personamath_hub.versions.tree import KEPT

_VERSIONS_TITLE = re.compile(r"v\d+\.\d+\.\d+: ")
_LEFT = "Left in place: "


def description(left: Iterable[str]) -> str | None:
    """Return the description of a commit that leaves these files of others in place."""
    return "\n".join(f"{_LEFT}{path}" for path in left) or None


def files_of_others(
    history: Iterable[GitCommitInfo],
    there: Mapping[str, RepoFile],
    tree: Callable[[str], Mapping[str, RepoFile]],
    ours_title: re.Pattern[str] = _VERSIONS_TITLE,
) -> frozenset[str]:
    """Return the paths in `there`, the tree of the newest commit of `history`, that no version put there so.

    `tree` gives the tree of a commit; `ours_title` begins the titles of the commits that put versions there.
    """
    version = next((commit for commit in history if ours_title.match(commit.title)), None)
    ours = dict(tree(version.commit_id)) if version else {}
    for line in version.message.splitlines() if version else ():
        ours.pop(line.strip().removeprefix(_LEFT), None)
    return frozenset(path for path, file in there.items() if not _same(file, ours.get(path))) - KEPT


def _same(file: RepoFile, other: RepoFile | None) -> bool:
    if other is None:
        return False
    if file.lfs and other.lfs:
        return file.lfs.sha256 == other.lfs.sha256
    return file.blob_id == other.blob_id
