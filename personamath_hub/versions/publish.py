"""Publish a version of a dataset or a model: a complete folder becomes one commit and one tag.

The protocol is safe to kill, to repeat, and to run twice at once:

1. Where the version's tag exists, equal content means success and other content is refused, before any upload.
2. Otherwise the folder is compared with main. Where they differ, one commit adds, changes and deletes files, on top of
   the commit that was compared. Where they are equal, or where a commit with this title has the same files, no commit
   is made. Files that others put on main stay there and belong to the version; where the folder has other content for
   one of them, nothing is uploaded. Both is so unless `replace_others`.
3. The tree at that commit is read back, with the first byte of each large file; only then it is tagged.
4. After a failure everything is repeated, beginning with the refs.

So a reader of a tag or of main only ever sees complete versions, and a tag never moves. Two cases are not covered. Two
publishers who give the same version to different content leave both contents on main, one after the other; one of them
gets the tag and the other is refused. And if the Hub accepts a request and never answers, the client waits for ever:
end the command and run it again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_session,
    hf_hub_url,
    hf_raise_for_status,
)
from huggingface_hub.hf_api import RepoFile

from personamath_hub.versions.failures import (
    FAILURES,
    FIRST_WAIT_S,
    Incomplete,
    explain,
    is_unreachable,
    tried,
)
from personamath_hub.versions.others import description, files_of_others, in_the_way, is_version
from personamath_hub.versions.revisions import (
    PublishError,
    RepoType,
    checked_repo_id,
    checked_version,
    missing_token,
    read_refs,
    reading,
    token_of,
    tree_at,
)
from personamath_hub.versions.tree import Difference, HashFile, LocalFile, compare, hash_file, read_folder


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A version that is on the Hub, complete and tagged."""

    repo_id: str
    version: str
    """Name of the tag, e.g. `v1.0.0`."""
    commit: str
    url: str
    """Where its files can be seen."""
    created: bool
    """False where the version was published before."""


class Plan(NamedTuple):
    """What publishing a folder as a version would change."""

    tagged: str | None
    """The commit with the version's tag; None if the version is new."""
    head: str | None
    """The commit of main; None if the repository is missing or hidden from us."""
    difference: Difference
    """Compared with the tagged commit where there is one, else with main; without the files in `left`."""
    left: tuple[str, ...] = ()
    """Files that others put there and that the folder lacks; they stay."""
    replaced: tuple[str, ...] = ()
    """Files that others put or changed there, and that the folder would replace or remove."""
    in_the_way: tuple[str, ...] = ()
    """Files that others put there, that the folder lacks, and that would be loaded together with it."""

    def describe(self, folder: Path) -> str:
        """List the files that would be uploaded or removed, one a line, and those of others."""
        uploads = (*self.difference.added, *self.difference.changed)
        lines = [f"  {(folder / path).stat().st_size:>14,} bytes  {path}" for path in uploads]
        lines += [f"  {'removed':>20}  {path}" for path in self.difference.removed]
        if lines:
            lines.insert(0, "What would be uploaded:")
        return "\n".join([*(lines or ["Nothing would be uploaded."]), *self.notes()])

    def notes(self) -> list[str]:
        """Name the files of others, one line a kind."""
        notes = []
        if self.left:
            notes.append(f"On main by others, and kept: {', '.join(self.left)}")
        if self.replaced:
            notes.append(f"On main by others, and lost with this version: {', '.join(self.replaced)}")
        if self.in_the_way:
            notes.append(f"On main by others, and loaded together with this version: {', '.join(self.in_the_way)}")
        return notes


def publish_version(
    folder: Path,
    repo_id: str,
    version: str,
    *,
    repo_type: RepoType,
    message: str,
    private: bool = False,
    api: HfApi | None = None,
    hash_file: HashFile = hash_file,
    replace_others: bool = False,
    before_upload: Callable[[Plan], object] = lambda plan: None,
    first_wait_s: float = FIRST_WAIT_S,
) -> PublishedVersion:
    """Publish a complete folder as one version, unless it is published already; files that it lacks are deleted.

    Files that others put on main are not deleted, and where the folder would replace one, the version is refused; with
    `replace_others` they go. `before_upload` is called with the plan before anything is uploaded.
    The commit's title is the version and `message`. A missing repository is created, private where `private`; `private`
    is refused for a public repository. Token and endpoint come from huggingface_hub's environment unless `api` has its
    own; `hash_file` may know some files already; `first_wait_s` is the pause before the second try. Raises `BadInput`
    for a repository without its owner, a version other than vMAJOR.MINOR.PATCH or a folder that cannot be published,
    and `PublishError` for everything else, in one line with the remedy.
    """
    return _Publication(
        api=api or HfApi(),
        repo_id=checked_repo_id(repo_id),
        repo_type=repo_type,
        version=checked_version(version),
        folder=folder,
        hash_file=hash_file,
        message=message,
        private=private,
        replace_others=replace_others,
        before_upload=before_upload,
        first_wait_s=first_wait_s,
    ).publish()


