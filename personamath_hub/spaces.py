"""Publish a report as a static Space: its page is then at an address that anyone can open.

A Space has no versions: main holds the newest report. One commit puts the folder there, and removes what an earlier
report had and this one lacks. Files of others stay; a README.md that others edited stays as it is, and where they
changed any other file of the report, nothing is uploaded.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, SpaceCardData
from huggingface_hub.hf_api import GitCommitInfo

from personamath_hub.versions.failures import FAILURES, FIRST_WAIT_S, explain, is_unreachable, tried
from personamath_hub.versions.others import description, files_of_others, is_marked
from personamath_hub.versions.revisions import PublishError, checked_repo_id, missing_token, read_refs, reading, tree_at
from personamath_hub.versions.tree import Difference, compare, read_folder

CARD = "README.md"
SDK = "static"
TITLE = "PersonaMath report: "
"""How the titles of our commits begin."""
# The Hub makes a Space with a README.md and an example page, which nobody wrote.
HUBS_TITLE = "initial commit"
# Of a Space's name on the Hub; the rest would be cut off there.
TITLE_CHARACTERS = 60
TEXT = """
# {title}

A report of [PersonaMath](https://arxiv.org/abs/2410.01504): the numbers and figures of a dataset of math problems, and
all of its rows, each with the problem that it was made from. `personamath report` made the page.
"""


@dataclass(frozen=True, slots=True)
class PublishedSpace:
    """A report on the Hub."""

    repo_id: str
    url: str
    commit: str
    changed: bool
    """False if the Space had this report already."""
    left: tuple[str, ...]
    """Files of others that are in it."""


class SpacePlan(NamedTuple):
    """What publishing a report would change."""

    head: str | None
    """The commit of main; None if there is no such Space, or if it is hidden from us."""
    difference: Difference
    """Without what is in `left`."""
    left: tuple[str, ...] = ()
    """Files of others, which stay."""

    def describe(self, folder: Path) -> str:
        """List the files that would be uploaded or removed, one a line, and those of others."""
        uploads = (*self.difference.added, *self.difference.changed)
        lines = [f"  {(folder / path).stat().st_size:>14,} bytes  {path}" for path in uploads]
        lines += [f"  {'removed':>20}  {path}" for path in self.difference.removed]
        lines.insert(0, "What would be uploaded:" if lines else "Nothing would be uploaded.")
        return "\n".join([*lines, *([f"By others, and kept: {', '.join(self.left)}"] if self.left else [])])


def space_card(title: str, dataset: str | None) -> str:
    """Return the README.md of a report's Space; `dataset` is the repository that the report is about."""
    title = title if len(title) <= TITLE_CHARACTERS else title[: TITLE_CHARACTERS - 1] + "…"
    facts = SpaceCardData(
        title=title,
        sdk=SDK,
        app_file="index.html",
        pinned=False,
        datasets=[dataset] if dataset else None,
        tags=["personamath"],
    )
    return f"---\n{facts.to_yaml()}\n---\n{TEXT.format(title=title)}"


def check_token(repo_id: str, api: HfApi | None = None) -> None:
    """Raise `PublishError` if there is no token to publish with."""
    if reason := missing_token(api or HfApi()):
        raise _refusal(repo_id, reason)


def plan_space(folder: Path, repo_id: str, api: HfApi | None = None) -> SpacePlan:
    """Find out what `publish_space` would do, without writing anything; raises as it does."""
    api = api or HfApi()
    checked_repo_id(repo_id)
    return reading(lambda: _plan(folder, repo_id, api), repo_id, api)


def publish_space(
    folder: Path,
    repo_id: str,
    *,
    name: str,
    private: bool = False,
    api: HfApi | None = None,
    first_wait_s: float = FIRST_WAIT_S,
) -> PublishedSpace:
    """Publish a complete folder as a static Space, which is created if it is missing, private where `private`.

    `name` is what the report is about, for the commit's title; `first_wait_s` the pause before the second try.
    Raises `BadInput` for a repository without its owner, and `PublishError`, in one line with the remedy, for a missing
    token, a Space with another SDK, a public one where `private`, a file that others changed, and the Hub's refusals.
    """
    api = api or HfApi()
    checked_repo_id(repo_id)
    check_token(repo_id, api)
    try:
        return tried(lambda: _try(folder, repo_id, name, private, api), repo_id, first_wait_s, is_unreachable)
    except FAILURES as error:
        raise _refusal(repo_id, explain(error, repo_id, api.endpoint)) from None


def _try(folder: Path, repo_id: str, name: str, private: bool, api: HfApi) -> PublishedSpace:
    plan = _plan(folder, repo_id, api)
    if plan.head is None:
        api.create_repo(repo_id, repo_type="space", space_sdk=SDK, private=private)
        plan = _plan(folder, repo_id, api)
    elif private and not api.repo_info(repo_id, repo_type="space").private:
        raise _refusal(repo_id, "the Space is public: make it private in its settings, or leave --private out")
    commit = plan.head
    if plan.difference:
        # Deletions first: a file may be replaced by a folder of the same name.
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationDelete(path, is_folder=False) for path in plan.difference.removed),
            *(CommitOperationAdd(path, folder / path) for path in (*plan.difference.added, *plan.difference.changed)),
        ]
        commit = api.create_commit(
            repo_id,
            operations,
            commit_message=" ".join(f"{TITLE}{name}".split()),
            commit_description=description(plan.left),
            repo_type="space",
            parent_commit=plan.head,
        ).oid
    url = f"{api.endpoint}/spaces/{repo_id}"
    return PublishedSpace(repo_id, url, str(commit), bool(plan.difference), plan.left)


def _plan(folder: Path, repo_id: str, api: HfApi) -> SpacePlan:
    local = read_folder(folder)
    head = read_refs(api, repo_id, "space").main
    if head is None:
        return SpacePlan(None, compare(local, {}))
    sdk = api.space_info(repo_id).sdk
    if sdk not in (SDK, None):
        raise _refusal(repo_id, f"it is a Space with the SDK {sdk!r}, and a report needs a static one: name a new one")

    tree = partial(tree_at, api, repo_id, "space")
    there = tree(head)
    difference = compare(local, there)
    history = api.list_repo_commits(repo_id, repo_type="space", revision=head)
    others = files_of_others(history, there, tree, _is_ours)
    if lost := [path for path in difference.changed if path in others and path != CARD]:
        raise _refusal(repo_id, f"others changed {', '.join(lost)} there: name another Space, or delete these files")
    kept = replace(
        difference,
        changed=tuple(path for path in difference.changed if path not in others),
        removed=tuple(path for path in difference.removed if path not in others),
    )
    return SpacePlan(head, kept, tuple(sorted(others)))


def _is_ours(commit: GitCommitInfo) -> bool:
    return commit.title == HUBS_TITLE or (commit.title.startswith(TITLE) and is_marked(commit))


def _refusal(repo_id: str, reason: str) -> PublishError:
    return PublishError(f"the Space {repo_id} is not published: {reason}")
