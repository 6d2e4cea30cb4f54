"""Read from the Hub: the versions of a repository, and the files of a revision."""

import re
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from huggingface_hub import HfApi, ResolvedRevision, get_token
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from personamath.errors import BadInput, PersonaMathError
from personamath_hub.versions.failures import FAILURES, explain
from personamath_hub.versions.tree import LocalFile

_VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# The client checks more rules, but accepts a name without its owner.
_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+")

RepoType = Literal["dataset", "model", "space"]
T = TypeVar("T")


class PublishError(PersonaMathError):
    """A version cannot be published or read: the Hub refuses, or other content is already there."""


class Refs(NamedTuple):
    """The commits of main and of the tags, at one moment."""

    main: str | None
    tags: Mapping[str, str]


def versions(repo_id: str, *, repo_type: RepoType, api: HfApi | None = None) -> list[str]:
    """Return the versions of a repository, the newest last; none where the repository is missing or hidden from us.

    Tags other than vMAJOR.MINOR.PATCH are left out. Raises `PublishError`.
    """
    return sorted(filter(_VERSION.fullmatch, refs(repo_id, repo_type=repo_type, api=api).tags), key=_order)


def refs(repo_id: str, *, repo_type: RepoType, api: HfApi | None = None) -> Refs:
    """Return main and the tags; empty where the repository is missing or hidden from us. Raises `PublishError`."""
    api = api or HfApi()
    return reading(lambda: read_refs(api, repo_id, repo_type), repo_id, api)


def predecessor(repo_id: str, version: str, *, repo_type: RepoType, api: HfApi | None = None) -> str | None:
    """Return the greatest published version below this one; None if there is none.

    Raises `PublishError` for a new version below a published one: the published one's card compares with its
    predecessor, which must not change.
    """
    order = _order(checked_version(version))
    published = versions(repo_id, repo_type=repo_type, api=api)
    if version not in published and published and order < _order(published[-1]):
        raise PublishError(f"{repo_id} already has {published[-1]}: choose a higher version")
    return max((one for one in published if _order(one) < order), key=_order, default=None)


def download(repo_id: str, revision: str, folder: Path, *, repo_type: RepoType, api: HfApi | None = None) -> Path:
    """Download all files of a revision into a folder, and return the folder; raises `PublishError`."""
    api = api or HfApi()
    commit = resolve(repo_id, revision, repo_type=repo_type, api=api).resolved

    def read() -> Path:
        api.snapshot_download(repo_id, repo_type=repo_type, revision=commit, local_dir=folder)
        return folder

    return reading(read, repo_id, api)


def read_files(
    repo_id: str, revision: str, names: Collection[str], *, repo_type: RepoType, api: HfApi | None = None
) -> dict[str, bytes]:
    """Return the contents of the named files that a revision has; raises `PublishError`."""
    api = api or HfApi()

    def read() -> dict[str, bytes]:
        there = api.list_repo_files(repo_id, repo_type=repo_type, revision=revision)
        with tempfile.TemporaryDirectory(prefix="personamath-read-") as scratch:
            return {
                name: Path(
                    api.hf_hub_download(repo_id, name, repo_type=repo_type, revision=revision, local_dir=scratch)
                ).read_bytes()
                for name in sorted(set(names).intersection(there))
            }

    return reading(read, repo_id, api)


def holds(
    repo_id: str, revision: str, files: Mapping[str, LocalFile], *, repo_type: RepoType, api: HfApi | None = None
) -> bool:
    """Whether a revision has these files with this content, among others; raises `PublishError`."""
    api = api or HfApi()

    def read() -> bool:
        found = api.get_paths_info(repo_id, [*files], repo_type=repo_type, revision=revision)
        there = {file.path: file for file in found if isinstance(file, RepoFile)}
        return there.keys() == files.keys() and all(file.equals(there[path]) for path, file in files.items())

    return reading(read, repo_id, api)


def resolve(repo_id: str, revision: str, *, repo_type: RepoType, api: HfApi | None = None) -> ResolvedRevision:
    """Return a revision's readable name and its current commit; raises `PublishError`."""
    api = api or HfApi()

    def read() -> ResolvedRevision:
        commit = api.repo_info(repo_id, repo_type=repo_type, revision=revision).sha
        return ResolvedRevision(resolved=str(commit), initial=revision, repo_id=repo_id, repo_type=repo_type)

    return reading(read, repo_id, api)


def checked_repo_id(repo_id: str) -> str:
    """Return `repo_id` if it is OWNER/NAME; raises `BadInput` otherwise."""
    if not _REPO_ID.fullmatch(repo_id):
        raise BadInput(f"{repo_id!r}: write it as OWNER/NAME, e.g. me/PersonaMathQA")
    return repo_id


def checked_version(version: str) -> str:
    """Return `version` if it is vMAJOR.MINOR.PATCH; raises `BadInput` otherwise."""
    if not _VERSION.fullmatch(version):
        raise BadInput(f"{version!r} is not a version: write it as vMAJOR.MINOR.PATCH, e.g. v1.0.0")
    return version


def reading(read: Callable[[], T], repo_id: str, api: HfApi) -> T:
    """Call `read`; the client's failures become a `PublishError` of one line."""
    try:
        return read()
    except FAILURES as error:
        raise PublishError(f"cannot read {repo_id}: {explain(error, repo_id, api.endpoint)}") from None


def token_of(api: HfApi) -> str | None:
    """Return the token that a client sends."""
    return api.token if isinstance(api.token, str) else get_token()


def missing_token(api: HfApi) -> str | None:
    """Return the reason and the remedy if there is no token to publish with; None if there is one."""
    if token_of(api):
        return None
    return f"there is no token: set HF_TOKEN to a write token from {api.endpoint}/settings/tokens"


def tree_at(api: HfApi, repo_id: str, repo_type: RepoType, commit: str) -> dict[str, RepoFile]:
    """Return the files of a commit by path."""
    listing = api.list_repo_tree(repo_id, repo_type=repo_type, revision=commit, recursive=True)
    return {entry.path: entry for entry in listing if isinstance(entry, RepoFile)}


def read_refs(api: HfApi, repo_id: str, repo_type: RepoType) -> Refs:
    """Like `refs`, but raises the client's own errors."""
    try:
        refs = api.list_repo_refs(repo_id, repo_type=repo_type)
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        return Refs(None, {})
    main = next((branch.target_commit for branch in refs.branches if branch.name == "main"), None)
    return Refs(main, {tag.name: tag.target_commit for tag in refs.tags})


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version[1:].split("."))