def plan_version(
    folder: Path,
    repo_id: str,
    version: str,
    *,
    repo_type: RepoType,
    api: HfApi | None = None,
    message: str = "",
    hash_file: HashFile = hash_file,
    replace_others: bool = False,
) -> Plan:
    """Find out what `publish_version` would do, without writing anything; raises as it does."""
    publication = _Publication(
        api=api or HfApi(),
        repo_id=checked_repo_id(repo_id),
        repo_type=repo_type,
        version=checked_version(version),
        folder=folder,
        hash_file=hash_file,
        message=message,
        replace_others=replace_others,
    )
    return reading(publication.plan, repo_id, publication.api)


@dataclass
class _Publication:
    """The publishing of one folder as one version; every step may be repeated."""

    api: HfApi
    repo_id: str
    repo_type: RepoType
    version: str
    folder: Path
    hash_file: HashFile
    message: str = ""
    private: bool = False
    replace_others: bool = False
    before_upload: Callable[[Plan], object] = lambda plan: None
    first_wait_s: float = FIRST_WAIT_S
    was_there: bool | None = None
    """Whether the Hub had the version when it was first asked; None before that."""

    def publish(self) -> PublishedVersion:
        """Try until it succeeds or another try cannot help."""
        if reason := missing_token(self.api):
            raise self._refusal(reason)

        def is_hopeless(error: BaseException) -> bool:
            # If the endpoint has never answered, the address is wrong or there is no network: no outage that ends.
            return self.was_there is None and is_unreachable(error)

        try:
            return tried(self._try, f"{self.repo_id} {self.version}", self.first_wait_s, is_hopeless)
        except FAILURES as error:
            raise self._refusal(explain(error, self.repo_id, self.api.endpoint)) from None

    def plan(self) -> Plan:
        """Compare the folder with what the Hub has."""
        refs = read_refs(self.api, self.repo_id, self.repo_type)
        tagged = refs.tags.get(self.version)
        compared = self._compare(tagged or refs.main)
        if self.was_there is None:
            self.was_there = tagged is not None
        return Plan(tagged, refs.main, *compared)

    def _compare(self, commit: str | None) -> tuple[Difference, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Compare the folder with a commit: how they differ, and others' files: that stay, are lost, are in the way."""
        there = self._tree(commit)
        difference = compare(self._files, there)
        if commit is None or not (difference.changed or difference.removed):
            return difference, (), (), ()
        history = self.api.list_repo_commits(self.repo_id, repo_type=self.repo_type, revision=commit)
        others = files_of_others(history, there, self._tree, lambda commit: is_version(commit, self._message))
        lost = tuple(path for path in (*difference.changed, *difference.removed) if path in others)
        if self.replace_others:
            return difference, (), lost, ()
        rest = replace(difference, removed=tuple(path for path in difference.removed if path not in others))
        mixed = tuple(path for path in lost if path not in self._files and self._is_in_the_way(path))
        left = tuple(path for path in lost if path not in (*self._files, *mixed))
        return rest, left, tuple(path for path in lost if path in self._files), mixed

    def _is_in_the_way(self, path: str) -> bool:
        return in_the_way(path, self.repo_type, self._files)

    def _try(self) -> PublishedVersion:
        plan = self.plan()
        if plan.head is None:
            self.api.create_repo(self.repo_id, repo_type=self.repo_type, private=self.private)
            plan = self.plan()
            if plan.head is None:
                raise Incomplete("the new repository cannot be read yet")
        self._check_privacy()
        if plan.tagged and plan.difference:
            raise self._refusal(
                f"the Hub already has this version with other content, and versions do not change; the folder has "
                f"{plan.difference}: choose another version"
            )
        commit = plan.tagged or self._committed(plan) or self._commit(plan)
        self._verify(commit)
        if not plan.tagged:
            self.api.create_tag(self.repo_id, tag=self.version, revision=commit, repo_type=self.repo_type)
        kind = "datasets/" if self.repo_type == "dataset" else ""
        url = f"{self.api.endpoint}/{kind}{self.repo_id}/tree/{self.version}"
        return PublishedVersion(self.repo_id, self.version, commit, url, created=not self.was_there)

    def _check_privacy(self) -> None:
        if self.private and not self.api.repo_info(self.repo_id, repo_type=self.repo_type).private:
            settings = "make it private in its settings, or publish without --private"
            raise self._refusal(f"the repository is public: {settings}")

    def _committed(self, plan: Plan) -> str | None:
        """Find a commit that equals the folder: main, or one left behind by a killed run or a lost response."""
        if not plan.difference and not plan.in_the_way:
            return plan.head
        for commit in self.api.list_repo_commits(self.repo_id, repo_type=self.repo_type):
            if commit.title == self._title:
                difference, _, _, mixed = self._compare(commit.commit_id)
                if not difference and not mixed:
                    return commit.commit_id
        return None

    def _commit(self, plan: Plan) -> str:
        difference = plan.difference
        if ".gitignore" in (*difference.removed, *plan.left):
            # The Hub would leave out the files that the old .gitignore names, even in the commit that deletes it.
            raise self._refusal("the repository has a .gitignore: delete it there first")
        if plan.replaced and not self.replace_others:
            raise self._refusal(
                f"others changed {', '.join(plan.replaced)} on main, and this version would replace that: save what "
                "you need of it, then publish with --replace-others"
            )
        if plan.in_the_way:
            raise self._refusal(
                f"others put {', '.join(plan.in_the_way)} on main, which would be loaded together with this version: "
                "move what you need of it elsewhere, then publish with --replace-others"
            )
        self.before_upload(plan)
        # Deletions first: a file may be replaced by a folder of the same name.
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationDelete(path, is_folder=False) for path in difference.removed),
            *self._additions(*difference.added, *difference.changed),
        ]
        return self.api.create_commit(
            self.repo_id,
            operations,
            commit_message=self._title,
            commit_description=description(plan.left),
            repo_type=self.repo_type,
            parent_commit=plan.head,
        ).oid

    def _verify(self, commit: str) -> None:
        """Read back the files of a commit, and upload again what the Hub has lost."""
        tree = self._tree(commit)
        difference = self._compare(commit)[0]
        if difference:
            if read_folder(self.folder) != self._files:
                raise self._refusal("the folder changed while it was published: run the same command again")
            raise Incomplete(f"the commit differs from the folder: {difference}")
        large = [path for path in self._files if tree[path].lfs]
        if lost := [path for path in large if not self._is_stored(path, commit)]:
            self.api.preupload_lfs_files(self.repo_id, self._additions(*lost), repo_type=self.repo_type)
            if still := [path for path in lost if not self._is_stored(path, commit)]:
                raise Incomplete(f"the Hub does not return {', '.join(still)}")

    def _is_stored(self, path: str, commit: str) -> bool:
        """Whether the Hub has a large file's content, and not only its pointer in git."""
        url = hf_hub_url(self.repo_id, path, repo_type=self.repo_type, revision=commit, endpoint=self.api.endpoint)
        headers = {"Authorization": f"Bearer {token_of(self.api)}", "Range": "bytes=0-0"}
        response = get_session().get(url, headers=headers)
        if response.status_code == 429 or response.status_code >= 500:
            hf_raise_for_status(response)
        return response.is_success

    @property
    def _title(self) -> str:
        """The commit's title, by which a commit that a killed run left without a tag is found again."""
        return f"{self.version}: {self._message}"

    @property
    def _message(self) -> str:
        return " ".join(self.message.split())

    @cached_property
    def _files(self) -> dict[str, LocalFile]:
        return read_folder(self.folder, self.hash_file)

    def _refusal(self, reason: str) -> PublishError:
        return PublishError(f"{self.repo_id} {self.version} is not published: {reason}")

    def _additions(self, *paths: str) -> list[CommitOperationAdd]:
        return [CommitOperationAdd(path, self.folder / path) for path in paths]

    def _tree(self, commit: str | None) -> dict[str, RepoFile]:
        return {} if commit is None else tree_at(self.api, self.repo_id, self.repo_type, commit)
